"""What a node says of itself and of its blocks; shared by its door and its clients."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from tallystick.ledger.block import BLOCK_TRANSACTIONS_MAX
from tallystick.ledger.proof import Seal
from tallystick.ledger.receipt import Change, Receipt
from tallystick.ledger.transaction import BYTES_MAX, ChainId
from tallystick.values.codec import Struct
from tallystick.values.units import AtMs, Count, Hash32, Text


class NodeStatus(Struct):
    """How a node is doing."""

    chain_id: ChainId
    """Chain it belongs to."""
    genesis_hash: Hash32
    """SHA-256 of the genesis."""
    release: Text
    """Release of the software, e.g. `0.1.0`."""
    height: Annotated[int, Meta(ge=0)]
    """Height of the last committed block; 0 before the first."""
    block_ms: AtMs
    """Its block time, in milliseconds."""
    ledger_ms: AtMs
    """Ledger time now, as far as the node can tell, in milliseconds."""
    committed_ms: AtMs
    """Ledger time of the last committed block, in milliseconds."""
    horizon_ms: Annotated[int, Meta(ge=0)]
    """How far ahead of ledger time an expiry may lie, in milliseconds."""
    state_root: Hash32
    """Root of the state after the last block."""
    queued: Count
    """Transactions that wait for a block."""
    trial: bool = False
    """Whether named members may move the clock forward."""
    demo: bool = False
    """Whether this is a demonstration."""
    trouble: Text = ""
    """What keeps the node from making blocks; empty when nothing does."""
    clock_trouble: Text = ""
    """What is wrong with the machine's clock; empty when nothing is."""


class TransactionView(Struct):
    """A transaction of a block, as the asker may see it."""

    transaction_id: Hash32
    """Its id."""
    size: Count
    """Its length, in bytes."""
    raw: Annotated[bytes, Meta(max_length=BYTES_MAX)] | None = None
    """Its bytes; None when it is others'."""
    receipt: Receipt | None = None
    """What became of it; None when it is others'."""


class BlockView(Struct):
    """A block, as the asker may see it."""

    seal: Seal
    """Header, roots and signature."""
    ledger_ms: AtMs
    """Ledger time while it was executed, in milliseconds."""
    transactions: Annotated[
        tuple[TransactionView, ...], Meta(max_length=BLOCK_TRANSACTIONS_MAX)
    ] = ()
    """Its transactions, in order."""
    changes: Annotated[tuple[Change, ...], Meta(max_length=2_000_000)] = ()
    """Records changed, in order of execution, as far as the asker may see them."""
