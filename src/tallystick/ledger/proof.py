"""Proofs that anyone can check offline: record or receipt → root → app hash → signed header.

    record: SHA-256 of key and record → path in the state tree → state root ┐
    receipt: encoded receipt → path in the block's receipts → receipts root ┴ app hash → header

Whose signature makes the header worth believing is the chain's matter: under the embedded engine
that of the node key in the genesis.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from tallystick.accel import Existence, NonExistence, Path, Side
from tallystick.accel.proof import verify_absence, verify_existence
from tallystick.ledger.block import Entry, Header, app_hash_of
from tallystick.ledger.receipt import Receipt
from tallystick.values.codec import Struct, encode
from tallystick.values.units import Count, Hash32, Signature64

KEY_BYTES_MAX = 4_096
RECORD_BYTES_MAX = 4_000_000
TREE_DEPTH_MAX = 256
LIST_DEPTH_MAX = 32


class Seal(Struct):
    """A block's header, what its app hash is made of, and the signature under it."""

    header: Header
    """The block's header."""
    receipts_root: Hash32
    """Root over the receipts of the last block that had any."""
    state_root: Hash32
    """Root of the state tree after the block."""
    signature: Signature64 | None = None
    """The node's signature over the header; None when the engine's validators sign instead."""

    def is_consistent(self) -> bool:
        """Whether the two roots are those that the header's app hash commits to."""
        return app_hash_of(self.receipts_root, self.state_root) == self.header.app_hash


class Step(Struct, array_like=True):
    """One turn on the way up a tree: the other child."""

    is_left: bool
    """Whether the other child stands on the left."""
    hash: Hash32
    """Its hash."""


class TreePath(Struct):
    """The way from one leaf of the state tree to the root."""

    key_hash: Hash32
    """SHA-256 of the record's key."""
    record_hash: Hash32
    """SHA-256 of the encoded record."""
    steps: Annotated[tuple[Step, ...], Meta(max_length=TREE_DEPTH_MAX)] = ()
    """From the leaf up."""


class RecordClaim(Struct):
    """That a record is there, or that there is none with its key, under some state root."""

    key: Annotated[bytes, Meta(max_length=KEY_BYTES_MAX)]
    """State key asked for."""
    record: Annotated[bytes, Meta(max_length=RECORD_BYTES_MAX)] | None = None
    """The encoded record; None when there is none."""
    path: TreePath | None = None
    """Its leaf's way to the root; None when there is no record."""
    left: TreePath | None = None
    """For absence: the nearest smaller leaf; None when there is none."""
    right: TreePath | None = None
    """For absence: the nearest greater leaf; None when there is none."""

    def leads_to(self, state_root: bytes) -> bool:
        """Whether it is so in the state of that root."""
        key_hash = hashlib.sha256(self.key).digest()
        if self.record is None:
            return self.path is None and verify_absence(
                state_root, key_hash, _plain(self.left), _plain(self.right)
            )
        path = _plain(self.path)
        return (
            path is not None
            and self.left is None
            and self.right is None
            and path.key_hash == key_hash
            and path.record_hash == hashlib.sha256(self.record).digest()
            and verify_existence(state_root, path)
        )

    def evidence(self) -> Existence | NonExistence:
        """The tree's answer, as the tree gave it."""
        path = _plain(self.path)
        if path is not None:
            return Existence(path)
        key_hash = hashlib.sha256(self.key).digest()
        return NonExistence(key_hash, _plain(self.left), _plain(self.right))


class RecordProof(RecordClaim):
    """A claim about a record, and the block after which it holds."""

    seal: Seal
    """The block after which it holds."""

    def holds(self) -> bool:
        """Whether it proves what it says, given that its seal's header is believed."""
        return self.seal.is_consistent() and self.leads_to(self.seal.state_root)

    def claim(self) -> RecordClaim:
        """The claim alone."""
        return RecordClaim(
            key=self.key, record=self.record, path=self.path, left=self.left, right=self.right
        )


