"""Decoded records that were used lately, in two generations.

What is used comes into the young one. When that has its share, it is the old one, and the old one
leaves: what nobody used meanwhile goes with it, a few with each block, for to drop millions at once
would stop a node for a while. No order is kept and nothing is walked, whatever the number.

One thread commits; another may read and remember meanwhile, and never what is being committed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tallystick.ledger.app import Record
from tallystick.ledger.memory import SLICE

MISSING: Any = object()
"""Stands for what is not in the cache; None there says that the store has no such record."""


class Cache:
    """Records by key, so many at most; a block of more is taken whole all the same."""

    def __init__(self, records_max: int) -> None:
        """Begin with none."""
        self.young: dict[bytes, Record | None] = {}
        """Looked at first; what was committed last is here."""
        self._old: dict[bytes, Record | None] = {}
        self._leaving: dict[bytes, Record | None] = {}
        self._share = max(1, records_max // 2)
        self._noted = 0

    def __len__(self) -> int:
        """How many are held."""
        return len(self.young) + len(self._old) + len(self._leaving)

    def without(self, keys: Iterable[bytes]) -> set[bytes]:
        """Those of these keys of which nothing is known: two steps, however many they are."""
        return set(keys).difference(self.young).difference(self._old)

    def get(self, key: bytes) -> Any:
        """What is known of a key, or MISSING; it is young from now on."""
        found = self.peek(key)
        if found is not MISSING:
            self.keep(key, found)
        return found

    def peek(self, key: bytes) -> Any:
        """What is known of a key, or MISSING; it may be about to change, so nothing is noted."""
        found = self.young.get(key, MISSING)
        return self._old.get(key, MISSING) if found is MISSING else found

    def keep(self, key: bytes, found: Record | None) -> None:
        """Remember what was read; not when the share is full, until the next block."""
        if len(self.young) < self._share:
            self.young.setdefault(key, found)

    def commit(self, records: Mapping[bytes, Record | None]) -> None:
        """Take in what a block changed, and let go of some that are too many."""
        if len(self.young) + len(records) > self._share - self._share // 8:  # the rest is for reads
            self._leaving, self._old = self._old, self.young  # before: what is young is found again
            self.young = {}
            self._noted = 0
        self.young.update(records)
        leaving, grown = self._leaving, len(self.young) - self._noted
        for _ in range(min(len(leaving), 2 * grown + SLICE)):
            leaving.popitem()
        self._noted += grown
