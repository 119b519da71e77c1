"""Bringing a state store that is behind the block log up to it, by doing the changes again."""

from __future__ import annotations

from tallystick.errors import Halted
from tallystick.ledger.block import Entry
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import first_records
from tallystick.ledger.side import FINAL, USED, minutes_dropped, side_writes, uses_of_entry
from tallystick.ledger.transaction import TransactionCodec
from tallystick.store.base import BlockLog, StateReader, StateStore
from tallystick.values.codec import decode, encode_key

Writes = dict[bytes, bytes | None]


def bring_up(store: StateStore, log: BlockLog, ledger: Ledger) -> None:
    """Genesis if the store is empty, then the blocks that the store has not seen.

    A log that begins at a snapshot and has no block yet, beside an empty store, is what a restore
    leaves that was cut short: it begins at the genesis again.
    """
    begins = log.start.height
    if begins and not store.height() and log.height() == begins:
        log.begin_at(0, b"")
        begins = 0
    if store.height() > log.height():
        raise Halted(
            log.height(), f"the state store is at block {store.height()}, ahead of the log"
        )
    if store.height() < begins:
        raise Halted(
            begins,
            f"the state store is at block {store.height()}, and the log begins with block"
            f" {begins + 1}: what is between is not here; restore this node from a backup, or"
            " remove its data and let it begin at a snapshot",
        )
    if store.height() == 0:
        store.apply(0, first_records(ledger.genesis, ledger.rules.record_types), {})
    for _, raw in log.entries(store.height() + 1):
        entry = decode(Entry, raw)
        writes, side = redo_writes(entry, store, ledger.codec)
        store.apply(entry.header.height, writes, side)


def redo_writes(entry: Entry, store: StateReader, codec: TransactionCodec) -> tuple[Writes, Writes]:
    """State changes and side changes of a block, as its first commit wrote them."""
    writes: Writes = dict(entry.own_changes)
    for changes in entry.changes:
        writes.update(changes)
    transactions = [codec.decode(raw) for raw in entry.transactions]
    height = entry.header.height
    final_ids = [each.transaction_id if each.outcome in FINAL else None for each in entry.receipts]
    side = side_writes(height, final_ids, uses_of_entry(entry, transactions))
    for minute in minutes_dropped(entry):
        side.update((key, None) for key, _ in store.side_scan(USED + encode_minute(minute)))
    return writes, side


def encode_minute(minute: int) -> bytes:
    """The part of a side key that names an expiry minute."""
    return encode_key("used", minute)[len(USED) :]
