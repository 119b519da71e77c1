"""Who signs what: every refusal of the authority, in the order in which it asks."""

from contextlib import suppress
from typing import Any

import pytest

from tallystick.apps.members.authority import AUTHORITY
from tallystick.apps.members.interface import Limit
from tallystick.apps.members.messages import (
    SEE_ALL,
    AddOfficer,
    AddOutlet,
    CloseOutlet,
    Expel,
    GrantLicence,
    RegisterKey,
    RevokeKey,
    Suspend,
)
from tallystick.apps.members.records import DailyUse
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.contract import HANDS
from tallystick.apps.members.tests.counter.messages import (
    PAY,
    Ask,
    Carry,
    Close,
    Greet,
    Knock,
    Nod,
    Pay,
    Settle,
)
from tallystick.apps.members.tests.counter.refusals import Refusal as Counter
from tallystick.apps.members.tests.network import (
    DAY_MS,
    both,
    house,
    key,
    network,
    person,
)
from tallystick.ledger.ahead import Ahead
from tallystick.ledger.app import Message, Role
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import BUDGET
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusal import Refused
from tallystick.testing.world import World, public_key
from tallystick.values.codec import replace

WHO = house("S1")
SINGLE = Limit(currency="CNY", single_minor=100)
DAILY = Limit(currency="CNY", daily_minor=150)


def pay(minor: int | None, currency: str = "CNY") -> Pay:
    return Pay(currency=currency, amount_minor=minor)


def add(world: World, name: str, *roles: Role, **more: object) -> None:
    told = person("S1", name, *roles, **more)
    fields = {field: getattr(told, field) for field in told.__struct_fields__}
    world.accepts(WHO, AddOfficer(**fields))


@pytest.fixture
def world() -> World:
    made = network()
    for outlet in ("shanghai", "wuxi"):
        made.accepts(WHO, AddOutlet(outlet_id=outlet, name=outlet))
    add(made, "owner", Role.MAKER, Role.CHECKER, keys=(key("S1.owner"), key("S1.owner/2")))
    add(made, "sales", Role.MAKER, outlet="shanghai")
    add(made, "erp", Role.MAKER, system=True, identity=None)
    HANDS.clear()
    return made


# --- keys and persons


def test_maker_and_checker_sign(world: World) -> None:
    world.accepts(both("S1"), pay(1))
    assert HANDS == [(None, ("maker", "checker"))]


def test_an_unauthorised_request_uses_nothing_up(world: World) -> None:
    raw = world.signed((both("S1"), pay(1)), keys=("S1.maker",), reference="once")
    answer = world.offer(raw)
    assert answer.receipt is not None
    assert answer.receipt.outcome is Outcome.UNAUTHORISED
    world.send((both("S1"), pay(1)), reference="once")
    assert HANDS == [(None, ("maker", "checker"))]


def test_one_person_with_two_keys_is_one_person(world: World) -> None:
    world.refuses("S1.owner+owner/2", pay(1), Refusal.SAME_PERSON, member="S1")
    world.accepts("S1.owner+owner/2+checker", pay(1))
    assert HANDS == [(None, ("owner", "checker"))]


def test_two_keys_of_a_maker_are_no_checker(world: World) -> None:
    world.accepts(WHO, RegisterKey(officer_id="maker", key=key("S1.maker/2")))
    two_keys = "S1.maker+maker/2"
    world.refuses(two_keys, pay(1), Refusal.NOT_ENOUGH_OFFICERS, roles="checker")


def test_keys_are_asked_first(world: World) -> None:
    world.accepts("S1.admin", RevokeKey(public_key=public_key("S1.owner/2"), reason="lost"))
    for keys, code in (
        (("nobody", "S1.maker"), Refusal.UNKNOWN_KEY),
        (("S1.owner/2", "S1.maker"), Refusal.KEY_REVOKED),
        (("D1.maker", "S1.maker"), Refusal.STRANGER),
    ):
        answer = world.offer(world.signed((both("S1"), pay(1)), keys=keys))
        assert answer.receipt is not None
        told = (answer.receipt.outcome, answer.receipt.app, answer.receipt.code)
        assert told == (Outcome.UNAUTHORISED, "members", code.number)
        assert answer.receipt.values[0].value == public_key(keys[0]).hex()


