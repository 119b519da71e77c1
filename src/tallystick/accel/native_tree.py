"""The state tree of the native body, with the face of `Tree`.

Its versions may be read by any thread while one thread makes the next: no reader waits for the
writer. Work on a batch is done without Python's lock. A version that is dropped while a thread
reads it is freed later, by the next `apply`.
"""

from collections.abc import Iterable, Sequence

import tallystick_native as built

from tallystick.accel.parts import Subtree
from tallystick.accel.proof import Existence, NonExistence, Path, Side

__all__ = ["NativeTree"]

PathParts = tuple[bytes, bytes, list[tuple[bool, bytes]]]
"""Key hash, record hash, and the siblings from the leaf up: whether each stands left, its hash."""


class NativeTree:
    """Versions of the state's hashes, about 135 bytes a record and 500 for each one changed."""

    __slots__ = ("_tree",)

    def __init__(self) -> None:
        """Start with the empty version alone."""
        self._tree = built.StateTree()

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Make a new version from `base` and return its number."""
        return self._tree.apply(base, changes)

    def apply_records(self, base: int, records: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Like `apply`, from (key, record) or (key, None): the hashes are taken here."""
        return self._tree.apply_records(base, records)

    def drop(self, version: int) -> None:
        """Forget a version."""
        self._tree.drop(version)

    def root(self, version: int) -> bytes:
        """Root hash of a version."""
        return self._tree.root(version)

    def size(self, version: int) -> int:
        """How many records a version holds."""
        return self._tree.size(version)

    def get(self, version: int, key_hash: bytes) -> bytes | None:
        """Record hash under a key hash; None when there is none."""
        return self._tree.get(version, key_hash)

    def holding(self, version: int, keys: Sequence[bytes]) -> list[bytes]:
        """Those of many records' keys, hashed here, that a version holds, in the order asked."""
        return self._tree.holding(version, keys)

    def prove(self, version: int, key_hash: bytes) -> Existence | NonExistence:
        """Prove that a key hash is in a version, or that it is not."""
        is_there, first, second = self._tree.prove(version, key_hash)
        left, right = (path and _path(path) for path in (first, second))
        return Existence(left) if is_there and left else NonExistence(key_hash, left, right)

    def parts(self, version: int, bits: int) -> list[bytes]:
        """Roots of the 2^bits parts of a version, in the order of their key hashes' first bits."""
        return self._tree.parts(version, bits)

    def grow(self, bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
        """Build one of 2^bits parts from (key hash, record hash), in order."""
        grown = self._tree.grow(bits, index, pairs)
        return Subtree(grown.root, grown.size, grown)

    def plant(self, subtrees: Sequence[Subtree]) -> int:
        """Make a version of all its parts, grown by this body; they are not hashed again."""
        return self._tree.plant([subtree.node for subtree in subtrees])

    def memory(self) -> tuple[int, int]:
        """Bytes that nodes and lists take in all; those of them that are free for new nodes."""
        return self._tree.memory()


def _path(parts: PathParts) -> Path:
    """A path in the form of `proof.py`."""
    key_hash, record_hash, siblings = parts
    sides = (Side.RIGHT, Side.LEFT)
    return Path(
        key_hash, record_hash, tuple([(sides[is_left], found) for is_left, found in siblings])
    )
