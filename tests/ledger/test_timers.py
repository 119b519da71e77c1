"""What the ledger runs itself: in order, so many in a block, whatever comes of it."""

from __future__ import annotations

import pytest

from tallystick.ledger.app import Record
from tallystick.ledger.execute import pending_timers
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.ledger.system import PendingTimer
from tallystick.testing.world import World
from tallystick.values.codec import encode
from tests.ledger.toy.messages import Close, CountUp, Hammer, Open, Ring, Silence
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note, Status
from tests.ledger.toy.refusals import Refusal

HOUR_MS = 3_600_000


@pytest.fixture
def world() -> World:
    return toy_world()


def rung(world: World, name: str) -> list[Note]:
    """What a bell has left behind."""
    return list(world.view().scan(Note, name))


def waiting(world: World) -> list[PendingTimer]:
    return list(pending_timers(world.chain.state))


def last_receipts(world: World) -> tuple[Receipt, ...]:
    return world.chain.entry(world.chain.state.tip.height).receipts


def test_a_counter_closes_when_its_time_comes(world: World) -> None:
    closes = world.ledger_ms + HOUR_MS
    made = world.accepts("A.m", Open(currency="CNY", closes_at_ms=closes)).id
    world.passes_until(closes - 1)
    assert world.view().get(Counter, made).status is Status.OPEN
    world.passes(minutes=1)
    assert world.view().get(Counter, made).status is Status.CLOSED
    assert waiting(world) == []
    world.refuses("A.m", CountUp(counter_id=made, by_minor=1), Refusal.CLOSED)


def test_a_timer_carries_when_it_was_due(world: World) -> None:
    due = world.ledger_ms + HOUR_MS
    world.accepts("A.m", Ring(name="noon", at_ms=due))
    world.now_ms += 5 * HOUR_MS  # nothing woke the node in time
    world.accepts("A.m", Open(currency="CNY"))
    (note,) = rung(world, "noon")
    assert (note.due_at_ms, note.now_ms) == (due, world.ledger_ms)


def test_timers_run_before_transactions_by_time_and_id(world: World) -> None:
    due = world.ledger_ms + HOUR_MS
    world.accepts("A.m", Ring(name="second", at_ms=due + 1))
    world.accepts("A.m", Ring(name="first", at_ms=due))
    world.accepts("A.m", Ring(name="also-first", at_ms=due))
    order = [timer.timer_id for timer in waiting(world)]
    assert [timer.due_at_ms for timer in waiting(world)] == [due, due, due + 1]
    world.now_ms += 2 * HOUR_MS
    result = world.accepts("A.m", Open(currency="CNY"))
    receipts = last_receipts(world)
    assert [receipt.timer_id for receipt in receipts] == [*order, None]
    assert receipts[-1] == result.receipt


def test_at_most_so_many_run_in_a_block() -> None:
    world = toy_world(timers_per_block=2)
    due = world.ledger_ms + HOUR_MS
    for _ in range(5):
        world.accepts("A.m", Ring(name="noon", at_ms=due))
    world.now_ms += 2 * HOUR_MS
    height = world.chain.state.tip.height
    seen = []
    while (wake := world.ledger.next_wake_ms(world.chain.state)) and wake < world.now_ms:
        world.chain.next_block(world.now_ms, [])
        seen.append(len(rung(world, "noon")))
    assert seen[:3] == [2, 4, 5]
    assert world.chain.state.tip.height >= height + 3


def test_one_made_in_a_block_runs_in_a_later_one(world: World) -> None:
    world.accepts("A.m", Ring(name="past", at_ms=world.ledger_ms - HOUR_MS, times=3))
    assert rung(world, "past") == []
    for count in (1, 2, 3):
        world.chain.next_block(world.now_ms, [])
        assert len(rung(world, "past")) == count
    assert waiting(world) == []


