"""SetPolicy, DropPolicy, Delegate, EndDelegation."""

from typing import Any

import pytest

from tallystick.apps.governance.messages import SetParameter
from tallystick.apps.members.authority import ONE_PERSON_MAX, ONE_PERSON_MAX_MINOR
from tallystick.apps.members.interface import Size
from tallystick.apps.members.messages import (
    AddOfficer,
    ChangeMember,
    ChangeOfficer,
    Delegate,
    DropPolicy,
    EndDelegation,
    RemoveOfficer,
    SetPolicy,
)
from tallystick.apps.members.parts import (
    DELEGATIONS_MAX,
    POLICIES_MAX,
    Ceiling,
    Delegation,
    Need,
    Tier,
)
from tallystick.apps.members.records import Key, Member, Officer, Policy
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.messages import Carry, Close, Greet, Knock, Pay
from tallystick.apps.members.tests.network import (
    DAY_MS,
    OPENS_AT_MS,
    both,
    house,
    network,
    person,
)
from tallystick.ledger.app import Role
from tallystick.testing.world import World, public_key
from tallystick.values.codec import replace

WHO = house("S1")
APPROVER = (Need(role=Role.APPROVER, persons=1),)
UNTIL = OPENS_AT_MS + 10 * DAY_MS
FEW = 4_999_999


def pay(minor: int | None, currency: str = "CNY") -> Pay:
    return Pay(currency=currency, amount_minor=minor)


def policy(message: str = "counter.pay", **more: Any) -> SetPolicy:
    return SetPolicy(**{"message": message, **more})


def delegate(giver: str = "checker", taker: str = "maker", *roles: Role, **more: Any) -> Delegate:
    told = {"from_officer": giver, "to_officer": taker, "until_ms": UNTIL}
    return Delegate(**{**told, "roles": roles or (Role.CHECKER,), **more})


@pytest.fixture
def world() -> World:
    made = network()
    owner = person("S1", "owner", Role.MAKER, Role.CHECKER)
    told = {field: getattr(owner, field) for field in owner.__struct_fields__}
    made.accepts(WHO, AddOfficer(**told))
    return made


# --- SetPolicy


def test_a_policy_asks_for_more(world: World) -> None:
    world.accepts(WHO, policy(needs=APPROVER))
    assert world.view().get(Member, "S1").policies == ("counter.pay",)
    world.refuses(both("S1"), pay(1), Refusal.NOT_ENOUGH_OFFICERS, member="S1", roles="approver")
    world.accepts("S1.maker+checker+approver", pay(1))
    world.accepts(both("S1"), Greet())
    two = (Need(role=Role.CHECKER, persons=3), Need(role=Role.APPROVER, persons=2))
    world.accepts(WHO, policy(needs=two))
    world.refuses(both("S1"), pay(1), Refusal.NOT_ENOUGH_OFFICERS, roles="checker x2, approver x2")
    world.accepts(WHO, DropPolicy(message="counter.pay"))
    assert world.view().get(Member, "S1").policies == ()
    world.accepts(both("S1"), pay(1))


def test_a_policy_never_asks_for_less(world: World) -> None:
    world.accepts(WHO, policy("counter.carry", needs=(Need(role=Role.MAKER, persons=1),)))
    world.refuses(both("S1"), Carry(), Refusal.NOT_ENOUGH_OFFICERS, roles="maker")
    world.accepts("S1.maker+owner+checker", Carry())


def test_tiers_ask_for_more_from_an_amount_on(world: World) -> None:
    tiers = (
        Tier(currency="CNY", from_minor=100, needs=APPROVER),
        Tier(currency="CNY", from_minor=200, needs=(Need(role=Role.CHECKER, persons=2),)),
        Tier(currency="EUR", from_minor=0, needs=(Need(role=Role.ADMIN, persons=1),)),
    )
    world.accepts(WHO, policy(tiers=tiers))
    world.accepts(both("S1"), pay(99))
    world.accepts(both("S1"), pay(None))
    world.refuses(both("S1"), pay(100), Refusal.NOT_ENOUGH_OFFICERS, roles="approver")
    world.accepts("S1.maker+checker+approver", pay(199))
    all_of_them = "S1.maker+checker+owner+approver"
    world.refuses("S1.maker+checker+approver", pay(200), Refusal.NOT_ENOUGH_OFFICERS)
    world.accepts(all_of_them, pay(200))
    world.refuses(all_of_them, pay(0, "EUR"), Refusal.NOT_ENOUGH_OFFICERS, roles="admin")


