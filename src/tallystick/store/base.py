"""The seams of the store: a state, a block log, and the few disk operations that the log needs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from tallystick.store.start import Start

Changes = Mapping[bytes, bytes | None]
"""Key to new value; None deletes the key."""


class StateReader(Protocol):
    """The state of one height, read only; it never changes and never stops the writer."""

    def height(self) -> int:
        """Height of the block after which this is the state; 0 before the first block."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """Value of a key, None when there is none."""
        ...

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix and their values, in key order, from `start` on, at most `limit`.

        The scan shows the state as it was when it was asked for, whatever is applied meanwhile.
        """
        ...

    def side_get(self, key: bytes) -> bytes | None:
        """Value of a key of the side namespace, which no state root covers."""
        ...

    def side_scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Like `scan`, in the side namespace."""
        ...

    def close(self) -> None:
        """Let go of what the reader holds; a second time does nothing."""
        ...


class StateStore(StateReader, Protocol):
    """The newest state, and the writer's way to the next one. One writer, any number of readers.

    After any crash the store opens at some earlier height, whole: never between two blocks, and
    never ahead of the block log as long as `apply(h)` is called after `append` of block h returned.
    The changes in between are redone from the log.
    """

    def apply(self, height: int, changes: Changes, side: Changes) -> None:
        """Move to the next height, all or nothing, without an fsync.

        The height follows the last one by one; a store at height 0 accepts any, so that it can
        start from a genesis (0) or from a snapshot. Raises `OutOfOrder`, `DiskFull`, `DiskFailed`.
        """
        ...

    def refill(
        self,
        height: int,
        batches: Iterable[tuple[Changes, Changes]],
        settled: Callable[[], None],
    ) -> None:
        """Replace everything by what the batches (state, side) hold, durably, at a height.

        `settled` is called when all is written and does not count yet. A crash before the end
        leaves the store empty at height 0, never with a part; readers from before may see parts.
        """
        ...

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of keys of the state, None where there is none, in the order asked.

        What a block will need can be read at once; a native body lets Python go on meanwhile.
        """
        ...

    def snapshot(self) -> StateReader:
        """A reader of the present height."""
        ...

    def checkpoint(self) -> None:
        """Make all that was applied durable."""
        ...

    def checkpoint_soon(self) -> None:
        """Begin to make durable what was applied, without waiting for it.

        It bounds what is to be redone after a crash. What goes wrong meanwhile is said by a later
        `apply` or `checkpoint`.
        """
        ...


class BlockLog(Protocol):
    """The blocks that were committed, in order, without a gap.

    They begin at height 1, or above a *start*: a snapshot, or the last block that was pruned.
    """

    @property
    def start(self) -> Start:
        """Where the log begins; height 0 after the genesis."""
        ...

    def begin_at(self, height: int, note: bytes) -> None:
        """Let a log without blocks begin above a height, durably; height 0 is the genesis again.

        Raises `OutOfOrder` when there are blocks.
        """
        ...

    def prune(self, below: int, note: Callable[[bytes], bytes]) -> int:
        """Remove old blocks below a height, as many as can be removed at once, never the last one.

        Returns the height of the first block that is left. `note` makes the note of the new start
        from the body of the last block removed.
        """
        ...

    def append(self, body: bytes) -> int:
        """Add the next block and return its height, once it is durable.

        When it raises, there is no block that a caller may build on: `DiskFull` and `DiskFailed`
        from the write leave the log at its last block; when the flush fails, the log is sealed
        (`LogSealed` from then on) and only opening it again tells whether the block is there.
        """
        ...

    def height(self) -> int:
        """Height of the last block; 0 when there is none."""
        ...

    def read(self, height: int) -> bytes:
        """Body of a block, verified. Raises `NoSuchBlock`, also below the start; `Damage`."""
        ...

    def entries(self, from_height: int) -> Iterator[tuple[int, bytes]]:
        """Blocks from a height to the last one there is when asked: (height, body), verified.

        Raises `NoSuchBlock` at once for a height below the start: a gap is never passed over.
        """
        ...

    def close(self) -> None:
        """Let go of the files; a second time does nothing."""
        ...


class DiskFile(Protocol):
    """One open file. What is written is durable after `sync`, not before."""

    def write(self, offset: int, data: bytes) -> None:
        """Write all of the data at an offset; OSError when not all of it went through."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Bytes at an offset; fewer than asked only at the end of the file."""
        ...

    def size(self) -> int:
        """Length in bytes."""
        ...

    def truncate(self, size: int) -> None:
        """Cut the file to a length."""
        ...

    def sync(self) -> None:
        """Return when all that was written to this file is durable."""
        ...

    def close(self) -> None:
        """Close the file; a second time does nothing."""
        ...


class Lock(Protocol):
    """A data folder held by this process."""

    def release(self) -> None:
        """Let others have it; a second time does nothing."""
        ...


class Disk(Protocol):
    """The file operations that the block log needs. They raise OSError as the system does."""

    def open(self, path: str, *, create: bool = False, write: bool = False) -> DiskFile:
        """Open a file; FileNotFoundError when there is none and `create` is not asked for."""
        ...

    def list(self, folder: str) -> tuple[str, ...]:
        """Names in a folder, sorted; empty when there is no such folder."""
        ...

    def mkdir(self, folder: str) -> None:
        """Make a folder and the missing ones above it, durably; nothing when it is there."""
        ...

    def sync_folder(self, folder: str) -> None:
        """Return when the names in a folder are durable."""
        ...

    def remove(self, path: str) -> None:
        """Remove a file, nothing when there is none; durable after `sync_folder`, not before."""
        ...

    def lock(self, path: str) -> Lock:
        """Hold a lock file until released or the process ends; `DataFolderInUse` when held."""
        ...
