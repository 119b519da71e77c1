"""The state on disk, in RocksDB.

One batch per block, with the height in it, and no write-ahead log: the block log is one already.
Batches sit in memory until RocksDB flushes memtables (by itself when some are full, and at every
checkpoint); a memtable never holds half a batch and memtables are flushed in order, so that after
any crash the store is at some earlier height, whole. It is never ahead of the block log, since a
block is applied after its entry was flushed. What is missing is redone from the log.

Memory: eight memtables of 16 MiB, a cache of 64 MiB for blocks, indexes and filters, 512 open
files. RocksDB writes while Python's lock is held, so writing must be short: small memtables, four
of which become one file, and keys in order take a third of the time that large ones and keys at
random took. Filters and indexes are cut into blocks: whole ones are larger than what one shard of
the cache takes, and would be read and checked anew for every key.

Keys are `s` + key for the state, `x` + key for the side namespace, `h` for the height; `r` is there
while the store is being filled anew: one that is opened so is emptied, it never shows a part.

A reader of one height is one RocksDB iterator: what it sees is fixed when it is made. The bindings'
own `Snapshot` is not used: its iterators show newer data. Nor are `ReadOptions` (a bound set there
is freed while the iterator still reads it) or `items()` (it ends without a word where a block
cannot be read): scans compare the prefix and ask the iterator at the end whether it failed.
"""

import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from types import TracebackType

from rocksdict import (
    AccessType,
    BlockBasedIndexType,
    BlockBasedOptions,
    Cache,
    DbClosedError,
    DBCompressionType,
    Options,
    Rdict,
    RdictIter,
    WriteBatch,
    WriteOptions,
)

from tallystick.errors import (
    DataFolderInUse,
    DiskFailed,
    DiskFull,
    OutOfOrder,
    StateDamaged,
    StoreClosed,
    StoreError,
)
from tallystick.store.base import Changes

_STATE = b"s"
_SIDE = b"x"
_HEIGHT = b"h"
_FILLING = b"r"
_CHUNK = 256  # pairs that a scan takes at a time

MEMTABLE_BYTES = 16 * 1024 * 1024
"""Size at which a memtable is full."""
MEMTABLES = 8
"""Memtables that may be in memory; a write waits when all of them are full."""
MEMTABLES_A_FILE = 4
"""Full memtables that are flushed together."""
LEVEL0_SLOW, LEVEL0_STOP = 48, 64
"""Files that were flushed and not yet merged, at which writes are slowed and stopped.

A write that waits holds Python's lock: better a read that looks at more files.
"""
CACHE_BYTES = 64 * 1024 * 1024
"""Size of the cache of blocks, indexes and filters."""
OPEN_FILES_MAX = 512
"""Files that RocksDB holds open."""


class _Calls:
    """Turns what RocksDB raises, a plain `Exception` with words, into an operating error."""

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
        if kind is DbClosedError:
            raise StoreClosed("the state store") from problem
        if kind is Exception:
            raise explain(str(problem), self._path) from problem


def explain(words: str, path: str) -> StoreError:
    """The operating error that RocksDB's words stand for."""
    lower = words.lower()
    if "no space left" in lower or "file too large" in lower:
        return DiskFull(path)
    if "lock" in lower and "io error" in lower:
        return DataFolderInUse(path)
    if lower.startswith(("corruption", "invalid argument", "not implemented")):
        return StateDamaged(path, words)
    return DiskFailed("use", path, words)


