"""A block: its header, how it is hashed, and what the log keeps of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from tallystick.accel.merkle import merkle_root
from tallystick.ledger.receipt import Change, Receipt
from tallystick.ledger.transaction import BYTES_MAX, ChainId
from tallystick.values.codec import Struct, encode
from tallystick.values.units import AtMs, Hash32, Height, Signature64

HEADER_DOMAIN = b"tallystick/header/1"
"""Written before the header when it is hashed or signed."""
BLOCK_TRANSACTIONS_MAX = 100_000

ZERO_HASH = bytes(32)
"""Previous header of the first block."""


class Header(Struct):
    """What a block says of itself; its hash names the block."""

    chain_id: ChainId
    """Chain it belongs to."""
    height: Height
    """1 for the first block after genesis."""
    time_ms: AtMs
    """Block time that the engine agreed, in milliseconds; ledger time adds the clock's offset."""
    previous_hash: Hash32
    """Name of the block before: hash of its header, or of the engine's; zeros at height 1."""
    transactions_root: Hash32
    """Simple Merkle root of the ids of its transactions."""
    app_hash: Hash32
    """Simple Merkle root over receipts and state, after this block."""


class Entry(Struct):
    """Body of a block's entry in the log: all that a restart or an audit needs."""

    header: Header
    """The block's header."""
    ledger_ms: AtMs
    """Ledger time while it was executed, in milliseconds."""
    transactions: Annotated[
        tuple[Annotated[bytes, Meta(max_length=BYTES_MAX)], ...],
        Meta(max_length=BLOCK_TRANSACTIONS_MAX),
    ] = ()
    """Transactions as they travelled, in order."""
    receipts: Annotated[tuple[Receipt, ...], Meta(max_length=2 * BLOCK_TRANSACTIONS_MAX)] = ()
    """Receipts of timers, then of transactions, in order of execution."""
    changes: Annotated[
        tuple[Annotated[tuple[Change, ...], Meta(max_length=1_000_000)], ...],
        Meta(max_length=2 * BLOCK_TRANSACTIONS_MAX),
    ] = ()
    """Changes of each receipt, in key order; same length as `receipts`."""
    own_changes: Annotated[tuple[Change, ...], Meta(max_length=1_000_000)] = ()
    """Changes of the ledger itself: timers removed, used references."""
    receipts_root: Hash32
    """Root over the receipts of the last block that had any."""
    state_root: Hash32
    """Root of the state tree after this block."""
    signature: Signature64 | None = None
    """The node's signature over the header, by the key that genesis names; None under CometBFT."""
    engine_hash: Hash32 | None = None
    """Hash of the engine's block, which validators signed; None under the embedded engine."""

    @property
    def block_hash(self) -> bytes:
        """Name of the block, to which the next header refers."""
        return self.engine_hash or header_hash(self.header)


class EntryHead(Struct):
    """The fields of an entry that stand before its lists."""

    header: Header
    """The block's header."""
    ledger_ms: AtMs
    """Ledger time while it was executed, in milliseconds."""


def header_bytes(header: Header) -> bytes:
    """What is hashed and signed of a header."""
    return HEADER_DOMAIN + encode(header)


def header_hash(header: Header) -> bytes:
    """Name of a block."""
    return hashlib.sha256(header_bytes(header)).digest()


def receipts_root_of(receipts: tuple[Receipt, ...]) -> bytes:
    """Root over the receipts of a block."""
    return merkle_root([encode(receipt) for receipt in receipts])


def map_root(entries: Mapping[str, bytes]) -> bytes:
    """Root of a small map as CometBFT's SimpleMap does it: sorted keys, hashed values.

    ICS 23 `tendermint` spec: leaf = 0x00 ‖ varint(len key) ‖ key ‖ varint(32) ‖ SHA-256(value).
    """
    leaves = []
    for name in sorted(entries):
        key = name.encode()
        leaves.append(bytes([len(key)]) + key + b"\x20" + hashlib.sha256(entries[name]).digest())
    return merkle_root(leaves)


def app_hash_of(receipts_root: bytes, state_root: bytes) -> bytes:
    """The app hash: simple Merkle root of the map {receipts, state}."""
    return map_root({"receipts": receipts_root, "state": state_root})
