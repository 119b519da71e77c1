"""What this node has promised to hand in until it is decided: on disk, so that a crash keeps it.

    OUTBOX/a, OUTBOX/b

One of the two files is in use. Records are added at its end, each group of them with one flush,
however many callers wait for it. When most of the file is decided, the rest is written to the other
file with the next generation number, and its head last: a head is only there when all behind it is.
A file without a head counts for nothing, and of two heads the later generation's counts.

    head    magic, generation, checksum
    record  magic, length, kind, generation, what, checksum over its place and all that
            kind 1 kept: number, transaction       kind 2 decided: numbers

A torn end was never acknowledged and is left out. A record damaged in the middle is left out too,
what is behind it is found again by its magic, and the log says so: a transaction that is handed in
once too often happens once, one that is forgotten would break a promise.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tallystick.errors import DiskFailed, StoreError
from tallystick.store.base import Disk, DiskFile
from tallystick.store.disk import explain

FILES = ("a", "b")
"""Names of the two files."""
COMPACT_BYTES = 8 * 1024 * 1024
"""A file below this size is left as it is."""
KEPT_MAX = 20_000
"""Transactions that may wait, unless told otherwise."""
BYTES_MAX = 64 * 1024 * 1024
"""Bytes of them."""

_HEAD_MAGIC = b"TSOUT1\r\n"
_MAGIC = b"\xf5TSo"
_HEAD = struct.Struct("<8sQ16s")
_RECORD = struct.Struct("<4sIBQ")
_NUMBER = struct.Struct("<Q")
_SUM_BYTES = 16
_KEPT = 1
_DECIDED = 2
_DECIDED_MAX = 8_192
_LENGTH_MAX = 1_048_576


class OutboxFull(Exception):
    """As much waits as may wait."""


class _Group:
    """Records that are written and flushed together."""

    __slots__ = ("added", "is_done", "problem", "records")

    def __init__(self) -> None:
        self.added: list[bytes] = []
        """Transactions of the group."""
        self.records: list[tuple[int, bytes]] = []
        """What is to be written: kind and content."""
        self.is_done = False
        self.problem: StoreError | None = None


@dataclass(slots=True)
class _Kept:
    number: int
    """Names the transaction in records; never used twice."""
    group: _Group
    """The group with which it becomes durable."""


class Outbox:
    """Transactions that wait for their answer. For any thread."""

    def __init__(
        self, disk: Disk, folder: str, *, kept_max: int = KEPT_MAX, bytes_max: int = BYTES_MAX
    ) -> None:
        """Read what waits. A file with anything torn or damaged in it is written anew."""
        self._disk = disk
        self._folder = folder
        self._kept_max = kept_max
        self._bytes_max = bytes_max
        self._lock = threading.Condition(threading.RLock())
        self._kept: dict[bytes, _Kept] = {}
        self._bytes = 0
        self._next = 0
        self._decided: list[int] = []
        self._open_group = _Group()
        self._is_writing = False
        self._broken: StoreError | None = None
        self._name = FILES[0]
        self._generation = 0
        self._end = 0
        self._file: DiskFile
        self.recovery = ""
        """What was found torn or damaged, in words; empty when nothing was."""
        try:
            self._begin()
        except OSError as problem:
            raise explain(problem, "read", folder) from problem

    # --- what is asked of it

    def __len__(self) -> int:
        """How many transactions wait."""
        return len(self._kept)

    def pending(self) -> list[bytes]:
        """What waits, in the order in which it came."""
        with self._lock:
            return list(self._kept)

    def append(self, raws: Sequence[bytes]) -> None:
        """Return when all are durable. What waits already is not written again.

        `OutboxFull` takes none of them; nor do `DiskFull` and `DiskFailed`.
        """
        with self._lock:
            if self._broken is not None:
                raise self._broken
            new = [raw for raw in dict.fromkeys(raws) if raw not in self._kept]
            size = sum([len(raw) for raw in new])
            is_full = len(self._kept) + len(new) > self._kept_max
            if self._kept and (is_full or self._bytes + size > self._bytes_max):
                raise OutboxFull
            groups = [self._kept[raw].group for raw in raws if raw in self._kept]
            if new:
                groups.append(self._open_group)
                self._add(new)
            waiting = {id(group): group for group in groups if not group.is_done}
            for group in waiting.values():
                self._wait_for(group)
            for group in groups:
                if group.problem is not None:
                    self.decided(new)
                    raise group.problem

    def decided(self, raws: Iterable[bytes]) -> None:
        """Forget transactions. It is written with the next group: it may be lost without harm."""
        with self._lock:
            for raw in raws:
                kept = self._kept.pop(raw, None)
                if kept is not None:
                    self._decided.append(kept.number)
                    self._bytes -= len(raw)

    def flush(self) -> None:
        """Write down what was decided, if there is anything."""
        with self._lock:
            if self._decided and self._broken is None:
                self._wait_for(self._open_group)

    def close(self) -> None:
        """Write down what was decided, and let go of the file; a second time does nothing."""
        self.flush()
        with self._lock:
            self._file.close()

    # --- writing

    def _add(self, raws: Sequence[bytes]) -> None:
        """Put transactions into the group that is gathered."""
        group = self._open_group
        for raw in raws:
            self._kept[raw] = _Kept(self._next, group)
            group.records.append((_KEPT, _NUMBER.pack(self._next) + raw))
            group.added.append(raw)
            self._next += 1
            self._bytes += len(raw)

    def _wait_for(self, group: _Group) -> None:
        """Wait until a group is flushed; whoever finds nobody writing writes."""
        while not group.is_done:
            if self._is_writing:
                self._lock.wait()
                continue
            self._write_group()

    def _write_group(self) -> None:
        """Write and flush what was gathered; meanwhile the next group gathers."""
        group, self._open_group = self._open_group, _Group()
        decided, self._decided = self._decided, []
        self._is_writing = True
        self._lock.release()
        try:
            problem = self._write(group.records, decided)
        finally:
            self._lock.acquire()
            self._is_writing = False
            group.is_done = True
            self._lock.notify_all()
        if problem is not None:
            self._undo(group, decided, problem)
        elif self._is_mostly_decided():
            self._compact()

    def _write(self, records: list[tuple[int, bytes]], decided: list[int]) -> StoreError | None:
        """One write and one flush at the end of the file; what went wrong, if anything did."""
        records = [*records, *_decided_records(decided)]
        data = bytearray()
        for kind, content in records:
            data += _record(self._generation, self._end + len(data), kind, content)
        try:
            self._file.write(self._end, bytes(data))
        except OSError as failure:
            problem = explain(failure, "write", self._folder)
            try:
                self._file.truncate(self._end)
            except OSError:
                self._broken = problem
            return problem
        try:
            self._file.sync()
        except OSError as failure:
            # What reached the disk is anybody's guess: opening it again tells.
            self._broken = explain(failure, "flush", self._folder)
            return self._broken
        self._end += len(data)
        return None

    def _undo(self, group: _Group, decided: list[int], problem: StoreError) -> None:
        """Nobody was told that these are kept."""
        group.problem = problem
        self._decided = decided + self._decided
        for raw in group.added:
            if self._kept.pop(raw, None) is not None:
                self._bytes -= len(raw)

    # --- writing anew

    def _is_mostly_decided(self) -> bool:
        return self._end > COMPACT_BYTES and self._bytes * 2 < self._end

    def _compact(self) -> None:
        """Write what waits to the other file, then its head; the first file is cut to nothing.

        What is gathered meanwhile waits for the lock. When it fails the file in use stays.
        """
        kept = [(raw, each) for raw, each in self._kept.items() if each.group.is_done]
        name = FILES[1 - FILES.index(self._name)]
        generation = self._generation + 1
        data = bytearray(_HEAD.size)
        for raw, each in kept:
            content = _NUMBER.pack(each.number) + raw
            data += _record(generation, len(data), _KEPT, content)
        try:
            file = self._open(name)
            file.truncate(0)
            file.write(0, bytes(data))
            file.sync()
        except OSError as failure:
            self.recovery = f"the outbox could not be written anew: {failure}"
            return  # the file in use goes on growing; a full disk is told by the next write
        try:
            file.write(0, _head(generation))
            file.sync()
        except OSError as failure:  # after a crash either file may count: nothing may be added
            self._broken = explain(failure, "write", self._folder)
            return
        self._decided = []
        old, self._file = self._file, file
        self._name, self._generation, self._end = name, generation, len(data)
        try:
            old.truncate(0)
            old.sync()
        except OSError as failure:
            self.recovery = f"the old outbox file stays: {failure}"
        old.close()

    # --- reading

    def _open(self, name: str) -> DiskFile:
        return self._disk.open(f"{self._folder}/{name}", create=True, write=True)

    def _begin(self) -> None:
        """Find the file in use and what waits in it."""
        self._disk.mkdir(self._folder)
        contents = {}
        for name in FILES:
            file = self._open(name)
            contents[name] = file.read(0, file.size())
            file.close()
        self._disk.sync_folder(self._folder)
        generations = {name: _generation(data) for name, data in contents.items()}
        self._name = max(FILES, key=lambda name: generations[name])
        self._generation = generations[self._name]
        self._file = self._open(self._name)
        self._end = len(contents[self._name])
        if self._generation:
            is_whole = self._load(self._name, contents[self._name], self._generation)
        else:
            is_whole = self._salvage(contents)
        if not is_whole:
            self._renew()

    def _load(self, name: str, data: bytes, generation: int) -> bool:
        """Take in a file's records; False when there was anything else in it."""
        end, lost = _HEAD.size, 0
        done = _Group()
        done.is_done = True
        numbers: dict[int, bytes] = {}
        for place, kind, content in _records(data, generation):
            lost += place - end
            end = place + _RECORD.size + len(content) + _SUM_BYTES
            if kind == _KEPT:
                (number,) = _NUMBER.unpack_from(content)
                numbers[number] = content[_NUMBER.size :]
                self._next = max(self._next, number + 1)
            else:
                for (number,) in _NUMBER.iter_unpack(content):
                    numbers.pop(number, None)
        for number, raw in numbers.items():
            if raw not in self._kept:
                self._kept[raw] = _Kept(number, done)
                self._bytes += len(raw)
        if lost:
            self.recovery = f"{lost} damaged bytes of the outbox file {name} were passed over"
        elif end < len(data):
            self.recovery = f"a torn end of {len(data) - end} bytes was cut from the outbox"
        return end == len(data) and not lost

    def _salvage(self, contents: dict[str, bytes]) -> bool:
        """Neither file has a head: new, or damaged. Whatever can be read waits."""
        for name, data in contents.items():
            for generation in _generations_in(data):
                self._load(name, data, generation)
                self.recovery = f"the head of the outbox file {name} was damaged"
                self._generation = max(self._generation, generation)
        return False

    def _renew(self) -> None:
        """Write what waits to the other file; at the start this must not fail."""
        before, said = self._generation, self.recovery
        self._compact()
        if self._broken is not None:
            raise self._broken
        if self._generation == before:
            raise DiskFailed("write", self._folder, self.recovery)
        self.recovery = said


