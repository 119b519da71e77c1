"""Load from another process: signed bytes in streams, answers counted, latency from the start."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from threading import Lock

from tallystick.client.client import Client
from tallystick.gateway.reply import Outcome

STREAM = 250
"""Transactions of one request."""
FLYING = 4
"""Requests under way at once."""


@dataclass
class Measured:
    """What a run of load gave."""

    seconds: float = 0.0
    """From the first byte sent to the last answer."""
    accepted: int = 0
    """Transactions that happened."""
    refused: int = 0
    """Transactions that a rule or the door said no to."""
    latencies: list[float] = field(default_factory=list)
    """Seconds from sending a transaction's request to its answer, one for each."""

    @property
    def per_s(self) -> float:
        """Accepted transactions a second."""
        return self.accepted / self.seconds

    def percentile_ms(self, percent: int) -> float:
        """Latency in milliseconds that so many percent stay below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


def run(address: str, raws: Sequence[bytes], seconds: float) -> Measured:
    """Send for so many seconds, closed loop; everything sent is answered before it ends."""
    measured, lock = Measured(), Lock()
    numbers = count()
    started = time.perf_counter()

    def work() -> None:
        client = Client(address)
        for chunk in _mine(raws, numbers, lock):
            sent = time.perf_counter()
            if sent - started > seconds:
                break
            replies = client.submit_many(chunk, chunk=STREAM, in_flight=1)
            outcomes = [reply.outcome for reply in replies]
            took = time.perf_counter() - sent
            with lock:
                accepted = outcomes.count(Outcome.ACCEPTED)
                measured.accepted += accepted
                measured.refused += len(outcomes) - accepted
                measured.latencies += [took] * len(outcomes)
        client.close()

    with ThreadPoolExecutor(FLYING) as threads:
        for done in [threads.submit(work) for _ in range(FLYING)]:
            done.result()
    measured.seconds = time.perf_counter() - started
    return measured


def _mine(raws: Sequence[bytes], numbers: Iterator[int], lock: Lock) -> Iterator[Sequence[bytes]]:
    """The next streams that no other thread has taken."""
    while True:
        with lock:
            start = next(numbers) * STREAM
        if start >= len(raws):
            return
        yield raws[start : start + STREAM]
