"""A large state without its history, for measuring: records put into a store before block 1."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from tallystick.ledger.app import Record, key_bytes
from tallystick.store.base import StateStore
from tallystick.values.codec import encode

BATCH = 10_000
"""Records written at once."""


def fill(store: StateStore, records: Iterable[Record]) -> int:
    """Put records beside those of the genesis, into a store at height 0; how many there were.

    Every node of a network must be filled alike. Such a state cannot be replayed from its genesis:
    the log does not know of it.
    """
    count = 0
    waiting = iter(records)
    while batch := list(islice(waiting, BATCH)):
        store.apply(0, {key_bytes(each): encode(each) for each in batch}, {})
        count += len(batch)
    return count
