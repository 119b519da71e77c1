"""Transactions that wait for their answer: which are to be sent, which were, which have expired.

A transaction is *new* until it is durable in the outbox, *early* while its expiry lies beyond the
horizon of the last block, then *queued*, and *sent* in a bundle. A bundle that is not decided after
a while is queued again: CometBFT promises nothing for what waits in its memory. What is *held* is
not sent: nobody is authorised to do it yet (`held.py`).
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tallystick.engine.cometbft.bundle import BUNDLE_BYTES_MAX
from tallystick.ledger.transaction import Transaction

EXPIRIES_MIN = 1_000
"""Answered transactions that may stay in the heap of expiries before it is cleared of them."""
ROOM_BYTES = 64
"""Bytes of a bundle that are not transactions."""
HEAD_BYTES = 5
"""Bytes before each transaction in a bundle, at most."""
SECONDS_MIN = 3.0
"""After so long a bundle is sent again if CometBFT holds nothing any more, or later ones came."""
SECONDS_MAX = 60.0
"""After so long, and so many blocks without it, it is sent again whatever CometBFT holds."""
BLOCKS_MIN = 3
OVERTAKEN_SECONDS = 1.0
"""A bundle that is decided although it was sent so much later has overtaken it."""


@dataclass(slots=True, eq=False)
class Kept:
    """One transaction that has no answer yet."""

    transaction: Transaction
    """The transaction."""
    sent: Sent | None = None
    """The bundle that it was sent in last; None while it was in none."""
    is_settled: bool = False
    """Whether it has its answer."""
    is_held: bool = False
    """Whether nobody may do it yet: it is not sent before it is released."""

    @property
    def is_passed_over(self) -> bool:
        """Whether it is not to be sent, though it may stand in the queue."""
        return self.is_settled or self.is_held


@dataclass(slots=True, eq=False)
class Sent:
    """A bundle that CometBFT took."""

    kept: Sequence[Kept]
    """What is in it."""
    height: int
    """Last block when it was sent."""
    at: float = field(default_factory=time.monotonic)
    """When."""

    @property
    def age_seconds(self) -> float:
        """How long ago."""
        return time.monotonic() - self.at


class Waiting:
    """All that waits on this node. For any thread."""

    def __init__(self, *, horizon_ms: int, bundle: int, wait_seconds: float) -> None:
        """Nothing waits. A bundle takes `bundle` transactions, or those of `wait_seconds`."""
        self._horizon_ms = horizon_ms
        self._bundle = bundle
        self._wait_seconds = wait_seconds
        self._lock = threading.Condition()
        self._by_raw: dict[bytes, Kept] = {}
        self._by_id: dict[bytes, list[Kept]] = {}
        self._expiries: list[tuple[int, int, Kept]] = []
        self._settled = 0
        self._count = 0
        self._queue: deque[tuple[float, Kept]] = deque()
        self._early: list[Kept] = []
        self._sent: deque[Sent] = deque()
        self._pause_until = 0.0
        self._is_closed = False
        self.ledger_ms = 0
        """Ledger time of the last block."""

    def __len__(self) -> int:
        """How many wait."""
        return len(self._by_raw)

    def __contains__(self, raw: object) -> bool:
        """Whether these bytes wait."""
        return raw in self._by_raw

    @property
    def queued(self) -> int:
        """How many are to be sent."""
        return len(self._queue)

    @property
    def under_way(self) -> int:
        """How many bundles were sent and are not decided."""
        return len(self._sent)

    def all(self) -> list[Transaction]:
        """What waits, in the order in which it came."""
        with self._lock:
            return [kept.transaction for kept in self._by_raw.values()]

    # --- in

    def add(self, transactions: Iterable[Transaction]) -> list[Kept]:
        """Take those that do not wait yet; they are not sent before `release`."""
        added = []
        with self._lock:
            for transaction in transactions:
                if transaction.raw in self._by_raw:
                    continue
                kept = Kept(transaction)
                self._by_raw[transaction.raw] = kept
                self._by_id.setdefault(transaction.id, []).append(kept)
                self._count += 1
                expires_at_ms = transaction.body.expires_at_ms
                heapq.heappush(self._expiries, (expires_at_ms, self._count, kept))
                added.append(kept)
        return added

    def release(self, added: Sequence[Kept]) -> None:
        """They are durable, and held no longer: send them."""
        with self._lock:
            for kept in added:
                kept.is_held = False
            self._enqueue(added)

    def hold(self, transactions: Iterable[Transaction]) -> list[Kept]:
        """Do not send these until they are released; those of them that wait, and were not held."""
        held = []
        with self._lock:
            for transaction in transactions:
                kept = self._by_raw.get(transaction.raw)
                if kept is not None and not kept.is_held:
                    kept.is_held, kept.sent = True, None
                    held.append(kept)
        return held

    def release_all(self) -> None:
        """Everything that waits is durable, and nothing was sent: at the start."""
        with self._lock:
            self._enqueue(list(self._by_raw.values()))

    def withdraw(self, added: Iterable[Kept]) -> None:
        """They could not be kept after all."""
        with self._lock:
            for kept in added:
                self._settle(kept)

    # --- out to CometBFT

    def take(self, most: int) -> list[Kept] | None:
        """The next bundle's transactions, `most` at most; None once closed."""
        with self._lock:
            while not self._is_closed:
                while self._queue and self._queue[0][1].is_passed_over:
                    self._queue.popleft()
                now = time.monotonic()
                ready_at = max(self._ready_at(), self._pause_until)
                if ready_at <= now:
                    return self._pop(min(most, self._bundle))
                self._lock.wait(min(ready_at - now, 1.0))
        return None

    def _ready_at(self) -> float:
        """When the next bundle may go: at once when it is full, else when its first has waited."""
        if not self._queue:
            return float("inf")
        if len(self._queue) >= self._bundle:
            return 0.0
        return self._queue[0][0] + self._wait_seconds

    def _pop(self, most: int) -> list[Kept]:
        """Take from the queue what fits."""
        taken: list[Kept] = []
        size = ROOM_BYTES
        while self._queue and len(taken) < most:
            kept = self._queue[0][1]
            size += len(kept.transaction.raw) + HEAD_BYTES
            if taken and size > BUNDLE_BYTES_MAX:
                break
            self._queue.popleft()
            if not kept.is_passed_over:
                taken.append(kept)
        return taken

    def pause(self, seconds: float) -> None:
        """Send nothing for a while."""
        with self._lock:
            self._pause_until = max(self._pause_until, time.monotonic() + seconds)

    def put_back(self, taken: Sequence[Kept]) -> None:
        """CometBFT did not take them: they are the first to go again."""
        with self._lock:
            self._queue.extendleft([(0.0, kept) for kept in reversed(taken)])

    def note_sent(self, taken: Sequence[Kept], height: int) -> None:
        """CometBFT took a bundle of them."""
        sent = Sent(taken, height)
        with self._lock:
            for kept in taken:
                kept.sent = sent
            self._sent.append(sent)

    def requeue_all(self) -> None:
        """CometBFT has forgotten what it was sent: it was restarted."""
        with self._lock:
            forgotten, self._sent = self._sent, deque()
            for sent in forgotten:
                self._requeue(sent)
            self._pause_until = 0.0
            self._lock.notify_all()

    def has_overdue(self) -> bool:
        """Whether a bundle was not decided for long; what is decided is forgotten."""
        with self._lock:
            while self._sent:
                first = self._sent[0]
                if not all(self._is_over(kept, first) for kept in first.kept):
                    break
                self._sent.popleft()
            return bool(self._sent) and self._sent[0].age_seconds >= SECONDS_MIN

    def requeue_overdue(self, height: int, *, is_forgotten: bool) -> list[Kept]:
        """Queue again what was sent long ago, and is forgotten or was sent very long ago."""
        again: list[Kept] = []
        with self._lock:
            while self._sent:
                first = self._sent[0]
                is_late = height - first.height >= BLOCKS_MIN and (
                    first.age_seconds >= SECONDS_MAX or self._is_overtaken(first)
                )
                if first.age_seconds < SECONDS_MIN or not (is_late or is_forgotten):
                    break
                self._sent.popleft()
                again += self._requeue(first)
        return again

    def _is_overtaken(self, sent: Sent) -> bool:
        """Whether a bundle sent well after it is decided: they are taken in order, as a rule.

        It may have been in a block that executed only a part of itself.
        """
        return any(
            later.at - sent.at >= OVERTAKEN_SECONDS
            and all(self._is_over(kept, later) for kept in later.kept)
            for later in self._sent
        )

    def _requeue(self, sent: Sent) -> list[Kept]:
        """Queue what is left of a bundle."""
        left = [kept for kept in sent.kept if not self._is_over(kept, sent)]
        self._enqueue(left)
        return left

    def _is_over(self, kept: Kept, sent: Sent) -> bool:
        """Whether a bundle is no longer what a transaction waits for."""
        return kept.is_settled or kept.sent is not sent

    def _enqueue(self, kept: Iterable[Kept]) -> None:
        """Queue transactions; those that no block could take yet wait for a later one."""
        now, horizon = time.monotonic(), self.ledger_ms + self._horizon_ms
        for each in kept:
            each.sent = None
            if each.is_passed_over:
                continue
            if each.transaction.body.expires_at_ms > horizon:
                self._early.append(each)
            else:
                self._queue.append((now, each))
        self._lock.notify_all()

    # --- decided

    def commit(self, ledger_ms: int) -> None:
        """A block moved ledger time: what was early may go."""
        with self._lock:
            self.ledger_ms = ledger_ms
            early, self._early = self._early, []
            if early:
                self._enqueue(early)

    def settle(self, raw: bytes) -> bool:
        """These bytes have their answer; False when they did not wait here."""
        if raw not in self._by_raw:  # most of a block is other nodes'
            return False
        with self._lock:
            kept = self._by_raw.get(raw)
            if kept is not None:
                self._settle(kept)
            return kept is not None

    def others(self, transaction_id: bytes) -> list[Transaction]:
        """What waits under an id, whatever its signatures."""
        if transaction_id not in self._by_id:
            return []
        with self._lock:
            return [kept.transaction for kept in self._by_id.get(transaction_id, ())]

    def expired(self, ledger_ms: int) -> list[Transaction]:
        """What waits and has expired at a ledger time."""
        found = []
        with self._lock:
            while self._expiries and (
                self._expiries[0][0] <= ledger_ms or self._expiries[0][2].is_settled
            ):
                kept = heapq.heappop(self._expiries)[2]
                if not kept.is_settled:
                    found.append(kept.transaction)
        return found

    def next_expiry_ms(self) -> int | None:
        """Ledger time at which the first of those that wait expires."""
        with self._lock:
            while self._expiries and self._expiries[0][2].is_settled:
                heapq.heappop(self._expiries)
            return self._expiries[0][0] if self._expiries else None

    def _settle(self, kept: Kept) -> None:
        """Forget a transaction; queue and bundle pass over it."""
        if kept.is_settled:
            return
        kept.is_settled = True
        self._settled += 1
        if self._settled > EXPIRIES_MIN and self._settled * 2 > len(self._expiries):
            self._expiries = [each for each in self._expiries if not each[2].is_settled]
            heapq.heapify(self._expiries)
            self._settled = 0
        del self._by_raw[kept.transaction.raw]
        same = self._by_id[kept.transaction.id]
        same.remove(kept)
        if not same:
            del self._by_id[kept.transaction.id]

    def close(self) -> None:
        """Send nothing more."""
        with self._lock:
            self._is_closed = True
            self._lock.notify_all()
