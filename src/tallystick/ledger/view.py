"""Reading: five verbs over one height of state, filtered by who asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar, cast, get_args, get_type_hints

import msgspec

from tallystick.ledger.app import PUBLIC, Record
from tallystick.ledger.context import missing
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import encode_key

R = TypeVar("R", bound=Record)

FIND_READS_MAX = 100_000
"""Records that a search without an index may read."""


@dataclass(frozen=True, slots=True)
class SeenBy:
    """Narrows who reads a field: `Annotated[Ppm | None, SeenBy("financier", "holder")]`.

    Others read the field's default, so it must have one.
    """

    fields: tuple[str, ...]
    """Fields of the record naming the parties that may read this one."""

    def __init__(self, *fields: str) -> None:
        """Name the fields."""
        object.__setattr__(self, "fields", fields)


class Reader(Protocol):
    """What interface functions and invariants read; a Context and a View are Readers."""

    @property
    def now_ms(self) -> int:
        """Ledger time, in milliseconds."""

    @property
    def height(self) -> int:
        """Height read at."""

    def get(self, type_: type[R], *key: Any) -> R:
        """The record of a key; its `missing` refusal if there is none."""

    def peek(self, type_: type[R], *key: Any) -> R | None:
        """The record of a key, or None."""

    def scan(
        self,
        type_: type[R],
        *prefix: Any,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records whose key begins with the given fields, in key order."""


class Kept(Protocol):
    """Decoded records of one height."""

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""


@dataclass(frozen=True, slots=True)
class Past:
    """What a record was after one block's change of it."""

    height: int
    """Block that made the change."""
    time_ms: int
    """Ledger time of that block, in milliseconds."""
    transaction_id: bytes | None
    """Transaction that made it; None when a timer did."""
    after: Record | None
    """The record after it; None when it was dropped."""


History = Callable[[bytes, str], Iterable[Past]]
"""Finds the changes of a key (bytes, record name) in the block log, oldest first."""


def no_history(_key: bytes, name: str) -> Iterable[Past]:
    """For a view without a block log behind it."""
    raise Refused(Refusal.NEEDS_INDEX, {"record": name})


@dataclass(frozen=True, slots=True)
class Totals:
    """A sum and a count."""

    group: Any
    """Value of the field grouped by; None without grouping."""
    total: int
    """Sum of the field."""
    count: int
    """Number of records."""


