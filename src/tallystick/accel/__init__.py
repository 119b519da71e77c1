"""Signatures and the state tree: one face, several bodies.

The Python body is the meaning. A faster body must pass `tests/accel/conformance.py` and give the
same verdicts, roots and proofs. Which body runs is the caller's choice, never the environment's:

    body = load("python")
    tree = body.tree()

The Python body is also at hand by name: `verify`, `verify_batch`, `is_small_order`,
`is_valid_point` and `Tree`. `fold` gives the root of a whole from those of its parts.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallystick.accel.errors import AccelProblem, UnknownBody, UnknownVersion, WrongPart
from tallystick.accel.merkle import merkle_root
from tallystick.accel.parts import BITS_MAX, Subtree, fold
from tallystick.accel.proof import Existence, NonExistence, Path, Side
from tallystick.accel.signatures import is_small_order, is_valid_point, verify, verify_batch
from tallystick.accel.tree import EMPTY_ROOT, EMPTY_VERSION, Tree

__all__ = [
    "BITS_MAX",
    "EMPTY_ROOT",
    "EMPTY_VERSION",
    "AccelProblem",
    "Body",
    "Existence",
    "NonExistence",
    "Path",
    "Side",
    "StateTree",
    "Subtree",
    "Tree",
    "UnknownBody",
    "UnknownVersion",
    "WrongPart",
    "fold",
    "is_small_order",
    "is_valid_point",
    "load",
    "merkle_root",
    "verify",
    "verify_batch",
]


class StateTree(Protocol):
    """What every body's tree can do; `Tree` says what each method means."""

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Make a new version from `base` and return its number."""

    def apply_records(self, base: int, records: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Like `apply`, from keys and records themselves: their hashes are taken here."""

    def drop(self, version: int) -> None:
        """Forget a version."""

    def root(self, version: int) -> bytes:
        """Root hash of a version."""

    def size(self, version: int) -> int:
        """How many records a version holds."""

    def get(self, version: int, key_hash: bytes) -> bytes | None:
        """Record hash under a key hash; None when there is none."""

    def prove(self, version: int, key_hash: bytes) -> Existence | NonExistence:
        """Prove that a key is there, or that it is not."""

    def parts(self, version: int, bits: int) -> list[bytes]:
        """Roots of the 2^bits parts of a version."""

    def grow(self, bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
        """Build one of 2^bits parts from its records, in order; it belongs to no version yet."""

    def plant(self, subtrees: Sequence[Subtree]) -> int:
        """Make a version of all its parts."""


@dataclass(frozen=True, slots=True)
class Body:
    """One implementation of signatures and tree."""

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
    tree: Callable[[], StateTree]
    """Make a new, empty tree."""
    merkle_root: Callable[[Sequence[bytes]], bytes]
    """Root over a list, as RFC 6962 and CometBFT have it; `merkle.py`."""


_PYTHON = Body(
    name="python",
    verify=verify,
    verify_batch=verify_batch,
    is_small_order=is_small_order,
    is_valid_point=is_valid_point,
    tree=Tree,
    merkle_root=merkle_root,
)


def load(accel: str = "python") -> Body:
    """Return the body called `accel`; raise `UnknownBody` if it is not installed."""
    if accel == _PYTHON.name:
        return _PYTHON
    raise UnknownBody(accel)
