"""What a block is executed over while those before it are still being made durable.

    the committed state  <  block n, executed  <  block n+1, executed  <  the block to be run

Nothing in the committed state changes before a block is durable; what blocks on their way have
changed lies over it. It is fixed when it is made: when one of those blocks is committed meanwhile,
by another thread, the state says of the same keys what is said here, and of all others what it
said before. So whoever reads sees one state, whichever moment it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tallystick.ledger.app import Record
from tallystick.ledger.candidate import Run
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.side import is_over, over_ms
from tallystick.ledger.state import State, offset_of
from tallystick.ledger.system import PendingTimer

_MISSING: Any = object()


class Ahead:
    """The state as blocks that were executed and not committed will leave it."""

    def __init__(self, state: State, runs: Sequence[Run]) -> None:
        """Lay over the state, oldest first, what every block changed that it may not show yet."""
        self._state = state
        self._height = runs[-1].height if runs else state.height
        self.body = state.body
        """What hashes and encodes in batches."""
        self.memory = state.memory
        """What follows from committed records."""
        self.ahead = tuple([run.changed for run in runs])
        """What blocks have changed that are not committed yet."""
        self._newest_first = tuple([run.changed.records for run in reversed(runs)])
        self._used = tuple([run.used_by for run in runs])
        self._minutes = tuple([(run.minutes_dropped, tuple(run.used)) for run in runs])

    @property
    def height(self) -> int:
        """Height of the last block executed."""
        return self._height

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""
        for records in self._newest_first:
            found: Record | None = records.get(key, _MISSING)
            if found is not _MISSING:
                return found
        return self._state.load(name, key)

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""
        mine: dict[bytes, tuple[str, Record | None]] = {}
        for changes in self.ahead:
            for key, after in changes.under(name, prefix, max(prefix, start or b"")).items():
                mine[key] = (name, after)
        return Overlay(self._state).scan(name, prefix, start, mine)

    def absent(self) -> set[str]:
        """Names of which it is known that nothing was kept before these blocks."""
        return self._state.absent()

    def fetch(self, wanted: Mapping[bytes, str]) -> list[Record]:
        """Read at once what is not at hand of these keys (to record names); the records read.

        What was changed and may be being committed is at hand here.
        """
        return self._state.fetch(wanted, self._newest_first)

    def offset_ms(self) -> int:
        """Ledger time less block time."""
        return offset_of(self)

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those of many (sender, reference) that are used up, until their minutes are over.

        Each with the id of the transaction that used it.
        """
        found = self._state.used_among(references, now_ms)
        for used in self._used:
            if not used.keys().isdisjoint(references):
                for each in references:
                    minute, by = used.get(each, (-1, b""))
                    if not is_over(minute, now_ms):
                        found[each] = by
        return found

    def minutes_over(self, now_ms: int) -> tuple[int, ...]:
        """Expiry minutes that have a list and are over, in order."""
        return tuple(sorted([minute for minute in self._listed() if is_over(minute, now_ms)]))

    def next_minute_over_ms(self) -> int | None:
        """Ledger time at which the first list of used references is to be dropped."""
        return min([over_ms(minute) for minute in self._listed()], default=None)

    def first_timer(self) -> bytes:
        """A key before which no timer waits: one that was set or dropped is not looked into."""
        firsts = [changed.first(PendingTimer.spec.name) for changed in self.ahead]
        return min([self._state.first_timer(), *[key for key in firsts if key is not None]])

    def _listed(self) -> set[int]:
        """Expiry minutes that have a list."""
        minutes = self._state.minutes()
        for dropped, used in self._minutes:
            minutes.difference_update(dropped)
            minutes.update(used)
        return minutes
