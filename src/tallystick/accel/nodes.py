"""Nodes of the state tree: what they are, how they hash, how a sorted batch changes them.

The hashing rules are those of the Jellyfish Merkle tree (crate `jmt` 0.12) with SHA-256:

    empty     = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
    leaf      = SHA-256("JMT::LeafNode" ‖ key hash ‖ record hash)
    internal  = SHA-256("JMT::IntrnalNode" ‖ left ‖ right)

The bits of the key hash, most significant first, say left (0) or right (1). A subtree with one
leaf *is* that leaf, however deep it lies: so the same records give the same root, whatever the
order in which they came and went.

A node is never changed. That is why versions share nodes, and why plain objects do:

    None                    nothing
    bytes of 96             a leaf: key hash ‖ record hash ‖ its hash
    (hash, left, right)     an internal node

Bytes and tuples are the smallest that Python offers; the garbage collector stops looking at tuples
whose contents it need not look at, so a million of them cost it nothing.
"""

import gc
from bisect import bisect_left
from hashlib import sha256
from itertools import pairwise
from typing import TypeAlias

__all__ = ["EMPTY_ROOT", "Batch", "Node", "hash_internal", "hash_leaf", "hash_of"]

HASH_BYTES = 32
EMPTY_ROOT = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
LEAF_PREFIX = b"JMT::LeafNode"
INTERNAL_PREFIX = b"JMT::IntrnalNode"

MANY = 5_000
"""From so many leaves on a subtree is built without the cyclic collector."""

Node: TypeAlias = "bytes | tuple[bytes, Node, Node] | None"

# The mask that picks the bit of a depth out of its byte.
_MASK = tuple(0x80 >> (depth & 7) for depth in range(256))
# The mask that keeps the bits of a byte down to and including that of a depth.
_KEEP = tuple((0xFF00 >> ((depth & 7) + 1)) & 0xFF for depth in range(256))


def hash_leaf(key_hash: bytes, record_hash: bytes) -> bytes:
    """Hash of a leaf."""
    return sha256(LEAF_PREFIX + key_hash + record_hash).digest()


def hash_internal(left: bytes, right: bytes) -> bytes:
    """Hash of an internal node from the hashes of its children."""
    return sha256(INTERNAL_PREFIX + left + right).digest()


def hash_of(node: Node) -> bytes:
    """Hash of any node."""
    if node is None:
        return EMPTY_ROOT
    return node[64:] if isinstance(node, bytes) else node[0]


def make_leaf(key_hash: bytes, record_hash: bytes) -> bytes:
    """Make a leaf."""
    pair = key_hash + record_hash
    return pair + sha256(LEAF_PREFIX + pair).digest()


def join(left: Node, right: Node) -> Node:
    """Make the node over two children; a lone leaf is pulled up, nothing stays nothing."""
    if left is None:
        if right is None or isinstance(right, bytes):
            return right
        return (sha256(INTERNAL_PREFIX + EMPTY_ROOT + right[0]).digest(), None, right)
    if right is None:
        if isinstance(left, bytes):
            return left
        return (sha256(INTERNAL_PREFIX + left[0] + EMPTY_ROOT).digest(), left, None)
    left_hash = left[64:] if isinstance(left, bytes) else left[0]
    right_hash = right[64:] if isinstance(right, bytes) else right[0]
    return (sha256(INTERNAL_PREFIX + left_hash + right_hash).digest(), left, right)


def split(keys: list[bytes], low: int, high: int, depth: int) -> int:
    """Index of the first of the sorted `keys[low:high]` that turns right at `depth`.

    The keys agree in all bits above `depth`. Keys may be longer than 32 bytes: leaves will do.
    """
    at, mask = depth >> 3, _MASK[depth]
    if keys[low][at] & mask:
        return low
    last = keys[high - 1]
    if not last[at] & mask:
        return high
    pivot = last[:at] + bytes((last[at] & _KEEP[depth],))
    return bisect_left(keys, pivot, low + 1, high - 1)


def build(leaves: list[bytes], depth: int) -> Node:
    """Make the subtree at `depth` over sorted leaves, which share the bits above.

    One pass from left to right. Two neighbours part at their first different bit; the subtrees
    left of such a parting wait on a stack until a parting further up closes them. Written out as
    one loop: a state of a million records is built so at every start.
    """
    if len(leaves) < MANY or not gc.isenabled():
        return _build(leaves, depth)
    gc.disable()  # it would look at every new node again and again: that takes as long as the rest
    try:
        return _build(leaves, depth)
    finally:
        gc.enable()


