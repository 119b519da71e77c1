"""Transactions as they travel: structure, hashes and signatures of many at once.

An envelope is `[1, body, [[1, key, signature], …]]` in MessagePack (docs/reference/formats.md). It
has one encoding, so that reading is comparing: whatever is written in any other way is not opened,
and `ledger/transaction.py`, which knows the same envelope as structs, says what is wrong with it.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from tallystick.accel.errors import NotOpened
from tallystick.accel.signatures import KEY_BYTES, SIGNATURE_BYTES, verify

__all__ = ["BYTES_MAX", "DOMAIN", "SIGNATURES_MAX", "open_batch"]

DOMAIN = b"tallystick/tx/1"
"""Written before the body when it is signed."""
BYTES_MAX = 65_536
"""Largest transaction, in bytes."""
SIGNATURES_MAX = 32
"""Most signatures on a transaction."""

# In MessagePack: an array of three and the number 1, for the format and for the suite.
HEAD = b"\x93\x01"
# Byte strings of up to 255 and of up to 65,535 bytes; an array of 16 and more.
SHORT_BYTES, LONG_BYTES, LONG_ARRAY = b"\xc4", b"\xc5", 0xDC
KEY_HEAD = HEAD + SHORT_BYTES + bytes((KEY_BYTES,))
SIGNATURE_HEAD = SHORT_BYTES + bytes((SIGNATURE_BYTES,))
KEY_END = len(KEY_HEAD) + KEY_BYTES
SIGNED_BYTES = KEY_END + len(SIGNATURE_HEAD) + SIGNATURE_BYTES

Envelope = tuple[bytes, list[tuple[bytes, bytes]]]
"""The encoded body; key and signature of each who signed."""


class OpenedEnvelope(NamedTuple):
    """What is inside one envelope."""

    body: bytes
    """The encoded body."""
    id: bytes
    """SHA-256 of domain and body."""
    keys: tuple[bytes, ...]
    """Public keys that signed, sorted."""


class Batch:
    """Many transactions, read and hashed; their signatures are checked when that is asked for."""

    __slots__ = ("_envelopes", "digests", "opened")

    def __init__(self, raws: Sequence[bytes]) -> None:
        """Read and hash everything."""
        self._envelopes = [read_envelope(raw) for raw in raws]
        self.digests = [sha256(raw).digest() for raw in raws]
        self.opened = [None if each is None else _opened(each) for each in self._envelopes]

    def verify(self, places: Sequence[int]) -> list[int]:
        """For each place -1, or the position of its first signature that is bad."""
        return [_first_bad(self._at(place)) for place in places]

    def _at(self, place: int) -> Envelope:
        """The envelope at a place."""
        envelope = self._envelopes[place] if 0 <= place < len(self._envelopes) else None
        if envelope is None:
            raise NotOpened(place)
        return envelope


def open_batch(raws: Sequence[bytes]) -> Batch:
    """Read and hash many transactions."""
    return Batch(raws)


def read_envelope(raw: bytes) -> Envelope | None:
    """Read an envelope; None unless it is the one encoding of a whole one."""
    if len(raw) > BYTES_MAX or not raw.startswith(HEAD):
        return None
    start, length = _body_length(raw)
    end = start + length
    body = raw[start:end]
    if length < 0 or len(body) != length:
        return None
    first, count = _count(raw, end)
    if count < 0 or len(raw) != first + count * SIGNED_BYTES:
        return None
    signatures: list[tuple[bytes, bytes]] = []
    last = b""
    for at in range(first, len(raw), SIGNED_BYTES):
        signed = raw[at : at + SIGNED_BYTES]
        key = signed[len(KEY_HEAD) : KEY_END]
        if not signed.startswith(KEY_HEAD) or not signed.startswith(SIGNATURE_HEAD, KEY_END):
            return None
        if key <= last:
            return None
        last = key
        signatures.append((key, signed[-SIGNATURE_BYTES:]))
    return body, signatures


def _body_length(raw: bytes) -> tuple[int, int]:
    """Where the body begins and how long it is; -1 unless that is written in the shortest way."""
    kind = raw[2:3]
    if kind == SHORT_BYTES:
        return 4, int.from_bytes(raw[3:4], "big")
    if kind == LONG_BYTES and raw[3:4] > b"\0":
        return 5, int.from_bytes(raw[3:5], "big")
    return 0, -1


def _count(raw: bytes, end: int) -> tuple[int, int]:
    """Where the first signature begins and how many there are; -1 when that is not 1 to 32."""
    head = int.from_bytes(raw[end : end + 1], "big")
    if 0x91 <= head <= 0x9F:
        return end + 1, head & 0x0F
    count = int.from_bytes(raw[end + 1 : end + 3], "big")
    if head == LONG_ARRAY and 16 <= count <= SIGNATURES_MAX:
        return end + 3, count
    return 0, -1


def _opened(envelope: Envelope) -> OpenedEnvelope:
    """What is inside."""
    body, signatures = envelope
    return OpenedEnvelope(
        body, sha256(DOMAIN + body).digest(), tuple([key for key, _ in signatures])
    )


def _first_bad(envelope: Envelope) -> int:
    """Position of the first bad signature, or -1."""
    body, signatures = envelope
    signed = DOMAIN + body
    for position, (key, signature) in enumerate(signatures):
        if not verify(key, signed, signature):
            return position
    return -1
