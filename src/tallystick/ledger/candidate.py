"""What executing a block gave: nothing is kept until an engine commits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import msgspec

from tallystick.accel import Accepted, Body, SealedBlock
from tallystick.ledger.app import Record
from tallystick.ledger.block import Entry, EntryHead, Header
from tallystick.ledger.overlay import Changed
from tallystick.ledger.receipt import Change, Outcome, Receipt
from tallystick.ledger.side import FINAL, RECEIPT, place_key, receipt_key
from tallystick.ledger.transaction import Transaction
from tallystick.values.codec import decode, encode, encode_key


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
    ids: tuple[bytes, ...]
    """Ids of the transactions of the block, those left out not among them."""
    raws: tuple[bytes, ...]
    """Their bytes as they travelled; all else of them is let go of once they were executed."""
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
    used: dict[int, bytes]
    """(sender, reference, transaction id) newly used, by expiry minute: an encoded list of each."""
    used_by: dict[tuple[str, str], tuple[int, bytes]]
    """The same as (sender, reference) to expiry minute and transaction id."""
    minutes_dropped: tuple[int, ...]
    """Expiry minutes whose lists are dropped."""

    @property
    def records(self) -> dict[bytes, Record | None]:
        """Net changes as records, for the cache."""
        return self.changed.records


@dataclass(frozen=True, slots=True)
class Dones:
    """What was executed in a block; a `Done` of what was accepted is made when it is asked for."""

    executed: tuple[Done | Accepted, ...]
    """Timers, then transactions, in order of execution."""
    sealed: SealedBlock
    """What has their receipts."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self.executed)

    def __iter__(self) -> Iterator[Done]:
        """All of them, in order."""
        return (self[place] for place in range(len(self.executed)))

    def __getitem__(self, place: int) -> Done:
        """One of them."""
        each = self.executed[place]
        if isinstance(each, Done):
            return each
        return Done(self.sealed.receipt(place), Outcome.ACCEPTED, *each)

    def places(self, height: int) -> dict[bytes, bytes | None]:
        """Side entries: where the receipts of transactions that were decided for all time stand."""
        found = self.sealed.places(RECEIPT, encode_key("at", height))
        if len(found) < len(self.executed):
            for position, each in enumerate(self.executed):
                if isinstance(each, Done) and each.transaction_id and each.outcome in FINAL:
                    found[receipt_key(each.transaction_id)] = place_key(height, position)
        return found


def sealed_by(body: Body, run: Run) -> Dones:
    """What was executed, with receipts, roots and lists, all made at once."""
    parts = tuple(
        [each if type(each) is tuple else _encoded(cast(Done, each)) for each in run.done]
    )
    return Dones(run.done, body.seal_block(parts, run.ids, run.raws))


def _encoded(done: Done) -> tuple[bytes, tuple[Change, ...]]:
    """Receipt and changes of what has its receipt already."""
    return done.encoded, done.changes


@dataclass(slots=True)
class Candidate:
    """A block executed over a state: changes, receipts, app hash."""

    header: Header
    """Its header."""
    ledger_ms: int
    """Ledger time while it was executed."""
    ids: tuple[bytes, ...]
    """Ids of the transactions of the block, those left out not among them."""
    raws: tuple[bytes, ...]
    """Their bytes as they travelled."""
    done: Dones
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
    used: dict[int, bytes] = field(default_factory=dict)
    """(sender, reference, transaction id) newly used, by expiry minute: an encoded list of each."""
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
    """What the log keeps of a block, without its transactions, receipts and their changes."""
    return Entry(
        header=candidate.header,
        ledger_ms=candidate.ledger_ms,
        own_changes=candidate.own_changes,
        receipts_root=candidate.receipts_root,
        state_root=candidate.state_root,
        signature=signature,
        engine_hash=engine_hash,
    )


def entry_bytes(candidate: Candidate, entry: Entry) -> bytes:
    """The whole entry, encoded: its lists stand after the fields of `EntryHead`."""
    whole = encode(entry)
    place = len(encode(EntryHead(header=entry.header, ledger_ms=entry.ledger_ms)))
    fields = whole[0] + bool(candidate.raws) + 2 * bool(len(candidate.done))
    return candidate.done.sealed.entry(bytes((fields,)) + whole[1:place], whole[place:])
