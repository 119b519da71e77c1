"""A disk in memory that crashes, tears, reorders, fills up and fails when told to, from a seed.

What was written since the last flush of a file is *pending*. When the power goes, each pending write
meets its own fate, whatever became of the others: that is reordering. A fate keeps a range of
the bytes: all, none, a torn beginning, a torn end. Names of new files are pending too, until their
folder is flushed. Bytes that a later kept write leaves uncovered read as zero.
"""

import copy
import errno
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from tallystick.errors import DataFolderInUse

Fate = tuple[int, int]
"""Range of a pending write's bytes that survives: (first, end). (0, 0) drops it."""


class PowerCut(Exception):
    """The simulated machine has no power; nothing works until `restart`."""


@dataclass(slots=True)
class Write:
    """A write or a cut that is not flushed yet."""

    path: str
    """File concerned."""
    offset: int
    """Where it begins; of a cut, the new length."""
    data: bytes | None
    """What is written; None for a cut."""

    @property
    def length(self) -> int:
        """Number of bytes; 1 for a cut, which happens or does not."""
        return 1 if self.data is None else len(self.data)

    def change(self, content: bytearray, fate: Fate | None = None) -> None:
        """Carry it out on the content of a file, as far as its fate lets it."""
        first, end = fate if fate is not None else (0, self.length)
        if first >= end:
            return
        if self.data is None:
            _resize(content, self.offset)
            return
        _resize(content, max(len(content), self.offset + end))
        content[self.offset + first : self.offset + end] = self.data[first:end]


@dataclass(slots=True)
class _Stored:
    durable: bytearray = field(default_factory=bytearray)
    now: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)
    is_named: bool = False


