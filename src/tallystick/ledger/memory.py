"""What follows from records alone, remembered until one of those records changes.

`ctx.recall(function, *args)` is `function(reader, *args)`, found out once. The function reads and
changes nothing, so its answer is the same as long as what it read is. A remembered answer counts
when nothing it was read from was changed by a block that is not committed yet, by this block or by
this transaction; a commit forgets what followed from the records that it changed. Reads are counted
in the work budget as if the function had run, so a block is the same with and without a memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

VALUES_MAX = 300_000
"""Answers that are remembered; when there are more, all are found out again."""

Asked = tuple[Callable[..., Any], tuple[Any, ...]]
"""A function and its arguments: texts, bytes, types, enum members, tuples of these."""


class Remembered(msgspec.Struct, frozen=True, gc=False):
    """An answer and what it followed from."""

    value: Any
    """The answer; nobody changes it."""
    keys: tuple[bytes, ...]
    """Keys of the records that were read or looked for."""
    names: frozenset[str]
    """Their record names."""
    reads: int
    """How many reads it took."""
    now_ms: int | None
    """Ledger time for which it holds; None when time was not asked for."""


class Memory(dict[Asked, Remembered]):
    """Answers that follow from committed records.

    One thread executes blocks and adds; another may commit meanwhile and forget. They never meet
    over one record: what a block on its way changed is not added (`Overlay.is_changed`).
    """

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        """Begin with none; with a greatest number of 0 it remembers nothing."""
        super().__init__()
        self._values_max = values_max
        self._by_key: dict[bytes, dict[Asked, None]] = {}

    def keep(self, asked: Asked, found: Remembered) -> None:
        """Remember an answer."""
        if len(self) >= self._values_max:
            self._by_key.clear()
            self.clear()
            if not self._values_max:
                return
        for key in found.keys:
            self._by_key.setdefault(key, {})[asked] = None
        self[asked] = found

    def forget(self, changed: Iterable[bytes]) -> None:
        """Forget what followed from records that are about to change."""
        by_key = self._by_key
        for key in [key for key in changed if key in by_key]:
            for asked in by_key.pop(key, ()):
                self.pop(asked, None)