class _View:
    """One iterator, shared by the gets and scans of a reader, one step at a time."""

    def __init__(self, iterator: RdictIter, calls: _Calls) -> None:
        self._iterator: RdictIter | None = iterator
        self._calls = calls
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of what the iterator pins."""
        with self._lock:
            self._iterator = None

    def get(self, key: bytes) -> bytes | None:
        """Value of a key."""
        pairs, _ = self._chunk(key, key, 1)
        return pairs[0][1] if pairs and pairs[0][0] == key else None

    def scan(
        self, space: bytes, prefix: bytes, start: bytes | None, limit: int | None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Pairs with a prefix, without the byte of their namespace."""
        place, whole = space + max(prefix, start or b""), space + prefix
        left = sys.maxsize if limit is None else limit
        while left > 0 and place:
            pairs, place = self._chunk(place, whole, min(left, _CHUNK))
            for key, value in pairs:
                yield key[1:], value
            left -= len(pairs)

    def _chunk(
        self, place: bytes, prefix: bytes, count: int
    ) -> tuple[list[tuple[bytes, bytes]], bytes]:
        """Some pairs with a prefix from a key on, and the key to go on from, empty at the end."""
        pairs: list[tuple[bytes, bytes]] = []
        with self._lock, self._calls:
            if self._iterator is None:
                raise StoreClosed("the state reader")
            self._iterator.seek(place)
            while self._iterator.valid():
                key = self._iterator.key()
                if not key.startswith(prefix):
                    return pairs, b""
                if len(pairs) == count:
                    return pairs, key
                pairs.append((key, self._iterator.value()))
                self._iterator.next()
            self._iterator.status()
        return pairs, b""


