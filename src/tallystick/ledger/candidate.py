"""What executing a block gave: nothing is kept until an engine commits it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import msgspec
from msgspec import Raw

from tallystick.accel import Accepted
from tallystick.ledger.app import Record
from tallystick.ledger.block import Entry, Header
from tallystick.ledger.overlay import Changed
from tallystick.ledger.receipt import Change, Outcome, Receipt
from tallystick.ledger.side import Use
from tallystick.ledger.transaction import Transaction
from tallystick.values.codec import decode, encode


class Done(msgspec.Struct, frozen=True, gc=False):
    """One transaction or timer that was executed."""

    encoded: bytes
    """The receipt as it is hashed and stored."""
    outcome: Outcome
    """How it ended."""
    transaction_id: bytes | None
    """Id of the transaction; None for a timer."""
    ids: tuple[str, ...] = ()
    """Ids of the records made, in the order made."""
    changes: tuple[Change, ...] = ()
    """What it changed, in key order."""

    @property
    def receipt(self) -> Receipt:
        """The receipt, read from its bytes each time it is asked for."""
        return decode(Receipt, self.encoded)


def done_of(receipt: Receipt, changes: tuple[Change, ...] = ()) -> Done:
    """What was executed, from its receipt."""
    return Done(encode(receipt), receipt.outcome, receipt.transaction_id, receipt.ids, changes)


class LeftOut(msgspec.Struct, frozen=True, gc=False):
    """A transaction that is not in the block: duplicate, expired, unauthorised or reused."""

    transaction: Transaction
    """The transaction."""
    receipt: Receipt | None
    """The answer, for unauthorised and reused; None for a duplicate or an expired one."""


@dataclass(frozen=True, slots=True)
class Run:
    """A block executed over what came before it: changes and receipts, no roots yet."""

    height: int
    """Its height."""
    time_ms: int
    """Its block time."""
    ledger_ms: int
    """Ledger time while it was executed."""
    transactions: tuple[Transaction, ...]
    """Transactions of the block, those left out not among them."""
    done: tuple[Done | Accepted, ...]
    """Timers, then transactions, in order of execution; receipts of accepted ones come later."""
    left_out: tuple[LeftOut, ...]
    """Transactions that were offered and do not belong into the block."""
    own_changes: tuple[Change, ...]
    """The ledger's own changes, in key order."""
    changed: Changed
    """Net changes as records; what came before the block is let go of."""
    writes: dict[bytes, bytes | None]
    """Net changes as bytes, for the store and the tree."""
    used: dict[int, list[Use]]
    """(sender, reference, transaction id) newly used, by expiry minute."""
    used_by: dict[tuple[str, str], tuple[int, bytes]]
    """The same as (sender, reference) to expiry minute and transaction id."""
    minutes_dropped: tuple[int, ...]
    """Expiry minutes whose lists are dropped."""

    @property
    def records(self) -> dict[bytes, Record | None]:
        """Net changes as records, for the cache."""
        return self.changed.records


@dataclass(slots=True)
class Candidate:
    """A block executed over a state: changes, receipts, app hash."""

    header: Header
    """Its header."""
    ledger_ms: int
    """Ledger time while it was executed."""
    transactions: tuple[Transaction, ...]
    """Transactions of the block, those left out not among them."""
    done: tuple[Done, ...]
    """Timers, then transactions, in order of execution."""
    left_out: tuple[LeftOut, ...]
    """Transactions that were offered and do not belong into the block."""
    own_changes: tuple[Change, ...]
    """The ledger's own changes, in key order."""
    records: dict[bytes, Record | None]
    """Net changes as records, for the cache."""
    touched: dict[str, list[bytes]]
    """Their keys by record name."""
    writes: dict[bytes, bytes | None]
    """Net changes as bytes, for the store and the tree."""
    used: dict[int, list[Use]] = field(default_factory=dict)
    """(sender, reference, transaction id) newly used, by expiry minute."""
    used_by: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    """The same as (sender, reference) to expiry minute and transaction id."""
    minutes_dropped: tuple[int, ...] = ()
    """Expiry minutes whose lists are dropped."""
    receipts_root: bytes = b""
    """Root over the receipts of the last block that had any."""
    tree_version: int = 0
    """Version of the state tree after the block."""
    state_root: bytes = b""
    """Root of that version."""


def entry_of(candidate: Candidate, *, signature: bytes | None, engine_hash: bytes | None) -> Entry:
    """What the log keeps of a block; its receipts as the bytes that were hashed."""
    return Entry(
        header=candidate.header,
        ledger_ms=candidate.ledger_ms,
        transactions=tuple([each.raw for each in candidate.transactions]),
        receipts=cast(tuple[Receipt, ...], tuple([Raw(done.encoded) for done in candidate.done])),
        changes=tuple([done.changes for done in candidate.done]),
        own_changes=candidate.own_changes,
        receipts_root=candidate.receipts_root,
        state_root=candidate.state_root,
        signature=signature,
        engine_hash=engine_hash,
    )
