"""The embedded engine: one process orders, one thread executes, another flushes every block.

Blocks are made as fast as they are asked for: while one is executed, the one before it is made
durable and transactions gather; the next block takes what has gathered. With nothing queued a block
is made when a timer or a list of references is due.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tallystick.engine.base import Busy, Committed, Standing
from tallystick.engine.chain import Chain
from tallystick.engine.clock import Clock
from tallystick.engine.keeping import Executed, Keeper
from tallystick.engine.reading import ReadsChain
from tallystick.errors import DiskFull, EntryTooLarge, StoreError
from tallystick.ledger.transaction import Transaction

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
"""How long to wait before trying again on a full disk."""
LOOK_SECONDS_MAX = 0.25
"""How long to sleep at most before looking at the clock again."""
IDLE_SECONDS = 0.05
"""How long to wait when something seemed due and was not."""
RETRY_MS_MIN, RETRY_MS_MAX = 50, 5_000
"""Who is told that the queue is full may try again so soon at the earliest, at the latest."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much an engine takes at once."""

    queue: int = 20_000
    """Transactions that may wait; beyond it the engine is busy."""
    queue_bytes: int = 64 * 1024 * 1024
    """Bytes that may wait."""
    block: int = 2_000
    """Transactions of a block."""
    block_bytes: int = 8 * 1024 * 1024
    """Bytes of a block's transactions."""


