"""Proofs from the state tree, and how to check them. Pure functions that trust nothing given.

A `Path` shows that a key hash is in the tree with a record hash. That a key hash is *not* there is
shown by its two neighbours in the order of key hashes: both are in the tree and no place is left
between them. Both are proofs in the sense of ICS 23; `ics23.py` writes them in its form.
"""

from dataclasses import dataclass
from enum import Enum

from tallystick.accel.nodes import EMPTY_ROOT, HASH_BYTES, hash_internal, hash_leaf

__all__ = [
    "Existence",
    "NonExistence",
    "Path",
    "Side",
    "verify_absence",
    "verify_existence",
]


class Side(Enum):
    """On which side of the path a sibling stands."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Path:
    """The way from one leaf up to the root."""

    key_hash: bytes
    """SHA-256 of the record's key: 32 bytes."""
    record_hash: bytes
    """SHA-256 of the encoded record: 32 bytes."""
    siblings: tuple[tuple[Side, bytes], ...]
    """From the leaf up, the other child of each node passed: its side and its hash. Empty when
    the leaf is alone in the tree."""


@dataclass(frozen=True, slots=True)
class Existence:
    """Proof that a record is there."""

    path: Path
    """The way from the record's leaf to the root."""


@dataclass(frozen=True, slots=True)
class NonExistence:
    """Proof that no record is there."""

    key_hash: bytes
    """SHA-256 of the key that is absent: 32 bytes."""
    left: Path | None
    """The nearest leaf with a smaller key hash; None when there is none."""
    right: Path | None
    """The nearest leaf with a greater key hash; None when there is none."""


def verify_existence(root: bytes, path: Path) -> bool:
    """Tell whether `path` proves that its key hash has its record hash under `root`."""
    if len(path.key_hash) != HASH_BYTES or len(path.record_hash) != HASH_BYTES:
        return False
    if len(path.siblings) > 8 * HASH_BYTES:
        return False
    value = hash_leaf(path.key_hash, path.record_hash)
    depth = len(path.siblings)
    for side, sibling in path.siblings:
        depth -= 1
        if len(sibling) != HASH_BYTES or side is not _sibling_side(path.key_hash, depth):
            return False
        is_left = side is Side.LEFT
        value = hash_internal(sibling, value) if is_left else hash_internal(value, sibling)
    return value == root


def verify_absence(root: bytes, key_hash: bytes, left: Path | None, right: Path | None) -> bool:
    """Tell whether the neighbours `left` and `right` prove that `key_hash` is not under `root`.

    The rules are those of ICS 23: each neighbour given is in the tree and on its side of the key,
    and nothing can stand between the two, or beyond the only one.
    """
    if len(key_hash) != HASH_BYTES:
        return False
    if left is not None and not (left.key_hash < key_hash and verify_existence(root, left)):
        return False
    if right is not None and not (key_hash < right.key_hash and verify_existence(root, right)):
        return False
    if left is None:
        return root == EMPTY_ROOT if right is None else _is_outermost(right.siblings, Side.LEFT)
    if right is None:
        return _is_outermost(left.siblings, Side.RIGHT)
    return _are_adjacent(left.siblings, right.siblings)


def _sibling_side(key_hash: bytes, depth: int) -> Side:
    """Side of the sibling where the key turns at `depth`: a 0 bit goes left."""
    goes_right = key_hash[depth >> 3] & (0x80 >> (depth & 7))
    return Side.LEFT if goes_right else Side.RIGHT


def _is_outermost(siblings: tuple[tuple[Side, bytes], ...], towards: Side) -> bool:
    """Tell whether no leaf stands further `towards` that side: what stands there is empty."""
    return all(side is not towards or sibling == EMPTY_ROOT for side, sibling in siblings)


def _are_adjacent(
    left: tuple[tuple[Side, bytes], ...], right: tuple[tuple[Side, bytes], ...]
) -> bool:
    """Tell whether no leaf stands between two paths to the same root.

    They share their upper part, part at one node, and from there the left one keeps to the right
    and the right one to the left.
    """
    shared = 0
    for ours, theirs in zip(reversed(left), reversed(right), strict=False):
        if ours != theirs:
            break
        shared += 1
    left_below, right_below = left[: len(left) - shared], right[: len(right) - shared]
    if not left_below or not right_below:
        return False
    parts = left_below[-1][0] is Side.RIGHT and right_below[-1][0] is Side.LEFT
    return (
        parts
        and _is_outermost(left_below[:-1], Side.RIGHT)
        and _is_outermost(right_below[:-1], Side.LEFT)
    )
