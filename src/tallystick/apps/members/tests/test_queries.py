"""Named reads, and who may read what."""

import pytest

from tallystick.apps.members import queries
from tallystick.apps.members.interface import (
    Kind,
    LegalNumber,
    Limit,
    NumberScheme,
    Scope,
    Size,
    is_supervisor,
    kind_of,
    licensed,
    member,
    member_by_number,
    officer_role,
    size_of,
)
from tallystick.apps.members.messages import (
    ADMIT,
    ORDER,
    SEE_ALL,
    AddOfficer,
    AddOutlet,
    ChangeMember,
    Delegate,
    Expel,
    GrantLicence,
    RemoveOfficer,
    RevokeLicence,
    SetPolicy,
    Suspend,
)
from tallystick.apps.members.parts import (
    KeyStatus,
    MemberStatus,
    OfficerStatus,
    OrderStatus,
)
from tallystick.apps.members.records import Frozen
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.messages import PAY, Pay
from tallystick.apps.members.tests.network import (
    DAY_MS,
    OPENS_AT_MS,
    both,
    house,
    key,
    network,
    person,
)
from tallystick.ledger.app import Role
from tallystick.ledger.refusal import Refused
from tallystick.testing.world import World, public_key

LIMITS = (Limit(currency="CNY", daily_minor=100),)


@pytest.fixture(scope="module")
def world() -> World:
    """S1 has a branch, a limited officer, a policy, a delegation, a number and an order on it."""
    made = network()
    who = house("S1")
    number = LegalNumber(scheme=NumberScheme.USCC, number="N1")
    told = ChangeMember(member="S1", legal_name="S1", size=Size.SMALL, numbers=(number,))
    made.accepts(both("SUP"), told)
    made.accepts(who, AddOutlet(outlet_id="shanghai", name="Shanghai"))
    identity = person("S1", "li", Role.MAKER).identity
    for name in ("li", "gone"):
        made.accepts(
            who,
            AddOfficer(
                officer_id=name,
                roles=(Role.MAKER,),
                limits=LIMITS,
                identity=identity if name == "li" else None,
                keys=(key(f"S1.{name}"),),
            ),
        )
    made.accepts(who, RemoveOfficer(officer_id="gone", reason="left"))
    made.accepts(who, SetPolicy(message="counter.pay"))
    until = OPENS_AT_MS + 5 * DAY_MS
    handed = Delegate(from_officer="maker", to_officer="admin", roles=(Role.MAKER,), until_ms=until)
    made.accepts(who, handed)
    made.accepts("S1.li+checker", Pay(currency="CNY", amount_minor=60))
    suspended = Suspend(
        member="S1", verbs=("a.b",), order_id="A 1", expires_at_ms=until, reason="x"
    )
    made.accepts("SUP.compliance", suspended)
    made.accepts(both("SUP"), Expel(member="D1", reason="x"))
    made.accepts(both("SUP"), GrantLicence(member="S1", verbs=("z.z", PAY)))
    made.accepts(both("SUP"), RevokeLicence(member="bank-a", verbs=(PAY,), reason="x"))
    return made


def test_members_are_found(world: World) -> None:
    view = world.view("bank-a")
    assert [each.member_id for each in queries.members(view)] == [
        "AU",
        "S1",
        "SUP",
        "SUP2",
        "bank-a",
    ]
    assert [each.member_id for each in queries.members(view, MemberStatus.EXPELLED)] == ["D1"]
    assert [each.member_id for each in queries.members_of_kind(view, Kind.SUPERVISOR)] == [
        "SUP",
        "SUP2",
    ]
    found = list(queries.holder_of_number(view, NumberScheme.USCC, "N1"))
    assert [each.member for each in found] == ["S1"]


def test_licences_are_told(world: World) -> None:
    view = world.view("bank-a")
    assert queries.licences(view, "S1").verbs == (PAY, "z.z")
    assert queries.licences(view, "SUP").verbs == (ADMIT, ORDER, SEE_ALL)
    assert queries.licences(view, "bank-a").verbs == ()
    of_kinds = {each.kind: each.verbs for each in queries.kind_licences(view)}
    assert of_kinds[Kind.SUPPLIER] == (PAY,)


