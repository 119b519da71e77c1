"""A bug leaves a FAULT and the node lives; too much work is refused; a sick machine stops."""

from __future__ import annotations

import logging

import pytest

from tallystick.errors import StateDamaged
from tallystick.ledger.genesis import Budget
from tallystick.ledger.receipt import NAME_MAX, TEXT_MAX, VALUES_MAX, Receipt
from tallystick.ledger.refusal import Fault
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.values.codec import decode, encode
from tests.ledger.toy.messages import Crash, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note
from tests.ledger.toy.refusals import Refusal

BUGS = (
    "error",
    "ensure",
    "recursion",
    "added-twice",
    "saved-absent",
    "deleted-absent",
    "wrong-start",
    "wrong-move",
    "unreadable",
    "changed-by-reading",
    "timer-out-of-time",
    "no-timer",
    "not-ours",
)


@pytest.mark.parametrize("how", BUGS)
def test_a_bug_leaves_a_fault_and_the_node_lives(
    how: str, caplog: pytest.LogCaptureFixture
) -> None:
    world = toy_world(strict=False)
    with caplog.at_level(logging.ERROR, "tallystick.ledger.execute"):
        world.refuses("A.m", Crash(how=how), LedgerRefusal.FAULT)
    assert "its changes are dropped" in caplog.text
    assert world.view().peek(Note, "lost", 0) is None
    world.restarts()
    world.accepts("A.m", Open(currency="CNY"))


def test_under_test_a_bug_is_raised() -> None:
    world = toy_world()
    with pytest.raises(KeyError, match="on purpose"):
        world.accepts("A.m", Crash(how="error"))
    with pytest.raises(Fault, match="on purpose"):
        world.accepts("A.m", Crash(how="ensure"))
    world.accepts("A.m", Open(currency="CNY"))


@pytest.mark.parametrize("how", ("memory", "disk", "store"))
def test_what_is_wrong_with_the_machine_stops_the_node(how: str) -> None:
    world = toy_world(strict=False)
    with pytest.raises((MemoryError, OSError, StateDamaged)):
        world.accepts("A.m", Crash(how=how))
    assert world.chain.state.tip.height == 0
    world.accepts("A.m", Open(currency="CNY"))


@pytest.mark.parametrize(
    ("how", "what", "most"),
    (
        ("reads", "reads", 250),
        ("scans", "reads", 250),
        ("long-scan", "reads", 250),
        ("writes", "writes", 95),
        ("bytes", "bytes", 9_000),
    ),
)
def test_work_has_a_budget(how: str, what: str, most: int) -> None:
    world = toy_world(budget=Budget(reads=250, writes=95, bytes=9_000))
    crash = Crash(how=how)
    result = world.refuses("A.m", crash, LedgerRefusal.TOO_MUCH_WORK, what=what, most=most)
    assert result.height is not None
    assert list(world.view().scan(Note)) == []


def test_what_is_changed_is_looked_for_first_and_counts_as_read() -> None:
    world = toy_world(budget=Budget(reads=90, writes=95, bytes=9_000))
    adds = Crash(how="writes")
    world.refuses("A.m", adds, LedgerRefusal.TOO_MUCH_WORK, what="reads", most=90)


def test_a_transaction_makes_only_so_many_ids() -> None:
    world = toy_world()
    world.refuses("A.m", Crash(how="ids"), LedgerRefusal.TOO_MUCH_WORK, what="ids", most=4_096)


def test_a_receipt_can_be_read_whatever_a_rule_tells() -> None:
    world = toy_world()
    receipt = world.refuses("A.m", Crash(how="wild"), Refusal.WILD).receipt
    told = {value.name: value.value for value in receipt.values}
    assert decode(Receipt, encode(receipt)) == receipt
    assert told["large"] == str(2**70)
    assert (told["true"], told["none"], told["bytes"]) == ("True", "None", "b'\\xff'")
    assert told["torn"] == "?"
    assert told["long"] == "x" * TEXT_MAX
    assert told["n" * NAME_MAX] == 1
    assert len(told) == VALUES_MAX
    world.restarts()


def test_state_that_cannot_be_read_stops_the_node() -> None:
    """It is this node's trouble: as a FAULT it would make this node differ from all others."""
    world = toy_world(strict=False)
    made = world.accepts("A.m", Open(currency="CNY")).id
    spoilt = {key: raw for key, raw in world.store.scan(b"") if made.encode() in key}
    height = world.store.height()
    world.store.apply(height + 1, dict.fromkeys(spoilt, b"\xc1"), {})
    state = type(world.chain.state)(
        world.store,
        world.ledger.rules.decoders,
        world.chain.state.tip,
        tree=type(world.chain.state.tree)(),
    )
    with pytest.raises(StateDamaged):
        state.load(Counter.spec.name, next(iter(spoilt)))
    with pytest.raises(StateDamaged):
        list(state.scan(Counter.spec.name, next(iter(spoilt)), None))
