"""What every engine over a chain of its own answers alike: it reads the chain."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from tallystick.engine.base import Answer
from tallystick.engine.chain import Chain
from tallystick.ledger.block import Entry
from tallystick.ledger.proof import ReceiptProof, RecordProof, Seal
from tallystick.ledger.view import View


class ReadsChain(ABC):
    """The reading half of an engine (`base.Engine` says what each method means)."""

    chain: Chain

    @abstractmethod
    def now_ms(self) -> int:
        """Ledger time now, as far as this node can tell; it never goes back."""

    def view(self, *, asker: str | None = None, sees_all: bool = True) -> View:
        """State after the last committed block."""
        return self.chain.view(now_ms=self.now_ms(), asker=asker, sees_all=sees_all)

    def answer(self, transaction_id: bytes) -> Answer | None:
        """The final answer to a committed transaction, or None."""
        return self.chain.answer(transaction_id)

    def not_here_until_ms(self) -> int:
        """An unknown transaction that expires no later may be in a block that is not here."""
        return self.chain.not_here_until_ms

    def prove_record(self, key: bytes) -> RecordProof | None:
        """Proof that a key has its record, or none, after the last block; None before block 1."""
        return self.chain.prove_record(key)

    def prove_receipt(self, transaction_id: bytes) -> ReceiptProof | None:
        """Proof of a committed transaction's receipt; None when there is no such transaction."""
        return self.chain.prove_receipt(transaction_id)

    def seal(self) -> Seal | None:
        """The last block's header and roots; None before block 1."""
        return self.chain.seal()

    def entry(self, height: int) -> Entry:
        """A block as the log holds it."""
        return self.chain.entry(height)

    def entries(self, from_height: int) -> Iterator[Entry]:
        """Blocks from a height to the last one there is."""
        return self.chain.entries(from_height)
