"""What is known to read back without being decoded: its bytes, decoded, are the value again.

Most values need no decoding to show it. A whole number within the bounds of its type, a member of
its enum, bytes of an allowed length: their bytes say them and nothing else (`values/codec.py`). A
text is looked at the first time, for its pattern, and then remembered. A tuple or a struct reads
back when each of its parts does. A field's default is left out of the bytes, whatever its type
says: there is one copy of it, and the encoder knows it as that. Whatever is not shown so is decoded
and compared.

Here is what a type says; `accel/shown.py` looks at values by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Annotated, Any

import msgspec
from msgspec import NODEFAULT, Meta, inspect

from tallystick.accel import Field
from tallystick.values.codec import decoder
from tallystick.values.units import INT64_MAX, INT64_MIN

TEXTS_MAX = 2_000
"""Texts of one pattern that are known to read back."""

_encode = msgspec.msgpack.Encoder().encode


@lru_cache(maxsize=None, typed=True)
def field_of(type_: Any, default: Any = NODEFAULT) -> Field:
    """What a field of a type may hold; its check raises for what cannot be encoded or read.

    What is not shown all the same may read back: the whole record decides.
    """
    info = inspect.type_info(type_)
    return _field(info, default) or Field("other", _decoded(type_), None, default, False)


def _decoded(type_: Any) -> Callable[[Any], bool]:
    """For a type of which nothing is shown: a value is decoded and compared."""
    decoded = decoder(type_).decode
    return lambda value: bool(decoded(_encode(value)) == value)


def _field(info: inspect.Type, default: Any) -> Field | None:
    """What a field of a type may hold; None for a type of which nothing is shown."""
    match info:
        case inspect.Metadata(type=inner):
            return _field(inner, default)
        case inspect.UnionType(types=(inspect.NoneType(), other) | (other, inspect.NoneType())):
            found = _field(other, default)
            return None if found is None else found._replace(or_none=True)
        case inspect.BoolType():
            return Field("exactly", bool, None, default, False)
        case inspect.EnumType(cls=of):
            return Field("exactly", of, None, default, False)
        case inspect.IntType(gt=None, lt=None, multiple_of=None, ge=least, le=most):
            low, high = INT64_MIN if least is None else least, INT64_MAX if most is None else most
            return Field("whole", low, high, default, False)
        case inspect.BytesType(min_length=least, max_length=most):
            return Field("bytes", *_lengths(least, most), default, False)
        case inspect.StrType():
            texts, learn = _texts(info.min_length, info.max_length, info.pattern)
            return Field("text", texts, learn, default, False)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            items = _field(item, NODEFAULT)
            lengths = _lengths(least, most)
            return None if items is None else Field("tuple", items, lengths, default, False)
        case inspect.StructType(cls=made, fields=fields):
            parts = [_field(field.type, field.default) for field in fields]
            return None if None in parts else Field("struct", made, tuple(parts), default, False)
    return None


def _lengths(least: int | None, most: int | None) -> tuple[int, int]:
    """The least and the greatest length allowed."""
    return least or 0, INT64_MAX if most is None else most


@cache
def _texts(
    least: int | None, most: int | None, pattern: str | None
) -> tuple[set[str], Callable[[str], bool]]:
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
