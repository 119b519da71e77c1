"""Blocks that were executed and are not durable yet, and the thread that makes them so.

    executing thread:  run n+1 over the state and what n changed     (Python)
    keeping thread:    n: roots, entry, flush, state store, listeners (mostly outside Python)

Blocks are kept in the order in which they were executed. Nothing of one is told before its entry is
flushed. When one cannot be kept, none after it is: the executing thread takes them all back.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.errors import DiskFull, EntryTooLarge, StoreError
from tallystick.ledger.candidate import Run

AHEAD_MAX = 2
"""Blocks that may be executed and not durable when the next one is begun."""
RATE_SECONDS = 1.0
"""Over how long the pace of keeping is averaged."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A block that was executed and is to be made durable."""

    run: Run
    """What came of it."""
    offered: tuple[bytes, ...]
    """The transactions that it was made of, as they travel, those left out among them."""
    is_block: bool
    """False when there are only answers to give."""


class Pace:
    """How many transactions are kept a second, lately."""

    def __init__(self) -> None:
        """Nothing was kept yet."""
        self._per_s = 0.0
        self._last_s = time.monotonic()

    def note(self, count: int) -> None:
        """So many more were kept just now."""
        now_s = time.monotonic()
        past_s = now_s - self._last_s
        weight = min(1.0, past_s / RATE_SECONDS)
        self._per_s += weight * (count / max(past_s, 1e-6) - self._per_s)
        self._last_s = now_s

    def seconds_for(self, count: int) -> float:
        """How long so many take at this pace; a second for what is not known yet."""
        return count / self._per_s if self._per_s > 1 else 1.0


class Keeper:
    """Makes executed blocks durable, in order, on a thread of its own."""

    def __init__(
        self,
        chain: Chain,
        published: Callable[[Committed], None],
        lock: threading.RLock,
        wakeup: threading.Condition,
    ) -> None:
        """`published` hears of every block; `wakeup`, of the same lock, of room and failures."""
        self._chain = chain
        self._published = published
        self._lock = lock
        self._wakeup = wakeup
        self._handed = threading.Condition(lock)
        self._ahead: deque[Executed] = deque()
        self._is_closing = False
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="keeper")
        self._running: Future[None] | None = None
        self.failure: StoreError | None = None
        """Why the first block ahead could not be kept, though it may be later; None: nothing."""
        self.has_ended = False
        """Whether nothing is kept any more."""
        self.pace = Pace()
        """How fast it goes."""

    # --- the executing thread

    def start(self) -> None:
        """Begin to keep what is handed over."""
        self._running = self._threads.submit(self._keep_all)

    def runs(self) -> tuple[Run, ...]:
        """Blocks that were executed and that the committed state may not show yet, in order.

        What is not here any more, the state shows. The caller is the executing thread.
        """
        with self._lock:
            return tuple([each.run for each in self._ahead if each.is_block])

    def has_room(self) -> bool:
        """Whether another block may be executed; the caller holds the lock."""
        return len(self._ahead) < AHEAD_MAX

    def ahead(self) -> int:
        """How many blocks were executed and are not durable."""
        return len(self._ahead)

    def is_well(self) -> bool:
        """Whether blocks are being kept."""
        return self.failure is None and not self.has_ended

    def add(self, executed: Executed) -> None:
        """Have one more kept, after those before it."""
        with self._lock:
            self._ahead.append(executed)
            self._handed.notify()

    def take_back(self) -> list[Executed]:
        """After a failure: nothing is on its way any more; all that was, in order.

        Keeping goes on with what is handed over next. The caller holds the lock.
        """
        back = list(self._ahead)
        self._ahead.clear()
        self.failure = None
        return back

    def finish(self) -> None:
        """Keep what is on its way, and end; raises what ended it before."""
        with self._lock:
            self._is_closing = True
            self._handed.notify()
        self._threads.shutdown(wait=True)
        if self._running is not None:
            self._running.result()

    # --- the keeping thread

    def _keep_all(self) -> None:
        """Keep one block after the other until told to end."""
        try:
            while (first := self._next()) is not None:
                self._keep(first)
        finally:
            with self._lock:
                self.has_ended = True
                self._wakeup.notify_all()

    def _next(self) -> Executed | None:
        """The first block that is not durable; None at the end."""
        with self._lock:
            while self.failure is not None or not self._ahead:
                if self._is_closing:
                    return None
                self._handed.wait()
            return self._ahead[0]

    def _keep(self, first: Executed) -> None:
        """Make a block durable, let go of it, and tell of it; in this order."""
        try:
            committed = (
                self._chain.keep(first.run) if first.is_block else self._chain.say(first.run)
            )
        except (DiskFull, EntryTooLarge) as problem:
            with self._lock:
                self.failure = problem
                self._wakeup.notify_all()
            return
        self.pace.note(len(first.run.ids))
        with self._lock:
            self._ahead.popleft()
            self._wakeup.notify_all()
        self._published(committed)
