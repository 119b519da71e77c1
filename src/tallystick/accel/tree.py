"""The state tree: a persistent sparse Merkle tree from key hashes to record hashes.

Every `apply` makes a new version and leaves the old one as it was: versions share all nodes that
they have in common. Version numbers are handles within one tree; they are not heights.
"""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from tallystick.accel.errors import UnknownVersion, WrongLength
from tallystick.accel.nodes import EMPTY_ROOT, HASH_BYTES, Batch, Node, hash_of
from tallystick.accel.parts import Subtree, grow, plant, roots_of
from tallystick.accel.proof import Existence, NonExistence, Path, Side

__all__ = ["EMPTY_ROOT", "EMPTY_VERSION", "Tree"]

EMPTY_VERSION = 0
"""The version without records; it is always there."""


class Tree:
    """Versions of the state's hashes.

    The caller bounds how many versions are kept, by `drop`.
    """

    __slots__ = ("_next", "_versions")

    def __init__(self) -> None:
        """Start with the empty version alone."""
        self._versions: dict[int, tuple[Node, int]] = {EMPTY_VERSION: (None, 0)}
        self._next = EMPTY_VERSION + 1

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Make a new version from `base` and return its number; `base` stays as it was.

        A change is (key hash, record hash), or (key hash, None) for a record that goes; one that
        is not there may go too. If a key hash comes twice, the last change counts.
        """
        node, size = self._at(base)
        wanted: dict[bytes, bytes | None] = {}
        for key_hash, record_hash in changes:
            _require_hash(key_hash)
            if record_hash is not None:
                _require_hash(record_hash)
            wanted[key_hash] = record_hash
        batch = Batch(wanted)
        root = batch.apply(node)
        return self._keep(root, size + batch.added)

    def apply_records(self, base: int, records: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Like `apply`, from (key, record) or (key, None): the hashes are taken here."""
        return self.apply(base, _hashed(records))

    def drop(self, version: int) -> None:
        """Forget a version; what no other version shares is freed. Version 0 stays."""
        self._at(version)
        if version != EMPTY_VERSION:
            del self._versions[version]

    def root(self, version: int) -> bytes:
        """Root hash of a version."""
        return hash_of(self._at(version)[0])

    def size(self, version: int) -> int:
        """How many records a version holds."""
        return self._at(version)[1]

    def get(self, version: int, key_hash: bytes) -> bytes | None:
        """Record hash under a key hash; None when there is none."""
        _require_hash(key_hash)
        leaf = _descend(self._at(version)[0], key_hash)[1]
        return leaf[32:64] if leaf is not None and leaf[:32] == key_hash else None

    def holding(self, version: int, keys: Sequence[bytes]) -> list[bytes]:
        """Those of many records' keys, hashed here, that a version holds, in the order asked.

        Any thread may ask while another makes the next version.
        """
        root = self._at(version)[0]
        return [key for key in keys if _is_held(root, sha256(key).digest())]

    def prove(self, version: int, key_hash: bytes) -> Existence | NonExistence:
        """Prove that a key hash is in a version, or that it is not."""
        _require_hash(key_hash)
        root = self._at(version)[0]
        leaf = _descend(root, key_hash)[1]
        if leaf is not None and leaf[:32] == key_hash:
            return Existence(_path(root, leaf))
        left = _neighbour(root, key_hash, Side.LEFT)
        right = _neighbour(root, key_hash, Side.RIGHT)
        return NonExistence(
            key_hash,
            None if left is None else _path(root, left),
            None if right is None else _path(root, right),
        )

    def parts(self, version: int, bits: int) -> list[bytes]:
        """Roots of the 2^bits parts of a version, in the order of their key hashes' first bits."""
        return roots_of(self._at(version)[0], bits)

    def grow(self, bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
        """Build one of 2^bits parts from (key hash, record hash), in the order of the key hashes.

        It belongs to no version yet. Raises `WrongPart` when a key hash belongs elsewhere, comes
        twice or is out of order.
        """
        return grow(bits, index, pairs)

    def plant(self, subtrees: Sequence[Subtree]) -> int:
        """Make a version of all its parts, grown by this body, and return its number."""
        return self._keep(*plant(subtrees))

    def memory(self) -> None:
        """Nothing: objects of Python are not counted."""

    def _keep(self, root: Node, size: int) -> int:
        """Give a new version its number."""
        version = self._next
        self._next += 1
        self._versions[version] = (root, size)
        return version

    def _at(self, version: int) -> tuple[Node, int]:
        """Root node and size of a version."""
        if version not in self._versions:
            raise UnknownVersion(version)
        return self._versions[version]


def _hashed(
    records: Iterable[tuple[bytes, bytes | None]],
) -> Iterator[tuple[bytes, bytes | None]]:
    """(key hash, record hash) for (key, record)."""
    for key, record in records:
        yield sha256(key).digest(), None if record is None else sha256(record).digest()


def _require_hash(value: bytes) -> None:
    """Refuse what is not a hash: it would silently lead to a wrong place."""
    if len(value) != HASH_BYTES:
        raise WrongLength(value)


def _is_held(root: Node, key_hash: bytes) -> bool:
    """Whether there is a leaf under a key hash."""
    leaf = _descend(root, key_hash)[1]
    return leaf is not None and leaf[:32] == key_hash


def _descend(root: Node, key_hash: bytes) -> tuple[list[tuple[Side, Node]], bytes | None]:
    """Follow a key down. Return the other child at each turn, and the leaf or None at the end."""
    others: list[tuple[Side, Node]] = []
    node = root
    depth = 0
    while isinstance(node, tuple):
        _, left, right = node
        if key_hash[depth >> 3] & (0x80 >> (depth & 7)):
            others.append((Side.LEFT, left))
            node = right
        else:
            others.append((Side.RIGHT, right))
            node = left
        depth += 1
    return others, node


def _path(root: Node, leaf: bytes) -> Path:
    """Path of a leaf that is in the tree."""
    others, _ = _descend(root, leaf[:32])
    siblings = tuple((side, hash_of(node)) for side, node in reversed(others))
    return Path(leaf[:32], leaf[32:64], siblings)


def _neighbour(root: Node, key_hash: bytes, side: Side) -> bytes | None:
    """Nearest leaf on one side of a key that is not in the tree; None when there is none."""
    others, end = _descend(root, key_hash)
    if end is not None and (end[:32] < key_hash) == (side is Side.LEFT):
        return end
    for other_side, node in reversed(others):
        if other_side is side and node is not None:
            return _edge(node, Side.RIGHT if side is Side.LEFT else Side.LEFT)
    return None


def _edge(node: Node, side: Side) -> bytes | None:
    """Outermost leaf of a subtree on one side; None when it is empty."""
    while isinstance(node, tuple):
        _, left, right = node
        near, far = (left, right) if side is Side.LEFT else (right, left)
        node = near or far  # an internal node has at least one child
    return node
