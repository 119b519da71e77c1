"""A disk in memory that crashes, tears, reorders, fills up and fails when told to, from a seed.

What was written since the last flush of a file is *pending*. When the power goes, each pending
write meets its own fate, whatever became of the others: that is reordering. A fate keeps a range
of the bytes: all, none, a torn beginning, a torn end. Bytes that no kept write covers read as
zero. The name of a new file is pending too, until its folder is flushed; so is a removal.
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


@dataclass(frozen=True, slots=True)
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

    def clone(self) -> "_Stored":
        """An independent copy."""
        return _Stored(self.durable[:], self.now[:], self.pending[:], self.is_named)

    def change(self, write: Write) -> None:
        """Let processes see a write; it is not durable."""
        write.change(self.now)
        self.pending.append(write)


class _Machine:
    """What the disk and its open files share: contents, power, and orders to fail."""

    def __init__(self, seed: int, capacity: int | None) -> None:
        self.capacity = capacity
        self.random = random.Random(seed)
        self.files: dict[str, _Stored] = {}
        self.removed: dict[str, _Stored] = {}
        self.folders: set[str] = set()
        self.locks: set[str] = set()
        self.boot = 0
        self.operations = 0
        self.has_power = True
        self.cut_at: int | None = None
        self.failures: dict[str, list[int]] = {}

    def clone(self) -> "_Machine":
        """An independent copy."""
        twin = copy.copy(self)
        twin.random = copy.copy(self.random)
        twin.files = {path: stored.clone() for path, stored in self.files.items()}
        twin.removed = {path: stored.clone() for path, stored in self.removed.items()}
        twin.folders, twin.locks = set(self.folders), set(self.locks)
        twin.failures = {action: list(numbers) for action, numbers in self.failures.items()}
        return twin

    def require_power(self) -> None:
        """Raise when there is none."""
        if not self.has_power:
            raise PowerCut

    def operate(self, action: str) -> None:
        """Count a changing operation; cut the power or fail it if that was asked for."""
        self.operations += 1
        if self.operations == self.cut_at:
            self.has_power = False
            raise PowerCut
        self.fail_if_told(action)

    def fail_if_told(self, action: str) -> None:
        """Raise the error that was ordered for the next operation of a kind."""
        waiting = self.failures.get(action)
        number = waiting.pop(0) if waiting else 0
        if number:
            raise OSError(number, os.strerror(number))

    def room(self, path: str, end: int) -> int:
        """How far a file may grow towards an end."""
        if self.capacity is None:
            return end
        used = sum(len(stored.now) for stored in self.files.values())
        return min(end, len(self.files[path].now) + max(0, self.capacity - used))

    def draw(self, write: Write) -> Fate:
        """A fate by chance."""
        kind = self.random.randrange(4)
        at = self.random.randrange(write.length + 1)
        return ((0, 0), (0, write.length), (0, at), (at, write.length))[kind]


class SimulatedDisk:
    """A `Disk` in memory, for one thread."""

    def __init__(self, seed: int = 0, *, capacity: int | None = None) -> None:
        self._machine = _Machine(seed, capacity)

    # What the log calls.

    def open(self, path: str, *, create: bool = False, write: bool = False) -> "SimulatedFile":
        """Open a file; FileNotFoundError when there is none and `create` is not asked for."""
        self._machine.require_power()
        if path not in self._machine.files:
            if not create:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
            self._machine.operate("open")
            self._machine.files[path] = _Stored()
        else:
            self._machine.fail_if_told("open")
        return SimulatedFile(self._machine, path, is_writable=create or write)

    def list(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; empty when there is no such folder."""
        self._machine.require_power()
        paths = [path.rpartition("/") for path in self._machine.files]
        return tuple(sorted(name for above, _, name in paths if above == folder))

    def mkdir(self, folder: str) -> None:
        """Make a folder, durably; nothing when it is there."""
        self._machine.require_power()
        if folder not in self._machine.folders:
            self._machine.operate("mkdir")
            self._machine.folders.add(folder)

    def sync_folder(self, folder: str) -> None:
        """Return when the names in a folder are durable."""
        self._machine.require_power()
        self._machine.operate("sync_folder")
        for path, stored in self._machine.files.items():
            stored.is_named = stored.is_named or path.rpartition("/")[0] == folder
        for path in [path for path in self._machine.removed if path.rpartition("/")[0] == folder]:
            del self._machine.removed[path]

    def remove(self, path: str) -> None:
        """Remove a file, nothing when there is none; a power cut may bring its name back."""
        self._machine.require_power()
        if path not in self._machine.files:
            return
        self._machine.operate("remove")
        stored = self._machine.files.pop(path)
        if stored.is_named:
            self._machine.removed[path] = stored

    def lock(self, path: str) -> "SimulatedLock":
        """Hold a lock file until released or the machine stops; `DataFolderInUse` when held."""
        self._machine.require_power()
        if path in self._machine.locks:
            raise DataFolderInUse(path.rpartition("/")[0])
        self._machine.locks.add(path)
        return SimulatedLock(self._machine.locks, path)

    # What a test calls.

    @property
    def operations(self) -> int:
        """Changing operations so far: files and folders made, removed, writes, cuts, flushes."""
        return self._machine.operations

    def set_capacity(self, capacity: int | None) -> None:
        """Bytes that fit, None for no limit."""
        self._machine.capacity = capacity

    def cut_power_at(self, operation: int) -> None:
        """Let the power go at a changing operation, counted from now: 1 is the next one.

        A write is then pending, a flush has flushed nothing.
        """
        self._machine.cut_at = self._machine.operations + operation

    def fail(self, action: str, *numbers: int) -> None:
        """Let the next operations of a kind fail, with one error number each; 0 lets one pass.

        Kinds: `open`, `mkdir`, `sync_folder`, `remove`, `write`, `cut`, `sync`, `read`.
        """
        self._machine.failures.setdefault(action, []).extend(numbers)

    def pending(self) -> tuple[Write, ...]:
        """Writes that are not flushed, in the order of the files' names and of writing."""
        files = self._machine.files
        return tuple(write for path in sorted(files) for write in files[path].pending)

    def kill(self) -> None:
        """End the process, not the machine: what was written stays, handles and locks go."""
        self._machine.boot += 1
        self._machine.locks.clear()
        self._machine.has_power = True
        self._machine.cut_at = None

    def restart(self, fates: Sequence[Fate] | None = None, *, is_shuffled: bool = False) -> None:
        """Cut the power and bring it back. Fates are those of `pending()`; None draws them.

        Drawn fates also lose some of the names that were never flushed, and bring back some that
        were removed. `is_shuffled` carries out what survives of a file in a drawn order.
        """
        self.kill()
        machine = self._machine
        drawn = iter([machine.draw(write) for write in self.pending()] if fates is None else fates)
        for path in sorted(machine.files):
            stored = machine.files[path]
            survived = [(write, next(drawn)) for write in stored.pending]
            if is_shuffled:
                machine.random.shuffle(survived)
            for write, fate in survived:
                write.change(stored.durable, fate)
            stored.now, stored.pending = bytearray(stored.durable), []
            if fates is None and not stored.is_named and machine.random.randrange(2):
                del machine.files[path]
        if fates is None:
            kept = [path for path in sorted(machine.removed) if machine.random.randrange(2)]
            self._recall(kept)

    def forget_names(self) -> None:
        """Drop the files whose name was never flushed, as a power cut may."""
        named = {path: stored for path, stored in self._machine.files.items() if stored.is_named}
        self._machine.files = named

    def recall_names(self) -> None:
        """Bring back the files whose removal was never flushed, as a power cut may."""
        self._recall(list(self._machine.removed))

    def _recall(self, paths: Sequence[str]) -> None:
        """Removed files are there again, unless others have their names."""
        for path in paths:
            stored = self._machine.removed.pop(path)
            stored.now, stored.pending = bytearray(stored.durable), []
            self._machine.files.setdefault(path, stored)

    def clone(self) -> "SimulatedDisk":
        """An independent copy, to try several fates from one moment."""
        twin = SimulatedDisk()
        twin._machine = self._machine.clone()
        return twin

    def files(self) -> dict[str, bytes]:
        """Contents by path, as a process sees them."""
        return {path: bytes(stored.now) for path, stored in sorted(self._machine.files.items())}

    def put(self, path: str, content: bytes) -> None:
        """Give a file durable content, behind everybody's back."""
        stored = _Stored(bytearray(content), bytearray(content), is_named=True)
        self._machine.files[path] = stored

    def lose(self, path: str) -> None:
        """Take a file away, behind everybody's back."""
        del self._machine.files[path]


