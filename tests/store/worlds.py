"""What the tests of the log share: blocks that are changes, a small log, and its expected state."""

from collections.abc import Mapping

from tallystick.store.base import BlockLog, StateReader, StateStore
from tallystick.store.log import FileLog
from tallystick.testing.disk import SimulatedDisk

GENESIS = bytes(range(32))
FOLDER = "data/blocks"
SEGMENT_BYTES = 240
"""So small that a third block of this size begins a new segment."""


def body(height: int) -> bytes:
    """A block: the changes it makes, as `key=value;`, an empty value deletes."""
    return b"k%d=%d;k%d=;last=%d;" % (height % 3, height, (height + 1) % 3, height)


def changes(block: bytes) -> Mapping[bytes, bytes | None]:
    """The changes that a block carries."""
    pairs = (part.split(b"=") for part in block.split(b";") if part)
    return {key: value or None for key, value in pairs}


def redo(store: StateStore, log: BlockLog) -> None:
    """Bring a store to the height of a log, as an engine does when it starts."""
    for height, block in log.entries(store.height() + 1):
        store.apply(height, changes(block), {b"height": b"%d" % height})


def content(store: StateReader) -> tuple[int, list[tuple[bytes, bytes]], bytes | None]:
    """All that a store holds."""
    return store.height(), list(store.scan(b"")), store.side_get(b"height")


def open_log(disk: SimulatedDisk) -> FileLog:
    """The log of the tests."""
    return FileLog.open(disk, FOLDER, GENESIS, segment_bytes=SEGMENT_BYTES)


def made(blocks: int) -> SimulatedDisk:
    """A disk with a log of some blocks, closed in order."""
    disk = SimulatedDisk()
    log = open_log(disk)
    for height in range(1, blocks + 1):
        log.append(body(height))
    log.close()
    return disk
