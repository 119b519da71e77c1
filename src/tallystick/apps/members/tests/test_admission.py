"""Admit, Expel, ChangeMember, GrantLicence, RevokeLicence, SetKindLicence."""

import pytest

from tallystick.apps.governance.interface import Admits
from tallystick.apps.members.interface import (
    Kind,
    LegalNumber,
    Limit,
    NewKey,
    NewMember,
    NewOfficer,
    NewOutlet,
    NumberScheme,
    Size,
    member_by_number,
)
from tallystick.apps.members.licences import verbs_of
from tallystick.apps.members.messages import (
    ADMIT,
    Admit,
    ChangeMember,
    Expel,
    GrantLicence,
    RevokeLicence,
    SetKindLicence,
)
from tallystick.apps.members.parts import VERBS_MAX, MemberStatus
from tallystick.apps.members.records import KindLicence, Member, NumberHolder, Officer, Outlet
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.messages import PAY, Pay
from tallystick.apps.members.tests.network import both, key, network, newcomer, person
from tallystick.ledger.app import Role
from tallystick.testing.world import World, public_key
from tallystick.values.codec import replace

USCC = LegalNumber(scheme=NumberScheme.USCC, number="91310000MA1FL0001X")
VAT = LegalNumber(scheme=NumberScheme.VAT, number="DE136695976")
PAYING = Pay(currency="CNY", amount_minor=1)


@pytest.fixture
def world() -> World:
    return network()


def test_an_admitted_member_acts_at_once(world: World) -> None:
    bank = newcomer(
        "bank-b",
        Kind.BANK,
        numbers=(USCC, USCC),
        licences=("b.verb", "a.verb", "b.verb"),
        outlets=(NewOutlet(outlet_id="shanghai", name="Shanghai branch"),),
    )
    clerk = person("bank-b", "clerk", Role.CHECKER, Role.MAKER, outlet="shanghai")
    world.accepts(both("SUP"), Admit(newcomer=replace(bank, officers=(*bank.officers, clerk))))
    view = world.view()
    kept = view.get(Member, "bank-b")
    assert kept.status is MemberStatus.ACTIVE
    assert kept.licences == ("a.verb", "b.verb")
    assert kept.admitted_at_ms == world.ledger_ms
    assert view.get(Outlet, "bank-b", "shanghai").name == "Shanghai branch"
    assert view.get(Officer, "bank-b", "clerk").roles == (Role.MAKER, Role.CHECKER)
    assert member_by_number(view, USCC.scheme, USCC.number) == "bank-b"
    world.accepts("bank-b.clerk+checker", PAYING)


def with_(*officers: NewOfficer) -> NewMember:
    """A newcomer with these officers alone."""
    return newcomer("N", officers=officers)


ADMIN = person("N", "a", Role.ADMIN)
CHECKER = person("N", "b", Role.CHECKER)
OUTLET = NewOutlet(outlet_id="o", name="O")


@pytest.mark.parametrize(
    ("told", "code"),
    (
        (newcomer("S1"), Refusal.ALREADY_A_MEMBER),
        (newcomer("N", numbers=(USCC,)), Refusal.NUMBER_TAKEN),
        (newcomer("N", outlets=(OUTLET, OUTLET)), Refusal.OUTLET_EXISTS),
        (with_(ADMIN, ADMIN), Refusal.ALREADY_AN_OFFICER),
        (with_(ADMIN, replace(CHECKER, identity=ADMIN.identity)), Refusal.SAME_IDENTITY),
        (with_(replace(ADMIN, system=True)), Refusal.ONLY_MAKES),
        (with_(replace(ADMIN, limits=(Limit(currency="CNY"),) * 2)), Refusal.LIMIT_TWICE),
        (with_(replace(ADMIN, outlet="moon")), Refusal.NO_SUCH_OUTLET),
        (with_(replace(ADMIN, keys=(NewKey(public_key=bytes(32)),))), Refusal.WEAK_KEY),
        (with_(replace(ADMIN, keys=(key("S1.maker"),))), Refusal.KEY_TAKEN),
        (with_(ADMIN), Refusal.CANNOT_SIGN),
        (with_(ADMIN, replace(CHECKER, keys=())), Refusal.CANNOT_SIGN),
        (with_(person("N", "a", Role.ADMIN, Role.CHECKER)), Refusal.CANNOT_SIGN),
    ),
)
def test_a_newcomer_that_cannot_be_admitted(world: World, told: NewMember, code: Refusal) -> None:
    world.accepts(both("SUP"), Admit(newcomer=newcomer("holder", numbers=(USCC,))))
    world.refuses(both("SUP"), Admit(newcomer=told), code)
    assert world.view().peek(Member, "N") is None


def test_only_the_licensed_admit_and_only_where_the_constitution_lets_them(world: World) -> None:
    world.refuses(both("bank-a"), Admit(newcomer=newcomer("N")), Refusal.UNLICENSED, verb=ADMIT)
    voting = network(admits=Admits.VOTE)
    voting.refuses(both("SUP"), Admit(newcomer=newcomer("S1")), Refusal.ADMITTED_BY_VOTE)
    voting.refuses(both("SUP"), Expel(member="nobody", reason="x"), Refusal.ADMITTED_BY_VOTE)