def test_a_key_that_signs_twice_in_the_network_is_asked_once(world: World) -> None:
    raw = world.signed((both("S1"), pay(1)), (both("S1"), Greet()))
    answer = world.offer(raw)
    assert answer.receipt is not None
    assert answer.receipt.outcome is Outcome.ACCEPTED


def test_a_stranger_may_not_act_for_who_is_no_member(world: World) -> None:
    unknown = world.signed(("nobody.maker", pay(1)), (both("S1"), pay(1)), keys=("S1.maker",))
    answer = world.offer(unknown)
    assert answer.receipt is not None
    assert answer.receipt.code == Refusal.NOT_A_MEMBER.number


def test_several_parties_sign_each_for_itself(world: World) -> None:
    world.accepts_together((both("S1"), pay(1)), (both("bank-a"), pay(2)))
    assert HANDS == [(None, ("maker", "checker")), (None, ("maker", "checker"))]
    half = (("S1.maker", pay(1)), ("bank-a.maker+checker", pay(1)))
    world.refuses_together(*half, code=Refusal.NOT_ENOUGH_OFFICERS, member="S1", roles="checker")


@pytest.mark.parametrize(
    ("who", "message", "officers"),
    (
        ("S1.maker+sales+owner", Carry(), ("maker", "sales", "owner")),
        ("S1.owner+maker", Greet(), ("maker", "owner")),
        ("S1.owner+checker", Greet(), ("owner", "checker")),
        ("S1.erp+checker", Greet(), ("erp", "checker")),
        ("S1.erp", Knock(), ("erp",)),
        ("S1.admin", Nod(), ("admin",)),
        ("S1.sales+owner+checker+admin", Greet(), ("sales", "owner", "checker", "admin")),
    ),
)
def test_makers_come_first(
    world: World, who: str, message: Message, officers: tuple[str, ...]
) -> None:
    world.accepts(who, message)
    outlet, signed = HANDS[-1]
    assert sorted(signed) == sorted(officers)
    makers = [name for name in signed if name not in ("checker", "admin")]
    assert signed[: len(makers)] == tuple(makers)
    assert outlet in (None, "shanghai")
    if len(signed) == 2:
        assert signed == officers


@pytest.mark.parametrize(
    ("who", "message", "code"),
    (
        ("S1.maker+erp", Greet(), Refusal.NOT_ENOUGH_OFFICERS),
        ("S1.owner", Greet(), Refusal.SAME_PERSON),
        ("S1.owner+erp", Carry(), Refusal.SAME_PERSON),
        ("S1.maker+checker", Carry(), Refusal.NOT_ENOUGH_OFFICERS),
        ("S1.checker", Knock(), Refusal.NOT_ENOUGH_OFFICERS),
    ),
)
def test_too_few_persons(world: World, who: str, message: Message, code: Refusal) -> None:
    world.refuses(who, message, code, member="S1")


def test_somebody_must_sign_for_every_party(world: World) -> None:
    raw = world.signed(
        (both("S1"), Greet()), (both("bank-a"), Nod()), keys=("S1.maker", "S1.checker")
    )
    answer = world.offer(raw)
    assert answer.receipt is not None
    assert answer.receipt.code == Refusal.SAME_PERSON.number
    assert {value.name: value.value for value in answer.receipt.values} == {"member": "bank-a"}


# --- standing


