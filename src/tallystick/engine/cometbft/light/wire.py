"""Protobuf as CometBFT writes it before it hashes or signs: proto3, fields in rising order.

A zero number and empty bytes are left out; a message that is not optional (gogoproto
`nullable = false`) is written even when it is empty.
https://protobuf.dev/programming-guides/encoding
"""

_WORD = 2**64 - 1
_SECOND_NS = 1_000_000_000


def varint(value: int) -> bytes:
    """A number in groups of seven bits, lowest first; a negative one as 64 bits."""
    value &= _WORD
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(0x80 | (value & 0x7F))
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def number(field: int, value: int) -> bytes:
    """A field with a number; nothing for zero."""
    return varint(field << 3) + varint(value) if value else b""


def fixed(field: int, value: int) -> bytes:
    """A field with a number of eight bytes (sfixed64); nothing for zero."""
    return varint(field << 3 | 1) + (value & _WORD).to_bytes(8, "little") if value else b""


def content(field: int, data: bytes) -> bytes:
    """A field with bytes or text; nothing when there are none."""
    return message(field, data) if data else b""


def message(field: int, data: bytes) -> bytes:
    """A field with a message, also an empty one."""
    return varint(field << 3 | 2) + delimited(data)


def delimited(data: bytes) -> bytes:
    """Bytes after their length."""
    return varint(len(data)) + data


def timestamp(time_ns: int) -> bytes:
    """google.protobuf.Timestamp of nanoseconds since 1970 UTC."""
    seconds, nanos = divmod(time_ns, _SECOND_NS)
    return number(1, seconds) + number(2, nanos)
