"""The state in memory: every version of a key that some reader can still see."""

import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from tallystick.errors import OutOfOrder, StoreClosed
from tallystick.store.base import Changes

_CHUNK = 256  # keys that a scan takes between two turns of the writer
_FEW = 32  # so many keys are taken out of the sorted list one by one


class _Table:
    """Versions of keys. A version is (number of the apply that wrote it, value or None)."""

    def __init__(self) -> None:
        self._versions: dict[bytes, list[tuple[int, bytes | None]]] = {}
        self._sorted: list[bytes] = []  # all keys, in order once `_keys` was asked for
        self._is_sorted = True
        self._crowded: set[bytes] = set()  # keys with more than one version, or deleted

    @property
    def _keys(self) -> list[bytes]:
        """All keys in order. Sorted when somebody asks: most of what is written is never walked."""
        if not self._is_sorted:
            self._sorted.sort()  # two sorted runs, or nearly: linear
            self._is_sorted = True
        return self._sorted

    def get(self, key: bytes, at: int) -> bytes | None:
        """Value of a key as an apply left it."""
        for number, value in reversed(self._versions.get(key, ())):
            if number <= at:
                return value
        return None

    def chunk(
        self, place: bytes, prefix: bytes, at: int
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Some pairs with a prefix from a key on, and the key to go on from, empty at the end."""
        ordered = self._keys
        first = bisect_left(ordered, place)
        keys = ordered[first : first + _CHUNK]
        pairs: list[tuple[bytes, bytes]] = []
        for key in keys:
            if not key.startswith(prefix):
                return pairs, b""
            value = self.get(key, at)
            if value is not None:
                pairs.append((key, value))
        return pairs, keys[-1] + b"\x00" if len(keys) == _CHUNK else b""

    def write(self, number: int, changes: Changes) -> None:
        """Add the versions of an apply."""
        fresh = [key for key in changes if key not in self._versions]
        for key, value in changes.items():
            versions = self._versions.setdefault(key, [])
            versions.append((number, value))
            if value is None or len(versions) > 1:
                self._crowded.add(key)
        if fresh:
            self._sorted.extend(fresh)
            self._is_sorted = False

    def prune(self, oldest: int) -> None:
        """Drop the versions that no reader can see, when the oldest reader is at `oldest`."""
        gone = []
        for key in tuple(self._crowded):
            versions = self._versions[key]
            seen = bisect_right(versions, oldest, key=lambda version: version[0])
            del versions[: max(0, seen - 1)]
            if len(versions) > 1:
                continue
            number, value = versions[0]
            if value is not None:
                self._crowded.discard(key)
            elif number <= oldest:
                self._crowded.discard(key)
                del self._versions[key]
                gone.append(key)
        self._forget(gone)

    def _forget(self, gone: Iterable[bytes]) -> None:
        gone = tuple(gone)
        if len(gone) > _FEW:
            self._sorted = [key for key in self._sorted if key in self._versions]
            return
        for key in gone:
            del self._sorted[bisect_left(self._keys, key)]


class _Shared:
    """What a store and its readers share."""

    def __init__(self) -> None:
        self.lock = threading.RLock()  # a dropped scan lets go wherever it is collected, even here
        self.state = _Table()
        self.side = _Table()
        self.number = 0
        self.pins: Counter[int] = Counter()  # readers and running scans by apply number
        self.pruned = 0

    def pin(self, number: int) -> None:
        """Keep what a reader of an apply number sees; the caller holds the lock."""
        self.pins[number] += 1

    def unpin(self, number: int) -> None:
        """Let it go. The writer prunes with its next block."""
        with self.lock:
            self.pins[number] -= 1
            if not self.pins[number]:
                del self.pins[number]

    def write(self, changes: Changes, side: Changes) -> None:
        """Add an apply, and drop what nobody sees any more."""
        with self.lock:
            self.number += 1
            self.state.write(self.number, changes)
            self.side.write(self.number, side)
            oldest = min(self.pins, default=self.number)
            if oldest > self.pruned:
                self.state.prune(oldest)
                self.side.prune(oldest)
                self.pruned = oldest


class MemoryReader:
    """The state of one height."""

    def __init__(self, shared: _Shared, height: int) -> None:
        self._shared = shared
        self._height = height
        self._is_open = True
        with shared.lock:  # no block between reading the number and pinning it
            self._number = shared.number
            shared.pin(self._number)

    def height(self) -> int:
        """Height of the block after which this is the state."""
        return self._height

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None when there is none."""
        return self._get(self._shared.state, key)

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, in key order, from `start` on, at most `limit`."""
        return self._scan(self._shared.state, prefix, start, limit)

    def side_get(self, key: bytes) -> bytes | None:
        """Value of a key of the side namespace."""
        return self._get(self._shared.side, key)

    def side_scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Like `scan`, in the side namespace."""
        return self._scan(self._shared.side, prefix, start, limit)

    def close(self) -> None:
        """Let go of the versions only this reader sees."""
        if self._is_open:
            self._is_open = False
            self._shared.unpin(self._number)

    def __del__(self) -> None:
        self.close()  # who reads a view need not close it

    def _now(self) -> int:
        """Apply number that is shown."""
        if not self._is_open:
            raise StoreClosed("the state reader")
        return self._number

    def _get(self, table: _Table, key: bytes) -> bytes | None:
        with self._shared.lock:
            return table.get(key, self._now())

    def _scan(
        self, table: _Table, prefix: bytes, start: bytes | None, limit: int | None
    ) -> Iterator[tuple[bytes, bytes]]:
        with self._shared.lock:
            walk = _Walk(self._shared, table, self._now())
        return walk.pairs(prefix, max(prefix, start or b""), limit)


class _Walk:
    """A scan on its way. It keeps the versions it shows until it ends or is dropped."""

    def __init__(self, shared: _Shared, table: _Table, number: int) -> None:
        self._shared = shared
        self._table = table
        self._number = number
        shared.pin(number)

    def __del__(self) -> None:
        self._shared.unpin(self._number)

    def pairs(
        self, prefix: bytes, place: bytes, limit: int | None
    ) -> Iterator[tuple[bytes, bytes]]:
        """The pairs from a key on."""
        left = limit
        is_done = left == 0
        while not is_done:
            with self._shared.lock:
                found, place = self._table.chunk(place, prefix, self._number)
            yield from found[:left]
            if left is not None:
                left -= min(left, len(found))
            is_done = not place or left == 0


class MemoryStore(MemoryReader):
    """A state store for tests and demonstrations: nothing is kept when the process ends."""

    def __init__(self) -> None:
        super().__init__(_Shared(), 0)
        self._shared.unpin(self._number)  # the store itself shows the newest, and keeps nothing

    def apply(self, height: int, changes: Changes, side: Changes) -> None:
        """Move to the next height."""
        self._now()
        if self._height and height != self._height + 1:
            raise OutOfOrder(height=height, last=self._height)
        with self._shared.lock:  # number and height move together
            self._shared.write(changes, side)
            self._height = height

    def refill(
        self,
        height: int,
        batches: Iterable[tuple[Changes, Changes]],
        settled: Callable[[], None],
    ) -> None:
        """Replace everything by what the batches (state, side) hold."""
        state: dict[bytes, bytes | None] = dict.fromkeys(key for key, _ in self.scan(b""))
        side: dict[bytes, bytes | None] = dict.fromkeys(key for key, _ in self.side_scan(b""))
        for more, beside in batches:
            state.update(more)
            side.update(beside)
        settled()
        with self._shared.lock:
            self._shared.write(state, side)
            self._height = height

    def snapshot(self) -> MemoryReader:
        """A reader of the present height."""
        with self._shared.lock:
            self._now()
            return MemoryReader(self._shared, self._height)

    def checkpoint(self) -> None:
        """Nothing to flush."""
        self._now()

    def checkpoint_soon(self) -> None:
        """Nothing to flush."""
        self._now()

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of keys, None where there is none, in the order asked."""
        return [self.get(key) for key in keys]

    def copy(self) -> "MemoryStore":
        """An independent store with the same content: in a test, what a crash goes back to."""
        twin = MemoryStore()
        twin.apply(self._height, dict(self.scan(b"")), dict(self.side_scan(b"")))
        return twin

    def close(self) -> None:
        """The store takes no more calls."""
        self._is_open = False

    def _now(self) -> int:
        if not self._is_open:
            raise StoreClosed("the state store")
        return self._shared.number
