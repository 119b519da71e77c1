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


@dataclass(frozen=True)
class Pace:
    """How load is offered."""

    stream: int = STREAM
    """Transactions of one request."""
    flying: int = FLYING
    """Requests under way at once, at each node."""
    per_s: float | None = None
    """Transactions a second in all, whatever the answers; None: as fast as answers come."""


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


def run(
    addresses: Sequence[str], raws: Sequence[bytes], seconds: float, pace: Pace | None = None
) -> Measured:
    """Send to all nodes for so many seconds; everything sent is answered before it ends."""
    how = pace or Pace()
    measured, lock = Measured(), Lock()
    numbers = count()
    started = time.perf_counter()

    def work(address: str) -> None:
        client = Client(address)
        for number, chunk in _mine(raws, numbers, lock, how.stream):
            sent = time.perf_counter()
            if how.per_s is not None:
                due = started + number * how.stream / how.per_s
                time.sleep(max(0.0, due - sent))
                sent = due  # an answer that is late makes the next one late: that counts too
            if sent - started > seconds:
                break
            replies = client.submit_many(chunk, chunk=how.stream, in_flight=1)
            outcomes = [reply.outcome for reply in replies]
            took = time.perf_counter() - sent
            with lock:
                accepted = outcomes.count(Outcome.ACCEPTED)
                measured.accepted += accepted
                measured.refused += len(outcomes) - accepted
                measured.latencies += [took] * len(outcomes)
        client.close()

    workers = [address for address in addresses for _ in range(how.flying)]
    with ThreadPoolExecutor(len(workers)) as threads:
        for done in [threads.submit(work, address) for address in workers]:
            done.result()
    measured.seconds = time.perf_counter() - started
    return measured


def _mine(
    raws: Sequence[bytes], numbers: Iterator[int], lock: Lock, stream: int
) -> Iterator[tuple[int, Sequence[bytes]]]:
    """The next streams that no other thread has taken, with their numbers."""
    while True:
        with lock:
            number = next(numbers)
        if number * stream >= len(raws):
            return
        yield number, raws[number * stream : (number + 1) * stream]
