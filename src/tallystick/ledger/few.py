"""Records of which there are few: all their keys are known, so nobody asks the store for others.

Most of what a rule looks for and does not find is of this sort: an order that freezes a piece, a
parameter that governance has not set. Of a piece that was just made the cache knows nothing either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from tallystick.ledger.app import Record
from tallystick.values.codec import encode_key, prefix_end

FEW_MAX = 10_000
"""Records of one name up to which its keys are kept; a name that has had more is let go of."""
LISTED_MAX = 64
"""Records of one name up to which a list of them is made of these keys, without the store."""


class Scanned(Protocol):
    """What is read of a store."""

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix, from `start` on, in key order."""


class Few:
    """Keys of the committed records of every name that has few.

    They are read before anything is executed and then kept up by whoever commits. Who executes a
    block meanwhile asks for nothing that is being committed, as with the cache of records.
    """

    def __init__(self, store: Scanned, names: Iterable[str], *, few_max: int = FEW_MAX) -> None:
        """Read the keys."""
        self._few_max = few_max
        self._keys: dict[str, set[bytes]] = {}
        for name in names:
            keys = {key for key, _ in store.scan(encode_key(name), None, few_max + 1)}
            if len(keys) <= few_max:
                self._keys[name] = keys

    def lacks(self, name: str, key: bytes) -> bool:
        """Whether it is known that there is no such record."""
        keys = self._keys.get(name)
        return keys is not None and key not in keys

    def listed(self, name: str, prefix: bytes, first: bytes) -> list[bytes] | None:
        """Keys of a name with a prefix, from a key on, in order; None where the store has to say.

        Rules in force, timers: each block asks for a list of them, and a store is slow to begin.
        """
        keys = self._keys.get(name)
        if keys is None or len(keys) > LISTED_MAX:
            return None
        return [key for key in sorted(keys) if key >= first and key.startswith(prefix)]

    def absent(self) -> set[str]:
        """Names of which nothing is kept."""
        return {name for name, keys in list(self._keys.items()) if not keys}

    def note(
        self, touched: Mapping[str, Iterable[bytes]], records: Mapping[bytes, Record | None]
    ) -> None:
        """Keep up with a block: the keys that it changed by name, and what is there now."""
        for name, changed in touched.items():
            keys = self._keys.get(name)
            if keys is None:
                continue
            for key in tuple(changed):  # who executes meanwhile may bring them into order
                if records[key] is None:
                    keys.discard(key)
                else:
                    keys.add(key)
            if len(keys) > self._few_max:
                del self._keys[name]


class First:
    """The first committed key of one name: each block asks whether a timer is due.

    Whoever commits keeps it up. Who executes a block meanwhile looks at the blocks ahead as well,
    so it may find what was the first before or after the one that is being committed.
    """

    def __init__(self, store: Scanned, name: str) -> None:
        """Ask the store."""
        self._store, self._name = store, name
        self.key = self._found()
        """The first key; where there is none, what sorts behind all of the name."""

    def note(self, touched: Mapping[str, Iterable[bytes]]) -> None:
        """Keep up with a block that the store has taken: the keys that it changed by name."""
        first = min(tuple(touched.get(self._name, ())), default=None)
        if first is not None and first <= self.key:
            self.key = self._found(first)

    def _found(self, start: bytes | None = None) -> bytes:
        """What the store says; before `start` there is none, only what was dropped long ago."""
        prefix = encode_key(self._name)
        return next((key for key, _ in self._store.scan(prefix, start, 1)), prefix_end(prefix))
