"""Reading back what lies in the folder of a block log, and judging what cannot be read.

A crash can leave behind only what one append had not yet flushed: one entry, in the last segment,
of which any bytes may be missing, and a tip that is old or unreadable. `scan` tells that from
damage; it never changes a file. `FileLog.open` repairs by it, `check` reports by it.

A log begins at its readable base file with the greatest number, or after the genesis. What has a
smaller number was being removed when the crash came; an unreadable base of a greater number was
being written, and nothing was removed for its sake yet.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from tallystick.errors import Damage
from tallystick.store.base import Disk, DiskFile
from tallystick.store.disk import explain
from tallystick.store.entry import (
    CHECKSUM_BYTES,
    ENTRY_MAGIC,
    HEADER_BYTES,
    Header,
    Tip,
    decode_header,
    decode_tip,
    entry_hash,
)
from tallystick.store.start import Start, base_path, decode_start

TIP_NAME = "tip"
"""File name of the tip."""
_NAME = re.compile(r"([0-9]{8})\.(log|base)")

Progress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes there are."""


def segment_path(folder: str, number: int) -> str:
    """Path of a segment, e.g. `blocks/00000001.log` for number 1."""
    return f"{folder}/{number:08d}.log"


class Index:
    """Where each entry lies: 12 bytes of memory an entry."""

    def __init__(self, above: int = 0) -> None:
        self.above = above
        """Height of the block before the first entry."""
        self._places = array("Q")  # segment number above, offset in the segment below 32 bits
        self._sizes = array("I")

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def height(self) -> int:
        """Height of the last entry; where the log begins when there is none."""
        return self.above + len(self._sizes)

    def add(self, segment: int, offset: int, size: int) -> None:
        """Note the next entry. The size goes last: readers in other threads count by it."""
        self._places.append(segment << 32 | offset)
        self._sizes.append(size)

    def locate(self, height: int) -> tuple[int, int, int]:
        """Segment, offset and size of the entry of a height that is there."""
        place = self._places[height - self.above - 1]
        return place >> 32, place & 0xFFFF_FFFF, self._sizes[height - self.above - 1]

    def first_of(self, segment: int) -> int:
        """Height of the first entry in a segment or a later one."""
        return self.above + bisect_left(self._places, segment << 32) + 1

    def cut_below(self, height: int) -> "Index":
        """The same without the entries below a height."""
        kept = Index(height - 1)
        kept._places = self._places[height - self.above - 1 :]
        kept._sizes = self._sizes[height - self.above - 1 :]
        return kept


@dataclass(frozen=True, slots=True)
class Rest:
    """What comes after the last readable entry."""

    segment: int
    """Segment in which it begins."""
    offset: int
    """Where in the segment."""
    size: int
    """How many bytes of that segment, 0 when the segment itself is missing."""
    is_torn: bool
    """Whether an append that never finished explains it; else it is damage."""
    reason: str
    """What is wrong, for people."""


@dataclass(slots=True)
class Scan:
    """What lies in the folder of a block log."""

    folder: str
    """Path of the folder."""
    last_hash: bytes
    """Hash of the last readable entry; of the genesis when there is none."""
    start: Start
    """Where the log begins: after the genesis, or at a base."""
    base: int = 0
    """Number of the base file that says so; 0 after the genesis."""
    index: Index = field(default_factory=Index)
    """The readable entries, without a gap."""
    segment: int = 1
    """Segment of the last readable entry, or the one after it of which nothing is readable."""
    end: int = 0
    """Where the readable entries of that segment end."""
    rest: Rest | None = None
    """What comes after them, None when nothing does."""
    tip: Tip | None = None
    """The tip, None when it is missing or unreadable."""
    is_tip_there: bool = False
    """Whether there is a file for the tip."""
    strangers: tuple[str, ...] = ()
    """Names in the folder that are no part of a log."""
    leftovers: tuple[str, ...] = ()
    """Names of files that a crash kept from being removed, or from being finished."""
    link: bytes = b""
    """Checksum of the last readable entry: the beginning of its hash."""

    @property
    def height(self) -> int:
        """Height of the last readable entry; where the log begins when there is none."""
        return self.index.height


def scan(
    disk: Disk, folder: str, genesis_hash: bytes, *, deep: bool, progress: Progress | None = None
) -> Scan:
    """Read the folder, every body of it if `deep`.

    Else bodies of the last two segments, and of older ones the headers and what links them: a node
    must start in seconds whatever its age. Every body is verified when it is read.
    """
    found = Scan(folder, genesis_hash, Start(0, genesis_hash))
    try:
        sizes = _look(disk, found)
        found.last_hash, found.link = found.start.link, found.start.link[:CHECKSUM_BYTES]
        first = found.segment = max(found.base, 1)
        last = max((number for number, size in sizes.items() if size), default=0)
        total, done = sum(sizes.values()), 0
        for number in range(first, last + 1):
            if number not in sizes:
                found.rest = Rest(number, 0, 0, False, f"segment {number:08d}.log is missing")
                break
            file = disk.open(segment_path(folder, number))
            try:
                report = _shifted(progress, done, total)
                _scan_segment(file, number, found, deep or number >= last - 1, report)
                if found.end < sizes[number]:
                    found.rest = _judge(file, found, is_last=number == last)
                    break
            finally:
                file.close()
            done += sizes[number]
    except OSError as problem:
        raise explain(problem, "read", folder) from problem
    return found


