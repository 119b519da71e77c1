"""Good signatures, remembered: each transaction is verified once in a node.

The verdict is kept under the hash of the whole bytes, keys and signatures included, so it can only
ever be what verifying again would say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tallystick.accel import KnownGood, KnownTable, NotOpened, OpenedBatch, verify
from tallystick.ledger.transaction import Transaction

VERDICTS_KEPT = 200_000
"""Transactions whose good signatures are remembered: the newest half of them for certain."""

OpenBatch = Callable[[Sequence[bytes]], OpenedBatch]
"""Opens and hashes many transactions, to verify those of them that are asked about."""


class Verdicts:
    """Checks signatures, those of bytes seen before without work. For any thread."""

    def __init__(
        self,
        open_batch: OpenBatch,
        *,
        kept: int = VERDICTS_KEPT,
        known_good: Callable[[int], KnownGood] = KnownTable,
    ) -> None:
        """Remember nothing yet; the table of Python takes whatever opens batches."""
        self.open = open_batch
        """What opens transactions before they are read and verified."""
        self._known = known_good(kept)
        self._lock = threading.Lock()
        self.signatures = 0
        """Signatures verified so far."""
        self.hits = 0
        """Transactions whose verdict was known already."""

    def bad_keys(self, batch: OpenedBatch, read: Sequence[object]) -> dict[int, bytes]:
        """By place the first key whose signature is bad, of what was read as a transaction.

        `read` says for each place of the batch what came of it; what is no transaction is passed
        over.
        """
        places = [place for place, each in enumerate(read) if type(each) is Transaction]
        if not places:
            return {}
        try:
            firsts, hits, signatures = self._known.check(batch, places)
        except NotOpened:
            asked = [each for each in read if isinstance(each, Transaction)]
            firsts, hits, signatures = _one_by_one(asked)
        with self._lock:
            self.signatures += signatures
            self.hits += hits
        if max(firsts) < 0:
            return {}
        return {
            place: each.public_keys[first]
            for place, first in zip(places, firsts, strict=True)
            if first >= 0 and isinstance(each := read[place], Transaction)
        }


def _one_by_one(transactions: Sequence[Transaction]) -> tuple[list[int], int, int]:
    """The same of what its batch did not open.

    A fast body that opens too little is slow, and never says anything else.
    """
    firsts = [_first_bad(each) for each in transactions]
    return firsts, 0, sum([len(each.public_keys) for each in transactions])


def _first_bad(transaction: Transaction) -> int:
    """Position of the first signature that is bad, or -1."""
    verdicts = [verify(*each) for each in transaction.triples()]
    return -1 if all(verdicts) else verdicts.index(False)
