"""The block log: the truth. One checksummed entry per block, flushed before anything is published.

Files: `00000001.log`, `00000002.log`, … (an entry never spans two) and `tip`, which names the last
block. An append is one write and one flush; then the tip is overwritten, unflushed: it only helps
to tell an append that never finished from a committed block that is damaged.

A log that does not begin after its genesis has a `.base` file beside its first segment. Beginning
elsewhere and pruning are the same act: the new base is written and flushed, name and all; from then
on it counts, and only then is removed what it makes superfluous.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tallystick.errors import (
    Damage,
    EntryTooLarge,
    LogSealed,
    NoSuchBlock,
    OutOfOrder,
    StoreClosed,
)
from tallystick.store.base import Disk, DiskFile
from tallystick.store.disk import explain
from tallystick.store.elsewhere import available, elsewhere
from tallystick.store.entry import (
    BODY_BYTES_MAX,
    CHECKSUM_BYTES,
    HEADER_BYTES,
    Tip,
    decode_header,
    encode_entry,
    encode_tip,
    entry_hash,
)
from tallystick.store.scan import (
    TIP_NAME,
    Index,
    Progress,
    Scan,
    damage,
    scan,
    segment_path,
)
from tallystick.store.start import NOTE_BYTES_MAX, Start, base_path, encode_start, start_at

SEGMENT_BYTES = 256 * 1024 * 1024
"""A segment that would grow beyond this is followed by a new one."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening a log had to put right."""

    cut_bytes: int
    """Bytes of an unfinished append that were cut off; 0 when there were none."""
    tip_rewritten: bool
    """Whether the tip was missing, old or unreadable and was written again."""
    message: str
    """The same in words, empty when nothing was to do."""


class LogReader:
    """The blocks of a log, read only. Every block is verified as it is read."""

    def __init__(self, disk: Disk, found: Scan) -> None:
        self._disk = disk
        self._folder = found.folder
        self._index: Index = found.index
        self._last_hash = found.last_hash
        self._start = found.start

    def height(self) -> int:
        """Height of the last block; where the log begins when there is none."""
        return self._index.height

    @property
    def start(self) -> Start:
        """Where the log begins; height 0 after the genesis."""
        return self._start

    @property
    def last_hash(self) -> bytes:
        """Hash of the last entry, 32 bytes; what the first one will follow when there is none."""
        return self._last_hash

    def read(self, height: int) -> bytes:
        """Body of a block."""
        self._require(height, self._index)
        with self._opened(height) as file:
            return self._entry(file, height)[2]

    def entries(self, from_height: int) -> Iterator[tuple[int, bytes]]:
        """Blocks from a height to the last one there is now: (height, body)."""
        index = self._index
        first = max(from_height, 1)
        if first <= index.above:
            raise NoSuchBlock(height=first, last=index.height, first=index.above + 1)
        return self._entries(first, index.height)

    def close(self) -> None:
        """Nothing is held open between two reads."""

    def _entries(self, first: int, last: int) -> Iterator[tuple[int, bytes]]:
        height, digest = first, None
        while height <= last:
            segment = self._place(height)[0]
            with self._opened(height) as file:
                while height <= last and self._place(height)[0] == segment:
                    previous, found, body = self._entry(file, height)
                    if digest is not None and previous != digest:
                        raise Damage(height, "it does not follow the block before")
                    digest = found
                    yield height, body
                    height += 1

    def _entry(self, file: DiskFile, height: int) -> tuple[bytes, bytes, bytes]:
        """Hash of the entry before, hash of this entry, and its body."""
        segment, offset, size = self._place(height)
        try:
            data = file.read(offset, size)
        except OSError as problem:
            raise explain(problem, "read", segment_path(self._folder, segment)) from problem
        header = decode_header(data)
        body = data[HEADER_BYTES:-CHECKSUM_BYTES]
        digest = entry_hash(data[:HEADER_BYTES], body)
        if (
            header is None
            or header.height != height
            or not digest.startswith(data[-CHECKSUM_BYTES:])
        ):
            raise Damage(height, "its bytes are not the ones that were written")
        return header.previous, digest, body

    def _place(self, height: int) -> tuple[int, int, int]:
        """Segment, offset and size of an entry; another thread may prune at any moment."""
        index = self._index
        self._require(height, index)
        return index.locate(height)

    def _require(self, height: int, index: Index) -> None:
        """Raise when a block is not there."""
        if not index.above < height <= index.height:
            raise NoSuchBlock(height=height, last=index.height, first=index.above + 1)

    @contextlib.contextmanager
    def _opened(self, height: int) -> Iterator[DiskFile]:
        path = segment_path(self._folder, self._place(height)[0])
        try:
            file = self._disk.open(path)
        except OSError as problem:
            self._require(height, self._index)  # it may have been pruned just now
            raise explain(problem, "open", path) from problem
        try:
            yield file
        finally:
            file.close()


