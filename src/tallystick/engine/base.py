"""The seam between the ledger and whatever orders its transactions.

An engine orders, brings the block time, has the ledger execute, makes the block durable, and only
then publishes it. The same blocks through any engine give the same receipts and roots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, overload

from msgspec import Struct

from tallystick.accel import Accepted
from tallystick.ledger.block import Entry, Header
from tallystick.ledger.candidate import Done, Dones
from tallystick.ledger.proof import ReceiptProof, RecordProof, Seal
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.ledger.transaction import Transaction
from tallystick.ledger.view import View


class Busy(Exception):
    """An engine takes nothing now: the same transactions may be handed to it again later."""

    def __init__(self, reason: str, *, retry_ms: int = 500) -> None:
        """Say why: the queue is full, the disk is full, the engine has ended."""
        super().__init__(reason)
        self.reason = reason
        self.retry_ms = retry_ms
        """After how long the same may be tried again, in milliseconds."""


class Answer(Struct, frozen=True, gc=False):
    """What became of a transaction."""

    transaction_id: bytes
    """The transaction."""
    told: Done | Receipt | None
    """What was executed, or the receipt of what was not.

    None when it expired before it could be ordered, or its block is not here.
    """
    height: int | None
    """Block that holds it; None for an answer outside the chain (unauthorised, reused, expired).

    Without a receipt: one at or before which it was committed, and which this node does not have.
    """
    raw: bytes = b""
    """Bytes that are answered: the same transaction may be offered under other signatures too."""

    @property
    def receipt(self) -> Receipt | None:
        """Its receipt, which may have to be read; None when there is none."""
        return self.told.receipt if isinstance(self.told, Done) else self.told

    @property
    def outcome(self) -> Outcome | None:
        """What its receipt says of it; None when there is none."""
        return None if self.told is None else self.told.outcome


@dataclass(frozen=True, slots=True)
class Answers(Sequence[Answer]):
    """What became of a block's transactions; an `Answer` is made when somebody asks for it."""

    height: int
    """Height of the block."""
    ids: tuple[bytes, ...]
    """Ids of its transactions."""
    raws: tuple[bytes, ...]
    """Their bytes."""
    done: Dones
    """What came of timers, then of the transactions."""
    others: tuple[Answer, ...] = ()
    """Answers to what was left out of it."""

    @property
    def told(self) -> tuple[Done | Accepted, ...]:
        """What came of each transaction of the block."""
        return self.done.executed[len(self.done) - len(self.ids) :]

    def unhappened(self) -> list[Answer]:
        """Answers to all that was not accepted."""
        told = enumerate(self.told)
        return [*(self[place] for place, each in told if isinstance(each, Done)), *self.others]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ids) + len(self.others)

    @overload
    def __getitem__(self, place: int) -> Answer: ...
    @overload
    def __getitem__(self, place: slice) -> list[Answer]: ...
    def __getitem__(self, place: int | slice) -> Answer | list[Answer]:
        """One of them, or several."""
        if isinstance(place, slice):
            return [self[each] for each in range(len(self))[place]]
        count = len(self.ids)
        place = range(len(self))[place]
        if place >= count:
            return self.others[place - count]
        done = self.done[place + len(self.done) - count]
        return Answer(self.ids[place], done, self.height, self.raws[place])


@dataclass(frozen=True, slots=True)
class Committed:
    """A block that is durable, or answers that needed no block."""

    header: Header
    """Its header."""
    header_hash: bytes
    """Its name; empty when no block was made."""
    ledger_ms: int
    """Ledger time while it was executed."""
    answers: Sequence[Answer]
    """Answers to what was offered: those in the block, and those left out of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an engine is doing; what status and gauges show."""

    height: int
    """Height of the last committed block."""
    block_ms: int
    """Its block time, in milliseconds."""
    ledger_ms: int
    """Its ledger time, in milliseconds."""
    state_root: bytes
    """Root of the state after it."""
    queued: int
    """Transactions that wait for a block."""
    blocks: int
    """Blocks made since the engine was started."""
    transactions: int
    """Transactions in those blocks."""
    trouble: str
    """What keeps it from making blocks, e.g. no space left; empty when nothing does."""
    ahead: int = 0
    """Blocks that were executed and are not durable yet."""


class Engine(Protocol):
    """Orders transactions. Every method may be called from any thread."""

    @property
    def keeps(self) -> bool:
        """Whether what `submit` took is handed in again after any crash, until it is decided."""

    def start(self, *, ended: Callable[[BaseException | None], None] | None = None) -> None:
        """Begin to make blocks; `ended` is called once it makes no more, with what ended it."""

    def stop(self) -> None:
        """Finish the block at hand, make the state durable, and end."""

    def submit(self, transactions: Sequence[Transaction]) -> None:
        """Take transactions whose signatures were checked; raises `Busy` and then takes none.

        Answers come through the listeners.
        """

    def kept(self) -> Sequence[Transaction]:
        """What was taken before this process began, and has no answer yet."""

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call with every committed block, in order, on one thread of the engine's."""

    def now_ms(self) -> int:
        """Ledger time now, as far as this node can tell; it never goes back."""

    def standing(self) -> Standing:
        """How the engine is doing."""

    def view(self, *, asker: str | None = None, sees_all: bool = True) -> View:
        """State after the last committed block."""

    def answer(self, transaction_id: bytes) -> Answer | None:
        """The final answer to a committed transaction, or None."""

    def not_here_until_ms(self) -> int:
        """An unknown transaction that expires no later may be in a block that is not here.

        Ledger time; 0 when this node has every block.
        """

    def prove_record(self, key: bytes) -> RecordProof | None:
        """Proof that a key has its record, or none, after the last block; None before block 1."""

    def prove_receipt(self, transaction_id: bytes) -> ReceiptProof | None:
        """Proof of a committed transaction's receipt; None when there is no such transaction."""

    def seal(self) -> Seal | None:
        """The last block's signed header and roots; None before block 1."""

    def entry(self, height: int) -> Entry:
        """A block as the log holds it."""

    def entries(self, from_height: int) -> Iterator[Entry]:
        """Blocks from a height to the last one there is."""
