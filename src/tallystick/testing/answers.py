"""Comparing what a read answered with what a case expects."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from tallystick.catalogue import bare, struct_info
from tallystick.ledger.app import Record
from tallystick.values.errors import ValueProblem
from tallystick.values.money import format_minor
from tallystick.wording import Wording, WordingProblem, currency_of_struct, spellings

_ROW = re.compile(r"[1-9][0-9]{0,8}")
_WHOLE = re.compile(r"-?[0-9]{1,19}")
"""Number of a row or a place, from 1."""


@dataclass(frozen=True)
class Rows:
    """What a read answered."""

    rows: tuple[Any, ...]
    """Structs, or plain values."""


@dataclass(frozen=True)
class _Found:
    """A value and how it is written."""

    value: Any
    type: Any
    currency: str | None


class _NoSuchField(Exception):
    """A path leads nowhere."""


def expect(
    wording: Wording, answer: Rows, bound: Callable[[str], Record | None], path: str, wanted: str
) -> str | None:
    """None if the value at a path is the wanted one; else a sentence that says what is there."""
    if path == "rows":
        return _differs(str(len(answer.rows)), wanted)
    first, _, rest = path.partition(".")
    try:
        if first == "sum":
            found = _sum(answer, rest)
        else:
            found = _follow(*_start(answer, bound, first, rest))
    except _NoSuchField as problem:
        return str(problem)
    if path.endswith("_minor") and _WHOLE.fullmatch(wanted):
        return _differs(str(found.value), wanted)
    return _compare(wording, found, wanted)


def _start(
    answer: Rows, bound: Callable[[str], Record | None], first: str, rest: str
) -> tuple[Any, str]:
    """Where a path begins: a bound record, a row by number, or the first row."""
    if rest:
        kept = bound(first)
        if kept is not None:
            return kept, rest
        if _ROW.fullmatch(first):
            if int(first) > len(answer.rows):
                raise _NoSuchField(f"there are {len(answer.rows)} rows")
            return answer.rows[int(first) - 1], rest
    if not answer.rows:
        raise _NoSuchField("the read answered nothing")
    return answer.rows[0], f"{first}.{rest}" if rest else first


def _follow(start: Any, path: str) -> _Found:
    """The value at a path."""
    found = _Found(start, type(start), currency_of_struct(start))
    for name in path.split("."):
        found = _step(found, name)
    return found


def _step(found: _Found, name: str) -> _Found:
    """One name of a path: a field, a derived value, or a place in a tuple."""
    value = found.value
    if isinstance(value, tuple):
        if not _ROW.fullmatch(name) or int(name) > len(value):
            raise _NoSuchField(f"{name} is no place among {len(value)}")
        inner = get_args(bare(found.type))
        return _Found(value[int(name) - 1], inner[0] if inner else Any, found.currency)
    if isinstance(value, msgspec.Struct):
        return _field(value, name, found.currency)
    if name in ("value", "answer"):
        return found
    raise _NoSuchField(f"there is no {name}")


def _field(value: msgspec.Struct, name: str, currency: str | None) -> _Found:
    """A field by either spelling; a derived value; or a field of the one struct inside."""
    known = currency_of_struct(value) or currency
    wanted = name.replace("_", "-")
    infos = struct_info(type(value)).fields
    for info in infos:
        if wanted in spellings(info.name):
            return _Found(getattr(value, info.name), info.type, known)
    for derived in (name, f"{name}_minor", name.replace("-", "_")):
        if isinstance(getattr(type(value), derived, None), property):
            kind = _Minor if derived.endswith("_minor") else Any
            return _Found(getattr(value, derived), kind, known)
    inner = [
        getattr(value, info.name)
        for info in infos
        if isinstance(getattr(value, info.name), msgspec.Struct)
    ]
    holders = [
        each
        for each in inner
        if any(wanted in spellings(info.name) for info in struct_info(type(each)).fields)
    ]
    if len(holders) == 1:
        return _field(holders[0], name, known)
    raise _NoSuchField(f"{type(value).__name__} has no field {name}")


class _Minor:
    """Stands for the type of a derived amount."""


def _amount(minor: int, currency: str | None) -> str:
    """A derived amount in its currency; in minor units where none is told."""
    return format_minor(minor, currency) if currency else str(minor)


def _compare(wording: Wording, found: _Found, wanted: str) -> str | None:
    """Compare as values where the text can be read, else as text."""
    if found.value in (None, (), ""):
        return _differs("-", wanted)
    if found.type is _Minor:
        shown = _amount(found.value, found.currency)
    else:
        shown = wording.show(found.value, found.type, found.currency)
    if shown == wanted:
        return None
    try:
        if not isinstance(found.value, tuple) and found.type not in (_Minor, Any):
            if wording.one(found.type, wanted, found.currency) == found.value:
                return None
    except (WordingProblem, ValueProblem):
        pass
    plain = wanted.replace(",", "")
    return None if plain == shown.replace(",", "") else _differs(shown, wanted)


def _sum(answer: Rows, path: str) -> _Found:
    """The sum of a field over all rows."""
    found = [_follow(row, path) for row in answer.rows]
    if not found:
        raise _NoSuchField("the read answered nothing to add up")
    if not all(type(each.value) is int for each in found):
        raise _NoSuchField(f"{path} cannot be added up")
    return _Found(sum(each.value for each in found), found[0].type, found[0].currency)


def _differs(shown: str, wanted: str) -> str | None:
    """The sentence for two texts, None if they are the same."""
    return None if shown == wanted else f"expected {wanted}, it is {shown}"