class RocksReader:
    """The state of one height."""

    def __init__(self, view: _View, height: int) -> None:
        self._view = view
        self._height = height

    def height(self) -> int:
        """Height of the block after which this is the state."""
        return self._height

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None when there is none."""
        return self._view.get(_STATE + key)

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, in key order, from `start` on, at most `limit`."""
        return self._view.scan(_STATE, prefix, start, limit)

    def side_get(self, key: bytes) -> bytes | None:
        """Value of a key of the side namespace."""
        return self._view.get(_SIDE + key)

    def side_scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Like `scan`, in the side namespace."""
        return self._view.scan(_SIDE, prefix, start, limit)

    def close(self) -> None:
        """Let go of the versions only this reader sees; a second time does nothing."""
        self._view.close()


class RocksStore:
    """The newest state, in a folder of its own. The caller holds the data folder."""

    def __init__(self, path: str, *, read_only: bool = False) -> None:
        self._path = path
        self._is_read_only = read_only
        self._calls = _Calls(path)
        self._views: weakref.WeakSet[_View] = weakref.WeakSet()
        self._write_options = WriteOptions()
        # The stub of the bindings shows a method; it is an attribute.
        self._write_options.disable_wal = True  # type: ignore[method-assign, assignment]
        self._write_options.memtable_insert_hint_per_batch = True  # keys come in order
        with self._calls:
            access = AccessType.read_only() if read_only else AccessType.read_write()
            self._database: Rdict | None = Rdict(path, _options(), access_type=access)
        if self._get(_FILLING) is not None:
            self._start_over()
        self._height = int.from_bytes(self._get(_HEIGHT) or b"", "big")

    def height(self) -> int:
        """Height of the last block applied; 0 before the first."""
        return self._height

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None when there is none."""
        return self._get(_STATE + key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of keys, None where there is none, in the order asked."""
        with self._calls:
            found: list[bytes | None] = self._opened().get([_STATE + key for key in keys]) or []
        return found

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, in key order, from `start` on, at most `limit`."""
        return self._view().scan(_STATE, prefix, start, limit)

    def side_get(self, key: bytes) -> bytes | None:
        """Value of a key of the side namespace."""
        return self._get(_SIDE + key)

    def side_scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Like `scan`, in the side namespace."""
        return self._view().scan(_SIDE, prefix, start, limit)

    def apply(self, height: int, changes: Changes, side: Changes) -> None:
        """Move to the next height, all or nothing, without an fsync."""
        database = self._opened()
        if self._height and height != self._height + 1:
            raise OutOfOrder(height=height, last=self._height)
        batch = WriteBatch(raw_mode=True)
        _fill(batch, _STATE, changes)
        _fill(batch, _SIDE, side)
        batch.put(_HEIGHT, height.to_bytes(8, "big"))
        with self._calls:
            database.write(batch, self._write_options)
        self._height = height

    def refill(
        self,
        height: int,
        batches: Iterable[tuple[Changes, Changes]],
        settled: Callable[[], None],
    ) -> None:
        """Replace everything by what the batches (state, side) hold, durably, at a height."""
        database = self._opened()
        self._mark({_FILLING: b"", _HEIGHT: None})
        self._height = 0
        for changes, side in chain(self._emptying(), batches):
            batch = WriteBatch(raw_mode=True)
            _fill(batch, _STATE, changes)
            _fill(batch, _SIDE, side)
            with self._calls:
                database.write(batch, self._write_options)
        self.checkpoint()
        settled()
        self._mark({_FILLING: None, _HEIGHT: height.to_bytes(8, "big")})
        self._height = height

    def snapshot(self) -> RocksReader:
        """A reader of the present height."""
        view = self._view()
        return RocksReader(view, int.from_bytes(view.get(_HEIGHT) or b"", "big"))

    def checkpoint(self) -> None:
        """Make all that was applied durable."""
        with self._calls:
            self._opened().flush()

    def checkpoint_soon(self) -> None:
        """Begin to make durable what was applied; RocksDB does it beside."""
        with self._calls:
            self._opened().flush(wait=False)

    def close(self) -> None:
        """Flush, and close; readers and scans that are still open are closed with it."""
        if self._database is None:
            return
        for view in tuple(self._views):
            view.close()
        database, self._database = self._database, None
        with self._calls:
            if not self._is_read_only:
                database.flush()
            database.close()

    def _mark(self, marks: Changes) -> None:
        """Write what is known of the whole store, durably."""
        batch = WriteBatch(raw_mode=True)
        _fill(batch, b"", marks)
        with self._calls:
            self._opened().write(batch, self._write_options)
        self.checkpoint()

    def _emptying(self) -> Iterator[tuple[Changes, Changes]]:
        """Batches that remove all there is now."""
        for number, scan in enumerate((self.scan, self.side_scan)):
            keys = (key for key, _ in scan(b""))
            while gone := dict.fromkeys(islice(keys, _CHUNK)):
                yield ({}, gone) if number else (gone, {})

    def _start_over(self) -> None:
        """Empty a store that was never filled to the end."""
        if self._is_read_only:
            raise StateDamaged(self._path, "it was being filled from a snapshot")
        with self._calls:
            self._opened().close()
            Rdict.destroy(self._path, _options())
            self._database = Rdict(self._path, _options())

    def _opened(self) -> Rdict:
        if self._database is None:
            raise StoreClosed("the state store")
        return self._database

    def _get(self, key: bytes) -> bytes | None:
        with self._calls:
            value: bytes | None = self._opened().get(key)
        return value

    def _view(self) -> _View:
        with self._calls:
            view = _View(self._opened().iter(), self._calls)
        self._views.add(view)
        return view


def _options() -> Options:
    table = BlockBasedOptions()
    table.set_block_cache(Cache(CACHE_BYTES))
    table.set_bloom_filter(10, False)  # ten bits a key: one miss in a hundred reads a block
    table.set_cache_index_and_filter_blocks(True)
    table.set_index_type(BlockBasedIndexType.two_level_index_search())
    table.set_partition_filters(True)
    table.set_pin_top_level_index_and_filter(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)
    options.set_block_based_table_factory(table)
    options.set_write_buffer_size(MEMTABLE_BYTES)
    options.set_max_write_buffer_number(MEMTABLES)
    options.set_min_write_buffer_number_to_merge(MEMTABLES_A_FILE)
    options.set_allow_concurrent_memtable_write(False)  # there is one writer
    options.set_level_zero_slowdown_writes_trigger(LEVEL0_SLOW)
    options.set_level_zero_stop_writes_trigger(LEVEL0_STOP)
    options.set_max_open_files(OPEN_FILES_MAX)
    options.set_max_background_jobs(2)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_paranoid_checks(True)
    options.set_keep_log_file_num(2)
    options.set_max_log_file_size(1024 * 1024)
    return options


def _fill(batch: WriteBatch, space: bytes, changes: Changes) -> None:
    """Add changes in the order of their keys: neighbours are then near in memory, too."""
    put = batch.put
    for key in sorted(changes):
        value = changes[key]
        if value is None:
            batch.delete(space + key)
        else:
            put(space + key, value)
