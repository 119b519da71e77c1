"""How much may be inside the door at once, and in which order it leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tallystick.gateway.reply import RETRY_MS
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal

TRANSACTIONS_MAX = 50_000
"""Transactions that may be decoded and verified at once."""
BYTES_MAX = 64 * 1024 * 1024
"""Their bytes; one request is always taken."""
SHORT_MS = 200
"""When to come again if there was no room: what is inside is out by then."""


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
    """Counts what is being admitted, and keeps its order. For any thread."""

    def __init__(
        self, *, transactions_max: int = TRANSACTIONS_MAX, bytes_max: int = BYTES_MAX
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

    @contextmanager
    def taken(self, transactions: int, size: int) -> Iterator[Place]:
        """Be inside with a request; BUSY when there is no room."""
        with self._lock:
            is_full = (
                self.transactions + transactions > self._transactions_max
                or self.bytes + size > self._bytes_max
            )
            if is_full and self.transactions:
                reason = "too much is coming in"
                raise Refused(Refusal.BUSY, {"reason": reason, RETRY_MS: SHORT_MS})
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