def test_an_amount_is_not_cut_to_stay_below_a_tier(world: World) -> None:
    world.accepts(WHO, policy(tiers=(Tier(currency="CNY", from_minor=100, needs=APPROVER),)))
    halves = ((both("S1"), pay(50)), (both("S1"), pay(50)))
    world.refuses_together(*halves, code=Refusal.NOT_ENOUGH_OFFICERS)
    world.accepts_together((both("S1"), pay(50)), (both("S1"), pay(50, "EUR")))


def test_one_person_signs_for_a_small_member(world: World) -> None:
    world.refuses("S1.owner", pay(1), Refusal.SAME_PERSON, member="S1")
    world.accepts(WHO, policy(one_person=True))
    world.accepts("S1.owner", pay(FEW))
    world.accepts("S1.owner", pay(None))
    assert ONE_PERSON_MAX_MINOR == FEW + 1
    world.refuses("S1.owner", pay(FEW + 1), Refusal.SAME_PERSON)
    world.refuses("S1.maker", pay(1), Refusal.NOT_ENOUGH_OFFICERS, roles="checker")
    world.accepts("S1.owner+admin", pay(1))
    world.refuses("S1.owner", Greet(), Refusal.SAME_PERSON)
    world.accepts(WHO, policy("counter.greet", one_person=True))
    world.accepts("S1.owner", Greet())


def test_a_policy_is_for_a_message_that_the_rules_in_force_know(world: World) -> None:
    typo = policy("counter.spilt", one_person=True)
    world.refuses(WHO, typo, Refusal.NO_SUCH_MESSAGE, message="counter.spilt")
    timer = policy("members.end_order")
    world.refuses(WHO, timer, Refusal.NO_SUCH_MESSAGE, message="members.end_order")
    later = policy("counter.whistle")
    world.refuses(WHO, later, Refusal.NO_SUCH_MESSAGE)
    early = policy("counter.ring")
    world.refuses(WHO, early, Refusal.NO_SUCH_MESSAGE)
    alone = policy("counter.close", one_person=True)
    world.refuses(WHO, alone, Refusal.NEVER_ALONE, message="counter.close")
    world.accepts(WHO, policy("counter.close", needs=APPROVER))


def test_a_policy_that_came_from_elsewhere_loosens_nothing_either() -> None:
    owner = Officer(
        member="S1",
        officer_id="owner",
        roles=(Role.MAKER, Role.CHECKER),
        keys=(public_key("S1.owner"),),
    )
    registered = network().view().get(Key, public_key("S1.maker"))
    world = network(
        replace(network().view().get(Member, "S1"), policies=("counter.close",)),
        Policy(member="S1", message="counter.close", one_person=True),
        owner,
        replace(registered, officer="owner", public_key=public_key("S1.owner")),
    )
    world.refuses("S1.owner", Close(), Refusal.SAME_PERSON)


def test_governance_says_below_which_amount(world: World) -> None:
    world.accepts(WHO, policy(one_person=True))
    name = ONE_PERSON_MAX + "cny"
    world.accepts(both("SUP"), SetParameter(name=name, value=10, reason="circular"))
    world.accepts("S1.owner", pay(9))
    world.refuses("S1.owner", pay(10), Refusal.SAME_PERSON)
    world.accepts("S1.owner", pay(10, "EUR"))


