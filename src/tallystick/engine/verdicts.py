"""Good signatures, remembered: each transaction is verified once in a node.

The verdict is kept under the hash of the whole bytes, keys and signatures included, so it can only
ever be what verifying again would say.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Sequence

from tallystick.ledger.transaction import Transaction

VERDICTS_KEPT = 200_000
"""Transactions whose good signatures are remembered."""

VerifyBatch = Callable[[Sequence[tuple[bytes, bytes, bytes]]], list[bool]]
"""Checks many signatures: (key, message, signature)."""


class Verdicts:
    """Checks signatures, those of bytes seen before without work. For any thread."""

    def __init__(self, verify_batch: VerifyBatch, *, kept: int = VERDICTS_KEPT) -> None:
        """Remember nothing yet."""
        self._verify_batch = verify_batch
        self._kept = kept
        self._good: dict[bytes, None] = {}
        self._lock = threading.Lock()
        self.signatures = 0
        """Signatures verified so far."""
        self.hits = 0
        """Transactions whose verdict was known already."""

    def bad_keys(self, transactions: Sequence[Transaction]) -> list[bytes | None]:
        """For each the first key whose signature is bad, None when all are good."""
        digests = [hashlib.sha256(each.raw).digest() for each in transactions]
        found: list[bytes | None] = [None] * len(transactions)
        with self._lock:
            new = [place for place, digest in enumerate(digests) if digest not in self._good]
        triples = [triple for place in new for triple in transactions[place].triples()]
        verdicts = iter(self._verify_batch(triples) if triples else ())
        for place in new:
            bad = [s.public_key for s in transactions[place].signatures if not next(verdicts)]
            found[place] = bad[0] if bad else None
        with self._lock:
            self.signatures += len(triples)
            self.hits += len(transactions) - len(new)
            for place in new:
                if found[place] is None:
                    self._remember(digests[place])
        return found

    def _remember(self, digest: bytes) -> None:
        """Keep a good verdict; the oldest goes when there are too many."""
        if len(self._good) >= self._kept:
            del self._good[next(iter(self._good))]
        self._good[digest] = None
