"""Load from another process: signed bytes in batches, answers counted, latency from the start.

A batch's clock starts when it was due, not when a connection was free to send it: an answer that is
late makes the next one late, and that counts too. Under full load a batch is due as soon as one of
the connections is free, for then nobody waits outside.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock

from tallystick.client.client import Client
from tallystick.client.http import Transport
from tallystick.errors import Unreachable
from tallystick.gateway.reply import Outcome, Reply
from tallystick.gateway.wire import FRAMES, MSGPACK, pack_frames, unpack_frames
from tallystick.values.codec import decode

STREAM = 250
"""Transactions of one request."""
FLYING = 4
"""Requests under way at once."""
WAIT_SECONDS = 30
"""How long one request waits for its answers."""


@dataclass(frozen=True)
class Pace:
    """How load is offered."""

    stream: int = STREAM
    """Transactions of one request."""
    flying: int = FLYING
    """Requests under way at once, at each node."""
    per_s: float | None = None
    """Transactions a second in all, whatever the answers; None: as fast as answers come."""


@dataclass(frozen=True, slots=True)
class Page:
    """Transactions of one request."""

    body: bytes
    """Their bytes, as they travel."""
    count: int
    """How many they are."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered."""

    at_s: float
    """When, in seconds after the load began."""
    took_s: float
    """Seconds from the moment at which it was due."""
    accepted: int
    """Transactions that happened."""
    refused: int
    """Transactions that a rule or the door said no to."""

    @property
    def count(self) -> int:
        """All its transactions."""
        return self.accepted + self.refused


@dataclass
class Measured:
    """What a run of load gave."""

    seconds: float = 0.0
    """From the first byte sent to the last answer."""
    answers: list[Answered] = field(default_factory=list)
    """Every request, in the order of the answers."""
    handed_in_again: int = 0
    """Transactions that the node was too busy for at first."""
    load_cpu_s: float = 0.0
    """Processor time of the process that sends."""
    ran_out: bool = False
    """Whether the load ended before its time, because there was nothing left to send."""

    @property
    def accepted(self) -> int:
        """Transactions that happened."""
        return sum(each.accepted for each in self.answers)

    @property
    def refused(self) -> int:
        """Transactions that a rule or the door said no to."""
        return sum(each.refused for each in self.answers)

    @property
    def per_s(self) -> float:
        """Accepted transactions a second."""
        return self.accepted / self.seconds

    def percentile_ms(self, percent: float) -> float:
        """Latency in milliseconds that so many percent of the transactions stay below."""
        ordered = sorted((each.took_s, each.count) for each in self.answers)
        rest = sum(count for _, count in ordered) * percent / 100
        for took_s, count in ordered:
            rest -= count
            if rest < 0:
                return took_s * 1000
        return ordered[-1][0] * 1000

    def over_time(self) -> list[int]:
        """Transactions answered in each whole second of the load."""
        seconds = [0] * int(self.seconds)
        for each in self.answers:
            if each.at_s < len(seconds):
                seconds[int(each.at_s)] += each.count
        return seconds

    def longest_silence_ms(self) -> float:
        """The longest time between two answers, in milliseconds."""
        moments = [0.0, *sorted(each.at_s for each in self.answers)]
        return max((b - a for a, b in pairwise(moments)), default=0.0) * 1000


def run(
    addresses: Sequence[str], raws: Sequence[bytes], seconds: float, pace: Pace | None = None
) -> Measured:
    """Send transactions to all nodes for so many seconds; everything sent is answered."""
    how = pace or Pace()
    return send(addresses, packed(raws, how.stream), seconds, how)


def packed(raws: Iterable[bytes], stream: int) -> Iterator[Page]:
    """Transactions as requests of so many each."""
    waiting: list[bytes] = []
    for raw in raws:
        waiting.append(raw)
        if len(waiting) == stream:
            yield Page(pack_frames(waiting), stream)
            waiting = []
    if waiting:
        yield Page(pack_frames(waiting), len(waiting))


def repacked(pages: Iterable[Page], stream: int) -> Iterator[Page]:
    """The same transactions in requests of another size."""
    return packed((raw for page in pages for raw in unpack_frames(page.body)), stream)


def send(addresses: Sequence[str], pages: Iterator[Page], seconds: float, pace: Pace) -> Measured:
    """Send pages to all nodes for so many seconds; everything sent is answered before it ends."""
    measured, lock = Measured(), Lock()
    cpu_before, started = time.process_time(), time.perf_counter()
    plan = _Plan(pages, started, seconds, pace)

    def work(address: str) -> None:
        door = _Door(address)
        while (step := plan.next()) is not None:
            page, due = step
            time.sleep(max(0.0, due - time.perf_counter()))
            replies, again = door.deliver(page)
            now = time.perf_counter()
            accepted = sum(reply.outcome is Outcome.ACCEPTED for reply in replies)
            answered = Answered(now - started, now - due, accepted, len(replies) - accepted)
            with lock:
                measured.answers.append(answered)
                measured.handed_in_again += again
        door.close()

    workers = [address for address in addresses for _ in range(pace.flying)]
    with ThreadPoolExecutor(len(workers)) as threads:
        for done in [threads.submit(work, address) for address in workers]:
            done.result()
    measured.seconds = time.perf_counter() - started
    measured.load_cpu_s = time.process_time() - cpu_before
    measured.ran_out = plan.ran_out
    return measured


class _Plan:
    """Which page is sent next, and when it is due. For any thread."""

    def __init__(self, pages: Iterator[Page], started: float, seconds: float, pace: Pace) -> None:
        """Nothing is sent yet."""
        self._pages = pages
        self._started = started
        self._end = started + seconds
        self._per_s = pace.per_s
        self._sent = 0
        self._lock = Lock()
        self.ran_out = False

    def next(self) -> tuple[Page, float] | None:
        """The next page and the moment at which it is due; None when the load is over."""
        with self._lock:
            due = time.perf_counter()
            if self._per_s is not None:
                due = self._started + self._sent / self._per_s
            if due > self._end or self.ran_out:
                return None
            page = next(self._pages, None)
            if page is None:
                self.ran_out = True
                return None
            self._sent += page.count
            return page, due


class _Door:
    """One connection to a node."""

    def __init__(self, address: str) -> None:
        self._transport = Transport(address)
        self._client = Client(address)

    def deliver(self, page: Page) -> tuple[Sequence[Reply], int]:
        """Hand in a page until all of it has its answers; and how much was handed in again."""
        headers = {"Content-Type": FRAMES, "Accept": MSGPACK}
        target = f"/v1/transactions?wait={WAIT_SECONDS}"
        try:
            answer = self._transport.request("POST", target, page.body, headers)
        except Unreachable:
            answer = None
        if answer is None or answer.status != 200:
            return list(self._client.submit_many(unpack_frames(page.body), in_flight=1)), page.count
        replies: tuple[Reply, ...] = decode(tuple[Reply, ...], answer.body)
        waiting = [place for place, reply in enumerate(replies) if not reply.is_final]
        if not waiting:
            return replies, 0
        raws, made = unpack_frames(page.body), list(replies)
        again = self._client.submit_many([raws[place] for place in waiting], in_flight=1)
        for place, reply in zip(waiting, again, strict=True):
            made[place] = reply
        return made, len(waiting)

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self._client.close()