def test_limits_and_identities_are_shown_to_the_member_alone(world: World) -> None:
    def li(asker: str | None) -> tuple[object, object]:
        officers = queries.officers(world.view(asker), "S1")
        found = next(each for each in officers if each.officer_id == "li")
        return found.limits, found.identity

    identity = person("S1", "li", Role.MAKER).identity
    assert li("S1") == li("SUP") == li(None) == (LIMITS, identity)
    assert li("bank-a") == ((), None)
    gone = list(queries.officers(world.view("bank-a"), "S1", OfficerStatus.REMOVED))
    assert [each.officer_id for each in gone] == ["gone"]


def test_daily_use_is_shown_to_the_member_alone(world: World) -> None:
    assert [each.used_minor for each in queries.daily_use(world.view("S1"), "S1")] == [60]
    assert list(queries.daily_use(world.view("bank-a"), "S1")) == []


def test_keys_policies_outlets_and_delegations_are_public(world: World) -> None:
    view = world.view("bank-a")
    names = {each.officer for each in queries.keys(view, "S1")}
    assert names == {"maker", "checker", "approver", "compliance", "admin", "li"}
    revoked = [each.public_key for each in queries.keys(view, "S1", KeyStatus.REVOKED)]
    assert revoked == [public_key("S1.gone")]
    assert [each.message for each in queries.policies(view, "S1")] == ["counter.pay"]
    assert [each.name for each in queries.outlets(view, "S1")] == ["Shanghai"]
    handed = [
        (each.to_officer, each.delegation.from_officer) for each in queries.delegations(view, "S1")
    ]
    assert handed == [("admin", "maker")]


def test_orders_are_shown_to_whom_they_concern(world: World) -> None:
    for asker, seen in (("S1", ["S1/a.b"]), ("SUP", ["S1/a.b"]), ("bank-a", [])):
        view = world.view(asker)
        assert [each.subject for each in queries.orders(view)] == seen
        assert [each.subject for each in queries.orders_against(view, "S1")] == seen
        assert list(queries.orders(view, OrderStatus.LIFTED)) == []
        frozen = view.peek(Frozen, Scope.VERB, "S1/a.b")
        assert (frozen is not None) == (asker == "SUP")
    assert world.view("bank-a").get(type(member(world.view(), "S1")), "S1").frozen_verbs == ()
    assert member(world.view("S1"), "S1").frozen_verbs == ("a.b",)


def test_what_other_applications_ask(world: World) -> None:
    view = world.view()
    assert member(view, "S1").legal_name == "S1"
    assert (kind_of(view, "S1"), size_of(view, "S1")) == (Kind.SUPPLIER, Size.SMALL)
    assert (is_supervisor(view, "SUP"), is_supervisor(view, "S1")) == (True, False)
    assert not is_supervisor(view, "nobody")
    assert member_by_number(view, NumberScheme.USCC, "N1") == "S1"
    assert member_by_number(view, NumberScheme.VAT, "N1") is None
    assert licensed(view, "S1", PAY)
    assert not licensed(view, "bank-a", PAY)
    assert not licensed(view, "S1", "a.b")
    assert officer_role(view, "S1", "li") == {Role.MAKER}
    assert officer_role(view, "S1", "gone") == frozenset()
    assert officer_role(view, "S1", "nobody") == frozenset()
    with pytest.raises(Refused) as no:
        member(view, "nobody")
    assert no.value.code is Refusal.NOT_A_MEMBER


def test_a_delegation_that_ended_is_not_told() -> None:
    world = network()
    until = OPENS_AT_MS + DAY_MS
    handed = Delegate(from_officer="maker", to_officer="admin", roles=(Role.MAKER,), until_ms=until)
    world.accepts(house("S1"), handed)
    world.passes(days=1)
    assert list(queries.delegations(world.view(), "S1")) == []
