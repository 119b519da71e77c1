"""The embedded engine: one process orders, one thread executes, every block is flushed to disk.

Blocks are made as fast as they are asked for: while one is executed and flushed, transactions
gather, and the next block takes what has gathered. With nothing queued a block is made when a timer
or a list of references is due.
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
from tallystick.engine.reading import ReadsChain
from tallystick.errors import DiskFull, EntryTooLarge
from tallystick.ledger.transaction import Transaction

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
"""How long to wait before trying again on a full disk."""
LOOK_SECONDS_MAX = 0.25
"""How long to sleep at most before looking at the clock again."""
IDLE_SECONDS = 0.05
"""How long to wait when something seemed due and was not."""


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
    """Orders transactions as they come, on a thread of its own."""

    keeps = False

    def __init__(self, chain: Chain, clock: Clock, *, limits: Limits | None = None) -> None:
        """Stand ready; blocks are made after `start`."""
        self.chain = chain
        self._clock = clock
        self._limits = limits or Limits()
        self._queue: deque[Transaction] = deque()
        self._queued_bytes = 0
        self._wakeup = threading.Condition()
        self._is_stopping = False
        self._listeners: list[Callable[[Committed], None]] = []
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="engine")
        self._running: Future[None] | None = None
        self._trouble = ""
        self._blocks = 0
        self._transactions = 0

    # --- life

    def start(self, *, ended: Callable[[BaseException | None], None] | None = None) -> None:
        """Begin to make blocks; `ended` is called once it makes no more, with what ended it.

        A new chain gets its first block here, so that proofs can be made from the beginning.
        """
        if self.chain.seal() is None:
            self.chain.next_block(self._block_ms(), [], force=True)
        self._running = self._threads.submit(self._run)
        if ended is not None:
            self._running.add_done_callback(lambda future: ended(future.exception()))

    def stop(self) -> None:
        """Finish the block at hand, make the state durable, and end; a second time does nothing.

        What is queued was only `received`: its senders keep the bytes and hand them in again.
        """
        with self._wakeup:
            was_stopping, self._is_stopping = self._is_stopping, True
            self._wakeup.notify_all()
        self._threads.shutdown(wait=True)
        if not was_stopping:
            self.chain.close()

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call with every committed block, in order, on the engine's thread."""
        self._listeners.append(listener)

    # --- taking

    def submit(self, transactions: Sequence[Transaction]) -> None:
        """Take transactions whose signatures were checked; raises `Busy` and then takes none."""
        size = sum([len(transaction.raw) for transaction in transactions])
        with self._wakeup:
            if self._is_stopping or self._running is None or self._running.done():
                raise Busy("the node is stopping")
            if self._trouble:
                raise Busy(self._trouble)
            is_full = (
                len(self._queue) + len(transactions) > self._limits.queue
                or self._queued_bytes + size > self._limits.queue_bytes
            )
            if is_full and self._queue:
                raise Busy("the queue is full")
            self._queue.extend(transactions)
            self._queued_bytes += size
            self._wakeup.notify_all()

    def kept(self) -> Sequence[Transaction]:
        """Nothing: what was queued when a process ended is gone."""
        return ()

    # --- the executing thread

    def _run(self) -> None:
        """Make blocks until told to stop; an error that is not a full disk ends it."""
        while (batch := self._next_batch()) is not None:
            made = self._make(batch)
            if not batch and not made:
                with self._wakeup:
                    self._wakeup.wait_for(self._has_work, IDLE_SECONDS)

    def _next_batch(self) -> list[Transaction] | None:
        """Wait for transactions, or for something due (then empty); None when stopping."""
        wake_ms = self.chain.ledger.next_wake_ms(self.chain.state)
        with self._wakeup:
            while not self._has_work():
                wait = LOOK_SECONDS_MAX
                if wake_ms is not None:
                    wait = min(wait, (wake_ms - self._block_ms()) / 1000)
                if wait <= 0:
                    return []
                self._wakeup.wait(wait)
            return None if self._is_stopping else self._take()

    def _has_work(self) -> bool:
        """Whether there is something to do besides waiting."""
        return bool(self._queue) or self._is_stopping

    def _take(self) -> list[Transaction]:
        """What is queued, up to the limits of a block."""
        batch: list[Transaction] = []
        size = 0
        while self._queue and len(batch) < self._limits.block:
            size += len(self._queue[0].raw)
            if batch and size > self._limits.block_bytes:
                break
            batch.append(self._queue.popleft())
        self._queued_bytes -= sum([len(transaction.raw) for transaction in batch])
        return batch

    def _make(self, batch: list[Transaction]) -> bool:
        """Make one block and publish it; False when there was nothing to make one of."""
        committed = self._commit(batch)
        if committed is None:
            return self._is_stopping
        if committed.header_hash:
            self._blocks += 1
            self._transactions += len(committed.answers)
        for listener in self._listeners:
            listener(committed)
        return True

    def _commit(self, batch: list[Transaction]) -> Committed | None:
        """Have the chain make a block; while the disk is full, wait and try again until stopped."""
        while not self._is_stopping or not self._trouble:
            try:
                committed = self.chain.next_block(self._block_ms(), batch)
                self._trouble = ""
                return committed
            except EntryTooLarge:
                if len(batch) < 2:
                    raise
                self._put_back(batch, len(batch) // 2)
                continue
            except DiskFull as problem:
                if not self._trouble:
                    log.error("%s: no block is made until there is", problem)
                self._trouble = str(problem)
            with self._wakeup:
                self._wakeup.wait_for(lambda: self._is_stopping, RETRY_SECONDS)
        return None

    def _put_back(self, batch: list[Transaction], keep: int) -> None:
        """Leave all but the first of a batch to the next block; they stay first in the queue."""
        with self._wakeup:
            self._queue.extendleft(reversed(batch[keep:]))
            self._queued_bytes += sum([len(transaction.raw) for transaction in batch[keep:]])
        del batch[keep:]

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
        )
