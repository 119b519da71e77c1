"""Blocks that one engine ordered come out the same on another chain."""

from __future__ import annotations

import pytest

from tallystick.engine.replay import replay
from tallystick.errors import Halted
from tallystick.ledger.block import Entry
from tallystick.values.codec import replace
from tests.till.desk import MINUTE_MS, OPENS_MS, Desk
from tests.till.messages import Fill, Leave, Pay


def played() -> list[Entry]:
    """Blocks with a payment, a refusal and a timer."""
    with Desk() as desk:
        desk.send(("A", Fill(currency="CNY", amount_minor=10)))
        desk.send(("A", Pay(to="B", amount_minor=2)))
        desk.send(("A", Pay(to="B", amount_minor=1_000)))
        desk.send(("A", Leave(name="x", number=1, at_ms=OPENS_MS + MINUTE_MS)))
        desk.wind_clock(2 * MINUTE_MS)
        desk.send(("A", Pay(to="B", amount_minor=3)))
    reopened = Desk(disk=desk.disk)
    return list(reopened.chain.entries(1))


def test_the_same_blocks_give_the_same_receipts_and_roots() -> None:
    entries = played()
    named = [replace(entry, engine_hash=bytes([7]) * 32, signature=None) for entry in entries]
    again = Desk()
    assert replay(named, again.chain) == len(entries) >= 6
    assert again.chain.state.root() == entries[-1].state_root


@pytest.mark.parametrize("what", ("receipts_root", "state_root"))
def test_a_block_that_says_something_else_is_named(what: str) -> None:
    entries = played()
    entries[2] = replace(entries[2], **{what: bytes(32)})
    with pytest.raises(Halted, match=f"its {what} differ") as caught:
        replay(entries, Desk().chain)
    assert caught.value.height == entries[2].header.height


def test_a_receipt_that_is_another_is_named() -> None:
    entries = played()
    entries[3] = replace(entries[3], receipts=entries[1].receipts)
    with pytest.raises(Halted, match="its receipts differ"):
        replay(entries, Desk().chain)