def test_a_timer_may_set_the_next(world: World) -> None:
    start = world.ledger_ms + HOUR_MS
    world.accepts("A.m", Ring(name="daily", at_ms=start, every_ms=24 * HOUR_MS, times=3))
    world.passes(days=5)
    assert [note.due_at_ms for note in rung(world, "daily")] == [
        start + day * 24 * HOUR_MS for day in range(3)
    ]


def test_a_refused_timer_leaves_a_receipt_and_is_gone(world: World) -> None:
    closes = world.ledger_ms + HOUR_MS
    close = PendingTimer(
        due_at_ms=closes,
        timer_id="tmr-0123456789abcdef",
        message=encode(Close(counter_id="ctr-0123456789abcdef")),
    )
    world = toy_world(records=[close])
    world.passes_until(closes)
    (receipt,) = last_receipts(world)
    assert receipt.outcome is Outcome.REFUSED
    assert (receipt.timer_id, receipt.transaction_id) == (close.timer_id, None)
    assert (receipt.app, receipt.code) == ("toy", Refusal.NO_SUCH_COUNTER.number)
    assert waiting(world) == []


def test_a_timer_that_cannot_be_read_leaves_a_fault() -> None:
    first = toy_world()
    garbled: Record = PendingTimer(
        due_at_ms=first.ledger_ms, timer_id="tmr-0123456789abcdef", message=b"\xc1"
    )
    world = toy_world(records=[garbled], strict=False)
    world.chain.next_block(world.now_ms, [])
    (receipt,) = last_receipts(world)
    assert (receipt.app, receipt.code) == ("ledger", 1)
    assert waiting(world) == []


def test_a_timer_of_rules_no_longer_in_force_is_refused() -> None:
    due = toy_world().ledger_ms
    old = PendingTimer(
        due_at_ms=due,
        timer_id="tmr-0123456789abcdef",
        message=encode(Hammer(name="thor")),
    )
    world = toy_world(records=[old], version=1)
    world.chain.next_block(world.now_ms, [])
    assert len(rung(world, "thor")) == 1
    world = toy_world(records=[old])
    world.chain.next_block(world.now_ms, [])
    assert rung(world, "thor") == []
    (receipt,) = last_receipts(world)
    assert (receipt.app, receipt.code) == ("ledger", 5)


def test_who_set_a_bell_may_silence_it(world: World) -> None:
    due = world.ledger_ms + HOUR_MS
    world.accepts("A.m", Ring(name="noon", at_ms=due))
    (timer,) = waiting(world)
    world.accepts("A.m", Silence(due_at_ms=due, timer_id=timer.timer_id))
    assert waiting(world) == []
    world.passes(hours=2)
    assert rung(world, "noon") == []
    world.accepts("A.m", Silence(due_at_ms=due, timer_id=timer.timer_id))  # no error


def test_a_bell_silenced_by_an_earlier_one_of_the_same_block(world: World) -> None:
    due = world.ledger_ms + HOUR_MS
    world.accepts("A.m", Ring(name="late", at_ms=due + 2))
    (late,) = waiting(world)
    world.accepts("A.m", Ring(name="early", at_ms=due, silences=(due + 2, late.timer_id)))
    world.now_ms += 2 * HOUR_MS
    world.accepts("A.m", Open(currency="CNY"))
    assert (len(rung(world, "early")), rung(world, "late")) == (1, [])


def test_the_ledger_says_when_it_wants_to_be_woken(world: World) -> None:
    state = world.chain.state
    assert world.ledger.next_wake_ms(state) is None
    expires = world.ledger_ms + 10 * 60_000
    raw = world.signed(("A.m", Ring(name="noon", at_ms=world.ledger_ms + 1)), expires_at_ms=expires)
    world.offer(raw)
    assert world.ledger.next_wake_ms(state) == world.now_ms
    world.passes(minutes=1)
    assert world.ledger.next_wake_ms(state) == (expires // 60_000 + 1) * 60_000
    world.passes(minutes=20)
    assert world.ledger.next_wake_ms(state) is None
