"""How far CometBFT's block store is, read from its files without CometBFT.

The store is a LevelDB. Each block overwrites one small entry in it, `blockStore`, that says the
first and the last height. Whichever copy of that entry has the greatest sequence number is the
newest, in whatever file it lies. Formats: `doc/log_format.md` and `doc/table_format.md` of LevelDB,
`format_description.txt` of Snappy.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from tallystick.engine.cometbft.home import HOME

KEY = b"blockStore"
_BLOCK = 32_768
_RECORD = struct.Struct("<IHB")
_BATCH = struct.Struct("<QI")
_FULL, _FIRST, _LAST = 1, 2, 4
_FOOTER_BYTES = 48
_MAGIC = bytes.fromhex("57fb808b247547db")
_SNAPPY = 1

Found = tuple[int, bytes]
"""Sequence number and value of an entry."""


class Unreadable(Exception):
    """A file of the store is not what it should be."""


def engine_height(folder: Path) -> int | None:
    """Last block in CometBFT's store of a data folder; None when there is no store.

    Raises `Unreadable`.
    """
    store = folder / HOME / "data" / "blockstore.db"
    if not store.is_dir():
        return None
    found: list[Found] = []
    for path in sorted(store.glob("*.log")):
        found += _in_journal(path.read_bytes())
    for path in sorted(store.glob("*.ldb")):
        found += _in_table(path)
    return _height(max(found)[1]) if found else 0


def _height(value: bytes) -> int:
    """Field 2 of the entry."""
    place = 0
    while place < len(value):
        tag, place = _varint(value, place)
        number, place = _varint(value, place)
        if tag == 2 << 3:
            return number
    return 0


def _varint(data: bytes, place: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = shift = 0
    while True:
        if place >= len(data) or shift > 63:
            raise Unreadable("a number is cut off")
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


# --- the journal


def _in_journal(data: bytes) -> Iterator[Found]:
    """Entries of the key in a journal; what a crash cut off at its end is not there."""
    for batch in _batches(data):
        if len(batch) < _BATCH.size:
            continue
        sequence, count = _BATCH.unpack_from(batch)
        place = _BATCH.size
        for number in range(count):
            kind, key_at = batch[place], place + 1
            size, place = _varint(batch, key_at)
            key, place = batch[place : place + size], place + size
            value = b""
            if kind == 1:
                size, place = _varint(batch, place)
                value, place = batch[place : place + size], place + size
            if key == KEY and kind == 1:
                yield sequence + number, value


def _batches(data: bytes) -> Iterator[bytes]:
    """Records of a journal, put together from their pieces."""
    place, pieces = 0, b""
    while place + _RECORD.size <= len(data):
        left = _BLOCK - place % _BLOCK
        if left < _RECORD.size:
            place += left
            continue
        _, size, kind = _RECORD.unpack_from(data, place)
        place += _RECORD.size
        piece = data[place : place + size]
        if len(piece) < size or not _FULL <= kind <= _LAST:
            return
        place += size
        pieces = piece if kind in {_FULL, _FIRST} else pieces + piece
        if kind in {_FULL, _LAST}:
            yield pieces


# --- the tables


def _in_table(path: Path) -> Iterator[Found]:
    """Entries of the key in a table: only the parts of it that may hold them are read."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < _FOOTER_BYTES:
            return
        file.seek(size - _FOOTER_BYTES)
        footer = file.read(_FOOTER_BYTES)
        if not footer.endswith(_MAGIC):
            return  # it was being written when the machine stopped

        def block(handle: bytes) -> bytes:
            """The bytes that a handle points at."""
            offset, after = _varint(handle, 0)
            length, _ = _varint(handle, after)
            file.seek(offset)
            raw = file.read(length + 1)
            if len(raw) != length + 1:
                raise Unreadable(f"{path.name} is cut off")
            return unsnap(raw[:-1]) if raw[-1] == _SNAPPY else raw[:-1]

        _, index_at = _varint(footer, 0)
        _, index_at = _varint(footer, index_at)
        for last, handle in _entries(block(footer[index_at:])):
            if last[:-8] < KEY:
                continue
            for key, value in _entries(block(handle)):
                mark = int.from_bytes(key[-8:], "little")
                if key[:-8] == KEY and mark & 0xFF == 1:
                    yield mark >> 8, value
            if last[:-8] > KEY:
                return


def _entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; each key says how much of the one before it repeats."""
    if len(block) < 4:
        raise Unreadable("a block is cut off")
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (restarts + 1)
    place, key = 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        size, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + size]
        place += size


def unsnap(data: bytes) -> bytes:
    """What Snappy made smaller."""
    size, place = _varint(data, 0)
    out = bytearray()
    while place < len(data):
        tag = data[place]
        kind, length = tag & 3, tag >> 2
        place += 1
        if kind == 0:
            if length >= 60:
                more = length - 59
                length, place = int.from_bytes(data[place : place + more], "little"), place + more
            out += data[place : place + length + 1]
            place += length + 1
            continue
        if kind == 1:
            back, length = (tag >> 5) << 8 | data[place], (length & 7) + 4
            place += 1
        else:
            width = 2 if kind == 2 else 4
            back, length = int.from_bytes(data[place : place + width], "little"), length + 1
            place += width
        if not 0 < back <= len(out):
            raise Unreadable("a repeat points nowhere")
        for _ in range(length):
            out.append(out[-back])
    if len(out) != size:
        raise Unreadable("a block has another length than it says")
    return bytes(out)
