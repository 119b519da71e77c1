"""Suspend, Reinstate, Freeze, Unfreeze, EndOrder."""

from typing import Any

import pytest

from tallystick.apps.members.interface import Scope, frozen, frozen_since
from tallystick.apps.members.messages import (
    ORDER,
    AddOutlet,
    EndOrder,
    Expel,
    Freeze,
    Reinstate,
    RotateKey,
    Suspend,
    Unfreeze,
)
from tallystick.apps.members.parts import (
    ORDERS_MAX,
    VERBS_MAX,
    MemberStatus,
    OrderStatus,
    Standing,
)
from tallystick.apps.members.records import Frozen, LastOrder, Member, Order
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.tests.counter.messages import PAY, Ask, Greet, Pay, Settle
from tallystick.apps.members.tests.network import (
    DAY_MS,
    OPENS_AT_MS,
    both,
    house,
    key,
    network,
    timer_receipts,
)
from tallystick.ledger.receipt import Outcome
from tallystick.testing.world import World, public_key
from tallystick.values.codec import replace

UNTIL = OPENS_AT_MS + 10 * DAY_MS
LATER = OPENS_AT_MS + 20 * DAY_MS
COMPLIANCE = "SUP.compliance"
ACCOUNT = "CNY@central-bank/S1"
PIECE = "piece-0123456789abcdef"
PAYING = Pay(currency="CNY", amount_minor=1)


def suspend(member: str = "S1", number: str = "A 1", **more: Any) -> Suspend:
    told = {"member": member, "order_id": number, "expires_at_ms": UNTIL, "reason": "books"}
    return Suspend(**{**told, **more})


def freeze(subject: str = ACCOUNT, number: str = "C 1", **more: Any) -> Freeze:
    told = {
        "scope": Scope.CASH_ACCOUNT,
        "subject": subject,
        "member": "S1",
        "order_id": number,
        "expires_at_ms": UNTIL,
        "reason": "ruling",
    }
    return Freeze(**{**told, **more})


def reinstate(number: str = "A 1", **more: Any) -> Reinstate:
    return Reinstate(**{"member": "S1", "order_id": number, "reason": "filed", **more})


@pytest.fixture
def world() -> World:
    return network()


def status(world: World, party: str = "S1") -> MemberStatus:
    return world.view().get(Member, party).status


def test_who_is_suspended_starts_nothing_but_does_what_it_owes(world: World) -> None:
    world.accepts(COMPLIANCE, suspend())
    assert status(world) is MemberStatus.SUSPENDED
    for message in (PAYING, Greet(), AddOutlet(outlet_id="o", name="O")):
        who = house("S1") if isinstance(message, AddOutlet) else both("S1")
        world.refuses(who, message, Refusal.SUSPENDED, member="S1")
    world.accepts(both("S1"), Settle(currency="CNY", amount_minor=1))
    world.accepts(house("S1"), RotateKey(old_key=public_key("S1.maker"), key=key("S1.maker/2")))
    world.refuses(both("bank-a"), Ask(party="S1", what="active"), Refusal.SUSPENDED, member="S1")
    world.accepts(both("bank-a"), Ask(party="S1", what="known"))


def test_an_order_says_who_entered_it(world: World) -> None:
    world.accepts(COMPLIANCE, suspend())
    order = world.view().get(Order, "A 1", Scope.MEMBER, "S1")
    assert (order.ordered_by, order.officer, order.member) == ("SUP", "compliance", "S1")
    assert (order.status, order.expires_at_ms) == (OrderStatus.IN_FORCE, UNTIL)


def test_a_suspension_ends_on_its_date(world: World) -> None:
    world.accepts(COMPLIANCE, suspend())
    world.passes(days=10)
    assert status(world) is MemberStatus.ACTIVE
    order = world.view().get(Order, "A 1", Scope.MEMBER, "S1")
    assert order.status is OrderStatus.EXPIRED
    assert [each.outcome for each in timer_receipts(world)] == [Outcome.ACCEPTED]
    assert EndOrder.spec.timer
    world.accepts(both("S1"), PAYING)
    world.refuses(COMPLIANCE, reinstate(), Refusal.ORDER_ENDED)


def test_an_order_that_ran_out_binds_nobody_before_its_timer_ran() -> None:
    until = OPENS_AT_MS + 1
    standing = Standing(order_id="A 0", expires_at_ms=until)
    member = replace(
        network().view().get(Member, "S1"),
        status=MemberStatus.SUSPENDED,
        frozen_verbs=(PAY,),
    )
    order = Order(
        order_id="A 0",
        scope=Scope.MEMBER,
        subject="S1",
        member="S1",
        ordered_by="SUP",
        officer="compliance",
        reason="x",
        entered_at_ms=OPENS_AT_MS,
        expires_at_ms=until,
        timer_id="tmr-0123456789abcdef",
    )
    subjects = ((Scope.MEMBER, "S1"), (Scope.VERB, f"S1/{PAY}"))
    world = network(
        member,
        *(replace(order, scope=scope, subject=subject) for scope, subject in subjects),
        *(
            Frozen(scope=scope, subject=subject, orders=(standing,), until_ms=until)
            for scope, subject in subjects
        ),
        *(
            LastOrder(scope=scope, subject=subject, member="S1", entered_at_ms=OPENS_AT_MS)
            for scope, subject in subjects
        ),
    )
    world.accepts(both("S1"), PAYING)
    world.refuses(COMPLIANCE, reinstate("A 0"), Refusal.ORDER_ENDED, order_id="A 0")


