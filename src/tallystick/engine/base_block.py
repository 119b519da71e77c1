"""The block after which a node's own history begins, if that is not the genesis."""

from __future__ import annotations

from tallystick.ledger.block import Entry
from tallystick.ledger.state import Tip
from tallystick.values.codec import Struct
from tallystick.values.units import AtMs, Hash32, Height


class BaseBlock(Struct):
    """The last block that is not in the log: a snapshot's, or the last one that was pruned."""

    height: Height
    """Its height, e.g. 120000."""
    name: Hash32
    """Its name, to which the header of the next block refers."""
    time_ms: AtMs
    """Its block time, in milliseconds."""
    ledger_ms: AtMs
    """Ledger time while it was executed, in milliseconds."""
    receipts_root: Hash32
    """Root over the receipts of the last block up to it that had any."""
    state_root: Hash32
    """Root of the state tree after it."""

    def tip(self) -> Tip:
        """Where a chain stands that has no block after it."""
        return Tip(self.height, self.time_ms, self.name, self.receipts_root)


def base_of(entry: Entry) -> BaseBlock:
    """A block of the log as the one before the first."""
    return BaseBlock(
        height=entry.header.height,
        name=entry.block_hash,
        time_ms=entry.header.time_ms,
        ledger_ms=entry.ledger_ms,
        receipts_root=entry.receipts_root,
        state_root=entry.state_root,
    )
