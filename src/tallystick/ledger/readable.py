"""Whether a value reads back: whether its bytes, decoded, are the value again.

Most values need no decoding to show it. A whole number within the bounds of its type, a member of
its enum, bytes of an allowed length: their bytes say them and nothing else (`values/codec.py`). A
text is decoded the first time, for its pattern, and then remembered. A tuple or a struct reads back
when each of its parts does. Whatever is not shown so is decoded and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Sized
from functools import cache
from operator import attrgetter
from typing import Annotated, Any

import msgspec
from msgspec import Meta, inspect

from tallystick.values.codec import decoder
from tallystick.values.units import INT64_MAX, INT64_MIN

TEXTS_MAX = 10_000
"""Texts of one pattern that are known to read back."""

Shown = Callable[[Any], bool]
"""Whether a value is shown to read back; if not, it may do so all the same."""

_encode = msgspec.msgpack.Encoder().encode


@cache
def reading_back(type_: Any) -> Shown:
    """Whether a value of a field's type reads back; raises for what cannot be encoded or read."""
    decoded, is_shown = decoder(type_).decode, _shown(inspect.type_info(type_))

    def is_read_back(value: Any) -> bool:
        """Whether it does."""
        if is_shown(value):
            return True
        same: bool = decoded(_encode(value)) == value
        return same

    return is_read_back


def _shown(info: inspect.Type) -> Shown:
    """How a value of a type is shown to read back."""
    match info:
        case inspect.Metadata(type=inner):
            return _shown(inner)
        case inspect.UnionType(types=(inspect.NoneType(), other) | (other, inspect.NoneType())):
            is_shown = _shown(other)
            return lambda value: value is None or is_shown(value)
        case inspect.BoolType():
            return lambda value: type(value) is bool
        case inspect.EnumType(cls=of):
            return lambda value: type(value) is of
        case inspect.IntType(gt=None, lt=None, multiple_of=None, ge=least, le=most):
            return _number(least, most)
        case inspect.BytesType(min_length=least, max_length=most):
            return _sized(bytes, least, most, lambda value: True)
        case inspect.StrType():
            return _text(info.min_length, info.max_length, info.pattern)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            is_shown = _shown(item)
            return _sized(tuple, least, most, lambda value: all(map(is_shown, value)))
        case inspect.StructType(cls=made, fields=fields):
            return _struct(made, fields)
    return lambda value: False


def _number(least: int | None, most: int | None) -> Shown:
    """A whole number within bounds; a truth value is none."""
    low, high = INT64_MIN if least is None else least, INT64_MAX if most is None else most
    return lambda value: type(value) is int and low <= value <= high


def _sized(kind: type[Sized], least: int | None, most: int | None, are_shown: Shown) -> Shown:
    """What has an allowed length, and parts that are shown."""
    low, high = least or 0, INT64_MAX if most is None else most
    return lambda value: type(value) is kind and low <= len(value) <= high and are_shown(value)


@cache
def _text(least: int | None, most: int | None, pattern: str | None) -> Shown:
    """A text that was decoded before; ids, days and names come again and again."""
    meta = Meta(min_length=least, max_length=most, pattern=pattern)
    decoded = decoder(Annotated[str, meta]).decode
    texts: set[str] = set()

    def is_shown(value: Any) -> bool:
        """Whether it reads back; what is no text is not shown, and a text that does not, raises."""
        if type(value) is not str:
            return False
        if value not in texts:
            decoded(_encode(value))
            if len(texts) >= TEXTS_MAX:
                texts.clear()
            texts.add(value)
        return True

    return is_shown


def _struct(made: type, fields: tuple[inspect.Field, ...]) -> Shown:
    """A struct whose fields are all shown."""
    parts = [
        (attrgetter(field.name), or_left_out(field.default, _shown(field.type))) for field in fields
    ]
    return lambda value: type(value) is made and all(is_shown(of(value)) for of, is_shown in parts)


def or_left_out(default: Any, is_shown: Shown) -> Shown:
    """As told, for a field with a default: that is left out of the bytes, whatever its type says.

    There is one copy of a default (`values/codec.py`), and the encoder knows it as that.
    """
    return lambda value: value is default or is_shown(value)