def test_a_member_may_set_a_lower_ceiling(world: World) -> None:
    ceilings = (
        Ceiling(currency="CNY", below_minor=5),
        Ceiling(currency="EUR", below_minor=FEW + 2),
    )
    world.accepts(WHO, policy(one_person=True, ceilings=ceilings))
    world.accepts("S1.owner", pay(4))
    world.refuses("S1.owner", pay(5), Refusal.SAME_PERSON)
    world.accepts("S1.owner", pay(FEW, "EUR"))
    world.refuses("S1.owner", pay(FEW + 1, "EUR"), Refusal.SAME_PERSON)
    world.refuses("S1.owner", pay(0, "USD"), Refusal.SAME_PERSON)


def test_a_tier_ends_signing_alone(world: World) -> None:
    tiers = (Tier(currency="CNY", from_minor=100, needs=(Need(role=Role.CHECKER, persons=1),)),)
    world.accepts(WHO, policy(one_person=True, tiers=tiers))
    world.accepts("S1.owner", pay(99))
    world.refuses("S1.owner", pay(100), Refusal.SAME_PERSON)


def test_who_grows_no_longer_signs_alone(world: World) -> None:
    world.accepts(WHO, policy(one_person=True))
    grown = ChangeMember(member="S1", legal_name="S1", size=Size.MEDIUM)
    world.accepts(both("SUP"), grown)
    world.refuses("S1.owner", pay(1), Refusal.SAME_PERSON)


def test_a_policy_refused(world: World) -> None:
    twice = (Ceiling(currency="CNY", below_minor=1),) * 2
    bad = policy(one_person=True, ceilings=twice)
    world.refuses(house("bank-a"), bad, Refusal.NOT_SMALL, member="bank-a")
    unknown = replace(bad, message="counter.close")
    world.refuses(house("bank-a"), unknown, Refusal.NEVER_ALONE)
    world.refuses(WHO, bad, Refusal.LIMIT_TWICE, currency="CNY")
    world.refuses(WHO, DropPolicy(message="counter.pay"), Refusal.NO_SUCH_POLICY)
    world.accepts(house("bank-a"), policy(needs=APPROVER))


def test_policies_have_a_most() -> None:
    old = (f"counter.m{n:03}" for n in range(POLICIES_MAX - 1))
    names = ("counter.greet", *old)
    member = replace(network().view().get(Member, "S1"), policies=names)
    world = network(member, *(Policy(member="S1", message=name) for name in names))
    world.refuses(WHO, policy(), Refusal.TOO_MANY, what="policies", most=POLICIES_MAX)
    world.accepts(WHO, policy("counter.greet", needs=APPROVER))


# --- Delegate


def test_a_colleague_stands_in_until_a_day(world: World) -> None:
    world.refuses("S1.maker+admin", Greet(), Refusal.NOT_ENOUGH_OFFICERS, roles="checker")
    world.accepts(WHO, delegate("checker", "admin"))
    world.accepts("S1.maker+admin", Greet())
    world.passes(days=10)
    world.refuses("S1.maker+admin", Greet(), Refusal.NOT_ENOUGH_OFFICERS)


def test_who_stands_in_is_still_one_person(world: World) -> None:
    world.accepts(WHO, delegate())
    world.refuses("S1.maker", Greet(), Refusal.SAME_PERSON, member="S1")
    world.accepts(both("S1"), Greet())


def test_what_is_handed_over_counts_while_it_is_held(world: World) -> None:
    world.accepts(WHO, delegate("owner", "admin", Role.MAKER, Role.CHECKER))
    world.accepts("S1.maker+admin", Greet())
    world.accepts("S1.admin+checker", Greet())
    world.accepts(WHO, ChangeOfficer(officer_id="owner", roles=(Role.MAKER,)))
    world.refuses("S1.maker+admin", Greet(), Refusal.NOT_ENOUGH_OFFICERS, roles="checker")
    world.accepts("S1.admin", Knock())
    world.accepts(WHO, RemoveOfficer(officer_id="owner", reason="left"))
    world.refuses("S1.admin", Knock(), Refusal.NOT_ENOUGH_OFFICERS, roles="maker")


