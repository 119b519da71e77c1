"""Whose bundles come next in a proposal: no member's crowd keeps the others out."""

from __future__ import annotations

import heapq
from collections import deque
from typing import NamedTuple


class Offer(NamedTuple):
    """A bundle that may be proposed."""

    raw: bytes
    """Its bytes."""
    size: int
    """Bytes that it takes in a block."""
    transactions: int
    """How many transactions are in it."""


class Turns:
    """Bundles in queues, one for each sender, each in the order of arrival.

    Next is whoever has had the fewest transactions so far; among equals, who came first.
    """

    def __init__(self) -> None:
        """Nobody has come."""
        self._queues: dict[str, deque[Offer]] = {}

    def add(self, sender: str, offer: Offer) -> None:
        """A sender's next bundle came."""
        self._queues.setdefault(sender, deque()).append(offer)

    def take(self, bytes_left: int, transactions_left: int) -> list[bytes]:
        """Bundles in turn, as many as fit; what does not fit is passed over."""
        taken: list[bytes] = []
        turns = [(0, place, queue) for place, queue in enumerate(self._queues.values())]
        while turns:
            served, place, queue = heapq.heappop(turns)
            offer = queue.popleft()
            if offer.size <= bytes_left and offer.transactions <= transactions_left:
                taken.append(offer.raw)
                bytes_left -= offer.size
                transactions_left -= offer.transactions
                served += offer.transactions
            if queue:
                heapq.heappush(turns, (served, place, queue))
        return taken


__all__ = ["Offer", "Turns"]