class FileLog(LogReader):
    """The block log in a folder. One writer; readers may be in other threads."""

    recovery: Recovery
    """What opening it had to put right."""

    def __init__(self, disk: Disk, found: Scan, genesis_hash: bytes, *, segment_bytes: int) -> None:
        super().__init__(disk, found)
        self._segment, self._end = found.segment, found.end
        self._genesis_hash = genesis_hash
        self._base = found.base
        self._segment_bytes = segment_bytes
        self._cores = available()  # now: the process keeps its threads on one of them later
        self._is_sealed = False
        self._is_tip_behind = False
        self._file: DiskFile | None = None
        self._tip_file: DiskFile | None = None

    @classmethod
    def open(
        cls,
        disk: Disk,
        folder: str,
        genesis_hash: bytes,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        progress: Progress | None = None,
    ) -> "FileLog":
        """Open a log at its last committed block, whatever a crash left. Raises `Damage`.

        `genesis_hash` (32 bytes) is what the first entry follows. The caller holds the data folder.
        """
        try:
            disk.mkdir(folder)
        except OSError as problem:
            raise explain(problem, "make", folder) from problem
        found = scan(disk, folder, genesis_hash, deep=False, progress=progress)
        lost = damage(disk, found)
        if lost is not None:
            raise lost
        log = cls(disk, found, genesis_hash, segment_bytes=segment_bytes)
        try:
            log._repair(found)
        except OSError as problem:
            log.close()
            raise explain(problem, "repair", folder) from problem
        return log

    def append(self, body: bytes) -> int:
        """Add the next block and return its height, once it is durable."""
        file, height = self._writable(), self.height() + 1
        if len(body) > BODY_BYTES_MAX:
            raise EntryTooLarge(size_bytes=len(body), limit_bytes=BODY_BYTES_MAX)
        with elsewhere(self._cores, len(body)):
            self._append(file, height, body)
        try:
            self._write_tip()
        except OSError:  # the block is committed; the next append tries again, and says so
            self._is_tip_behind = True
        return height

    def _append(self, file: DiskFile, height: int, body: bytes) -> None:
        """Write an entry and flush it; then its block is committed."""
        entry, digest = encode_entry(height, self._last_hash, body)
        self._is_sealed = True  # until the outcome is known, whatever is raised in between
        if self._end and self._end + len(entry) > self._segment_bytes:
            file = self._roll(file)
        self._write(file, entry)
        self._index.add(self._segment, self._end, len(entry))
        self._end += len(entry)
        self._last_hash = digest
        self._is_sealed = False

    def begin_at(self, height: int, note: bytes) -> None:
        """Let a log without blocks begin above a height; at height 0, after the genesis again."""
        file = self._writable()
        if len(self._index):
            raise OutOfOrder(height=height, last=self.height())
        start = start_at(height, note) if height else Start(0, self._genesis_hash)
        number = self._segment + bool(self._base) if height else 1
        self._is_sealed = True  # until it has begun, whatever is raised in between
        try:
            if height:
                self._write_base(number, start)
            file.close()
            self._remove(range(max(self._base, 1), number if height else self._segment + 1))
            path = segment_path(self._folder, number)
            self._file = self._disk.open(path, create=True, write=True)
            self._disk.sync_folder(self._folder)
        except OSError as problem:
            raise explain(problem, "begin", self._folder) from problem
        self._index, self._start, self._last_hash = Index(height), start, start.link
        self._segment, self._base = number, number if height else 0
        self._is_sealed = False

    def prune(self, below: int, note: Callable[[bytes], bytes]) -> int:
        """Remove the segments all of whose blocks are below a height, never the last segment."""
        self._writable()
        index, first = self._index, self._index.above + 1
        below = min(below, index.height)
        number = index.locate(below)[0] if below > first else 0
        if number <= max(self._base, 1):
            return first
        first = index.first_of(number)
        with self._opened(first - 1) as file:
            _, digest, body = self._entry(file, first - 1)
        start = Start(first - 1, digest, note(body))
        try:
            self._write_base(number, start)
        except OSError as problem:
            raise explain(problem, "prune", self._folder) from problem
        old, self._base = max(self._base, 1), number
        self._index, self._start = index.cut_below(first), start
        with contextlib.suppress(OSError):  # what cannot be removed now is removed on open
            self._remove(range(old, number))
        return first

    def _write_base(self, number: int, start: Start) -> None:
        """Say durably where the log begins. From here on it does."""
        if len(start.note) > NOTE_BYTES_MAX:
            raise EntryTooLarge(size_bytes=len(start.note), limit_bytes=NOTE_BYTES_MAX)
        file = self._disk.open(base_path(self._folder, number), create=True, write=True)
        try:
            written = encode_start(start)
            file.write(0, written)
            if file.size() > len(written):
                file.truncate(len(written))
            file.sync()
        finally:
            file.close()
        self._disk.sync_folder(self._folder)

    def _remove(self, numbers: range) -> None:
        """Remove segments, then their bases."""
        for path in (segment_path, base_path):
            for number in numbers:
                self._disk.remove(path(self._folder, number))
        self._disk.sync_folder(self._folder)

    def close(self) -> None:
        """Flush the tip, so that a log closed in order opens without repair."""
        tip, self._tip_file = self._tip_file, None
        if tip is not None:
            with contextlib.suppress(OSError):  # it is an aid: an old one is put right on open
                tip.sync()
            tip.close()
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _writable(self) -> DiskFile:
        if self._file is None:
            raise StoreClosed("the block log")
        if self._is_sealed:
            raise LogSealed(self.height())
        if self._is_tip_behind:
            try:
                self._write_tip()
            except OSError as problem:
                raise explain(problem, "write", f"{self._folder}/{TIP_NAME}") from problem
            self._is_tip_behind = False
        return self._file

    def _roll(self, full: DiskFile) -> DiskFile:
        """Begin the next segment; its name is durable before anything is written to it."""
        path = segment_path(self._folder, self._segment + 1)
        try:
            file = self._disk.open(path, create=True, write=True)
            try:
                self._disk.sync_folder(self._folder)
            except OSError:
                file.close()
                raise
        except OSError as problem:
            self._is_sealed = False  # nothing was written: the next append begins it again
            raise explain(problem, "begin", path) from problem
        full.close()
        self._file, self._segment, self._end = file, self._segment + 1, 0
        return file

    def _write(self, file: DiskFile, entry: bytes) -> None:
        path = segment_path(self._folder, self._segment)
        try:
            file.write(self._end, entry)
        except OSError as problem:
            with contextlib.suppress(OSError):  # what cannot be cut now is cut on open
                file.truncate(self._end)
                file.sync()
                self._is_sealed = False
            raise explain(problem, "write", path) from problem
        try:
            file.sync()
        except OSError as problem:  # the system forgets what it could not flush: never go on
            raise explain(problem, "flush", path) from problem

    def _write_tip(self) -> None:
        if self._tip_file is None:
            path = f"{self._folder}/{TIP_NAME}"
            self._tip_file = self._disk.open(path, create=True, write=True)
        self._tip_file.write(0, encode_tip(Tip(self.height(), self._last_hash)))

    def _repair(self, found: Scan) -> None:
        """Cut an unfinished append, make the last entry durable, write the tip again if need be.

        What a restore or a pruning left over is removed, once the base is durable that makes it
        superfluous: its flush, too, may never have run. So it is of a log that has no entry yet.
        """
        if found.base and (found.leftovers or not len(found.index)):
            self._write_base(found.base, found.start)
        for name in found.leftovers:
            self._disk.remove(f"{self._folder}/{name}")
        path = segment_path(self._folder, self._segment)
        file = self._file = self._disk.open(path, create=True, write=True)
        self._disk.sync_folder(self._folder)
        cut_bytes = found.rest.size if found.rest is not None else 0
        if cut_bytes:
            file.truncate(self._end)
        tip_height = found.tip.height if found.tip is not None else 0
        if self._end and self.height() > tip_height:
            # The flush of this entry may have failed or never run: it may be in memory only.
            _, offset, size = self._index.locate(self.height())
            file.write(offset, file.read(offset, size))
        file.sync()
        is_tip_old = len(self._index) > 0 and self.height() > tip_height
        is_tip_bad = is_tip_old or (found.tip is None and found.is_tip_there)
        if is_tip_bad:
            self._renew_tip()
        words = self._words(cut_bytes, is_tip_bad, found.leftovers)
        self.recovery = Recovery(cut_bytes, is_tip_bad, words)

    def _renew_tip(self) -> None:
        tip = self._disk.open(f"{self._folder}/{TIP_NAME}", create=True, write=True)
        self._tip_file = tip
        tip.truncate(0)
        self._write_tip()
        tip.sync()

    def _words(self, cut_bytes: int, is_tip_bad: bool, leftovers: tuple[str, ...]) -> str:
        parts = []
        if leftovers:
            parts.append(f"removed {', '.join(leftovers)}, left over")
        if cut_bytes:
            parts.append(f"cut {cut_bytes} bytes of a block that was never committed")
        if is_tip_bad:
            parts.append("wrote the tip again")
        return f"block log at {self.height()}: {', '.join(parts)}" if parts else ""