def test_a_new_delegation_takes_the_place_of_the_old(world: World) -> None:
    world.accepts(WHO, delegate("checker", "maker"))
    world.accepts(WHO, delegate("owner", "maker", until_ms=UNTIL - DAY_MS))
    world.accepts(WHO, delegate("checker", "maker", until_ms=UNTIL + 1))
    kept = world.view().get(Officer, "S1", "maker").delegations
    assert [(each.from_officer, each.until_ms) for each in kept] == [
        ("owner", UNTIL - DAY_MS),
        ("checker", UNTIL + 1),
    ]
    world.passes(days=10)
    world.accepts(WHO, delegate("admin", "maker", Role.ADMIN, until_ms=UNTIL + DAY_MS))
    assert [each.from_officer for each in world.view().get(Officer, "S1", "maker").delegations] == [
        "admin"
    ]


def test_a_delegation_refused(world: World) -> None:
    erp = AddOfficer(officer_id="erp", roles=(Role.MAKER,), system=True)
    world.accepts(WHO, erp)
    world.accepts(WHO, replace(erp, officer_id="gone"))
    world.accepts(WHO, RemoveOfficer(officer_id="gone", reason="x"))
    for message, code in (
        (delegate("nobody", "nobody"), Refusal.SAME_PERSON),
        (delegate("nobody", "gone"), Refusal.NO_SUCH_OFFICER),
        (delegate("gone", "erp"), Refusal.OFFICER_REMOVED),
        (delegate("checker", "gone"), Refusal.OFFICER_REMOVED),
        (delegate("checker", "erp", Role.ADMIN, until_ms=0), Refusal.ONLY_MAKES),
        (delegate("checker", "maker", Role.ADMIN, until_ms=0), Refusal.IN_THE_PAST),
        (delegate("checker", "maker", Role.CHECKER, Role.ADMIN), Refusal.ROLE_NOT_HELD),
    ):
        world.refuses(WHO, message, code)


def test_roles_handed_over_are_not_handed_on(world: World) -> None:
    world.accepts(WHO, delegate("checker", "maker"))
    onward = delegate("maker", "admin", Role.CHECKER)
    world.refuses(WHO, onward, Refusal.ROLE_NOT_HELD, role="checker")


def test_delegations_have_a_most() -> None:
    givers = [f"giver-{n}" for n in range(DELEGATIONS_MAX)]
    made = network()
    taker = made.view().get(Officer, "S1", "maker")
    full = tuple(
        Delegation(from_officer=giver, roles=(Role.CHECKER,), until_ms=UNTIL) for giver in givers
    )
    world = network(
        replace(taker, delegations=full),
        *(Officer(member="S1", officer_id=giver, roles=(Role.CHECKER,)) for giver in givers),
    )
    one_more = delegate("checker", "maker")
    world.refuses(WHO, one_more, Refusal.TOO_MANY, what="delegations", most=DELEGATIONS_MAX)
    world.accepts(WHO, delegate("giver-0", "maker"))


# --- EndDelegation


def test_a_delegation_ends_before_its_day(world: World) -> None:
    world.accepts(WHO, delegate("checker", "admin"))
    world.accepts(WHO, delegate("owner", "admin", Role.MAKER))
    end = EndDelegation(from_officer="checker", to_officer="admin")
    world.accepts(WHO, end)
    world.refuses("S1.maker+admin", Greet(), Refusal.NOT_ENOUGH_OFFICERS)
    world.accepts("S1.admin", Knock())
    world.refuses(WHO, end, Refusal.NO_SUCH_DELEGATION, officer="checker")
    nobody = EndDelegation(from_officer="checker", to_officer="nobody")
    world.refuses(WHO, nobody, Refusal.NO_SUCH_OFFICER)
    world.accepts(WHO, RemoveOfficer(officer_id="owner", reason="x"))
    gone = EndDelegation(from_officer="checker", to_officer="owner")
    world.refuses(WHO, gone, Refusal.OFFICER_REMOVED)
