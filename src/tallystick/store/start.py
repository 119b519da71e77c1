"""Where a block log begins, if not after its genesis: the file `NNNNNNNN.base`.

    base = magic ‖ height ‖ length of the note ‖ link ‖ note ‖ checksum

It stands beside the segment of the same number, which is the first one of the log. The height is
that of the last block that is *not* there; the first entry follows the link as it would follow an
entry. The note is the caller's: what is to be known of that block. A log has such a file after it
was begun at a snapshot, or after its oldest segments were pruned.
"""

import struct
from dataclasses import dataclass
from hashlib import sha256

from tallystick.store.entry import CHECKSUM_BYTES, checksum

BASE_MAGIC = b"tallys\x00\x01"
"""First bytes of the file: name and format 1."""
NOTE_BYTES_MAX = 65_536
"""Largest note."""
LINK_DOMAIN = b"tallystick/log-base/1"
"""Written before the note when a log that begins at a snapshot makes its link."""

_BASE = struct.Struct(">8sQI32s")


@dataclass(frozen=True, slots=True)
class Start:
    """Where a log begins."""

    height: int
    """Height of the block before the first one that is there; 0 after the genesis."""
    link: bytes
    """What the first entry follows, 32 bytes: hash of the genesis, of an entry, or of the note."""
    note: bytes = b""
    """What the caller has to know of that block; empty after the genesis."""


def base_path(folder: str, number: int) -> str:
    """Path of the file that says where a segment begins, e.g. `blocks/00000007.base`."""
    return f"{folder}/{number:08d}.base"


def start_at(height: int, note: bytes) -> Start:
    """Where a log begins that has no entry before: its first one follows the note."""
    return Start(height, sha256(LINK_DOMAIN + note).digest(), note)


def encode_start(start: Start) -> bytes:
    """The bytes of the file."""
    fields = _BASE.pack(BASE_MAGIC, start.height, len(start.note), start.link) + start.note
    return fields + checksum(fields)


def decode_start(data: bytes) -> Start | None:
    """What a file's bytes say, None when they are unreadable."""
    fields, note_at = data[:-CHECKSUM_BYTES], _BASE.size
    if len(fields) < note_at or data[-CHECKSUM_BYTES:] != checksum(fields):
        return None
    magic, height, note_bytes, link = _BASE.unpack(fields[:note_at])
    note = fields[note_at:]
    if magic != BASE_MAGIC or len(note) != note_bytes:
        return None
    return Start(height=height, link=link, note=note)
