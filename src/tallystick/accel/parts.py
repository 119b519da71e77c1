"""The tree in 2^bits parts: all records whose key hash begins with the same bits are one part.

A part's root is that of its records' subtree at depth `bits`: of no record the empty root, of one
record its leaf's hash, however deep the leaf would lie. The roots of all parts and how many records
each has give the root of the whole: so each part can be checked as it comes, alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tallystick.accel.errors import WrongLength, WrongPart
from tallystick.accel.nodes import (
    EMPTY_ROOT,
    HASH_BYTES,
    Node,
    build,
    hash_internal,
    hash_of,
    join,
    make_leaf,
)

BITS_MAX = 16
"""Into no more than 65,536 parts is a tree divided."""


@dataclass(frozen=True, slots=True)
class Subtree:
    """One part, built from its records."""

    root: bytes
    """Its root."""
    size: int
    """How many records it holds."""
    node: Any = field(repr=False, compare=False)
    """What the body that grew it keeps of it; nobody else looks inside."""


def fold(parts: Sequence[tuple[bytes, int]]) -> bytes:
    """Root of the whole from (root, number of records) of each part, in the order of their bits."""
    level = [(root, min(size, 2)) for root, size in parts]
    _require_count(len(level))
    while len(level) > 1:
        level = [_above(left, right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0][0] if level[0][1] else EMPTY_ROOT


def _above(left: tuple[bytes, int], right: tuple[bytes, int]) -> tuple[bytes, int]:
    """What stands above two neighbours: a lone leaf is pulled up, nothing stays nothing."""
    size = left[1] + right[1]
    if size < 2:
        return (left if left[1] else right) if size else (EMPTY_ROOT, 0)
    roots = [root if size else EMPTY_ROOT for root, size in (left, right)]
    return hash_internal(*roots), 2


def grow(bits: int, index: int, pairs: Iterable[tuple[bytes, bytes]]) -> Subtree:
    """Build part `index` from (key hash, record hash), in the order of the key hashes.

    `WrongPart` when a key hash belongs elsewhere, comes twice or is out of order.
    """
    _require_count(1 << bits if 0 <= bits <= BITS_MAX else 0)
    shift = HASH_BYTES * 8 - bits
    leaves = []
    before = b""
    for key_hash, record_hash in pairs:
        if len(key_hash) != HASH_BYTES or len(record_hash) != HASH_BYTES:
            raise WrongLength(record_hash if len(key_hash) == HASH_BYTES else key_hash)
        if key_hash <= before:
            raise WrongPart(f"a record of part {index} is out of order or comes twice")
        before = key_hash
        leaves.append(make_leaf(key_hash, record_hash))
    for leaf in leaves[:1] + leaves[-1:]:  # in order: what lies between belongs here as well
        if int.from_bytes(leaf[:HASH_BYTES], "big") >> shift != index:
            raise WrongPart(f"a record does not belong to part {index} of {1 << bits}")
    node = build(leaves, bits)
    return Subtree(hash_of(node), len(leaves), node)


def plant(subtrees: Sequence[Subtree]) -> tuple[Node, int]:
    """The whole from all its parts, in the order of their bits; and how many records it has."""
    nodes: list[Node] = [subtree.node for subtree in subtrees]
    _require_count(len(nodes))
    while len(nodes) > 1:
        nodes = [join(left, right) for left, right in zip(nodes[::2], nodes[1::2], strict=True)]
    return nodes[0], sum(subtree.size for subtree in subtrees)


def roots_of(root: Node, bits: int) -> list[bytes]:
    """Roots of all parts of a tree, in the order of their bits."""
    _require_count(1 << bits if 0 <= bits <= BITS_MAX else 0)
    nodes: list[Node] = [root]
    for depth in range(bits):
        nodes = [below for node in nodes for below in _below(node, depth)]
    return [hash_of(node) for node in nodes]


def _below(node: Node, depth: int) -> tuple[Node, Node]:
    """The two halves of a part; a lone leaf goes where its key belongs."""
    if isinstance(node, tuple):
        return node[1], node[2]
    if node is None or not node[depth >> 3] & 0x80 >> (depth & 7):
        return node, None
    return None, node


def _require_count(count: int) -> None:
    """A number of parts is a power of two, and not too large."""
    if count < 1 or count & (count - 1) or count > 1 << BITS_MAX:
        raise WrongPart(f"a tree is not divided into {count} parts")