class View:
    """State at one height, as one asker may see it."""

    def __init__(
        self,
        kept: Kept,
        *,
        height: int,
        now_ms: int,
        asker: str | None = None,
        sees_all: bool = True,
        history: History = no_history,
    ) -> None:
        """Read `kept`; unless the asker sees all, records are filtered by their `seen_by`."""
        self._kept = kept
        self.height = height
        self.now_ms = now_ms
        self.asker = asker
        """Party that asks; None for the node's own socket."""
        self.sees_all = sees_all
        """Whether nothing is hidden."""
        self._history = history

    def get(self, type_: type[R], *key: Any) -> R:
        """The record of a key; its `missing` refusal if there is none that the asker may see."""
        found = self.peek(type_, *key)
        if found is None:
            raise missing(type_, key)
        return found

    def peek(self, type_: type[R], *key: Any) -> R | None:
        """The record of a key, or None."""
        name = type_.spec.name
        found = self._kept.load(name, encode_key(name, *key))
        return None if found is None else self._shown(cast("R", found))

    def scan(
        self,
        type_: type[R],
        *prefix: Any,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records whose key begins with the given fields, in key order; `after` is a whole key."""
        name = type_.spec.name
        start = None if after is None else encode_key(name, *after) + b"\x00"
        count = 0
        for _, found in self._kept.scan(name, encode_key(name, *prefix), start):
            if count == limit:
                return
            shown = self._shown(cast("R", found))
            if shown is not None:
                count += 1
                yield shown

    def find(
        self,
        type_: type[R],
        *,
        order: str | None = None,
        cursor: tuple[Any, ...] | None = None,
        limit: int = 100,
        **where: Any,
    ) -> list[R]:
        """Records that fit: `field=value`, `field__ge/gt/le/lt=value`; in key order or by `order`.

        `order` is a field, with `-` before it for falling; `cursor` is the key of the last record
        of the page before (key order only). NEEDS_INDEX when it would read too many.
        """
        found: list[R] = []
        for reads, each in enumerate(self.scan(type_, after=cursor)):
            require(reads < FIND_READS_MAX, Refusal.NEEDS_INDEX, record=type_.spec.name)
            if _fits(each, where):
                found.append(each)
                if order is None and len(found) == limit:
                    return found
        if order is not None:
            found.sort(
                key=lambda each: _plain(getattr(each, order.lstrip("-"))), reverse=order[0] == "-"
            )
        return found[:limit]

    def total(
        self, type_: type[R], field: str, *, by: str | None = None, **where: Any
    ) -> list[Totals]:
        """Sum of a field and count of the records that fit, in all or by the values of a field."""
        sums: dict[Any, tuple[int, int]] = {}
        for each in self.scan(type_):
            if _fits(each, where):
                group = None if by is None else getattr(each, by)
                total, count = sums.get(group, (0, 0))
                sums[group] = (total + getattr(each, field), count + 1)
        ordered = sorted(sums, key=lambda group: str(_plain(group)))
        return [Totals(group, *sums[group]) for group in ordered]

    def history(self, type_: type[R], *key: Any) -> Iterator[Past]:
        """Changes of one key, oldest first, as far as the asker may see them."""
        name = type_.spec.name
        for past in self._history(encode_key(name, *key), name):
            if past.after is None:
                yield past
                continue
            shown = self._shown(past.after)
            if shown is not None:
                yield Past(past.height, past.time_ms, past.transaction_id, shown)

    def _shown(self, found: R) -> R | None:
        """The record as the asker may see it, or None."""
        if self.sees_all or self.asker is None:
            return found
        seen_by = found.spec.seen_by
        if seen_by != PUBLIC and not _names(found, seen_by, self.asker):
            return None
        hidden = {
            name: default
            for name, fields, default in narrowed_fields(type(found))
            if not _names(found, fields, self.asker)
        }
        return msgspec.structs.replace(found, **hidden) if hidden else found


def _names(found: Record, fields: tuple[str, ...], asker: str) -> bool:
    """Whether one of the fields names the asker (a tuple field: among others)."""
    for name in fields:
        value = getattr(found, name)
        if value == asker or (isinstance(value, tuple) and asker in value):
            return True
    return False


@cache
def narrowed_fields(type_: type[Record]) -> tuple[tuple[str, tuple[str, ...], Any], ...]:
    """Fields of a record that only some may read: name, who, and the default that others read."""
    narrowed = []
    hints = get_type_hints(type_, include_extras=True)
    for info in msgspec.structs.fields(type_):
        marks = [mark for mark in get_args(hints[info.name]) if isinstance(mark, SeenBy)]
        narrowed += [(info.name, mark.fields, info.default) for mark in marks]
    return tuple(narrowed)


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "ge": lambda a, b: bool(a >= b),
    "gt": lambda a, b: bool(a > b),
    "le": lambda a, b: bool(a <= b),
    "lt": lambda a, b: bool(a < b),
}


def _fits(found: Record, where: dict[str, Any]) -> bool:
    """Whether a record fits all conditions."""
    for name, value in where.items():
        field, _, how = name.partition("__")
        mine = _plain(getattr(found, field))
        if not (_COMPARE[how](mine, _plain(value)) if how else mine == _plain(value)):
            return False
    return True


def _plain(value: Any) -> Any:
    """An enum as its value, so that it can be compared and sorted."""
    return getattr(value, "value", value)
