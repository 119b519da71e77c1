"""A story of every kind of outcome, always the same: for golden receipts and for other processes.

python -m tests.ledger.played            plays it, prints the golden text
python -m tests.ledger.played --redo     the same, from an older store and the log alone
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.store.memory import MemoryStore
from tallystick.testing.golden import golden_text, receipt_line
from tallystick.testing.world import World
from tests.ledger.toy.messages import Activate, CountUp, Crash, Double, Drop, Open, Ring, Take
from tests.ledger.toy.people import toy_world

OLDER = 7
"""Height of the store that the redo begins from."""


def played() -> tuple[World, MemoryStore]:
    """The story, and the store as it was after one of its blocks."""
    world = toy_world(version=1, strict=False)
    closes = world.ledger_ms + 3_600_000
    mine = world.accepts("A.m", Open(currency="CNY", closes_at_ms=closes, watchers=("C",))).id
    theirs = world.accepts("B.m", Open(currency="CNY")).id
    up = CountUp(counter_id=mine, by_minor=5)
    world.send(("A.m", up), ("A.m", up), ("B.m", CountUp(counter_id=theirs, by_minor=9)))
    world.send(("B.m", up))
    world.send(("A.m", Double(counter_id=mine)))
    world.send(("A.m", Activate(version=2, from_height=8)))
    world.send(("A.m", Crash(how="error")))
    older = world.store.copy()
    world.send(("A.m", Double(counter_id=mine)))
    world.send(("A.m", Crash(how="overflow")))
    world.send(("A.m", Crash(how="reads")))
    world.send(("A.m", Crash(how="wild")))
    take = Take(source=mine, target=theirs, currency="CNY", amount_minor=3)
    world.send(("B.m", take))
    world.send(("B.m", take), ("A.m", CountUp(counter_id=mine, by_minor=0)))
    world.send(("A.m", Ring(name="noon", at_ms=world.ledger_ms + 1, every_ms=60_000, times=3)))
    given(world)
    world.passes(hours=2)
    world.send(("A.m", up))
    world.send(("B.m", Drop(counter_id=theirs)))
    return world, older


def given(world: World) -> None:
    """A block of another node's: a stranger and a reused reference are in it."""
    world.send(("A.m", Open(currency="EUR")), reference="twice")
    raws = (
        world.signed(("A.m", Open(currency="USD")), reference="twice"),
        world.signed(("X.m", Open(currency="CNY"))),
    )
    world.now_ms += 1
    transactions = [world.ledger.codec.decode(raw) for raw in raws]
    world.chain.commit(world.ledger.execute(world.chain.state, world.now_ms, transactions))


def receipts(world: World) -> Iterator[Receipt]:
    """All receipts, in order."""
    for entry in world.chain.entries(1):
        yield from entry.receipts


def golden(world: World) -> str:
    """A line for each receipt; at the end the state's root."""
    lines = [
        receipt_line(receipt, *([] if receipt.timer_id is None else [receipt.timer_id]))
        for receipt in receipts(world)
    ]
    return golden_text(lines, world.chain.state.root())


def main() -> None:
    """Print the golden text."""
    world, older = played()
    if "--redo" in sys.argv:
        world.store = older
        world.restarts()
    kinds = {receipt.outcome for receipt in receipts(world)}
    if kinds != set(Outcome):
        raise SystemExit(f"the story lacks {set(Outcome) - kinds}")
    sys.stdout.write(golden(world))


if __name__ == "__main__":
    main()
