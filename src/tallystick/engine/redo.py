"""Doing a logged block's changes again, for a state store that is behind the log."""

from __future__ import annotations

from tallystick.ledger.block import Entry
from tallystick.ledger.side import USED, minutes_dropped, side_writes, uses_of_entry
from tallystick.ledger.transaction import TransactionCodec
from tallystick.store.base import StateReader
from tallystick.values.codec import encode_key

Writes = dict[bytes, bytes | None]


def redo_writes(entry: Entry, store: StateReader, codec: TransactionCodec) -> tuple[Writes, Writes]:
    """State changes and side changes of a block, as its first commit wrote them."""
    writes: Writes = dict(entry.own_changes)
    for changes in entry.changes:
        writes.update(changes)
    transactions = [codec.decode(raw) for raw in entry.transactions]
    height = entry.header.height
    side = side_writes(height, entry.receipts, uses_of_entry(entry, transactions))
    for minute in minutes_dropped(entry):
        side.update((key, None) for key, _ in store.side_scan(USED + encode_minute(minute)))
    return writes, side


def encode_minute(minute: int) -> bytes:
    """The part of a side key that names an expiry minute."""
    return encode_key("used", minute)[len(USED) :]
