"""The seam between the ledger and whatever orders its transactions.

An engine orders, brings the block time, has the ledger execute, makes the block durable, and only
then publishes it. The same blocks through any engine give the same receipts and roots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tallystick.ledger.block import Entry, Header
from tallystick.ledger.receipt import Receipt
from tallystick.ledger.transaction import Transaction
from tallystick.ledger.view import View


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a transaction."""

    transaction_id: bytes
    """The transaction."""
    receipt: Receipt | None
    """Its receipt; None when it expired before it could be ordered."""
    height: int | None
    """Block that holds it; None for an answer outside the chain (unauthorised, reused, expired)."""


@dataclass(frozen=True, slots=True)
class Committed:
    """A block that is durable."""

    header: Header
    """Its header."""
    header_hash: bytes
    """Its name."""
    ledger_ms: int
    """Ledger time while it was executed."""
    answers: tuple[Answer, ...]
    """Answers to what was offered: those in the block, and those left out of it."""


class Engine(Protocol):
    """Orders transactions. Every method may be called from any thread."""

    def start(self) -> None:
        """Begin to make blocks."""

    def stop(self) -> None:
        """Finish the block at hand, make the state durable, and end."""

    def submit(self, transactions: Sequence[Transaction]) -> None:
        """Take transactions whose signatures were checked; raises `Busy` when the queue is full.

        Answers come through the listeners.
        """

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call with every committed block, in order, on the engine's thread."""

    def view(self, *, asker: str | None = None, sees_all: bool = True) -> View:
        """State after the last committed block."""

    def answer(self, transaction_id: bytes) -> Answer | None:
        """The final answer to a committed transaction, or None."""

    def entry(self, height: int) -> Entry:
        """A block as the log holds it."""

    def entries(self, from_height: int) -> Iterator[Entry]:
        """Blocks from a height to the last one there is."""
