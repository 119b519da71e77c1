"""What follows from records alone, remembered until one of those records changes.

`ctx.recall(function, *args)` is `function(reader, *args)`, found out once. The function reads and
changes nothing, so its answer is the same as long as what it read is. A remembered answer counts
when nothing it was read from was changed by a block that is not committed yet, by this block or by
this transaction; a commit forgets what followed from the records that it changed. Reads are counted
in the work budget as if the function had run, so a block is the same with and without a memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

import msgspec

VALUES_MAX = 300_000
"""Answers that are remembered: three for each of 100,000 accounts, some 600 bytes each."""
TEXTS_MAX = 300_000
"""Texts of which there is one copy, some 150 bytes each."""
SLICE = 1_000
"""How many are let go of at once at most, of whatever there is too much: under a millisecond."""

Args = tuple[Any, ...]
Asked = tuple[Callable[..., Any], Args]
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


def oldest(table: dict[Any, Any], most: int) -> list[Any]:
    """Keys of what a table should let go of before it takes one more; mostly none.

    Some at a time: to clear a table of hundreds of thousands would stop the node for a while.
    Looked at in one step, so any thread may add meanwhile.
    """
    return list(islice(table, most // 10 + 1 if most < 10 * SLICE else SLICE))


class Tables(dict[Any, Any]):
    """Tables under names, with so many entries at most between them.

    One table under pairs would say the same. With many accounts each step to what it holds is a
    wait for memory: here there are fewer, and those that ask one thing of all find it closer.
    """

    def __init__(self, entries_max: int) -> None:
        """Begin with none."""
        super().__init__()
        self._entries_max = entries_max
        self._room = entries_max

    def __missing__(self, name: Any) -> dict[Any, Any]:
        """The table of a new name."""
        table: dict[Any, Any] = self.setdefault(name, {})
        return table

    def __len__(self) -> int:
        """How many entries there are."""
        return sum([len(table) for table in list(self.values())])

    def room_for_one(self) -> list[tuple[Any, Any]]:
        """Count one entry more; what to let go of before it is made, by name and key: mostly none.

        What left meanwhile is counted when there seems to be no room.
        """
        self._room -= 1
        if self._room >= 0:
            return []
        self._room = self._entries_max - len(self) - 1
        if self._room >= 0:
            return []
        name, table = max(list(self.items()), key=lambda each: len(each[1]))
        old = oldest(table, self._entries_max)
        self._room += len(old)
        return [(name, key) for key in old]


class Texts(dict[str, str]):
    """One copy of a text that many tables hold, e.g. the name of a party.

    What compares it with itself need not look into it, and each copy lies elsewhere in memory: with
    many accounts every one of them is a wait. For any thread.
    """

    def __init__(self, texts_max: int = TEXTS_MAX) -> None:
        """Begin with none."""
        super().__init__()
        self._texts_max = texts_max

    def __missing__(self, text: str) -> str:
        """A text that is new is the copy."""
        if len(self) >= self._texts_max:
            for old in oldest(self, self._texts_max):
                self.pop(old, None)
        return self.setdefault(text, text)

    def shared(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """The same values, each text its one copy."""
        return tuple([self[each] if type(each) is str else each for each in values])


TEXTS = Texts()
"""For the whole process: a text says nothing of the chain it is in."""


class Memory(Tables):
    """Answers that follow from committed records: of each function by its arguments.

    One thread executes blocks and adds; another may commit meanwhile and forget. They never meet
    over one record: what a block on its way changed is not added (`Overlay.is_changed`).
    """

    def __init__(self, values_max: int = VALUES_MAX) -> None:
        """Begin with none; with a greatest number of 0 it remembers nothing."""
        super().__init__(values_max)
        self._by_key: dict[bytes, dict[Asked, None]] = {}
        self._names: dict[frozenset[str], frozenset[str]] = {}
        self._read: dict[str, None] = {}

    def keep(self, asked: Asked, found: Remembered) -> None:
        """Remember an answer."""
        if not self._entries_max:
            return
        for old in self.room_for_one():
            self._let_go(old)
        function, args = asked[0], TEXTS.shared(asked[1])
        asked = (function, args)
        for key in found.keys:
            self._by_key.setdefault(key, {})[asked] = None
        self[function][args] = found

    def names_of(self, names: set[str]) -> frozenset[str]:
        """One copy of a set of record names: a few sorts of answers have theirs in common."""
        wanted = frozenset(names)
        self._read.update(dict.fromkeys(sorted(wanted)))
        return self._names.setdefault(wanted, wanted)

    def read(self, name: str) -> bool:
        """Whether some answer ever followed from records of a name."""
        return name in self._read

    def _let_go(self, asked: Asked) -> None:
        """Forget one answer. What it followed from may be forgotten meanwhile, all at once."""
        found = self[asked[0]].pop(asked[1], None)
        for key in () if found is None else found.keys:
            others = self._by_key.get(key)
            if others is not None:
                others.pop(asked, None)
                if not others:
                    self._by_key.pop(key, None)

    def forget(self, changed: Iterable[bytes]) -> None:
        """Forget what followed from records that are about to change."""
        by_key = self._by_key
        for key in [key for key in changed if key in by_key]:
            for function, args in tuple(by_key.pop(key, ())):
                self[function].pop(args, None)