def test_an_expelled_member_is_gone_for_good(world: World) -> None:
    world.refuses(both("SUP"), Expel(member="SUP", reason="x"), Refusal.OWN_MEMBER)
    world.refuses(
        both("SUP"), Expel(member="nobody", reason="x"), Refusal.NOT_A_MEMBER, member_id="nobody"
    )
    world.accepts(both("SUP"), Expel(member="S1", reason="fraud"))
    world.refuses(both("SUP"), Expel(member="S1", reason="x"), Refusal.EXPELLED, member="S1")
    world.refuses(both("SUP"), Admit(newcomer=newcomer("S1")), Refusal.ALREADY_A_MEMBER)
    world.refuses(both("S1"), PAYING, Refusal.EXPELLED)


def test_a_changed_entry(world: World) -> None:
    def change(
        member: str, *numbers: LegalNumber, name: str = "S", size: Size = Size.LARGE
    ) -> ChangeMember:
        return ChangeMember(member=member, legal_name=name, size=size, numbers=numbers)

    world.accepts(both("SUP"), change("S1", USCC, VAT))
    world.accepts(both("SUP"), change("S1", VAT, name="S One"))
    assert world.view().peek(NumberHolder, USCC.scheme, USCC.number) is None
    assert world.view().get(Member, "S1").numbers == (VAT,)
    world.accepts(both("SUP"), change("D1", USCC))
    world.refuses(both("SUP"), change("nobody"), Refusal.NOT_A_MEMBER)
    world.refuses(both("SUP"), change("S1", VAT, name="S One"), Refusal.NOTHING_TO_CHANGE)
    world.refuses(
        both("SUP"), change("S1", USCC), Refusal.NUMBER_TAKEN, scheme="uscc", number=USCC.number
    )


def test_licences_granted_and_taken(world: World) -> None:
    world.refuses(both("D1"), PAYING, Refusal.UNLICENSED, member="D1", verb=PAY)
    grant = GrantLicence(member="D1", verbs=(PAY,))
    world.refuses(both("SUP"), GrantLicence(member="nobody", verbs=(PAY,)), Refusal.NOT_A_MEMBER)
    world.accepts(both("SUP"), grant)
    world.refuses(both("SUP"), grant, Refusal.NOTHING_TO_CHANGE, what="D1")
    world.accepts(both("D1"), PAYING)
    take = RevokeLicence(member="D1", verbs=(PAY,), reason="lapsed")
    world.accepts(both("SUP"), take)
    world.refuses(both("SUP"), take, Refusal.UNLICENSED, member="D1", verb=PAY)
    world.refuses(both("D1"), PAYING, Refusal.UNLICENSED)
    world.accepts(both("SUP"), grant)
    world.accepts(both("D1"), PAYING)


def test_a_verb_of_the_kind_can_be_taken_from_one_member(world: World) -> None:
    world.accepts(both("SUP"), RevokeLicence(member="S1", verbs=(PAY,), reason="x"))
    world.refuses(both("S1"), PAYING, Refusal.UNLICENSED)
    world.accepts(both("bank-a"), PAYING)
    gone = RevokeLicence(member="nobody", verbs=(PAY,), reason="x")
    world.refuses(both("SUP"), gone, Refusal.NOT_A_MEMBER)


def test_too_many_verbs(world: World) -> None:
    many = tuple(f"verb.{n:03}" for n in range(VERBS_MAX))
    world.accepts(both("SUP"), GrantLicence(member="D1", verbs=many))
    one = GrantLicence(member="D1", verbs=("one.more",))
    world.refuses(both("SUP"), one, Refusal.TOO_MANY, what="licences", most=VERBS_MAX)
    world.accepts(both("SUP"), RevokeLicence(member="D1", verbs=many, reason="x"))
    world.accepts(both("SUP"), one)
    again = RevokeLicence(member="D1", verbs=("one.more",), reason="x")
    world.refuses(both("SUP"), again, Refusal.TOO_MANY)


def test_verbs_of_a_kind(world: World) -> None:
    said = SetKindLicence(kind=Kind.SUPPLIER, verbs=())
    world.accepts(both("SUP"), said)
    world.refuses(both("SUP"), said, Refusal.NOTHING_TO_CHANGE, what="supplier")
    world.refuses(both("S1"), PAYING, Refusal.UNLICENSED)
    world.accepts(both("SUP"), SetKindLicence(kind=Kind.SUPPLIER, verbs=(PAY, PAY)))
    world.accepts(both("S1"), PAYING)


def test_a_kind_that_genesis_left_out_has_no_verbs() -> None:
    world = network(without=KindLicence)
    world.refuses(both("S1"), PAYING, Refusal.UNLICENSED)
    assert verbs_of(world.view(), world.view().get(Member, "S1")) == ()
    supervisor = replace(world.view().get(Member, "SUP"), licences=(ADMIT,))
    world = network(supervisor, without=KindLicence)
    world.accepts(both("SUP"), SetKindLicence(kind=Kind.SUPPLIER, verbs=(PAY,)))
    world.accepts(both("S1"), PAYING)


def test_a_key_is_never_given_twice_in_the_network(world: World) -> None:
    stolen = newcomer("N", officers=(person("N", "a", Role.ADMIN, keys=(key("bank-a.maker"),)),))
    taken = public_key("bank-a.maker").hex()
    world.refuses(both("SUP"), Admit(newcomer=stolen), Refusal.KEY_TAKEN, public_key=taken)