def test_standing_is_asked_before_officers(world: World) -> None:
    world.refuses("D1.maker", pay(1), Refusal.UNLICENSED, member="D1", verb=PAY)
    until = world.ledger_ms + DAY_MS
    order: dict[str, Any] = {"member": "S1", "expires_at_ms": until, "reason": "x"}
    world.accepts("SUP.compliance", Suspend(order_id="1", verbs=(PAY,), **order))
    world.refuses("S1.maker", pay(1), Refusal.FROZEN)
    world.accepts("SUP.compliance", Suspend(order_id="2", **order))
    world.refuses("S1.maker", pay(1), Refusal.SUSPENDED, member="S1")
    world.accepts(both("SUP"), Expel(member="S1", reason="x"))
    world.refuses("S1.maker", pay(1), Refusal.EXPELLED, member="S1")


def test_what_is_owed_needs_no_licence(world: World) -> None:
    world.accepts(both("D1"), Settle(currency="CNY", amount_minor=1))


# --- outlets


def test_the_outlet_is_that_of_the_first_maker(world: World) -> None:
    world.accepts("S1.sales+checker", Greet())
    world.accepts("S1.sales+checker", Greet(), outlet="wuxi")
    assert [outlet for outlet, _ in HANDS] == ["shanghai", "wuxi"]
    world.accepts(WHO, CloseOutlet(outlet_id="wuxi"))
    for outlet, code in (("wuxi", Refusal.OUTLET_CLOSED), ("moon", Refusal.NO_SUCH_OUTLET)):
        result = world.send(("S1.sales+checker", Greet()), outlet=outlet)
        assert result.receipt.outcome is Outcome.UNAUTHORISED
        assert result.receipt.code == code.number


# --- limits


def test_one_transaction_within_the_single_limit(world: World) -> None:
    add(world, "junior", Role.MAKER, limits=(SINGLE,))
    who = "S1.junior+checker"
    world.accepts(who, pay(100))
    world.accepts(who, pay(100))
    world.accepts(who, pay(None))
    over = {"officer": "junior", "currency": "CNY"}
    world.refuses(who, pay(101), Refusal.OVER_LIMIT, **over)
    world.refuses_together((who, pay(50)), (who, pay(51)), code=Refusal.OVER_LIMIT, **over)
    world.refuses(who, pay(1, "EUR"), Refusal.OVER_LIMIT, officer="junior", currency="EUR")
    world.accepts(both("S1"), pay(1_000_000))


def test_the_limits_of_all_who_sign_count(world: World) -> None:
    add(world, "senior", Role.CHECKER, limits=(Limit(currency="CNY", single_minor=200),))
    world.accepts("S1.maker+senior", pay(200))
    world.refuses("S1.maker+senior", pay(201), Refusal.OVER_LIMIT, officer="senior")
    world.refuses("S1.maker+checker+senior", pay(201), Refusal.OVER_LIMIT, officer="senior")


def test_a_day_within_the_daily_limit(world: World) -> None:
    add(world, "junior", Role.MAKER, limits=(DAILY,))
    who = "S1.junior+checker"
    world.accepts(who, pay(100))
    world.refuses(who, pay(51), Refusal.OVER_DAILY_LIMIT, officer="junior", currency="CNY")
    world.accepts(who, pay(50))
    world.refuses_together((who, Close()), (who, pay(0)), code=Counter.CLOSED)
    kept = world.view().get(DailyUse, "S1", "junior", "CNY")
    assert (kept.day, kept.used_minor) == ("2026-07-03", 150)
    world.refuses(who, pay(1), Refusal.OVER_DAILY_LIMIT)
    world.passes(days=1)  # Saturday counts for Monday
    world.accepts(who, pay(100))
    world.passes(days=2)
    assert world.view().get(DailyUse, "S1", "junior", "CNY").day == "2026-07-06"
    world.refuses(who, pay(51), Refusal.OVER_DAILY_LIMIT)
    world.passes(days=1)
    world.accepts(who, pay(150))


