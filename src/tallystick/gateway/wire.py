"""What travels between client and node beside transactions: frames, media types, read tokens."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable, Iterable
from typing import Annotated

from msgspec import Meta

from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import SUITE_ED25519, ChainId
from tallystick.values.codec import Struct, decode_canonical, encode
from tallystick.values.errors import CodecError
from tallystick.values.units import AtMs, PublicKey, Signature64

MSGPACK = "application/msgpack"
"""Answers as MessagePack; the default is JSON."""
JSON = "application/json"
"""Answers as JSON."""
FRAMES = "application/x-tallystick-frames"
"""A stream of frames: 4 bytes of length, big-endian, then so many bytes; again and again."""
STREAM_MAX = 1_000
"""Most transactions in one request."""
STREAM_BYTES_MAX = 16 * 1024 * 1024
"""Largest request, in bytes."""
TOKEN_MS_MAX = 10 * 60_000
"""How far ahead a read token may expire, in milliseconds."""
TOKEN_SCHEME = "Tallystick "
"""What stands before the token in the header `Authorization`."""

_SIZE_BYTES = 4
_unpack_size = struct.Struct(">I").unpack_from
_TOKEN_DOMAIN = b"tallystick/read/1"
_TARGET_MAX = 4_096


def pack_frames(parts: Iterable[bytes]) -> bytes:
    """Several byte strings as one."""
    return b"".join([len(part).to_bytes(_SIZE_BYTES, "big") + part for part in parts])


def unpack_frames(data: bytes, most: int = STREAM_MAX) -> list[bytes]:
    """The byte strings again; MALFORMED when lengths do not fit, or beyond `most`."""
    parts: list[bytes] = []
    place, length = 0, len(data)
    last = length - _SIZE_BYTES
    while place < length:
        start = place + _SIZE_BYTES
        place = start + _unpack_size(data, place)[0] if place <= last else length + 1
        if place > length:
            raise Refused(Refusal.MALFORMED, {"detail": "a frame is longer than the stream"})
        if len(parts) == most:
            raise Refused(Refusal.MALFORMED, {"detail": f"more than {most} in one stream"})
        parts.append(data[start:place])
    return parts


class Reading(Struct):
    """What an officer signs to read."""

    chain_id: ChainId
    """Chain that is read."""
    expires_at_ms: AtMs
    """Time of the machine's clock from which the token is worth nothing."""
    target: Annotated[str, Meta(min_length=1, max_length=_TARGET_MAX)]
    """Path and query of the one request it is for, as they are sent."""


class ReadToken(Struct, array_like=True):
    """A signed reading."""

    suite: Annotated[int, Meta(ge=SUITE_ED25519, le=SUITE_ED25519)]
    """Signature suite; 1 = Ed25519 under ZIP-215."""
    reading: Reading
    """What was signed."""
    public_key: PublicKey
    """The officer's key."""
    signature: Signature64
    """Signature over the reading."""

    def signed(self) -> bytes:
        """The bytes under the signature."""
        return reading_bytes(self.reading)


def reading_bytes(reading: Reading) -> bytes:
    """What an officer signs: the domain and the encoded reading."""
    return _TOKEN_DOMAIN + encode(reading)


def write_token(reading: Reading, public_key: bytes, sign: Callable[[bytes], bytes]) -> str:
    """The value of the header `Authorization`."""
    token = ReadToken(
        suite=SUITE_ED25519,
        reading=reading,
        public_key=public_key,
        signature=sign(reading_bytes(reading)),
    )
    return TOKEN_SCHEME + base64.urlsafe_b64encode(encode(token)).decode("ascii")


def read_token(header: str) -> ReadToken:
    """The token in a header; its signature is not checked. Refused when it is none."""
    try:
        if not header.startswith(TOKEN_SCHEME):
            raise CodecError("another scheme")
        raw = base64.b64decode(header[len(TOKEN_SCHEME) :], altchars=b"-_", validate=True)
        return decode_canonical(ReadToken, raw)
    except (CodecError, binascii.Error, ValueError):
        raise Refused(Refusal.NOT_A_READER, {"reason": "the token cannot be read"}) from None