class SimulatedFile:
    """One open file of a simulated disk."""

    def __init__(self, machine: _Machine, path: str, *, is_writable: bool) -> None:
        self._machine = machine
        self._path = path
        self._boot = machine.boot
        self._is_open = True
        self._is_writable = is_writable

    def write(self, offset: int, data: bytes) -> None:
        """Write all of the data at an offset; a disk that is full or fails takes a part of it."""
        stored = self._stored(is_change=True)
        try:
            self._machine.operate("write")
        except PowerCut:
            stored.change(Write(self._path, offset, data))
            raise
        except OSError:
            stored.change(Write(self._path, offset, data[: len(data) // 2]))
            raise
        room = max(0, self._machine.room(self._path, offset + len(data)) - offset)
        stored.change(Write(self._path, offset, data[:room]))
        if room < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an offset; fewer than asked only at the end of the file."""
        stored = self._stored()
        self._machine.fail_if_told("read")
        return bytes(stored.now[offset : offset + length])

    def size(self) -> int:
        """Length in bytes."""
        return len(self._stored().now)

    def truncate(self, size: int) -> None:
        """Cut the file to a length."""
        stored = self._stored(is_change=True)
        try:
            self._machine.operate("cut")
        except PowerCut:
            stored.change(Write(self._path, size, None))
            raise
        stored.change(Write(self._path, size, None))

    def sync(self) -> None:
        """Return when all that was written is durable.

        A flush that fails forgets: as on Linux, what was pending stays visible to readers, yet no
        later flush writes it. Whether it reached the disk is anybody's guess.
        """
        stored = self._stored(is_change=True)
        try:
            self._machine.operate("sync")
        except OSError:
            for write in stored.pending:
                write.change(stored.durable, self._machine.draw(write))
            stored.pending = []
            raise
        for write in stored.pending:
            write.change(stored.durable)
        stored.pending = []

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        self._is_open = False

    def _stored(self, *, is_change: bool = False) -> _Stored:
        self._machine.require_power()
        is_usable = self._is_open and self._boot == self._machine.boot
        if not is_usable or (is_change and not self._is_writable):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return self._machine.files[self._path]


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
