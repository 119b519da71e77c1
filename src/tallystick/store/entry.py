"""The bytes of the block log: one entry per block, and the tip. `docs/reference/log-format.md`.

    entry  = header ‖ body ‖ checksum            tip = magic ‖ height ‖ entry hash ‖ checksum
    header = magic ‖ height ‖ body length ‖ previous entry's hash ‖ checksum of the header so far

Numbers are big-endian. A checksum is the first 8 bytes of a SHA-256; that of an entry is the
beginning of its hash, SHA-256(header ‖ body). No byte of a file is outside a checksum.
"""

import struct
from dataclasses import dataclass
from hashlib import sha256

ENTRY_MAGIC = b"tallyb\x00\x01"
"""First bytes of every entry: name and format 1."""
TIP_MAGIC = b"tallyt\x00\x01"
"""First bytes of the tip: name and format 1."""

CHECKSUM_BYTES = 8
"""Length of a checksum."""

_HEADER = struct.Struct(">8sQI32s")
_TIP = struct.Struct(">8sQ32s")

HEADER_BYTES = _HEADER.size + CHECKSUM_BYTES
"""Length of a header: 60."""
TIP_BYTES = _TIP.size + CHECKSUM_BYTES
"""Length of the tip: 56."""
OVERHEAD_BYTES = HEADER_BYTES + CHECKSUM_BYTES
"""What an entry is longer than its body: 68."""
BODY_BYTES_MAX = 128 * 1024 * 1024
"""Largest body."""


@dataclass(frozen=True, slots=True)
class Header:
    """The header of an entry, read and verified."""

    height: int
    """Height of the block, e.g. 17."""
    body_bytes: int
    """Length of the body, in bytes."""
    previous: bytes
    """Hash of the entry before; of the first entry, the hash of the genesis."""

    @property
    def entry_bytes(self) -> int:
        """Length of the whole entry."""
        return self.body_bytes + OVERHEAD_BYTES


@dataclass(frozen=True, slots=True)
class Tip:
    """What the tip says: the last block that was committed when it was written."""

    height: int
    """Height of that block."""
    entry_hash: bytes
    """Hash of its entry, 32 bytes."""


def encode_entry(height: int, previous: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The bytes of an entry, and its hash."""
    fields = _HEADER.pack(ENTRY_MAGIC, height, len(body), previous)
    header = fields + checksum(fields)
    digest = entry_hash(header, body)
    return b"".join((header, body, digest[:CHECKSUM_BYTES])), digest


def decode_header(data: bytes, offset: int = 0) -> Header | None:
    """The header at an offset, None when there is no readable one."""
    end = offset + _HEADER.size
    fields = data[offset:end]
    if not fields.startswith(ENTRY_MAGIC) or data[end : end + CHECKSUM_BYTES] != checksum(fields):
        return None
    _, height, body_bytes, previous = _HEADER.unpack(fields)
    return Header(height=height, body_bytes=body_bytes, previous=previous)


def entry_hash(header: bytes, body: bytes) -> bytes:
    """Hash of an entry; the next one carries it."""
    hasher = sha256(header)
    hasher.update(body)
    return hasher.digest()


def checksum(data: bytes) -> bytes:
    """Short hash that tells whether bytes are the ones that were written."""
    return sha256(data).digest()[:CHECKSUM_BYTES]


def encode_tip(tip: Tip) -> bytes:
    """The bytes of a tip."""
    fields = _TIP.pack(TIP_MAGIC, tip.height, tip.entry_hash)
    return fields + checksum(fields)


def decode_tip(data: bytes) -> Tip | None:
    """The tip in a file's bytes, None when it is unreadable."""
    fields = data[: _TIP.size]
    if len(data) != TIP_BYTES or data[_TIP.size :] != checksum(fields):
        return None
    magic, height, digest = _TIP.unpack(fields)
    return Tip(height=height, entry_hash=digest) if magic == TIP_MAGIC else None