class SimulatedDisk:
    """A `Disk` in memory. One thread."""

    def __init__(self, seed: int = 0, *, capacity: int | None = None) -> None:
        self.capacity = capacity
        """Bytes that fit, None for no limit."""
        self.operations = 0
        """Changing operations so far: opens that create, writes, cuts, flushes."""
        self._random = random.Random(seed)
        self._files: dict[str, _Stored] = {}
        self._folders: set[str] = set()
        self._locks: set[str] = set()
        self._boot = 0
        self._has_power = True
        self._cut_at: int | None = None
        self._failures: dict[str, list[int]] = {}

    # What the log calls.

    def open(self, path: str, *, create: bool = False, write: bool = False) -> "SimulatedFile":
        """Open a file; FileNotFoundError when there is none and `create` is not asked for."""
        self._powered()
        if path not in self._files:
            if not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            self._operate("open")
            self._files[path] = _Stored()
        return SimulatedFile(self, path, is_writable=create or write)

    def list(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; empty when there is no such folder."""
        self._powered()
        start = f"{folder}/"
        return tuple(sorted(p.removeprefix(start) for p in self._files if p.startswith(start)))

    def mkdir(self, folder: str) -> None:
        """Make a folder, durably."""
        self._powered()
        if folder not in self._folders:
            self._operate("mkdir")
            self._folders.add(folder)

    def sync_folder(self, folder: str) -> None:
        """Return when the names in a folder are durable."""
        self._powered()
        self._operate("sync")
        for path, stored in self._files.items():
            if path.startswith(f"{folder}/"):
                stored.is_named = True

    def lock(self, path: str) -> "SimulatedLock":
        """Hold a lock file until released or the machine stops; `DataFolderInUse` when held."""
        self._powered()
        if path in self._locks:
            raise DataFolderInUse(path.rpartition("/")[0])
        self._locks.add(path)
        return SimulatedLock(self._locks, path)

    # What a test calls.

    def cut_power_at(self, operation: int) -> None:
        """Let the power go at a changing operation, counted from now: 1 is the next one.

        A write is then pending, a flush has flushed nothing.
        """
        self._cut_at = self.operations + operation

    def fail(self, action: str, *numbers: int) -> None:
        """Let the next operations `open`, `write`, `cut`, `sync` or `read` fail, one error number each;
        0 lets one pass.
        """
        self._failures.setdefault(action, []).extend(numbers)

    def pending(self) -> tuple[Write, ...]:
        """Writes that are not flushed, in the order of the files' names and of writing."""
        return tuple(w for path in sorted(self._files) for w in self._files[path].pending)

    def kill(self) -> None:
        """End the process, not the machine: what was written stays, handles and locks go."""
        self._boot += 1
        self._locks.clear()
        self._has_power = True
        self._cut_at = None

    def restart(self, fates: Sequence[Fate] | None = None, *, is_shuffled: bool = False) -> None:
        """Cut the power and bring it back. Fates are those of `pending()`; None draws them.

        `is_shuffled` carries out the surviving writes of a file in a drawn order.
        """
        self.kill()
        drawn = iter(fates if fates is not None else [self._draw(w) for w in self.pending()])
        for path in sorted(self._files):
            stored = self._files[path]
            survived = [(write, next(drawn)) for write in stored.pending]
            if is_shuffled:
                self._random.shuffle(survived)
            for write, fate in survived:
                write.change(stored.durable, fate)
            stored.now, stored.pending = bytearray(stored.durable), []
            if not stored.is_named and fates is None and self._random.random() < 0.5:
                del self._files[path]

    def forget_names(self) -> None:
        """Drop the files whose name was never flushed, as a power cut may."""
        self._files = {path: stored for path, stored in self._files.items() if stored.is_named}

    def clone(self) -> "SimulatedDisk":
        """An independent copy, to try several fates from one moment."""
        return copy.deepcopy(self)

    def files(self) -> dict[str, bytes]:
        """Contents by path, as a process sees them."""
        return {path: bytes(stored.now) for path, stored in sorted(self._files.items())}

    def put(self, path: str, content: bytes) -> None:
        """Replace a file by durable content: somebody else changed it."""
        self._files[path] = _Stored(bytearray(content), bytearray(content), is_named=True)

    def remove(self, path: str) -> None:
        """Remove a file: somebody else did."""
        del self._files[path]

    # What its files call.

    def _powered(self) -> None:
        if not self._has_power:
            raise PowerCut

    def _operate(self, action: str) -> None:
        """Count a changing operation; fail it or cut the power if that was asked for."""
        self.operations += 1
        if self._cut_at is not None and self.operations >= self._cut_at:
            self._has_power = False
            raise PowerCut
        self._fail_if_told(action)

    def _fail_if_told(self, action: str) -> None:
        waiting = self._failures.get(action)
        number = waiting.pop(0) if waiting else 0
        if number:
            raise OSError(number, os.strerror(number))

    def _change(self, write: Write) -> None:
        stored = self._files[write.path]
        write.change(stored.now)
        stored.pending.append(write)

    def _room(self, path: str, end: int) -> int:
        """How far a file may grow towards an end."""
        if self.capacity is None:
            return end
        used = sum(len(stored.now) for stored in self._files.values())
        return min(end, len(self._files[path].now) + max(0, self.capacity - used))

    def _draw(self, write: Write) -> Fate:
        kind = self._random.randrange(4)
        at = self._random.randrange(write.length + 1)
        return ((0, 0), (0, write.length), (0, at), (at, write.length))[kind]


class SimulatedFile:
    """One open file of a simulated disk."""

    def __init__(self, disk: SimulatedDisk, path: str, *, is_writable: bool) -> None:
        self._disk = disk
        self._path = path
        self._boot = disk._boot
        self._is_open = True
        self._is_writable = is_writable

    def write(self, offset: int, data: bytes) -> None:
        """Write all of the data at an offset; a full disk takes a part of it."""
        self._stored(is_change=True)
        write = Write(self._path, offset, data)
        try:
            self._disk._operate("write")
        except PowerCut:
            self._disk._change(write)
            raise
        except OSError:
            self._disk._change(Write(self._path, offset, data[: len(data) // 2]))
            raise
        room = self._disk._room(self._path, offset + len(data)) - offset
        if room < len(data):
            self._disk._change(Write(self._path, offset, data[: max(0, room)]))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._disk._change(write)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an offset; fewer than asked only at the end of the file."""
        stored = self._stored()
        self._disk._fail_if_told("read")
        return bytes(stored.now[offset : offset + length])

    def size(self) -> int:
        """Length in bytes."""
        return len(self._stored().now)

    def truncate(self, size: int) -> None:
        """Cut the file to a length."""
        self._stored(is_change=True)
        try:
            self._disk._operate("cut")
        except PowerCut:
            self._disk._change(Write(self._path, size, None))
            raise
        self._disk._change(Write(self._path, size, None))

    def sync(self) -> None:
        """Return when all that was written is durable.

        A flush that fails forgets: as on Linux, what was pending stays visible to readers, yet no
        later flush writes it. Whether it reached the disk is anybody's guess.
        """
        stored = self._stored(is_change=True)
        try:
            self._disk._operate("sync")
        except OSError:
            for write in stored.pending:
                write.change(stored.durable, self._disk._draw(write))
            stored.pending = []
            raise
        for write in stored.pending:
            write.change(stored.durable)
        stored.pending = []

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._is_open = False

    def _stored(self, *, is_change: bool = False) -> _Stored:
        self._disk._powered()
        if not self._is_open or self._boot != self._disk._boot:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        if is_change and not self._is_writable:
            raise OSError(errno.EBADF, "opened for reading")
        return self._disk._files[self._path]


class SimulatedLock:
    """A lock of a simulated disk."""

    def __init__(self, held: set[str], path: str) -> None:
        self._held = held
        self._path = path

    def release(self) -> None:
        """Let others have it; a second time does nothing."""
        self._held.discard(self._path)


def _resize(content: bytearray, size: int) -> None:
    """Give a file's content a length: cut it, or fill it up with zeros."""
    del content[size:]
    content.extend(bytes(size - len(content)))
