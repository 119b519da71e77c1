"""What the application needs of snapshots: offered, loaded, applied. `snapshots.py` is the body.

The numbers of the results are those of ABCI.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Offered(enum.Enum):
    """What becomes of an offered snapshot."""

    ACCEPT = 1
    ABORT = 2
    REJECT = 3
    REJECT_FORMAT = 4
    REJECT_SENDER = 5


class Applied(enum.Enum):
    """What becomes of a chunk that came."""

    ACCEPT = 1
    ABORT = 2
    RETRY = 3
    RETRY_SNAPSHOT = 4
    REJECT_SNAPSHOT = 5


@dataclass(frozen=True, slots=True)
class SnapshotInfo:
    """A snapshot as nodes tell each other of it."""

    height: int
    """Block after which it was taken."""
    format: int
    """Number of its format."""
    chunks: int
    """How many chunks it has."""
    hash: bytes
    """Its name: equal only if the snapshots are."""
    metadata: bytes
    """What a receiver needs to check the chunks; at most 4 MB."""


@dataclass(frozen=True, slots=True)
class ChunkResult:
    """What becomes of a chunk, and of who sent it."""

    result: Applied
    """The verdict."""
    refetch: tuple[int, ...] = ()
    """Chunks to be fetched again."""
    reject_senders: tuple[str, ...] = ()
    """Senders from whom nothing is to be taken any more."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What validators signed of a block."""

    name: bytes
    """Its name."""
    time_ms: int
    """Its time, in milliseconds."""


Vouch = Callable[[int, bytes], Signed | None]
"""Asked for a height and the app hash after it: what was signed; None when nobody can tell now."""


class Snapshots(Protocol):
    """Snapshots of one node. `list` and `load` from any thread, the others on the writer's."""

    def list(self) -> Sequence[SnapshotInfo]:
        """What this node has for others, newest first."""

    def load(self, height: int, format_: int, chunk: int) -> bytes:
        """A chunk for another node; empty when there is none."""

    def offer(self, snapshot: SnapshotInfo, app_hash: bytes) -> Offered:
        """Begin to take a snapshot; of all that is told only `app_hash` can be trusted."""

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkResult:
        """Take the next chunk; after the last one the chain stands at the snapshot's block."""