def _build(leaves: list[bytes], depth: int) -> Node:
    """The loop of `build`."""
    if not leaves:
        return None
    keys = [int.from_bytes(leaf[:32], "big") for leaf in leaves]
    partings = [256 - (a ^ b).bit_length() for a, b in pairwise(keys)]
    partings.append(depth - 1)
    waiting: list[tuple[bytes, Node]] = []
    depths = [-2]
    node: Node = None
    for leaf, key, parting in zip(leaves, keys, partings, strict=True):
        node, hashed, level = leaf, leaf[64:], 0  # level 0: a leaf is pulled up, however far
        while depths[-1] > parting:
            above = depths.pop()
            if level > above + 1:
                node, hashed = _lift(node, hashed, key, level, above + 1)
            beside, left = waiting.pop()
            hashed = sha256(INTERNAL_PREFIX + beside + hashed).digest()
            node, level = (hashed, left, node), above
        if level > parting + 1:
            node, hashed = _lift(node, hashed, key, level, parting + 1)
        depths.append(parting)
        waiting.append((hashed, node))
    return node


def _lift(node: Node, hashed: bytes, key: int, level: int, to: int) -> tuple[Node, bytes]:
    """An internal node of a level as the only child at each depth above it, up to another."""
    for depth in range(level - 1, to - 1, -1):
        if key >> (255 - depth) & 1:
            hashed = sha256(INTERNAL_PREFIX + EMPTY_ROOT + hashed).digest()
            node = (hashed, None, node)
        else:
            hashed = sha256(INTERNAL_PREFIX + hashed + EMPTY_ROOT).digest()
            node = (hashed, node, None)
    return node, hashed


class Batch:
    """Changes on their way into a tree, in the order of their keys.

    The batch goes down from the root and parts at every node, so that a node above several
    changes is made and hashed once.
    """

    __slots__ = ("_keys", "_records", "added")

    def __init__(self, changes: dict[bytes, bytes | None]) -> None:
        """Sort the changes: key hash to record hash, or to None for a record that goes."""
        self._keys = sorted(changes)
        self._records = [changes[key] for key in self._keys]
        self.added = 0
        """Records that came less records that went, so far."""

    def apply(self, root: Node) -> Node:
        """Return the root that all changes make of `root`."""
        return self._update(root, 0, len(self._keys), 0)

    def _update(self, node: Node, low: int, high: int, depth: int) -> Node:
        """Return what changes `low` to `high` make of the subtree `node` at `depth`."""
        if high - low <= 1:
            return self._update_one(node, low, depth) if low < high else node
        if not isinstance(node, tuple):
            return self._rebuild(node, low, high, depth)
        middle = split(self._keys, low, high, depth)
        _, left, right = node
        new_left = self._update(left, low, middle, depth + 1)
        new_right = self._update(right, middle, high, depth + 1)
        if new_left is left and new_right is right:
            return node
        return join(new_left, new_right)

    def _rebuild(self, leaf: bytes | None, low: int, high: int, depth: int) -> Node:
        """Return what several changes make of a subtree that has at most one leaf."""
        if leaf is None:
            pairs = zip(self._keys[low:high], self._records[low:high], strict=True)
            leaves = [make_leaf(key, record) for key, record in pairs if record is not None]
            self.added += len(leaves)
            return build(leaves, depth)
        records = dict(zip(self._keys[low:high], self._records[low:high], strict=True))
        records.setdefault(leaf[:32], leaf[32:64])
        self.added -= 1
        leaves = [make_leaf(key, record) for key, record in records.items() if record is not None]
        leaves.sort()
        self.added += len(leaves)
        return build(leaves, depth)

    def _update_one(self, node: Node, index: int, depth: int) -> Node:
        """Return what one change makes of the subtree `node` at `depth`, without recursion."""
        key, record = self._keys[index], self._records[index]
        above = []
        below = node
        while isinstance(below, tuple):
            above.append(below)
            below = below[2] if key[depth >> 3] & _MASK[depth] else below[1]
            depth += 1
        changed = self._change_leaf(below, key, record, depth)
        if changed is below:
            return node
        while above:
            depth -= 1
            _, left, right = above.pop()
            turns_right = key[depth >> 3] & _MASK[depth]
            changed = join(left, changed) if turns_right else join(changed, right)
        return changed

    def _change_leaf(
        self, leaf: bytes | None, key: bytes, record: bytes | None, depth: int
    ) -> Node:
        """Return what one change makes of an empty place or a leaf; the same if nothing changes."""
        is_same_key = leaf is not None and leaf[:32] == key
        if record is None:
            self.added -= is_same_key
            return None if is_same_key else leaf
        if leaf is not None and leaf[:64] == key + record:
            return leaf
        made = make_leaf(key, record)
        self.added += not is_same_key
        if leaf is None or is_same_key:
            return made
        return build(sorted((leaf, made)), depth)