def _decided_records(numbers: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Records that say what was decided, each of a bounded length."""
    for first in range(0, len(numbers), _DECIDED_MAX):
        part = numbers[first : first + _DECIDED_MAX]
        yield _DECIDED, b"".join([_NUMBER.pack(number) for number in part])


def _head(generation: int) -> bytes:
    """The first bytes of a file."""
    return _HEAD.pack(_HEAD_MAGIC, generation, _sum(generation, 0, _HEAD_MAGIC))


def _generation(data: bytes) -> int:
    """Generation of a file; 0 when it has no head."""
    if len(data) < _HEAD.size:
        return 0
    magic, generation, checksum = _HEAD.unpack_from(data)
    is_head = magic == _HEAD_MAGIC and checksum == _sum(generation, 0, _HEAD_MAGIC)
    return int(generation) if is_head else 0


def _generations_in(data: bytes) -> list[int]:
    """Generations of the records in a file without a good head."""
    found = set()
    place = data.find(_MAGIC)
    while 0 <= place <= len(data) - _RECORD.size:
        found.add(int(_RECORD.unpack_from(data, place)[3]))
        place = data.find(_MAGIC, place + 1)
    return [each for each in sorted(found) if next(_records(data, each), None) is not None]


def _record(generation: int, place: int, kind: int, content: bytes) -> bytes:
    """The bytes of a record at its place."""
    head = _RECORD.pack(_MAGIC, len(content), kind, generation)
    return head + content + _sum(generation, place, head + content)


def _records(data: bytes, generation: int) -> Iterator[tuple[int, int, bytes]]:
    """Records of a file that can be read: place, kind, content."""
    place = _HEAD.size
    while place >= 0:
        found = _read(data, generation, place)
        if found is None:
            place = data.find(_MAGIC, place + 1)
            continue
        yield place, *found
        place += _RECORD.size + len(found[1]) + _SUM_BYTES


def _read(data: bytes, generation: int, place: int) -> tuple[int, bytes] | None:
    """Kind and content of the record at a place; None when there is none."""
    if place + _RECORD.size + _SUM_BYTES > len(data):
        return None
    magic, length, kind, of = _RECORD.unpack_from(data, place)
    end = place + _RECORD.size + length
    is_record = magic == _MAGIC and of == generation and length <= _LENGTH_MAX
    if not is_record or end + _SUM_BYTES > len(data):
        return None
    if data[end : end + _SUM_BYTES] != _sum(generation, place, data[place:end]):
        return None
    return kind, data[place + _RECORD.size : end]


def _sum(generation: int, place: int, data: bytes) -> bytes:
    """Checksum of bytes at their place: bytes of another file or place do not pass for them."""
    salt = _NUMBER.pack(generation) + _NUMBER.pack(place)
    return hashlib.blake2b(data, digest_size=_SUM_BYTES, key=salt).digest()


__all__ = ["Outbox", "OutboxFull"]
