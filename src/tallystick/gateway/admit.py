"""Which bytes may come in at all: size, form, chain, horizon, signatures."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from tallystick.ledger.execute import Ledger
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import Transaction

VERDICTS_KEPT = 100_000
"""Transactions whose good signatures are remembered."""

VerifyBatch = Callable[[Sequence[tuple[bytes, bytes, bytes]]], list[bool]]
"""Checks many signatures: (key, message, signature)."""


class Admission:
    """Reads and verifies transactions, many at a time. For one thread at a time."""

    def __init__(
        self, ledger: Ledger, verify_batch: VerifyBatch, *, verdicts_kept: int = VERDICTS_KEPT
    ) -> None:
        """Admit what belongs to the ledger's chain."""
        self._ledger = ledger
        self._verdicts_kept = verdicts_kept
        self._verify_batch = verify_batch
        self._verified: dict[bytes, None] = {}
        self.signatures = 0
        """Signatures verified so far."""

    def admit(self, raws: Sequence[bytes], now_ms: int) -> list[Transaction | Refused]:
        """For each in order: the transaction, or why it does not come in.

        Whether it has expired is not asked here: only a committed block's time can tell.
        """
        read = [self._read(raw, now_ms) for raw in raws]
        digests = [hashlib.sha256(raw).digest() for raw in raws]
        new = [
            (place, each)
            for place, each in enumerate(read)
            if isinstance(each, Transaction) and digests[place] not in self._verified
        ]
        verdicts = self._verify([transaction for _, transaction in new])
        for (place, _), bad_key in zip(new, verdicts, strict=True):
            if bad_key is None:
                self._remember(digests[place])
            else:
                read[place] = Refused(Refusal.BAD_SIGNATURE, {"public_key": bad_key.hex()})
        return read

    def _read(self, raw: bytes, now_ms: int) -> Transaction | Refused:
        """Decode, and compare with the chain and its horizon."""
        try:
            transaction = self._ledger.codec.decode(raw)
            body = transaction.body
            require(
                body.chain_id == self._ledger.chain_id,
                Refusal.WRONG_CHAIN,
                chain_id=body.chain_id,
            )
            horizon_ms = self._ledger.genesis.horizon_ms
            require(
                body.expires_at_ms <= now_ms + horizon_ms,
                Refusal.EXPIRY_TOO_FAR,
                expires_at_ms=body.expires_at_ms,
                horizon_ms=horizon_ms,
            )
        except Refused as no:
            return no
        return transaction

    def _verify(self, transactions: Sequence[Transaction]) -> list[bytes | None]:
        """For each the first key whose signature is bad, None when all are good."""
        triples = [triple for each in transactions for triple in each.triples()]
        if not triples:
            return [None] * len(transactions)
        self.signatures += len(triples)
        verdicts = iter(self._verify_batch(triples))
        found = []
        for transaction in transactions:
            bad = [s.public_key for s in transaction.signatures if not next(verdicts)]
            found.append(bad[0] if bad else None)
        return found

    def _remember(self, digest: bytes) -> None:
        """Keep a good verdict; the oldest goes when there are too many."""
        if len(self._verified) >= self._verdicts_kept:
            del self._verified[next(iter(self._verified))]
        self._verified[digest] = None