def damage(disk: Disk, found: Scan) -> Damage | None:
    """The committed block that is gone or unreadable, None when all are there."""
    missing = found.height + 1
    rest, tip = found.rest, found.tip
    if rest is not None and not rest.is_torn:
        return Damage(missing, rest.reason)
    if tip is None or (found.base and tip.height <= found.start.height):
        return None  # none, or one that was never flushed since blocks were pruned
    if tip.height > found.height:
        reason = rest.reason if rest is not None else "it is gone"
        return Damage(missing, f"{reason}, though block {tip.height} was committed")
    if hash_at(disk, found, tip.height) != tip.entry_hash:
        return Damage(tip.height, "the tip names another block at this height")
    return None


def hash_at(disk: Disk, found: Scan, height: int) -> bytes:
    """Hash of the entry of a height: the entry after it carries it."""
    if height == found.height:
        return found.last_hash
    segment, offset, _ = found.index.locate(height + 1)
    path = segment_path(found.folder, segment)
    try:
        file = disk.open(path)
        try:
            header = decode_header(file.read(offset, HEADER_BYTES))
        finally:
            file.close()
    except OSError as problem:
        raise explain(problem, "read", path) from problem
    if header is None:
        raise Damage(height + 1, "its header changed while it was read")
    return header.previous


def _look(disk: Disk, found: Scan) -> dict[int, int]:
    """Sizes of the log's segments by number; notes its start, the tip, leftovers and strangers."""
    sizes: dict[int, int] = {}
    bases: dict[int, Start | None] = {}
    strangers = []
    for name in disk.list(found.folder):
        named = _NAME.fullmatch(name)
        number = 0 if named is None else int(named[1])
        if not number and name != TIP_NAME:
            strangers.append(name)
            continue
        file = disk.open(f"{found.folder}/{name}")
        try:
            if not number:
                found.is_tip_there = True
                found.tip = decode_tip(file.read(0, file.size()))
            elif name.endswith("base"):
                bases[number] = decode_start(file.read(0, file.size()))
            else:
                sizes[number] = file.size()
        finally:
            file.close()
    found.strangers = tuple(strangers)
    return _begin(found, sizes, bases)


def _begin(found: Scan, sizes: dict[int, int], bases: dict[int, Start | None]) -> dict[int, int]:
    """Note where the log begins and what is left over; the sizes of its own segments."""
    found.base = max((number for number, start in bases.items() if start is not None), default=0)
    start = bases.get(found.base)
    if start is not None:
        found.start, found.index = start, Index(start.height)
    left = [base_path("", number)[1:] for number in bases if number != found.base]
    left += [segment_path("", number)[1:] for number in sizes if number < found.base]
    found.leftovers = tuple(sorted(left))
    return {number: size for number, size in sizes.items() if number >= found.base}


def _shifted(progress: Progress | None, done: int, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda offset: progress(done + offset, total)


def _scan_segment(
    file: DiskFile, number: int, found: Scan, deep: bool, report: Callable[[int], None] | None
) -> None:
    """Add the readable entries of a segment to what was found, up to the first unreadable byte."""
    found.segment, found.end = number, 0
    size = file.size()
    while found.end < size:
        header = decode_header(file.read(found.end, HEADER_BYTES))
        if header is None or not _follows(header, found) or found.end + header.entry_bytes > size:
            return
        digest = _verify(file, found.end, header) if deep else None
        if deep and digest is None:
            return
        trailer = found.end + header.entry_bytes - CHECKSUM_BYTES
        found.link = digest[:CHECKSUM_BYTES] if digest else file.read(trailer, CHECKSUM_BYTES)
        found.last_hash = digest or b""
        found.index.add(number, found.end, header.entry_bytes)
        found.end += header.entry_bytes
        if report is not None:
            report(found.end)


def _follows(header: Header, found: Scan) -> bool:
    """Whether an entry is the next one. Where bodies were not read, their checksums link."""
    if header.height != found.height + 1:
        return False
    if found.last_hash:
        return header.previous == found.last_hash
    return header.previous.startswith(found.link)


def _verify(file: DiskFile, offset: int, header: Header) -> bytes | None:
    """Hash of the entry at an offset, None when its bytes are not the ones that were written."""
    data = file.read(offset, header.entry_bytes)
    digest = entry_hash(data[:HEADER_BYTES], data[HEADER_BYTES:-CHECKSUM_BYTES])
    return digest if data[-CHECKSUM_BYTES:] == digest[:CHECKSUM_BYTES] else None


def _judge(file: DiskFile, found: Scan, *, is_last: bool) -> Rest:
    """Whether the bytes after the last readable entry are torn or damaged."""
    size = file.size() - found.end
    header = decode_header(file.read(found.end, HEADER_BYTES))
    is_torn, reason = False, "its header is unreadable"
    if header is not None and not _follows(header, found):
        reason = "the entry in its place does not follow the one before"
    elif header is not None:
        is_torn = header.entry_bytes >= size
        reason = "its bytes are not the ones that were written"
        if header.entry_bytes > size:
            reason = "its end is missing"
    else:
        is_torn = not _holds_entry(file.read(found.end, size), found.height)
    return Rest(found.segment, found.end, size, is_torn and is_last, reason)


def _holds_entry(data: bytes, above: int) -> bool:
    """Whether bytes hold a whole entry of a greater height than `above`, at any offset."""
    start = data.find(ENTRY_MAGIC)
    while start >= 0:
        header = decode_header(data, start)
        if header is not None and header.height > above:
            entry = data[start : start + header.entry_bytes]
            digest = entry_hash(entry[:HEADER_BYTES], entry[HEADER_BYTES:-CHECKSUM_BYTES])
            if entry[-CHECKSUM_BYTES:] == digest[:CHECKSUM_BYTES]:
                return True
        start = data.find(ENTRY_MAGIC, start + 1)
    return False
