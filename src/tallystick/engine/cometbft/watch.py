"""A thread that looks after CometBFT: is it there, does it make blocks, has it forgotten anything.

It asks for a block (a *tick*) when the ledger has something due and none comes: a timer, a list of
used references, a transaction whose expiry can only be told by a block's time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.blockclock import BlockClock
from tallystick.engine.cometbft.bundle import encode_tick
from tallystick.engine.cometbft.bundler import Resolve
from tallystick.engine.cometbft.failures import Failure, read_failure
from tallystick.engine.cometbft.outbox import Outbox
from tallystick.engine.cometbft.process import Child
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.engine.cometbft.waiting import Waiting
from tallystick.errors import Halted, StoreError

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
POLL_SECONDS = 1.0
"""How often CometBFT is asked how it is."""
POLL_SECONDS_MIN = 0.2
"""And while it is starting or catching up."""
SILENT_SECONDS = 0.3
"""How long no block came before one is asked for."""
TICK_SECONDS = 1.0
"""How long to wait before asking for the same block again."""
FLUSH_SECONDS = 5.0
"""How often what was decided is written down when nothing else is written."""
PATIENCE_SECONDS = 5
"""No block for three heartbeats and so long is trouble."""

Ended = Callable[[BaseException | None], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is looked after."""

    chain: Chain
    """The chain."""
    waiting: Waiting
    """What waits for its answer."""
    outbox: Outbox
    """What is written down of it."""
    clock: BlockClock
    """What time it is on the chain."""
    application: Application
    """The ledger, as CometBFT sees it."""
    child: Child
    """CometBFT's process."""
    rpc: Rpc
    """Its interface."""
    allow: Callable[[], frozenset[str] | None]
    """Engines that may connect."""
    resolve: Resolve
    """Answers what needs no block any more."""
    address: str
    """Where that is, for people."""
    node_id: str
    """Its name among its peers."""
    heartbeat_seconds: int
    """How long after the last block an empty one is made."""


