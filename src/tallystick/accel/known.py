"""Transactions whose signatures were found good: sets of Python's, in two generations.

What is remembered is the hash of all their bytes, keys and signatures included, so that it can only
ever say what verifying again would say.
"""

import threading
from collections.abc import Sequence

from tallystick.accel.body import OpenedBatch
from tallystick.accel.errors import NotOpened

__all__ = ["KnownTable"]


class KnownTable:
    """Checks signatures, those of bytes seen before without work. For any thread."""

    def __init__(self, kept: int) -> None:
        """Know none yet; of so many the newer half is remembered for certain."""
        self._half = max(kept // 2, 1)
        self._good: set[bytes] = set()
        self._older: set[bytes] = set()
        self._lock = threading.Lock()

    def check(self, batch: OpenedBatch, places: Sequence[int]) -> tuple[list[int], int, int]:
        """What `verify` says of some places; how many were known; signatures checked for it."""
        keys = [_keys(batch, place) for place in places]
        digests, good, older = batch.digests, self._good, self._older
        known = [digests[place] in good or digests[place] in older for place in places]
        new = [place for place, is_known in zip(places, known, strict=True) if not is_known]
        found = batch.verify(new)
        verdicts = iter(found)
        firsts = [-1 if is_known else next(verdicts) for is_known in known]
        self._note([digests[place] for place, bad in zip(new, found, strict=True) if bad < 0])
        checked = sum([0 if is_known else each for each, is_known in zip(keys, known, strict=True)])
        return firsts, len(places) - len(new), checked

    def _note(self, digests: list[bytes]) -> None:
        """Remember good ones; the older half goes when there are too many."""
        with self._lock:
            for start in range(0, len(digests), self._half):
                part = digests[start : start + self._half]
                if len(self._good) + len(part) > self._half:
                    self._older, self._good = self._good, set()
                self._good.update(part)


def _keys(batch: OpenedBatch, place: int) -> int:
    """How many signed what is at a place; `NotOpened` where there is nothing."""
    found = batch.opened[place] if 0 <= place < len(batch.opened) else None
    if found is None:
        raise NotOpened(place)
    return len(found[2])
