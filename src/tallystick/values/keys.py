"""Keys of records: tuples of fields as bytes that sort as the tuples do.

Each field is a type byte and its value. Text (UTF-8) and bytes write 0x00 as 0x00 0xFF and end in
0x00 0x01, so that no field is the beginning of another; an integer is 8 bytes, big-endian, 2^63
added; an enum stands by its value. Types sort as bytes, text, integers, false, true.
"""

from enum import Enum
from functools import lru_cache
from typing import Final

from tallystick.values.errors import CodecError

KeyField = str | int | bool | bytes | Enum
"""What a key may consist of."""

_BYTES: Final = 1
_STR: Final = 2
_INT: Final = 3
_FALSE: Final = 4
_TRUE: Final = 5

_END: Final = b"\x00\x01"
_OFFSET: Final = 2**63


def encode_key(name: str, *fields: KeyField) -> bytes:
    """The key of a record: its name, then its fields.

    With the first fields only, it is the common beginning of all keys that share them, and of no
    other key.
    """
    parts = [_name_field(name)]
    for field in fields:
        kind = type(field)
        if kind is str:
            parts.append(text_field(field))  # type: ignore[arg-type]
        elif kind is int:
            parts.append(int_field(field))  # type: ignore[arg-type]
        else:
            parts.append(_encode_other(field))
    return b"".join(parts)


@lru_cache(maxsize=1_000)
def _name_field(name: str) -> bytes:
    """The first field of a key: there are as many as there are records' names."""
    return text_field(name)


def text_field(text: str) -> bytes:
    """A text as it stands in a key, after the fields before it."""
    try:
        if "\x00" in text:
            return b"\x02" + text.encode().replace(b"\x00", b"\x00\xff") + _END
        return b"\x02%b\x00\x01" % text.encode()
    except UnicodeEncodeError as problem:
        raise CodecError("not Unicode text", text=text) from problem


def bytes_field(data: bytes) -> bytes:
    """Bytes as they stand in a key, after the fields before them."""
    return b"\x01" + data.replace(b"\x00", b"\x00\xff") + _END


def int_field(number: int) -> bytes:
    """An integer as it stands in a key, after the fields before it."""
    try:
        return b"\x03" + (number + _OFFSET).to_bytes(8, "big")
    except OverflowError as problem:
        raise CodecError("does not fit 64 bits", value=number) from problem


def _encode_other(field: KeyField) -> bytes:
    """A field of a rarer type."""
    if isinstance(field, Enum):
        field = field.value
    if field is True:
        return b"\x05"
    if field is False:
        return b"\x04"
    if isinstance(field, bytes):
        return bytes_field(field)
    if isinstance(field, str):
        return text_field(field)
    if isinstance(field, int):
        return int_field(field)
    raise CodecError("no field of a key", type=type(field).__name__)


def decode_key(data: bytes) -> tuple[str | int | bool | bytes, ...]:
    """The name and fields of a key, enums by their values."""
    fields: list[str | int | bool | bytes] = []
    index = 0
    while index < len(data):
        kind = data[index]
        index += 1
        if kind in (_STR, _BYTES):
            value, index = _decode_bytes(data, index)
            fields.append(value if kind == _BYTES else _decode_text(value))
        elif kind == _INT and index + 8 <= len(data):
            fields.append(int.from_bytes(data[index : index + 8], "big") - _OFFSET)
            index += 8
        elif kind in (_FALSE, _TRUE):
            fields.append(kind == _TRUE)
        else:
            raise CodecError("not a key", at=index - 1)
    return tuple(fields)


def _decode_bytes(data: bytes, start: int) -> tuple[bytes, int]:
    """The bytes of a field that begins at `start`, and where the next one begins."""
    parts = []
    while True:
        zero = data.find(b"\x00", start)
        mark = data[zero + 1 : zero + 2]
        if zero < 0 or mark not in (b"\x01", b"\xff"):
            raise CodecError("not a key", at=start)
        parts.append(data[start:zero])
        start = zero + 2
        if mark == b"\x01":
            return b"\x00".join(parts), start


def _decode_text(value: bytes) -> str:
    """The text of a field."""
    try:
        return value.decode()
    except UnicodeDecodeError as problem:
        raise CodecError("not a key: text that is not UTF-8") from problem


def prefix_end(prefix: bytes) -> bytes:
    """The smallest bytes greater than everything that begins with the prefix."""
    kept = prefix.rstrip(b"\xff")
    if not kept:
        raise CodecError("nothing is greater than all bytes")
    return kept[:-1] + bytes((kept[-1] + 1,))