class ReceiptClaim(Struct):
    """That a transaction or timer has a receipt, under some receipts root."""

    receipt: Receipt
    """The receipt."""
    steps: Annotated[tuple[Step, ...], Meta(max_length=LIST_DEPTH_MAX)] = ()
    """From the receipt up to the receipts root."""

    def leads_to(self, receipts_root: bytes) -> bool:
        """Whether the receipt is one of those of that root."""
        value = hashlib.sha256(b"\x00" + encode(self.receipt)).digest()
        for step in self.steps:
            pair = step.hash + value if step.is_left else value + step.hash
            value = hashlib.sha256(b"\x01" + pair).digest()
        return value == receipts_root


class ReceiptProof(Struct):
    """That a transaction or timer has a receipt."""

    receipt: Receipt
    """The receipt."""
    position: Count
    """Its place among the block's receipts, from 0."""
    count: Count
    """How many receipts the block has."""
    steps: Annotated[tuple[Step, ...], Meta(max_length=LIST_DEPTH_MAX)] = ()
    """From the receipt up to the receipts root."""
    seal: Seal
    """The block that holds it."""

    def holds(self) -> bool:
        """Whether it proves what it says, given that its seal's header is believed."""
        if not self.seal.is_consistent() or not 0 <= self.position < self.count:
            return False
        if [step.is_left for step in self.steps] != _turns(self.position, self.count):
            return False
        return self.claim().leads_to(self.seal.receipts_root)

    def claim(self) -> ReceiptClaim:
        """The claim alone."""
        return ReceiptClaim(receipt=self.receipt, steps=self.steps)


def seal_of(entry: Entry) -> Seal:
    """What a block of the log says of itself."""
    return Seal(
        header=entry.header,
        receipts_root=entry.receipts_root,
        state_root=entry.state_root,
        signature=entry.signature,
    )


def record_proof(
    key: bytes, record: bytes | None, proof: Existence | NonExistence, seal: Seal
) -> RecordProof:
    """Put the tree's answer into the form that travels."""
    if isinstance(proof, Existence):
        return RecordProof(key=key, record=record, path=_packed(proof.path), seal=seal)
    return RecordProof(key=key, left=_packed(proof.left), right=_packed(proof.right), seal=seal)


def receipt_proof(entry: Entry, position: int) -> ReceiptProof:
    """Prove one receipt of a block."""
    level = [hashlib.sha256(b"\x00" + encode(each)).digest() for each in entry.receipts]
    steps: list[Step] = []
    place = position
    while len(level) > 1:
        if place ^ 1 < len(level):
            steps.append(Step(is_left=bool(place & 1), hash=level[place ^ 1]))
        level = _level_above(level)
        place >>= 1
    return ReceiptProof(
        receipt=entry.receipts[position],
        position=position,
        count=len(entry.receipts),
        steps=tuple(steps),
        seal=seal_of(entry),
    )


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    """Pair neighbours; an odd last one moves up unpaired."""
    above = [
        hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest()
        for i in range(0, len(level) - 1, 2)
    ]
    return above + list(level[-1:]) if len(level) % 2 else above


def _turns(position: int, count: int) -> list[bool]:
    """For a place in a list of so many: at each turn, whether the other child is on the left."""
    turns = []
    while count > 1:
        if position ^ 1 < count:
            turns.append(bool(position & 1))
        position >>= 1
        count = (count + 1) >> 1
    return turns


def _packed(path: Path | None) -> TreePath | None:
    """A path of the tree as it travels."""
    if path is None:
        return None
    steps = tuple(Step(is_left=side is Side.LEFT, hash=hash_) for side, hash_ in path.siblings)
    return TreePath(key_hash=path.key_hash, record_hash=path.record_hash, steps=steps)


def _plain(path: TreePath | None) -> Path | None:
    """A path as the tree's checks take it."""
    if path is None:
        return None
    siblings = tuple((Side.LEFT if s.is_left else Side.RIGHT, s.hash) for s in path.steps)
    return Path(path.key_hash, path.record_hash, siblings)