def test_of_several_calls_only_those_with_limits_are_summed(world: World) -> None:
    add(world, "junior", Role.MAKER, limits=(SINGLE,))
    bank = (both("bank-a"), pay(1_000_000))
    world.accepts_together(bank, ("S1.junior+checker", pay(100)))
    world.refuses_together(bank, ("S1.junior+checker", pay(101)), code=Refusal.OVER_LIMIT)
    world.accepts_together(bank, (both("S1"), pay(101)))


def test_what_a_spent_budget_cut_short_is_not_remembered(world: World) -> None:
    """Else a node that met it would count fewer reads than one that did not."""
    raw = world.signed((both("S1"), pay(1)), (both("bank-a"), pay(2)))
    transaction = world.ledger.codec.decode(raw)
    calls, keys = transaction.body.calls, transaction.public_keys

    def reads(most: int) -> int:
        """How many it takes to authorise both, with so many at most."""
        base = Ahead(world.chain.state, ())
        overlay = Overlay(base, memory=base.memory, ahead=base.ahead)
        budget = replace(BUDGET, reads=most)
        moment = Moment(world.ledger.rules, budget, now_ms=world.ledger_ms, height=1)
        work = Work(overlay, moment, transaction.id)
        ctx = Context(work, party="S1", acting=frozenset(("S1", "bank-a")))
        with suppress(Refused):
            AUTHORITY.authorize(ctx, calls, keys)
        return work.reads

    world.chain.state.memory.clear()
    needed = reads(BUDGET.reads)
    for most in range(needed):
        world.chain.state.memory.clear()
        assert reads(most) > most
        assert reads(BUDGET.reads) == needed


def test_several_calls_at_a_branch_end_with_it(world: World) -> None:
    calls = (both("S1"), Greet()), (both("S1"), Nod())
    world.accepts_together(*calls, outlet="wuxi")
    assert [outlet for outlet, _ in HANDS[-2:]] == ["wuxi", "wuxi"]
    world.accepts(WHO, CloseOutlet(outlet_id="wuxi"))
    result = world.send(*calls, outlet="wuxi")
    assert result.receipt.code == Refusal.OUTLET_CLOSED.number


def test_what_is_refused_is_not_counted(world: World) -> None:
    add(world, "junior", Role.MAKER, limits=(DAILY,))
    who = "S1.junior+checker"
    world.refuses_together((who, pay(150)), (who, Close()), code=Counter.CLOSED)
    assert world.view().peek(DailyUse, "S1", "junior", "CNY") is None
    world.accepts(who, pay(150))


def test_a_duty_counts_too(world: World) -> None:
    add(world, "junior", Role.MAKER, limits=(SINGLE,))
    due = Settle(currency="CNY", amount_minor=101)
    world.refuses("S1.junior+checker", due, Refusal.OVER_LIMIT)


# --- who reads


def test_who_sees_all(world: World) -> None:
    def sees(party: str) -> bool:
        return AUTHORITY.sees_all(world.view(), party)

    assert [party for party in ("SUP", "AU", "S1", "nobody") if sees(party)] == ["SUP"]
    world.accepts(both("SUP"), GrantLicence(member="AU", verbs=(SEE_ALL,)))
    assert sees("AU")
    world.accepts(both("SUP"), Expel(member="AU", reason="x"))
    assert not sees("AU")


# --- what applications ask


def test_what_applications_ask(world: World) -> None:
    for message, code in (
        (Ask(party="nobody", what="known"), Refusal.NOT_A_MEMBER),
        (Ask(party="nobody", what="active"), Refusal.NOT_A_MEMBER),
        (Ask(party="nobody", what="licensed", about=PAY), Refusal.NOT_A_MEMBER),
        (Ask(party="D1", what="licensed", about=PAY), Refusal.UNLICENSED),
    ):
        world.refuses(both("bank-a"), message, code)
    for message in (
        Ask(party="S1", what="known"),
        Ask(party="S1", what="active"),
        Ask(party="S1", what="licensed", about=PAY),
        Ask(party="S1", what="account"),
    ):
        world.accepts(both("bank-a"), message)
