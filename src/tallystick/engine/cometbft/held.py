"""Transactions that the committed state does not authorise: looked at again, then answered.

The client may have its last answer from another gateway, whose node has a block already that this
one has not, or sends what builds on what is under way. So such a transaction is kept like any
other, and waits: after each block it is looked at again, and once it is authorised it goes the way
of all. After a moment it is answered, outside the chain. A node that is behind the others answers
nothing of the kind until it is with them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tallystick.engine.cometbft.waiting import Kept, Waiting
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import Transaction

HOLD_SECONDS = 1.0
"""How long to wait for a block that may authorise it: several, as a rule."""
HOLD_SECONDS_MAX = 5.0
"""And while this node's own transactions wait for a block, on a busy network."""
BLOCKS_MIN = 2
"""Blocks after which it need not wait longer than a moment in any case."""
HELD_MAX = 1_000
"""Transactions that may be held; beyond it there is no second look."""

TurnedAway = Sequence[tuple[Transaction, Refused]]
"""Transactions that nobody may do, and why."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What looks and answers."""

    waiting: Waiting
    """Where held transactions are released to."""
    look: Callable[[Transaction], Refused | None]
    """Why the committed state does not authorise a transaction; None when it does."""
    height: Callable[[], int]
    """Height of the last committed block."""
    is_current: Callable[[], bool]
    """Whether this node has the blocks that the others have, as far as it knows."""
    answer: Callable[[TurnedAway], None]
    """Answers for good."""
    fail: Callable[[BaseException], None]
    """Hears of a bug of ours: this node could keep no promise any more."""


@dataclass(slots=True)
class _Hold:
    """One transaction that is held."""

    since: float
    """From when on its time runs."""
    first: int
    """Last block when it came."""
    height: int = -1
    """Block over which it was looked at last on this thread."""


class Held:
    """Looks after what is held, on a thread of its own."""

    def __init__(self, holding: Holding, *, seconds: float = HOLD_SECONDS) -> None:
        """Hold nothing."""
        self._holding = holding
        self._seconds = seconds
        self._held: dict[Kept, _Hold] = {}
        self._lock = threading.Lock()
        self._news = threading.Event()
        self._is_stopped = False
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="held")

    def __len__(self) -> int:
        """How many are held."""
        return len(self._held)

    # --- life

    def start(self) -> None:
        """Begin to look."""
        self._threads.submit(self._run).add_done_callback(self._done)

    def stop(self) -> None:
        """Look no more; what is held stays kept."""
        self._is_stopped = True
        self._news.set()
        self._threads.shutdown()

    def _done(self, run: Future[None]) -> None:
        """A bug of ours ends the node."""
        bug = run.exception()
        if bug is not None:
            self._holding.fail(bug)

    # --- in

    def has_room(self, count: int) -> bool:
        """Whether so many more may be held; while this node is behind, all that are kept."""
        return len(self._held) + count <= HELD_MAX or not self._holding.is_current()

    def hold(self, transactions: Sequence[Transaction]) -> None:
        """Send none of these, of those that wait, before they are authorised."""
        kept = self._holding.waiting.hold(transactions)
        if kept:
            now, height = time.monotonic(), self._holding.height()
            with self._lock:
                self._held.update((each, _Hold(now, height)) for each in kept)
            self._news.set()

    def wake(self) -> None:
        """A block came."""
        if self._held:
            self._news.set()

    # --- out

    def _run(self) -> None:
        """Look whenever there is a reason to."""
        while not self._is_stopped:
            self._news.wait(self._patience())
            self._news.clear()
            if not self._is_stopped:
                self._look()

    def _patience(self) -> float | None:
        """How long nothing is to be done unless a block comes; None: as long as it takes."""
        with self._lock:
            first = min([hold.since for hold in self._held.values()], default=None)
        if first is None:
            return None
        left = first + self._seconds - time.monotonic()
        return left if left > 0 else self._seconds / 4

    def _look(self) -> None:
        """Release what is authorised by now, and answer what has waited long enough."""
        now, height = time.monotonic(), self._holding.height()
        is_current = self._holding.is_current()
        is_busy = len(self._holding.waiting) > len(self._held)
        ready: list[Kept] = []
        over: list[Kept] = []
        refused: list[tuple[Transaction, Refused]] = []
        with self._lock:
            held = list(self._held.items())
        for kept, hold in held:
            if not is_current:
                hold.since = now
            blocks = height - hold.first if is_busy else BLOCKS_MIN
            seconds = self._seconds if blocks >= BLOCKS_MIN else HOLD_SECONDS_MAX
            is_over = now - hold.since >= seconds
            if kept.is_settled:
                over.append(kept)
            elif hold.height != height or is_over:
                no = self._holding.look(kept.transaction)
                hold.height = height
                if no is None:
                    ready.append(kept)
                elif is_over:
                    over.append(kept)
                    refused.append((kept.transaction, no))
        with self._lock:
            for kept in (*ready, *over):
                del self._held[kept]
        self._holding.waiting.release(ready)
        if refused:
            self._holding.answer(refused)


__all__ = ["HELD_MAX", "HOLD_SECONDS", "Held", "Holding", "TurnedAway"]
