"""Good signatures, remembered: each transaction is verified once in a node.

The verdict is kept under the hash of the whole bytes, keys and signatures included, so it can only
ever be what verifying again would say.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from tallystick.accel import OpenedBatch, verify
from tallystick.ledger.transaction import Transaction

VERDICTS_KEPT = 200_000
"""Transactions whose good signatures are remembered: the newest half of them for certain."""

OpenBatch = Callable[[Sequence[bytes]], OpenedBatch]
"""Opens and hashes many transactions, to verify those of them that are asked about."""


class Verdicts:
    """Checks signatures, those of bytes seen before without work. For any thread."""

    def __init__(self, open_batch: OpenBatch, *, kept: int = VERDICTS_KEPT) -> None:
        """Remember nothing yet."""
        self.open = open_batch
        """What opens transactions before they are read and verified."""
        self._kept = kept
        self._good: set[bytes] = set()
        self._older: set[bytes] = set()
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
        digests, good, older = batch.digests, self._good, self._older
        new = {place: each for place, each in enumerate(read) if type(each) is Transaction}
        hits = 0
        if not (good.isdisjoint(digests) and older.isdisjoint(digests)):
            asked = len(new)
            new = {
                place: each
                for place, each in new.items()
                if digests[place] not in good and digests[place] not in older
            }
            hits = asked - len(new)
        firsts = _verified(batch, new)
        bad = {}
        if max(firsts, default=-1) >= 0:
            verdicts = zip(new, firsts, strict=True)
            bad = {place: new[place].public_keys[first] for place, first in verdicts if first >= 0}
        with self._lock:
            self.signatures += sum([len(each.public_keys) for each in new.values()])
            self.hits += hits
            self._remember([digests[place] for place in new if place not in bad])
        return bad

    def _remember(self, digests: list[bytes]) -> None:
        """Keep good verdicts, under the lock; the older half goes when there are too many."""
        half = max(self._kept // 2, 1)
        for start in range(0, len(digests), half):
            part = digests[start : start + half]
            if len(self._good) + len(part) > half:
                self._older, self._good = self._good, set()
            self._good.update(part)


def _verified(batch: OpenedBatch, transactions: Mapping[int, Transaction]) -> list[int]:
    """For each place -1, or the position of the first signature that is bad.

    What was read although the batch did not open it is verified by itself: a fast body that opens
    too little is slow, and never says anything else.
    """
    opened = batch.opened
    if all(opened) or all(opened[place] is not None for place in transactions):
        return batch.verify(list(transactions)) if transactions else []
    return [_first_bad(each) for each in transactions.values()]


def _first_bad(transaction: Transaction) -> int:
    """Position of the first signature that is bad, or -1."""
    verdicts = [verify(*each) for each in transaction.triples()]
    return -1 if all(verdicts) else verdicts.index(False)
