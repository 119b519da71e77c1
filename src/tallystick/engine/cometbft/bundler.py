"""Threads that hand bundles of transactions to CometBFT, and try again when it does not take them.

Several, so that one slow answer holds up nobody; while all of them wait, the next bundle grows.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.bundle import Bundle, BundleCache, encode_bundle
from tallystick.engine.cometbft.checks import Code
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.engine.cometbft.waiting import Kept, Waiting
from tallystick.ledger.transaction import Transaction

log = logging.getLogger(__name__)

SENDERS = 4
PAUSE_SECONDS = 0.05
"""First pause after CometBFT did not take a bundle; it doubles each time."""
PAUSE_SECONDS_MAX = 1.0

Resolve = Callable[[Sequence[Transaction]], None]
"""Answers those of some transactions that need no block any more, and holds what nobody may do."""


class Bundler:
    """Sends what waits."""

    def __init__(
        self,
        waiting: Waiting,
        rpc: Rpc,
        bundles: BundleCache,
        *,
        application: Application,
        resolve: Resolve,
    ) -> None:
        """The application tells the last height, and how many transactions a block takes."""
        self._waiting = waiting
        self._rpc = rpc
        self._bundles = bundles
        self._application = application
        self._resolve = resolve
        self._threads = ThreadPoolExecutor(SENDERS, thread_name_prefix="bundler")
        self._lock = threading.Lock()
        self._note = 0
        self._pause_seconds = PAUSE_SECONDS
        self.sent = 0
        """Bundles that CometBFT took."""
        self.refused = 0
        """Bundles that it did not take."""

    def start(self) -> None:
        """Begin to send."""
        for _ in range(SENDERS):
            self._threads.submit(self._run).add_done_callback(self._done)

    def stop(self) -> None:
        """Send nothing more, and wait for what is being sent."""
        self._waiting.close()
        self._threads.shutdown()

    def _done(self, run: Future[None]) -> None:
        """A bug of ours that ends a thread ends the node: it could keep no promise any more."""
        bug = run.exception()
        if bug is not None:
            self._application.fail(bug)

    def _run(self) -> None:
        """Send one bundle after the other."""
        while (taken := self._waiting.take(self._application.ordered_max)) is not None:
            if taken:
                self._send(taken)

    def _send(self, taken: Sequence[Kept]) -> None:
        """Send one bundle; what CometBFT did not take is sent again later."""
        height = self._application.chain.state.tip.height
        try:
            self._rpc.broadcast(self._bundle(taken))
        except RpcUnavailable:
            self._later(taken)
        except RpcRefused as no:
            if no.is_known:  # the same bytes came from another node, or an answer was lost
                self._waiting.note_sent(taken, height)
            else:
                self.refused += 1
                self._turned_away(taken, no, height)
        else:
            self._pause_seconds = PAUSE_SECONDS
            self.sent += 1
            self._waiting.note_sent(taken, height)

    def _turned_away(self, taken: Sequence[Kept], no: RpcRefused, height: int) -> None:
        """Its mempool is full, or our own application has said no to the bundle."""
        if no.code in (Code.SETTLED, Code.UNAUTHORISED):
            self._resolve([kept.transaction for kept in taken])
            self._later(taken)
        elif no.is_full or no.code < 0:
            self._later(taken)
        elif len(taken) > 1:
            middle = len(taken) // 2
            self._send(taken[:middle])
            self._send(taken[middle:])
        else:
            log.error("CometBFT does not take %s: %s", taken[0].transaction.id.hex(), no)
            self._waiting.note_sent(taken, height)

    def _later(self, taken: Sequence[Kept]) -> None:
        """Send nothing for a moment, then these first."""
        self._waiting.put_back(taken)
        self._waiting.pause(self._pause_seconds)
        self._pause_seconds = min(self._pause_seconds * 2, PAUSE_SECONDS_MAX)

    def _bundle(self, taken: Sequence[Kept]) -> bytes:
        """The bytes of a bundle, never the same twice: CometBFT takes the same bytes only once."""
        with self._lock:
            note = self._note = max(self._note + 1, time.time_ns())
        transactions = tuple([kept.transaction for kept in taken])
        raw = encode_bundle(note, [transaction.raw for transaction in transactions])
        bundle = Bundle(raw, note, transactions)
        bundle.is_verified = True  # the gateway let in nothing else
        self._bundles.remember(bundle)
        return raw


__all__ = ["Bundler"]