class Watcher:
    """Looks after a running CometBFT until it is stopped, or until the ledger has halted."""

    def __init__(self, watched: Watched) -> None:
        """Look at nothing yet."""
        self._watched = watched
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="engine-watch")
        self._wakeup = threading.Event()
        self._stopping = threading.Event()
        self._is_finished = False
        self._problem: BaseException | None = None
        self._ended: Ended = lambda problem: None
        self._next_poll = 0.0
        self._next_flush = 0.0
        self._next_count = 0.0
        self._ticked = (0, 0.0)
        self._failure, self._failed_at = "", 0
        self._stranger = ""
        self._began = time.monotonic()
        self.is_up = False
        """Whether CometBFT answers."""
        self.is_catching_up = False
        """Whether it fetches blocks that the others have already."""
        self.peers = 0
        """How many engines it is connected with."""
        self.wake_ms: int | None = None
        """Block time at which the ledger has something due; set after every block."""

    # --- life

    def start(self, ended: Ended) -> None:
        """Begin; `ended` is called once when the ledger goes no further, with what stopped it."""
        self._ended = ended
        self._threads.submit(self._run).add_done_callback(self._done)

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._wakeup.set()
        self._threads.shutdown()
        self._watched.rpc.close()

    def wake(self) -> None:
        """Something happened: look at once."""
        self._wakeup.set()

    def finish(self, problem: BaseException | None) -> None:
        """The ledger goes no further: end CometBFT, and tell."""
        if not self._is_finished:
            self._problem, self._is_finished = problem, True
        self._wakeup.set()

    def _run(self) -> None:
        """Look again and again."""
        while not self._stopping.is_set():
            self._wakeup.wait(LOOK_SECONDS)
            self._wakeup.clear()
            if self._is_finished:
                return
            self._look()

    def _done(self, run: Future[None]) -> None:
        """The ledger goes no further, or this thread has met a bug of ours: that ends it too."""
        bug = run.exception()
        if bug is not None:
            self._watched.application.fail(bug)
        if self._is_finished:
            self._watched.child.stop()
            self._ended(self._problem)

    # --- looking

    def _look(self) -> None:
        """Once."""
        now = time.monotonic()
        if now >= self._next_poll:
            self._poll()
            is_well = self.is_up and not self.is_catching_up
            self._next_poll = now + (POLL_SECONDS if is_well else POLL_SECONDS_MIN)
        if now >= self._next_flush:
            self._next_flush = now + FLUSH_SECONDS
            self._flush()
        if not self.is_up:
            return
        try:
            self._send_again(now)
            self._tick(now)
        except RpcUnavailable:
            self.is_up = False
        except RpcRefused as no:
            log.debug("CometBFT refuses: %s", no)

    def _poll(self) -> None:
        """How CometBFT is; and who may connect to it."""
        watched = self._watched
        watched.application.allow = watched.allow()
        self._read_log()
        try:
            status = watched.rpc.status()
            self.peers = int(watched.rpc.net_info()["n_peers"])
        except (RpcUnavailable, RpcRefused):
            self.is_up, self._stranger = False, ""
            return
        if watched.child.pid is None or status["node_info"]["id"] != watched.node_id:
            self.is_up, self._stranger = False, f"another CometBFT answers at {watched.address}"
            return
        self._stranger = ""
        self.is_up, self.is_catching_up = True, bool(status["sync_info"]["catching_up"])

    def _read_log(self) -> None:
        """CometBFT that cannot go on says so in its log alone, and stands still."""
        if self._failed_at < self._watched.chain.state.tip.height:
            self._failure = ""
        for line in self._watched.child.new_lines():
            failure = read_failure(line)
            if failure is not None:
                self._failed(failure)

    def _failed(self, failure: Failure) -> None:
        """Halt a node whose state is not that of the others; else CometBFT begins anew.

        Beginning anew would not make another state of a wrong one. Everything else may pass: a
        clock is set, a disk has room again. Until then CometBFT ends again and again, with
        growing pauses, and the node says why.
        """
        chain, application = self._watched.chain, self._watched.application
        height = chain.state.tip.height
        is_ours = not failure.expected or failure.expected == chain.app_hash().hex()
        if failure.disagrees and is_ours:
            reason = f"this node disagrees with the other validators: {failure.reason}"
            application.fail(Halted(height + 1, reason))
            return
        self._failed_at, self._failure = height, failure.reason
        if failure.stands:
            log.error("CometBFT stands still and is started again: %s", failure.reason)
            self._watched.child.kill()

    def _flush(self) -> None:
        """Write down what was decided."""
        try:
            self._watched.outbox.flush()
        except StoreError as problem:
            log.warning("the outbox cannot be written: %s", problem)

    def _send_again(self, now: float) -> None:
        """Queue again what CometBFT has forgotten; it tells how much it still holds."""
        watched, height = self._watched, self._watched.chain.state.tip.height
        if now < self._next_count or not watched.waiting.has_overdue():
            return
        self._next_count = now + POLL_SECONDS
        is_forgotten = watched.rpc.unconfirmed() == 0
        again = watched.waiting.requeue_overdue(height, is_forgotten=is_forgotten)
        if again:
            log.info("%d transactions are sent again", len(again))
            watched.resolve([kept.transaction for kept in again])

    def _tick(self, now: float) -> None:
        """Ask for a block if something is due; every node that asks sends the same bytes."""
        watched = self._watched
        height = watched.chain.state.tip.height + 1
        asked, at = self._ticked
        is_asked = asked == height and now - at < TICK_SECONDS
        if is_asked or self.is_catching_up or not self._is_due():
            return
        self._ticked = height, now
        watched.rpc.broadcast(encode_tick(height))

    def _is_due(self) -> bool:
        """Whether the ledger waits for time to pass, or does not know what time it is."""
        clock, waiting = self._watched.clock, self._watched.waiting
        if not clock.is_known:
            return True
        if clock.silent_seconds < SILENT_SECONDS:
            return False
        now_ms, expiry_ms = clock.chain_ms(), waiting.next_expiry_ms()
        offset_ms = self._watched.chain.offset_ms
        is_expired = expiry_ms is not None and expiry_ms <= now_ms + offset_ms
        return is_expired or (self.wake_ms is not None and self.wake_ms <= now_ms)

    # --- telling

    def engine_trouble(self) -> str:
        """Why CometBFT is not there; empty while it answers."""
        if self._problem is not None:
            return f"the ledger has halted: {self._problem}"
        if self._failure:
            return f"the engine cannot go on: {self._failure}"
        if self.is_up:
            return ""
        return self._stranger or self._watched.child.ending or "the engine is starting"

    def sync_trouble(self) -> str:
        """How far behind the others this node is; empty when it is with them."""
        if not self.is_up or not self.is_catching_up:
            return ""
        height = self._watched.chain.state.tip.height
        return f"catching up with the others, at block {height}"

    def trouble(self) -> str:
        """What keeps this node from deciding anything; empty when nothing does."""
        return self.engine_trouble() or self.sync_trouble() or self._silence()

    def _silence(self) -> str:
        clock = self._watched.clock
        since_start = time.monotonic() - self._began
        seconds = int(clock.silent_seconds or since_start)
        if seconds <= 3 * self._watched.heartbeat_seconds + PATIENCE_SECONDS:
            return ""
        return f"no block for {seconds} s"


__all__ = ["Watched", "Watcher"]