class EmbeddedEngine(ReadsChain):
    """Orders transactions as they come: one thread executes, another makes durable."""

    keeps = False

    def __init__(self, chain: Chain, clock: Clock, *, limits: Limits | None = None) -> None:
        """Stand ready; blocks are made after `start`."""
        self.chain = chain
        self._clock = clock
        self._limits = limits or Limits()
        self._queue: deque[Transaction] = deque()
        self._queued_bytes = 0
        lock = threading.RLock()
        self._wakeup = threading.Condition(lock)
        self._keeper = Keeper(chain, self._publish, lock, self._wakeup)
        self._is_stopping = False
        self._listeners: list[Callable[[Committed], None]] = []
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._running: Future[None] | None = None
        self._trouble = ""
        self._most = self._limits.block
        self._blocks = 0
        self._transactions = 0

    # --- life

    def start(self, *, ended: Callable[[BaseException | None], None] | None = None) -> None:
        """Begin to make blocks; `ended` is called once it makes no more, with what ended it.

        A new chain gets its first block here, so that proofs can be made from the beginning.
        """
        if self.chain.seal() is None:
            self.chain.next_block(self._block_ms(), [], force=True)
        self._keeper.start()
        self._running = self._threads.submit(self._run)
        if ended is not None:
            self._running.add_done_callback(lambda future: ended(future.exception()))

    def stop(self) -> None:
        """Finish the blocks at hand, make the state durable, and end; once only.

        What is queued was only `received`: its senders keep the bytes and hand them in again.
        """
        with self._wakeup:
            was_stopping, self._is_stopping = self._is_stopping, True
            self._wakeup.notify_all()
        self._threads.shutdown(wait=True)
        if not was_stopping:
            self.chain.close()

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call with every committed block, in order, on the keeping thread."""
        self._listeners.append(listener)

    # --- taking

    def submit(self, transactions: Sequence[Transaction]) -> None:
        """Take transactions whose signatures were checked; raises `Busy` and then takes none."""
        size = sum([len(transaction.raw) for transaction in transactions])
        with self._wakeup:
            if self._is_stopping or self._running is None or self._running.done():
                raise Busy("the node is stopping")
            if self._trouble:
                raise Busy(self._trouble, retry_ms=int(RETRY_SECONDS * 1000))
            is_full = (
                len(self._queue) + len(transactions) > self._limits.queue
                or self._queued_bytes + size > self._limits.queue_bytes
            )
            if is_full and self._queue:
                raise Busy("the queue is full", retry_ms=self._retry_ms())
            self._queue.extend(transactions)
            self._queued_bytes += size
            self._wakeup.notify_all()

    def _retry_ms(self) -> int:
        """When a quarter of what is queued will be done, at the pace of late."""
        seconds = self._keeper.pace.seconds_for(len(self._queue) // 4)
        return max(RETRY_MS_MIN, min(RETRY_MS_MAX, int(seconds * 1000)))

    def kept(self) -> Sequence[Transaction]:
        """Nothing: what was queued when a process ended is gone."""
        return ()

    # --- the executing thread

    def _run(self) -> None:
        """Execute blocks until told to stop; what is on its way is kept whatever ends it."""
        try:
            while (batch := self._next_batch()) is not None:
                self._execute(batch)
        finally:
            self._keeper.finish()

    def _execute(self, batch: list[Transaction]) -> None:
        """Execute one block and hand it over; wait a little when there was nothing to do."""
        ahead = self._keeper.runs()
        run, is_block = self.chain.run(self._clock(), batch, ahead)
        if is_block or run.left_out:
            offered = tuple([transaction.raw for transaction in batch])
            self._keeper.add(Executed(run, offered, is_block))
            return
        with self._wakeup:
            self._trouble = ""
            self._wakeup.wait_for(self._has_work, IDLE_SECONDS)

    def _has_work(self) -> bool:
        """Whether there is something to do besides waiting."""
        return bool(self._queue) or self._is_stopping or not self._keeper.is_well()

    def _next_batch(self) -> list[Transaction] | None:
        """Wait for room, and for transactions or something due (then empty); None at the end."""
        with self._wakeup:
            wake_ms = self._wake_ms()
            while True:
                if self._keeper.failure is not None:
                    self._take_back(self._keeper.failure)
                    wake_ms = self._wake_ms()
                if self._is_stopping or self._keeper.has_ended:
                    return None
                wait = None
                if self._keeper.has_room():
                    if self._queue:
                        return self._take()
                    wait = LOOK_SECONDS_MAX
                    if wake_ms is not None:
                        wait = min(wait, (wake_ms - self._block_ms()) / 1000)
                    if wait <= 0:
                        return []
                self._wakeup.wait(wait)

    def _wake_ms(self) -> int | None:
        """Block time at which something is due; not asked for while transactions wait."""
        return None if self._queue else self.chain.next_wake_ms(self._keeper.runs())

    def _take(self) -> list[Transaction]:
        """What is queued, up to the limits of a block."""
        batch: list[Transaction] = []
        size = 0
        most, self._most = self._most, self._limits.block
        queue = self._queue
        while queue and len(batch) < most:
            length = len(queue[0].raw)
            if batch and size + length > self._limits.block_bytes:
                break
            size += length
            batch.append(queue.popleft())
        self._queued_bytes -= size
        return batch

    def _take_back(self, problem: StoreError) -> None:
        """A block could not be kept: all that was on its way is first in the queue again, in order.

        While the disk is full, wait before it is tried again; a block that the log does not take
        is tried in halves.
        """
        back = self._keeper.take_back()
        if isinstance(problem, EntryTooLarge):
            if len(back[0].offered) < 2:
                raise problem
            self._most = len(back[0].offered) // 2
        decode = self.chain.ledger.codec.decode
        offered = [decode(raw) for each in back for raw in each.offered]
        self._queue.extendleft(reversed(offered))
        self._queued_bytes += sum([len(transaction.raw) for transaction in offered])
        if isinstance(problem, DiskFull):
            if not self._trouble:
                log.error("%s: no block is made until there is", problem)
            self._trouble = str(problem)
            self._wakeup.wait_for(lambda: self._is_stopping, RETRY_SECONDS)

    # --- the keeping thread

    def _publish(self, committed: Committed) -> None:
        """Tell of a block that is durable, or of answers that needed none."""
        self._trouble = ""
        if committed.header_hash:
            self._blocks += 1
            self._transactions += len(committed.answers)
        for listener in self._listeners:
            listener(committed)

    def _block_ms(self) -> int:
        """Block time now; it never goes back."""
        return max(self._clock(), self.chain.state.tip.time_ms)

    # --- reading

    def now_ms(self) -> int:
        """Ledger time now, as far as this node can tell; it never goes back."""
        return self._block_ms() + self.chain.offset_ms

    def standing(self) -> Standing:
        """How the engine is doing."""
        state = self.chain.state
        seal = self.chain.seal()
        return Standing(
            height=state.tip.height,
            block_ms=state.tip.time_ms,
            ledger_ms=self.chain.ledger_ms,
            state_root=seal.state_root if seal is not None else bytes(32),
            queued=len(self._queue),
            blocks=self._blocks,
            transactions=self._transactions,
            trouble=self._trouble,
            ahead=self._keeper.ahead(),
        )
