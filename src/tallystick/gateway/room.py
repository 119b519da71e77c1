"""How much may be inside the door at once, in which order, and when to come again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tallystick.gateway.reply import RETRY_MS
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal

TRANSACTIONS_MAX = 50_000
"""Transactions that may be decoded and verified at once."""
BYTES_MAX = 64 * 1024 * 1024
"""Their bytes; one request is always taken."""
RETRY_MS_MIN = 50
RETRY_MS_MAX = 5_000
WINDOW_SECONDS = 1.0
"""Answers are counted for so long to tell how many there are in a second."""
STALE_SECONDS = 5.0
"""A count that old tells nothing."""


class Place:
    """Of one request that is being admitted: who came first is handed over first."""

    def __init__(self, room: Room, number: int) -> None:
        """Stand behind all that came before."""
        self._room = room
        self._number = number

    def wait_for_turn(self) -> None:
        """Wait until all that came before have left."""
        self._room.wait_for(self._number)

    def leave(self) -> None:
        """Let the next one go; a second time does nothing."""
        self._room.leave(self._number)


class Room:
    """Counts what is being admitted, and how fast answers come. For any thread."""

    def __init__(
        self,
        *,
        transactions_max: int = TRANSACTIONS_MAX,
        bytes_max: int = BYTES_MAX,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Nothing is inside."""
        self._transactions_max = transactions_max
        self._bytes_max = bytes_max
        self.transactions = 0
        """Transactions being admitted."""
        self.bytes = 0
        """Their bytes."""
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._came = 0
        self._next = 0
        self._left: set[int] = set()
        self._counted = 0
        self._clock = clock
        self._since = clock()
        self._per_s = 0.0

    @contextmanager
    def taken(self, transactions: int, size: int) -> Iterator[Place]:
        """Be inside with a request; BUSY when there is no room."""
        with self._lock:
            is_full = (
                self.transactions + transactions > self._transactions_max
                or self.bytes + size > self._bytes_max
            )
            if is_full and self.transactions:
                raise self._busy("too much is coming in", self.transactions)
            self.transactions += transactions
            self.bytes += size
            place = Place(self, self._came)
            self._came += 1
        try:
            yield place
        finally:
            place.leave()
            with self._lock:
                self.transactions -= transactions
                self.bytes -= size

    def wait_for(self, number: int) -> None:
        """Wait until all that came before this one have left."""
        with self._news:
            self._news.wait_for(lambda: self._next >= number)

    def leave(self, number: int) -> None:
        """Note that one has left; in whatever order they do."""
        with self._news:
            if number < self._next:
                return
            self._left.add(number)
            while self._next in self._left:
                self._left.remove(self._next)
                self._next += 1
            self._news.notify_all()

    def answered(self, count: int) -> None:
        """So many more were answered."""
        now = self._clock()
        with self._lock:
            self._counted += count
            seconds = now - self._since
            if seconds >= WINDOW_SECONDS:
                self._per_s = self._counted / seconds
                self._counted, self._since = 0, now

    def busy(self, reason: str, waiting: int) -> Refused:
        """The door's no to what cannot be taken now, while so many wait for an answer."""
        with self._lock:
            return self._busy(reason, waiting)

    def _busy(self, reason: str, waiting: int) -> Refused:
        """With the time in which half of what waits will have its answer, as far as is known."""
        is_known = self._per_s and self._clock() - self._since < STALE_SECONDS
        wanted = waiting * 500 / self._per_s if is_known else RETRY_MS_MAX / 10
        retry_ms = round(min(max(wanted, RETRY_MS_MIN), RETRY_MS_MAX))
        return Refused(Refusal.BUSY, {"reason": reason, RETRY_MS: retry_ms})
