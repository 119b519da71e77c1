"""The state on disk, in an LSM tree of pure Rust: written and read without Python's lock.

The native module does the work (`native/src/store`, over the crate `lsm-tree`), when it is
installed; `[store] kind = "lsm"` asks for it. What holds is what holds of `rocks.py`, and for the
same reason: one batch per block, with the height in it, in one tree; memtables that are exchanged
between two batches only, and flushed in order; no journal, for the block log is one. Keys are `s` +
key for the state, `x` + key for the side namespace, `h` for the height; `r` is there while the
store is being filled anew.

Memory: memtables of 16 MiB as the crate counts (up to 25 MiB in truth), each of which becomes a
file, twelve at most before a writer waits; a cache of 64 MiB for blocks, indexes and filters, and
some bytes for each table that is open.

A reader of one height is a number: what was written later is not seen, and nothing that it may
still see is dropped. Two threads of the module flush and merge. What fails there is said by the
next `apply` or `checkpoint`.
"""

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from tallystick.errors import (
    DataFolderInUse,
    OutOfOrder,
    SettingsError,
    StateDamaged,
    StoreClosed,
)
from tallystick.store.base import Changes
from tallystick.store.disk import explain

if TYPE_CHECKING:
    import tallystick_native as native

_CHUNK = 256  # pairs that a scan takes first; then twice as many each time
_CHUNK_MAX = 8_192
_DICT = dict[bytes, bytes | None]


class _Calls:
    """Turns what the native module raises into an operating error."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(problem, BlockingIOError):
            raise DataFolderInUse(self._path) from problem
        if isinstance(problem, OSError):
            raise explain(problem, "use", self._path) from problem
        if isinstance(problem, ValueError):
            raise StateDamaged(self._path, str(problem)) from problem
        if isinstance(problem, RuntimeError):
            raise StoreClosed("the state store") from problem


class LsmReader:
    """The state of one height."""

    def __init__(self, reader: "native.LsmReader", calls: _Calls) -> None:
        self._reader: native.LsmReader | None = reader
        self._calls = calls

    def height(self) -> int:
        """Height of the block after which this is the state."""
        with self._calls:
            return self._open().height()

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None when there is none."""
        with self._calls:
            return self._open().get(key, is_side=False)

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, in key order, from `start` on, at most `limit`."""
        with self._calls:
            found = self._open().scan(prefix, start or b"", is_side=False)
        return _pairs(found, limit, self._calls)

    def side_get(self, key: bytes) -> bytes | None:
        """Value of a key of the side namespace."""
        with self._calls:
            return self._open().get(key, is_side=True)

    def side_scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Like `scan`, in the side namespace."""
        with self._calls:
            found = self._open().scan(prefix, start or b"", is_side=True)
        return _pairs(found, limit, self._calls)

    def close(self) -> None:
        """Let go of the versions only this reader sees; a second time does nothing."""
        self._reader = None

    def _open(self) -> "native.LsmReader":
        if self._reader is None:
            raise StoreClosed("the state reader")
        return self._reader


def _pairs(
    scan: "native.LsmScan", limit: int | None, calls: _Calls
) -> Iterator[tuple[bytes, bytes]]:
    """The pairs of a scan, taken in batches that grow: many scans are for a few pairs."""
    count = _CHUNK
    while limit is None or limit > 0:
        asked = count if limit is None else min(count, limit)
        with calls:
            pairs = scan.take(asked)
        yield from pairs
        if len(pairs) < asked:
            return
        if limit is not None:
            limit -= asked
        count = min(count * 2, _CHUNK_MAX)


class LsmStore:
    """The newest state, in a folder of its own. The caller holds the data folder."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        try:
            import tallystick_native as built
        except ModuleNotFoundError:
            raise SettingsError(
                "store.kind", "lsm needs the native module; `make native` builds it"
            ) from None
        self._path = path
        self._calls = _Calls(path)
        self._readers: weakref.WeakSet[LsmReader] = weakref.WeakSet()
        with self._calls:
            self._store: native.LsmStore | None = built.LsmStore(path, read_only=read_only)
            self._height = self._store.height()

    def height(self) -> int:
        """Height of the last block applied; 0 before the first."""
        return self._height

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None when there is none."""
        with self._calls:
            return self._open().get(key, is_side=False)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of keys, None where there is none, in the order asked; Python goes on beside."""
        with self._calls:
            return self._open().get_many(list(keys))

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, in key order, from `start` on, at most `limit`."""
        return self.snapshot().scan(prefix, start, limit)

    def side_get(self, key: bytes) -> bytes | None:
        """Value of a key of the side namespace."""
        with self._calls:
            return self._open().get(key, is_side=True)

    def side_scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Like `scan`, in the side namespace."""
        return self.snapshot().side_scan(prefix, start, limit)

    def apply(self, height: int, changes: Changes, side: Changes) -> None:
        """Move to the next height, all or nothing, without an fsync."""
        store = self._open()
        if self._height and height != self._height + 1:
            raise OutOfOrder(height=height, last=self._height)
        with self._calls:
            store.apply(height, _dict(changes), _dict(side))
        self._height = height

    def refill(
        self,
        height: int,
        batches: Iterable[tuple[Changes, Changes]],
        settled: Callable[[], None],
    ) -> None:
        """Replace everything by what the batches (state, side) hold, durably, at a height."""
        store = self._open()
        self._height = 0
        with self._calls:
            store.begin_filling()
        for changes, side in batches:
            with self._calls:
                store.fill(_dict(changes), _dict(side))
        self.checkpoint()
        settled()
        with self._calls:
            store.end_filling(height)
        self._height = height

    def snapshot(self) -> LsmReader:
        """A reader of the present height."""
        with self._calls:
            reader = LsmReader(self._open().reader(), self._calls)
        self._readers.add(reader)
        return reader

    def checkpoint(self) -> None:
        """Make all that was applied durable."""
        with self._calls:
            self._open().checkpoint()

    def checkpoint_soon(self) -> None:
        """Begin to make durable what was applied; a thread of the module does it beside."""
        with self._calls:
            self._open().checkpoint_soon()

    def close(self) -> None:
        """Flush, and close; readers and scans that are still open are closed with it."""
        store, self._store = self._store, None
        if store is None:
            return
        for reader in tuple(self._readers):
            reader.close()
        with self._calls:
            store.close()

    def _open(self) -> "native.LsmStore":
        if self._store is None:
            raise StoreClosed("the state store")
        return self._store


def _dict(changes: Changes) -> _DICT:
    """What the native module takes."""
    return changes if isinstance(changes, dict) else dict(changes)
