"""State as a block being made sees it: its own changes over the committed records."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Protocol

from tallystick.accel import Body
from tallystick.ledger.app import Record
from tallystick.ledger.memory import Memory
from tallystick.values.codec import prefix_end

FORGETFUL = Memory(0)
"""A memory that keeps nothing."""


class Committed(Protocol):
    """Records of the last committed block, decoded."""

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""


class Base(Committed, Protocol):
    """What a block is executed over: the committed state, or blocks that run ahead of it."""

    @property
    def memory(self) -> Memory:
        """What follows from committed records."""

    @property
    def ahead(self) -> tuple[Changed, ...]:
        """What blocks have changed that are not committed yet; the same as long as this lives."""

    @property
    def body(self) -> Body:
        """What hashes and encodes in batches."""

    @property
    def height(self) -> int:
        """Height of the last block."""

    def absent(self) -> set[str]:
        """Names of which it is known that nothing is kept, but by blocks that run ahead."""

    def fetch(self, wanted: Mapping[bytes, str]) -> list[Record]:
        """Read at once what is not at hand of these keys (to record names); the records read."""

    def offset_ms(self) -> int:
        """Ledger time less block time."""

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those of many (sender, reference) that are used up, until their minutes are over.

        Each with the id of the transaction that used it.
        """

    def minutes_over(self, now_ms: int) -> tuple[int, ...]:
        """Expiry minutes that have a list and are over, in order."""

    def next_minute_over_ms(self) -> int | None:
        """Ledger time at which the first list of used references is to be dropped."""

    def first_timer(self) -> bytes:
        """A key before which no timer waits."""


class Changed:
    """Records that one block has changed, whatever it lies over."""

    __slots__ = ("records", "touched")

    def __init__(self) -> None:
        """Begin with none."""
        self.records: dict[bytes, Record | None] = {}
        """Records by key as they are now; None where one was deleted."""
        self.touched: dict[str, list[bytes]] = {}
        """Their keys by record name."""

    def merge(self, changes: dict[bytes, tuple[str, Record | None]]) -> None:
        """Take over what a transaction or timer changed."""
        mine = self.records
        touched = self.touched
        for key, (name, after) in changes.items():
            if key not in mine:
                keys = touched.get(name)
                if keys is None:
                    keys = touched[name] = []
                keys.append(key)
            mine[key] = after

    def first(self, name: str) -> bytes | None:
        """The first key of a name that was changed, None where none was; of a block that is run."""
        return min(self.touched.get(name, ()), default=None)

    def under(self, name: str, prefix: bytes, first: bytes) -> dict[bytes, Record | None]:
        """What was changed under a prefix, from a key on."""
        touched = self.touched.get(name)
        if not touched:
            return {}
        touched.sort()
        low, high = bisect_left(touched, first), bisect_left(touched, prefix_end(prefix))
        return {key: self.records[key] for key in touched[low:high]}


class Overlay:
    """The changes of a block so far, over the committed state."""

    __slots__ = ("_ahead", "absent", "changed", "changes", "committed", "memory", "names")

    def __init__(
        self,
        committed: Committed,
        *,
        memory: Memory = FORGETFUL,
        ahead: tuple[Changed, ...] = (),
        absent: Set[str] = frozenset(),
    ) -> None:
        """Begin with no change; without a memory nothing that is recalled is remembered.

        Of the names in `absent` nothing was kept before blocks ran ahead.
        """
        self.committed = committed
        self.memory = memory
        self.changed = Changed()
        self.changes = self.changed.records
        self.names = {name for changed in ahead for name in changed.touched}
        """Record names of all that is not committed: of this block, and of those before it."""
        self.absent = absent - self.names
        """Record names of which nothing is kept, as far as is known: no key is looked for."""
        self._ahead = ahead

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key, with the block's changes so far."""
        if key in self.changes:
            return self.changes[key]
        return self.committed.load(name, key)

    def merge(self, changes: dict[bytes, tuple[str, Record | None]]) -> None:
        """Take over what a transaction or timer changed."""
        touched = self.changed.touched
        count = len(touched)
        self.changed.merge(changes)
        if len(touched) > count:
            self.names.update(touched)
            self.absent -= self.names

    def is_changed(self, key: bytes) -> bool:
        """Whether this block, or one before it that is not committed, has changed a record."""
        return key in self.changes or any(key in changed.records for changed in self._ahead)

    def scan(
        self,
        name: str,
        prefix: bytes,
        start: bytes | None,
        over: dict[bytes, tuple[str, Record | None]],
    ) -> Iterator[tuple[bytes, Record]]:
        """Records under a prefix in key order; `over`: changes of the running transaction."""
        first = prefix if start is None or start < prefix else start
        mine = self.changed.under(name, prefix, first)
        mine.update(
            (key, after)
            for key, (_, after) in over.items()
            if key >= first and key.startswith(prefix)
        )
        ours = iter(sorted(mine))
        own = next(ours, None)
        for key, kept in self.committed.scan(name, prefix, first):
            while own is not None and own < key:
                yield from _if_there(own, mine[own])
                own = next(ours, None)
            if own == key:
                yield from _if_there(key, mine[key])
                own = next(ours, None)
            else:
                yield key, kept
        while own is not None:
            yield from _if_there(own, mine[own])
            own = next(ours, None)


def _if_there(key: bytes, kept: Record | None) -> Iterator[tuple[bytes, Record]]:
    """The pair, unless the record was deleted."""
    if kept is not None:
        yield key, kept
