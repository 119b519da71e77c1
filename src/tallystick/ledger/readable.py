"""Whether a value reads back: whether its bytes, decoded, are the value again.

Most values need no decoding to show it. A whole number within the bounds of its type, a member of
its enum, bytes of an allowed length: their bytes say them and nothing else (`values/codec.py`). A
text is looked at the first time, for its pattern, and then remembered. A tuple or a struct reads
back when each of its parts does. A field's default is left out of the bytes, whatever its type
says: there is one copy of it, and the encoder knows it as that. Whatever is not shown so is decoded
and compared.

Each check is one function without calls between, for there are some twenty in a transaction.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import NODEFAULT, Meta, inspect
from msgspec.structs import astuple

from tallystick.values.codec import decoder
from tallystick.values.units import INT64_MAX, INT64_MIN

TEXTS_MAX = 2_000
"""Texts of one pattern that are known to read back."""

Shown = Callable[[Any], bool]
"""Whether a value is shown to read back; if not, it may do so all the same."""

_encode = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=None, typed=True)
def reading_back(type_: Any, default: Any = NODEFAULT) -> Shown:
    """Whether a field's value reads back by itself; raises for what cannot be encoded or read.

    What says no all the same may read back: the whole record decides.
    """
    info = inspect.type_info(type_)
    found = _shown(info, default)
    return _decoded(type_, default) if found is None else found


def _decoded(type_: Any, default: Any) -> Shown:
    """For a type of which nothing is shown: a value is decoded and compared."""
    decoded = decoder(type_).decode
    return lambda value: value is default or bool(decoded(_encode(value)) == value)


def _shown(info: inspect.Type, default: Any) -> Shown | None:
    """How a value of a type is shown to read back; None for a type of which nothing is shown."""
    match info:
        case inspect.Metadata(type=inner):
            return _shown(inner, default)
        case inspect.UnionType(types=(inspect.NoneType(), other) | (other, inspect.NoneType())):
            return _or_none(other, default)
        case inspect.BoolType():
            return lambda value: type(value) is bool or value is default
        case inspect.EnumType(cls=of):
            return lambda value: type(value) is of or value is default
        case inspect.IntType(gt=None, lt=None, multiple_of=None, ge=least, le=most):
            return _number(least, most, default)
        case inspect.BytesType(min_length=least, max_length=most):
            return _bytes(least, most, default)
        case inspect.StrType():
            return _text(info.min_length, info.max_length, info.pattern, default)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return _tuple(_shown(item, NODEFAULT), least, most, default)
        case inspect.StructType(cls=made, fields=fields):
            return _struct(made, fields, default)
    return None


def _or_none(other: inspect.Type, default: Any) -> Shown | None:
    """As another type says, or None."""
    if default is None:
        return _shown(other, None)
    is_shown = _shown(other, default)
    return None if is_shown is None else lambda value: value is None or is_shown(value)


def _number(least: int | None, most: int | None, default: Any) -> Shown:
    """A whole number within bounds; a truth value is none."""
    low, high = INT64_MIN if least is None else least, INT64_MAX if most is None else most
    return lambda value: (type(value) is int and low <= value <= high) or value is default


def _bytes(least: int | None, most: int | None, default: Any) -> Shown:
    """Bytes of an allowed length."""
    low, high = least or 0, INT64_MAX if most is None else most
    return lambda value: (type(value) is bytes and low <= len(value) <= high) or value is default


def _tuple(
    is_shown: Shown | None, least: int | None, most: int | None, default: Any
) -> Shown | None:
    """A tuple of an allowed length, of parts that are shown."""
    if is_shown is None:
        return None
    low, high = least or 0, INT64_MAX if most is None else most
    return lambda value: (
        (type(value) is tuple and low <= len(value) <= high and all(map(is_shown, value)))
        or (value is default)
    )


def _text(least: int | None, most: int | None, pattern: str | None, default: Any) -> Shown:
    """A text that was looked at before; ids, days and names come again and again."""
    texts, learn = _texts(least, most, pattern)
    return lambda value: (
        (type(value) is str and (value in texts or learn(value))) or value is default
    )


@cache
def _texts(least: int | None, most: int | None, pattern: str | None) -> tuple[set[str], Shown]:
    """Texts of one pattern that read back, and what looks at another; it raises if that does not.

    Letters of ASCII are their own bytes, so length and pattern alone decide; others are decoded.
    """
    meta = Meta(min_length=least, max_length=most, pattern=pattern)
    decoded = decoder(Annotated[str, meta]).decode
    low, high = least or 0, INT64_MAX if most is None else most
    search = re.compile(pattern or "").search
    texts: set[str] = set()

    def learn(value: str) -> bool:
        """Look at a text, and remember it."""
        if not (value.isascii() and low <= len(value) <= high and search(value)):
            decoded(_encode(value))
        if len(texts) >= TEXTS_MAX:
            texts.clear()
        texts.add(value)
        return True

    return texts, learn


def _struct(
    made: type[msgspec.Struct], fields: tuple[inspect.Field, ...], default: Any
) -> Shown | None:
    """A struct whose fields are all shown."""
    checks = [_shown(field.type, field.default) for field in fields]
    if None in checks:
        return None
    shown = tuple([each for each in checks if each is not None])

    def is_shown(value: Any) -> bool:
        """Whether each field is."""
        if type(value) is not made:
            return value is default
        for part_is_shown, part in zip(shown, astuple(value), strict=True):
            if not part_is_shown(part):
                return False
        return True

    return is_shown
