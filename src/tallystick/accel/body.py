"""What every body offers: the face of accel, without a body."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallystick.accel.blocks import Executed
from tallystick.accel.parts import Subtree
from tallystick.accel.proof import Existence, NonExistence
from tallystick.accel.shown import AllShown, Field

__all__ = [
    "Body",
    "KnownGood",
    "Opened",
    "OpenedBatch",
    "SealedBlock",
    "StateTree",
    "UsedReferences",
]


class StateTree(Protocol):
    """What every body's tree can do; `Tree` says what each method means."""

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Make a new version from `base` and return its number."""

    def apply_records(self, base: int, records: Iterable[tuple[bytes, bytes | None]]) -> int:
        """The same from (state key, encoded record), which are hashed here."""

    def drop(self, version: int) -> None:
        """Forget a version."""

    def root(self, version: int) -> bytes:
        """Root hash of a version."""

    def size(self, version: int) -> int:
        """How many records a version holds."""

    def get(self, version: int, key_hash: bytes) -> bytes | None:
        """Record hash under a key hash; None when there is none."""

    def holding(self, version: int, keys: Sequence[bytes]) -> list[bytes]:
        """Those of many records' keys, hashed here, that a version holds, in the order asked."""

    def prove(self, version: int, key_hash: bytes) -> Existence | NonExistence:
        """Prove that a key is there, or that it is not."""

    def parts(self, version: int, bits: int) -> list[bytes]:
        """Roots of the 2^bits parts of a version."""

    def grow(self, bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
        """Build one of 2^bits parts from its records, in order; it belongs to no version yet."""

    def plant(self, subtrees: Sequence[Subtree]) -> int:
        """Make a version of all its parts."""

    def memory(self) -> tuple[int, int] | None:
        """Bytes taken in all, and those free for new nodes; None from a body that counts none."""


Opened = tuple[bytes, bytes, tuple[bytes, ...]]
"""What is inside one transaction as it travels: the encoded body; SHA-256 of domain and body, which
is the transaction's id; public keys that signed, sorted. Signatures are checked by its batch."""


class OpenedBatch(Protocol):
    """Many transactions as they travel, read and hashed."""

    @property
    def digests(self) -> Sequence[bytes]:
        """SHA-256 of each, whatever it is."""

    @property
    def opened(self) -> Sequence[Opened | None]:
        """What is inside each; None when it is no envelope in its one encoding.

        It may be made each time it is asked for.
        """

    def verify(self, places: Sequence[int]) -> list[int]:
        """Check all signatures of some places of the batch.

        For each place -1 when they are good, else the position of the first bad one. `NotOpened`
        when a place is not one of the batch, or nothing was opened there.
        """


class KnownGood(Protocol):
    """Transactions whose signatures were found good; `KnownTable` says what is meant."""

    def check(self, batch: OpenedBatch, places: Sequence[int]) -> tuple[list[int], int, int]:
        """What `verify` says of some places; how many were known; signatures checked for it."""


class SealedBlock(Protocol):
    """Receipts and roots of a block, and its lists as they stand in its entry."""

    @property
    def receipts_root(self) -> bytes:
        """Root over the receipts."""

    @property
    def ids_root(self) -> bytes:
        """Root over the ids of its transactions."""

    @property
    def size(self) -> int:
        """Bytes of transactions, receipts, and keys and records of changes, without their heads."""

    def receipt(self, place: int) -> bytes:
        """One receipt, encoded."""

    def places(self, prefix: bytes, block: bytes) -> dict[bytes, bytes | None]:
        """Places of what was accepted: `prefix` and the id as key, `block` and the place under it.

        Id and place are written as fields of keys.
        """

    def entry(self, head: bytes, tail: bytes) -> bytes:
        """The block's entry: what stands before its lists, they, and what stands after them."""


class UsedReferences(Protocol):
    """References that are used up; `UsedTable` says what each method means."""

    @property
    def count(self) -> int:
        """How many were noted of minutes that are not forgotten."""

    def note(self, minute: int, uses: bytes) -> None:
        """Note an encoded list of references that expire within a minute, one not forgotten."""

    def used_by(self, sender: str, reference: str, now_ms: int) -> bytes | None:
        """Id of the transaction that used a reference, until its minute is over or forgotten."""

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those of many (sender, reference) that are used, each with what `used_by` says."""

    def forget(self, minutes: Sequence[int]) -> None:
        """Forget all that was noted of some minutes."""


@dataclass(frozen=True, slots=True)
class Body:
    """One implementation of signatures, envelopes, receipts and tree."""

    name: str
    """What the body is called in settings and in benchmarks, e.g. `python`."""
    verify: Callable[[bytes, bytes, bytes], bool]
    """Check one signature: (public key, message, signature)."""
    verify_batch: Callable[[Sequence[tuple[bytes, bytes, bytes]]], list[bool]]
    """Check many signatures; one verdict for each, in order."""
    is_small_order: Callable[[bytes], bool]
    """Tell a public key that must be refused when a key is registered."""
    is_valid_point: Callable[[bytes], bool]
    """Tell 32 bytes that are a point of the curve."""
    open_batch: Callable[[Sequence[bytes]], OpenedBatch]
    """Read and hash many transactions as they travel."""
    known_good: Callable[[int], KnownGood]
    """Make a memory of good signatures, of so many transactions at most: for batches of its own."""
    tree: Callable[[], StateTree]
    """Make a new, empty tree."""
    merkle_root: Callable[[Sequence[bytes]], bytes]
    """Root over a list, as RFC 6962 and CometBFT have it; `merkle.py`."""
    seal_block: Callable[[tuple[Executed, ...], tuple[bytes, ...], tuple[bytes, ...]], SealedBlock]
    """Receipts, roots and lists of a block: (executed, ids, bytes); `blocks.py`."""
    chained: Callable[[bytes, bytes], bytes]
    """Carry a hash on over used references: (the hash before them, the encoded list of them)."""
    used_references: Callable[[], UsedReferences]
    """Make a table of used references without any in it."""
    fields_shown: Callable[[tuple[Field, ...]], AllShown]
    """Make what looks at the values of such fields, whether they read back; `shown.py`."""
    start_workers: Callable[[int], bool]
    """Start so many threads for what needs no Python; False when it has none to start."""
