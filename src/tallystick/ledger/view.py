"""Reading: five verbs over one height of state, filtered by who asks."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from operator import ge, gt, le, lt
from typing import Any, Protocol, TypeVar, cast, get_args, get_type_hints

import msgspec

from tallystick.ledger.app import PUBLIC, Record
from tallystick.ledger.context import missing
from tallystick.ledger.refusal import Refused, ensure, require
from tallystick.ledger.refusals import Refusal
from tallystick.values.codec import encode_key, replace

R = TypeVar("R", bound=Record)
T = TypeVar("T")

FIND_READS_MAX = 100_000
"""Records that a search without an index may read for a member; the node itself reads all."""


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

    def recall(self, function: Callable[..., T], *args: Any) -> T:
        """What a function of a reader says; a rule remembers it while what it read stays so."""


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
        find_reads_max: int = FIND_READS_MAX,
    ) -> None:
        """Read `kept`; unless the asker sees all, records are filtered by their `seen_by`.

        An asker who is nobody and does not see all sees what is public.
        """
        self._kept = kept
        self._find_reads_max = find_reads_max
        self.height = height
        self.now_ms = now_ms
        self.asker = asker
        """Party that asks; None for the node itself, or for a stranger."""
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
        return None if found is None else self.shown(cast("R", found))

    def scan(
        self,
        type_: type[R],
        *prefix: Any,
        after: tuple[Any, ...] | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """Records whose key begins with the given fields, in key order; `after` is a whole key."""
        found = self._read(type_, prefix, after)
        return islice((each for each in found if each is not None), limit)

    def recall(self, function: Callable[..., T], *args: Any) -> T:
        """What a function of a reader says; a view remembers nothing."""
        return function(self, *args)

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

        `order` is a field, with `-` before it for falling; what has none comes first. `cursor` is
        the key of the last record of the page before (key order only). NEEDS_INDEX when it would
        read too many.
        """
        ensure(order is None or cursor is None, "a cursor goes with key order only")
        fitting = (each for each in self._bounded(type_, cursor) if _fits(each, where))
        if order is None:
            return list(islice(fitting, limit))
        field = order.removeprefix("-")
        ordered = sorted(
            fitting, key=lambda each: _rank(getattr(each, field)), reverse=order != field
        )
        return ordered[:limit]

    def total(
        self, type_: type[R], field: str, *, by: str | None = None, **where: Any
    ) -> list[Totals]:
        """Sum of a field and count of the records that fit, in all or by the values of a field.

        A record that has none of the field counts, and adds nothing. NEEDS_INDEX as in `find`.
        """
        sums: dict[Any, tuple[int, int]] = {}
        for each in self._bounded(type_, None):
            if _fits(each, where):
                group = None if by is None else getattr(each, by)
                total, count = sums.get(group, (0, 0))
                sums[group] = (total + (getattr(each, field) or 0), count + 1)
        return [Totals(group, *sums[group]) for group in sorted(sums, key=_rank)]

    def history(self, type_: type[R], *key: Any) -> Iterator[Past]:
        """Changes of one key, oldest first, as far as the asker may see them.

        That a record was dropped is seen by who could see it before.
        """
        name = type_.spec.name
        is_seen = False
        for past in self._history(encode_key(name, *key), name):
            if past.after is None:
                if is_seen:
                    yield past
                continue
            shown = self.shown(past.after)
            is_seen = shown is not None
            if is_seen:
                yield Past(past.height, past.time_ms, past.transaction_id, shown)

    def shown(self, found: R) -> R | None:
        """The record as the asker may see it, or None."""
        if self.sees_all:
            return found
        seen_by = found.spec.seen_by
        if seen_by != PUBLIC and not _names(found, seen_by, self.asker):
            return None
        hidden = {
            name: default
            for name, fields, default in narrowed_fields(type(found))
            if not _names(found, fields, self.asker)
        }
        return replace(found, **hidden) if hidden else found

    def _read(
        self, type_: type[R], prefix: tuple[Any, ...], after: tuple[Any, ...] | None
    ) -> Iterator[R | None]:
        """Everything that is read; None stands for what the asker may not see."""
        name = type_.spec.name
        start = None if after is None else encode_key(name, *after) + b"\x00"
        for _, found in self._kept.scan(name, encode_key(name, *prefix), start):
            yield self.shown(cast("R", found))

    def _bounded(self, type_: type[R], after: tuple[Any, ...] | None) -> Iterator[R]:
        """What the asker may see, until too much was read; the node itself may read all."""
        for reads, each in enumerate(self._read(type_, (), after)):
            is_bounded = self.asker is not None or not self.sees_all
            within = not is_bounded or reads < self._find_reads_max
            require(within, Refusal.NEEDS_INDEX, record=type_.spec.name)
            if each is not None:
                yield each


def _names(found: Record, fields: tuple[str, ...], asker: str | None) -> bool:
    """Whether one of the fields names the asker (a tuple field: among others)."""
    if asker is None:
        return False
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
        for mark in _narrowings(hints[info.name]):
            has_default = info.default is not msgspec.NODEFAULT
            ensure(has_default, f"{type_.__name__}.{info.name} is narrowed and has no default")
            narrowed.append((info.name, mark.fields, info.default))
    return tuple(narrowed)


def _narrowings(hint: Any) -> list[SeenBy]:
    """The narrowings of a field's type, also those inside `… | None`."""
    own = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, SeenBy)]
    inner = [get_args(hint)[0]] if hasattr(hint, "__metadata__") else get_args(hint)
    return own + [mark for each in inner for mark in _narrowings(each)]


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"ge": ge, "gt": gt, "le": le, "lt": lt}


def _fits(found: Record, where: dict[str, Any]) -> bool:
    """Whether a record fits all conditions; what has no value is neither more nor less."""
    for name, value in where.items():
        field, _, how = name.partition("__")
        mine, wanted = _plain(getattr(found, field)), _plain(value)
        if how and (mine is None or not _COMPARE[how](mine, wanted)):
            return False
        if not how and mine != wanted:
            return False
    return True


def _plain(value: Any) -> Any:
    """An enum as its value, so that it can be compared and sorted."""
    return value.value if isinstance(value, enum.Enum) else value


def _rank(value: Any) -> tuple[bool, Any]:
    """Sorts values of a field; None comes first."""
    return (value is not None, _plain(value))