def test_the_last_of_several_orders_decides(world: World) -> None:
    world.accepts(COMPLIANCE, suspend())
    world.accepts(COMPLIANCE, suspend(number="A 2", expires_at_ms=LATER))
    world.accepts(COMPLIANCE, reinstate())
    assert status(world) is MemberStatus.SUSPENDED
    world.passes(days=19)
    world.refuses(both("S1"), PAYING, Refusal.SUSPENDED)
    world.passes(days=1)
    world.accepts(both("S1"), PAYING)


def test_verbs_alone_are_suspended(world: World) -> None:
    world.accepts(COMPLIANCE, suspend(verbs=("x.y", PAY, PAY)))
    assert status(world) is MemberStatus.ACTIVE
    world.refuses(both("S1"), PAYING, Refusal.FROZEN, scope="verb")
    world.accepts(both("S1"), Greet())
    world.accepts(both("S1"), Settle(currency="CNY", amount_minor=1))
    asked = Ask(party="S1", what="licensed", about=PAY)
    world.refuses(both("bank-a"), asked, Refusal.FROZEN, scope="verb")
    world.accepts(COMPLIANCE, reinstate(verbs=(PAY,)))
    assert world.view().get(Member, "S1").frozen_verbs == ("x.y",)
    world.accepts(both("S1"), PAYING)
    world.accepts(both("bank-a"), asked)
    world.passes(days=11)
    assert world.view().get(Member, "S1").frozen_verbs == ()


def test_expelled_while_suspended(world: World) -> None:
    world.accepts(COMPLIANCE, suspend())
    world.accepts(COMPLIANCE, suspend(number="A 2"))
    world.accepts(both("SUP"), Expel(member="S1", reason="fraud"))
    world.passes(days=11)
    assert status(world) is MemberStatus.EXPELLED
    world.refuses(both("bank-a"), Ask(party="S1", what="active"), Refusal.EXPELLED, member="S1")


def test_a_suspension_refused(world: World) -> None:
    world.accepts(both("SUP"), Expel(member="D1", reason="x"))
    world.accepts(COMPLIANCE, suspend())
    for message, code in (
        (suspend("nobody", expires_at_ms=0), Refusal.NOT_A_MEMBER),
        (suspend("SUP", expires_at_ms=0), Refusal.OWN_MEMBER),
        (suspend("D1", expires_at_ms=0), Refusal.EXPELLED),
        (suspend(expires_at_ms=world.ledger_ms), Refusal.IN_THE_PAST),
        (suspend(), Refusal.ORDER_EXISTS),
        (suspend(verbs=(PAY,), expires_at_ms=0), Refusal.IN_THE_PAST),
    ):
        world.refuses(COMPLIANCE, message, code)
    world.refuses("SUP.maker+checker", suspend(number="B"), Refusal.NOT_ENOUGH_OFFICERS)
    world.refuses("bank-a.compliance", suspend(), Refusal.UNLICENSED, verb=ORDER)


def test_a_reinstatement_refused(world: World) -> None:
    world.accepts(COMPLIANCE, suspend())
    world.accepts(COMPLIANCE, suspend(number="A 2"))
    world.refuses(COMPLIANCE, reinstate("A 9"), Refusal.NO_SUCH_ORDER, order_id="A 9")
    world.refuses(COMPLIANCE, reinstate(verbs=(PAY,)), Refusal.NO_SUCH_ORDER)
    world.refuses("SUP2.compliance", reinstate(), Refusal.NOT_YOUR_ORDER, order_id="A 1")
    world.accepts(COMPLIANCE, reinstate())
    world.refuses("SUP2.compliance", reinstate(), Refusal.NOT_YOUR_ORDER)
    world.refuses(COMPLIANCE, reinstate(), Refusal.ORDER_ENDED, order_id="A 1")
    assert world.view().get(Order, "A 1", Scope.MEMBER, "S1").lift_reason == "filed"


