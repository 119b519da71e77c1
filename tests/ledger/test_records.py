"""What a rule finds and changes: its own writes at once, moves of status, the trial's clock."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.ledger.app import Record
from tallystick.ledger.context import Context, Moment, Work, missing
from tallystick.ledger.genesis import BUDGET
from tallystick.ledger.keys import KEYS_MAX, Keys
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.refusal import Fault, Refused, need
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import Activation
from tallystick.testing.world import World
from tallystick.values.codec import encode_key, replace
from tests.ledger.toy import APP
from tests.ledger.toy.messages import Drop, Open, Wind
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note, Secret, Status
from tests.ledger.toy.refusals import Refusal

NAME = Note.spec.name


def note(name: str, number: int) -> Note:
    return Note(name=name, number=number)


def world_with(*records: Record) -> World:
    return toy_world(records=records)


def context(world: World, overlay: Overlay | None = None) -> Context:
    """A call over the committed state, or over a block so far."""
    moment = Moment(Rules([APP]), BUDGET, now_ms=1, height=1)
    work = Work(overlay or Overlay(world.chain.state), moment, bytes(32))
    return Context(work, party="A", acting=frozenset(("A",)))


def numbers(ctx: Context, *prefix: str, **how: Any) -> list[tuple[str, int]]:
    """Names and numbers of the notes that a scan gives."""
    return [(each.name, each.number) for each in ctx.scan(Note, *prefix, **how)]


def test_a_scan_sees_committed_block_and_own_changes_in_key_order() -> None:
    world = world_with(*(note("b", number) for number in (1, 3, 5, 7)), note("c", 0))
    overlay = Overlay(world.chain.state)
    before = context(world, overlay)
    before.add(note("b", 2))
    before.add(note("a", 9))
    before.delete(Note, "b", 3)
    overlay.merge(before._work.changes)
    ctx = context(world, overlay)
    ctx.add(note("b", 4))
    ctx.delete(Note, "b", 7)
    ctx.delete(Note, "b", 2)
    ctx.add(note("b", 9))
    assert numbers(ctx, "b") == [("b", 1), ("b", 4), ("b", 5), ("b", 9)]
    assert numbers(ctx) == [("a", 9), ("b", 1), ("b", 4), ("b", 5), ("b", 9), ("c", 0)]
    assert numbers(ctx, "b", after=("b", 1), limit=2) == [("b", 4), ("b", 5)]
    assert numbers(ctx, "b", after=("a", 9)) == numbers(ctx, "b")
    assert numbers(ctx, "b", limit=0) == []
    assert numbers(ctx, "none") == []
    assert numbers(before, "b") == [("b", 1), ("b", 2), ("b", 5), ("b", 7)]


def test_the_first_record_of_a_name_is_seen_at_once_and_by_what_follows() -> None:
    world = toy_world()
    overlay = Overlay(world.chain.state, absent={NAME})
    first, ended = context(world, overlay), context(world, overlay)
    for ctx in (first, ended):
        assert ctx.peek(Note, "a", 1) is None
        ctx.add(note("a", 1))
        ctx.add(note("a", 2))
        assert ctx.get(Note, "a", 1) == note("a", 1)
        assert ctx._work.reads == 4
    refused = context(world, overlay)
    assert refused.peek(Note, "a", 1) is None
    overlay.merge(first._work.changes)
    assert context(world, overlay).get(Note, "a", 1) == note("a", 1)
    assert Overlay(world.chain.state, ahead=(overlay.changed,), absent={NAME}).absent == set()


def test_own_changes_are_seen_at_once() -> None:
    ctx = context(world_with(note("a", 1)))
    ctx.save(Note(name="a", number=1, now_ms=5))
    assert ctx.get(Note, "a", 1).now_ms == 5
    ctx.delete(Note, "a", 1)
    assert ctx.peek(Note, "a", 1) is None
    ctx.add(note("a", 1))
    assert ctx.get(Note, "a", 1).now_ms == 0


def test_what_is_absent_is_refused_by_its_own_code_or_the_ledgers() -> None:
    ctx = context(world_with())
    with pytest.raises(Refused, match="toy 1 NO_SUCH_COUNTER: counter_id=x") as no:
        ctx.get(Counter, "x")
    assert no.value.code is Refusal.NO_SUCH_COUNTER
    with pytest.raises(Refused) as no:
        ctx.get(Note, "a", 1)
    assert no.value.code is LedgerRefusal.NO_SUCH_RECORD
    assert no.value.values == {"record": "toy.note"}


def test_a_refusal_tells_keys_in_words() -> None:
    told = missing(Counter, (Status.OPEN,))
    assert told.values == {"counter_id": "Status.OPEN"}


def test_need_narrows() -> None:
    assert need(0, Refusal.CLOSED) == 0
    with pytest.raises(Refused):
        need(None, Refusal.CLOSED, counter_id="x")


def test_status_moves_as_declared() -> None:
    ctx = context(world_with())
    opened = Counter(
        counter_id="ctr-0123456789abcdef",
        owner="A",
        currency="CNY",
        amount_minor=0,
        status=Status.OPEN,
    )
    ctx.add(opened)
    ctx.save(opened)  # staying is no move
    ctx.save(replace(opened, status=Status.CLOSED))
    with pytest.raises(Fault, match=r"cannot move from Status.CLOSED to Status.OPEN"):
        ctx.save(opened)


def test_a_record_begins_as_declared() -> None:
    closed = Counter(
        counter_id="ctr-0123456789abcdef",
        owner="A",
        currency="CNY",
        amount_minor=0,
        status=Status.CLOSED,
    )
    with pytest.raises(Fault, match="cannot begin so"):
        context(world_with()).add(closed)


def test_only_a_timers_message_is_run_later() -> None:
    with pytest.raises(Fault, match="Open is not a timer's message"):
        context(world_with()).at(2, Open(currency="CNY"))


def test_a_record_dropped_may_be_made_again() -> None:
    world = toy_world()
    made = world.accepts("A.m", Open(currency="CNY")).id
    world.accepts("A.m", Drop(counter_id=made))
    assert world.view().peek(Counter, made) is None
    world.refuses("A.m", Drop(counter_id=made), Refusal.NO_SUCH_COUNTER)
    world.restarts()
    assert list(world.view().scan(Counter)) == []


def test_the_clock_moves_from_the_next_block_on() -> None:
    world = toy_world()
    before = world.ledger_ms
    hour = 3_600_000
    world.accepts("A.m", Wind(by_ms=hour))
    assert world.ledger_ms == before + hour + 1
    made = world.accepts("A.m", Open(currency="CNY", closes_at_ms=world.ledger_ms + hour)).id
    world.accepts("A.m", Wind(by_ms=2 * hour))
    world.restarts()
    world.chain.next_block(world.now_ms, [])
    assert world.view().get(Counter, made).status is Status.CLOSED
    assert world.offset_ms == 3 * hour


def test_only_rules_that_govern_write_the_ledgers_records() -> None:
    ctx = context(world_with())
    ctx.governs = True
    ctx.add(Secret(party="A"))
    ctx.add(Activation(app="new", version=0))
    ctx.governs = False
    with pytest.raises(Fault, match="not this rule's to write"):
        ctx.add(Activation(app="newer", version=0))


def test_keys_are_remembered_and_never_mixed_up() -> None:
    keys = Keys()
    assert keys["n"][("a",)] is keys["n"][("a",)]
    assert keys["n"][(b"a",)] is keys["n"][(b"a",)]
    assert keys["n"][(1,)] == encode_key("n", 1)
    assert keys["n"][(True,)] == encode_key("n", True)
    assert keys["n"][(b"a",)] == encode_key("n", b"a") != keys["n"][("a",)]
    assert keys["n"][(Status.OPEN,)] == keys["n"][("open",)]
    for number in range(KEYS_MAX + 1):
        assert keys["n"][(str(number),)]
    assert len(keys) <= KEYS_MAX
    assert keys["n"][("7",)] == encode_key("n", "7")