def test_an_account_and_a_piece_are_frozen(world: World) -> None:
    world.accepts(COMPLIANCE, freeze())
    world.accepts(COMPLIANCE, freeze(PIECE, scope=Scope.PIECE))
    assert frozen(world.view(), Scope.PIECE, PIECE) is not None
    asked = Ask(party="S1", what="account")
    world.refuses(both("bank-a"), asked, Refusal.FROZEN, scope="cash_account")
    world.accepts(both("bank-a"), Ask(party="D1", what="account"))
    unfreeze = Unfreeze(
        scope=Scope.CASH_ACCOUNT, subject=ACCOUNT, order_id="C 1", reason="annulled"
    )
    world.accepts(COMPLIANCE, unfreeze)
    world.accepts(both("bank-a"), asked)
    world.refuses(COMPLIANCE, unfreeze, Refusal.ORDER_ENDED)
    world.passes(days=10)
    assert frozen(world.view(), Scope.PIECE, PIECE) is None
    assert world.view().peek(Frozen, Scope.PIECE, PIECE) is None


def test_since_when_a_piece_has_been_under_an_order_is_remembered(world: World) -> None:
    """Two orders, the later one remembered, whether they stand, were lifted or ran out."""

    def since(at_ms: int) -> bool:
        return frozen_since(world.view(), Scope.PIECE, PIECE, at_ms)

    assert not since(0)
    world.accepts(COMPLIANCE, freeze(PIECE, scope=Scope.PIECE))
    first = world.view().get(LastOrder, Scope.PIECE, PIECE).entered_at_ms
    assert (since(first), since(first + 1)) == (True, False)
    world.passes(days=1)
    world.accepts(COMPLIANCE, freeze(PIECE, "C 2", scope=Scope.PIECE))
    second = world.view().get(LastOrder, Scope.PIECE, PIECE).entered_at_ms
    assert second >= first + DAY_MS
    assert (since(second), since(second + 1)) == (True, False)
    world.accepts(
        COMPLIANCE, Unfreeze(scope=Scope.PIECE, subject=PIECE, order_id="C 2", reason="annulled")
    )
    assert since(second)
    world.passes(days=10)
    assert frozen(world.view(), Scope.PIECE, PIECE) is None
    assert since(second)
    assert not frozen_since(world.view(), Scope.PIECE, "piece-00000000000000ff", 0)


def test_who_an_order_is_against_reads_when_it_was_entered(world: World) -> None:
    world.accepts(COMPLIANCE, freeze(PIECE, scope=Scope.PIECE))
    for asker, seen in (("S1", True), ("SUP", True), ("bank-a", False)):
        found = world.view(asker).peek(LastOrder, Scope.PIECE, PIECE)
        assert (found is not None) is seen


def test_a_freeze_refused(world: World) -> None:
    world.accepts(COMPLIANCE, freeze())
    for message, code in (
        (freeze(member="nobody", scope=Scope.MEMBER), Refusal.NOT_A_MEMBER),
        (freeze("S1", scope=Scope.MEMBER), Refusal.WRONG_SUBJECT),
        (freeze(f"S1/{PAY}", scope=Scope.VERB), Refusal.WRONG_SUBJECT),
        (freeze("CNY@central-bank/S2", expires_at_ms=0), Refusal.WRONG_SUBJECT),
        (freeze("S1"), Refusal.WRONG_SUBJECT),
        (freeze(ACCOUNT, scope=Scope.PIECE), Refusal.WRONG_SUBJECT),
        (freeze(expires_at_ms=0), Refusal.IN_THE_PAST),
        (freeze(), Refusal.ORDER_EXISTS),
    ):
        world.refuses(COMPLIANCE, message, code)


def test_an_unfreeze_refused(world: World) -> None:
    world.accepts(COMPLIANCE, freeze())
    told: dict[str, Any] = {"scope": Scope.CASH_ACCOUNT, "subject": ACCOUNT, "order_id": "C 1"}
    cases: tuple[tuple[dict[str, Any], str, Refusal], ...] = (
        ({"scope": Scope.MEMBER, "subject": "S1"}, COMPLIANCE, Refusal.WRONG_SUBJECT),
        ({"order_id": "C 2"}, COMPLIANCE, Refusal.NO_SUCH_ORDER),
        ({}, "SUP2.compliance", Refusal.NOT_YOUR_ORDER),
    )
    for change, who, code in cases:
        world.refuses(who, Unfreeze(**{"reason": "x", **told, **change}), code)


def test_orders_have_a_most(world: World) -> None:
    for number in range(ORDERS_MAX):
        world.accepts(COMPLIANCE, freeze(number=f"C {number}"))
        world.accepts(COMPLIANCE, suspend(number=f"A {number}"))
    for message in (freeze(number="C more"), suspend(number="A more")):
        world.refuses(COMPLIANCE, message, Refusal.TOO_MANY, what="orders", most=ORDERS_MAX)


def test_frozen_verbs_have_a_most(world: World) -> None:
    many = tuple(f"verb.{n:03}" for n in range(VERBS_MAX))
    world.accepts(COMPLIANCE, suspend(verbs=many))
    more = suspend(number="A 2", verbs=("one.more",))
    world.refuses(COMPLIANCE, more, Refusal.TOO_MANY, what="verbs", most=VERBS_MAX)
