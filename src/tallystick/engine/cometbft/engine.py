"""The engine of a consortium: CometBFT orders, this process executes, the outbox keeps promises.

What is handed in is written to the outbox, sent in bundles, and sent again until a block decides it
or a block's time has passed its expiry: through restarts of CometBFT, of this node, of the client.

    submit → outbox (one flush for all who wait) → bundles → CometBFT → … → a block
    → the application executes and commits it on its own thread → listeners hear the answers
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from msgspec import structs

from tallystick.engine.base import Answer, Busy, Committed, Standing
from tallystick.engine.chain import Chain
from tallystick.engine.clock import Clock, wall_ms
from tallystick.engine.cometbft.blockclock import BlockClock
from tallystick.engine.cometbft.bundle import BundleCache
from tallystick.engine.cometbft.bundler import Bundler
from tallystick.engine.cometbft.doors import check_doors
from tallystick.engine.cometbft.held import Held, Holding, TurnedAway
from tallystick.engine.cometbft.home import ABCI_SOCKET, HOME, Joining, node_id, write_home
from tallystick.engine.cometbft.install import find_binary
from tallystick.engine.cometbft.outbox import Outbox, OutboxFull
from tallystick.engine.cometbft.process import Child
from tallystick.engine.cometbft.rpc import Rpc
from tallystick.engine.cometbft.seam import Snapshots
from tallystick.engine.cometbft.server import AbciServer
from tallystick.engine.cometbft.stopping import UntilHeight
from tallystick.engine.cometbft.waiting import Waiting
from tallystick.engine.cometbft.watch import Ended, Watched, Watcher
from tallystick.engine.reading import ReadsChain
from tallystick.engine.verdicts import Verdicts
from tallystick.errors import ReachedHeight, StoreError
from tallystick.ledger.receipt import Outcome, refused_receipt
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.side import FINAL
from tallystick.ledger.transaction import Transaction
from tallystick.settings import UNIX, EngineSettings, is_unix, rpc_address
from tallystick.store.base import Disk

log = logging.getLogger(__name__)

POLL_TIMEOUT_SECONDS = 3.0
"""How long CometBFT may take to say how it is."""
OUTBOX = "outbox"
"""Folder of the outbox in a data folder."""
LOG = "cometbft.log"
"""CometBFT's log, in its home."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an engine is given beside its chain."""

    folder: Path
    """The data folder."""
    settings: EngineSettings
    """Section `engine` of node.toml."""
    disk: Disk
    """Holds the outbox."""
    verdicts: Verdicts
    """Signatures that were found good, shared with the gateway."""
    kept_max: int = 20_000
    """Transactions that may wait; beyond it the engine is busy."""
    moniker: str = "tallystick"
    """Name of the node in CometBFT's log."""
    joining: Joining | None = None
    """From where to begin with a snapshot; None to execute every block."""
    snapshots: Snapshots | None = None
    """Snapshots of this node; None for none."""
    after_commit: Callable[[int], None] = lambda height: None
    """Called on the executing thread after CometBFT was told of a commit."""
    before_close: Callable[[], None] = lambda: None
    """Called when the application has ended, before the chain is closed."""
    retain: Callable[[int], int] = lambda height: 0
    """From which height on CometBFT has to keep its blocks; 0 keeps all."""
    allow: Callable[[], frozenset[str] | None] = lambda: None
    """Engines that may connect, read anew every second; None lets all in."""
    wall: Clock = wall_ms
    """The machine's clock."""


class CometEngine(ReadsChain):
    """Orders transactions together with the other validators."""

    keeps = True

    def __init__(self, chain: Chain, around: Surroundings) -> None:
        """Stand ready. `EngineMissing` when there is no CometBFT, `StoreError` without outbox."""
        settings, genesis = around.settings, chain.ledger.genesis
        self.chain = chain
        self._around = around
        self._binary = find_binary(settings.binary)
        self.outbox = Outbox(around.disk, str(around.folder / OUTBOX), kept_max=around.kept_max)
        if self.outbox.recovery:
            log.warning("%s", self.outbox.recovery)
        self.waiting = Waiting(
            horizon_ms=genesis.horizon_ms,
            bundle=settings.bundle,
            wait_seconds=settings.bundle_wait_ms / 1_000,
        )
        self.waiting.ledger_ms = chain.ledger_ms
        self.clock = BlockClock(chain.state.tip.time_ms, wall=around.wall)
        self.rpc = Rpc(rpc_address(around.folder, settings))
        self.bundles = BundleCache(chain.ledger, open_batch=around.verdicts.open)
        self.application = UntilHeight(
            chain,
            around.verdicts,
            bundles=self.bundles,
            published=self._published,
            snapshots=around.snapshots,
            retain=around.retain,
            after_commit=around.after_commit,
            allow=around.allow(),
            halted=self._halted,
        )
        self.application.halt_height = settings.halt_height
        self._server = AbciServer(self.application, around.folder / ABCI_SOCKET)
        self.child = self._made_child()
        self.bundler = Bundler(
            self.waiting,
            self.rpc,
            self.bundles,
            application=self.application,
            resolve=self._resolve,
        )
        self.watcher = Watcher(self._watched())
        self.held = Held(self._holding())
        self._listeners: list[Callable[[Committed], None]] = []
        self._telling = threading.Lock()
        self._is_stopped = threading.Event()
        self._is_running = False
        self._blocks = 0
        self._transactions = 0
        self.waiting.add(self._read_outbox())
        self._look_ahead()

    def _made_child(self) -> Child:
        """CometBFT, not started. Its working folder is the data folder: socket paths are short."""
        folder = self._around.folder
        command = [str(self._binary.resolve()), "start", "--home", HOME]
        address = rpc_address(folder, self._around.settings)
        return Child(
            command,
            log_path=folder / HOME / LOG,
            folder=folder,
            began=self._engine_began,
            sockets=[Path(address.removeprefix(UNIX))] if is_unix(address) else [],
        )

    def _watched(self) -> Watched:
        """What the watcher looks after."""
        settings = self._around.settings
        return Watched(
            chain=self.chain,
            waiting=self.waiting,
            outbox=self.outbox,
            clock=self.clock,
            application=self.application,
            child=self.child,
            rpc=Rpc(
                rpc_address(self._around.folder, settings), timeout_seconds=POLL_TIMEOUT_SECONDS
            ),
            allow=self._around.allow,
            resolve=self._resolve,
            address=settings.rpc,
            node_id=node_id(self._around.folder / HOME),
            heartbeat_seconds=settings.heartbeat_seconds,
        )

    def _holding(self) -> Holding:
        """What looks after transactions that nobody is authorised to do yet."""
        return Holding(
            waiting=self.waiting,
            look=self._look,
            height=lambda: self.chain.state.tip.height,
            is_current=self._is_current,
            answer=self._turn_away,
            fail=self.application.fail,
        )

    # --- life

    def start(self, *, ended: Ended | None = None) -> None:
        """Begin; `ended` is called once it makes no more blocks, with what ended it.

        `PortTaken` when somebody listens where CometBFT should.
        """
        settings, height = self._around.settings, self.chain.state.tip.height
        if 0 < settings.halt_height <= height:
            raise ReachedHeight(height)
        check_doors(settings)
        write_home(
            self._around.folder / HOME,
            self.chain.ledger.genesis,
            settings,
            socket=Path(ABCI_SOCKET),
            moniker=self._around.moniker,
            joining=self._around.joining,
        )
        self._server.start()
        self._is_running = True
        kept = self.waiting.all()
        self._resolve(kept)
        self.waiting.release_all()
        if kept:
            log.info("%d transactions of the outbox are handed in again", len(kept))
        self.child.start()
        self.bundler.start()
        self.held.start()
        self.watcher.start(ended or (lambda problem: None))

    def stop(self) -> None:
        """End CometBFT, then the application, and make the state durable; twice does nothing.

        What is kept and not decided is handed in again at the next start.
        """
        if self._is_stopped.is_set():
            return
        self._is_stopped.set()
        self.waiting.close()
        self.watcher.stop()
        self.held.stop()
        self.child.stop()
        self.bundler.stop()
        self._server.stop()
        with ExitStack() as last:
            last.callback(self.chain.close)
            last.callback(self.outbox.close)
            last.callback(self.rpc.close)
            last.callback(self._around.before_close)

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Call with every committed block, in order, and with answers that needed none."""
        self._listeners.append(listener)

    def _engine_began(self) -> None:
        """CometBFT was started: it remembers nothing of what it was sent."""
        self.waiting.requeue_all()
        self.clock.restart()

    def _halted(self, problem: BaseException) -> None:
        """The application goes no further."""
        self.watcher.finish(problem)

    # --- taking

    def _read_outbox(self) -> Iterator[Transaction]:
        """What was promised before this process began."""
        for raw in self.outbox.pending():
            try:
                yield self.chain.ledger.codec.decode(raw)
            except Refused as no:
                log.error("a kept transaction cannot be read any more: %s", no)
                self.outbox.decided([raw])

    def kept(self) -> Sequence[Transaction]:
        """Transactions that are written down and have no answer yet."""
        return self.waiting.all()

    def submit(self, transactions: Sequence[Transaction]) -> None:
        """Write transactions down; from then on they are handed in until they are decided.

        Raises `Busy` and then takes none. What needs no block is answered at once; what the
        committed state does not authorise is held for a moment, and then answered without a block.
        """
        if self._is_stopped.is_set() or not self._is_running:
            raise Busy("the node is stopping")
        if self.application.problem is not None:
            raise Busy("the node has halted")
        open_ones, doubtful = self._authorised(self._unresolved(transactions))
        added = self.waiting.add(open_ones)
        raws = [transaction.raw for transaction in open_ones]
        try:
            self.outbox.append(raws)
        except OutboxFull:
            self.waiting.withdraw(added)
            raise Busy("the queue is full") from None
        except StoreError as problem:
            self.waiting.withdraw(added)
            raise Busy(str(problem)) from problem
        self.held.hold([kept.transaction for kept in added if kept.transaction.raw in doubtful])
        self.waiting.release([kept for kept in added if kept.transaction.raw not in doubtful])
        self.outbox.decided([raw for raw in raws if raw not in self.waiting])

    # --- answers

    def _published(self, committed: Committed) -> None:
        """A block is durable: answer what it decides; on the executing thread."""
        self._blocks += 1
        self._transactions += len(committed.answers)
        self.clock.seen(committed.header.time_ms)
        answers = list(committed.answers)
        answered = {answer.raw for answer in answers}
        for answer in committed.answers:
            if answer.outcome in FINAL:
                for other in self.waiting.others(answer.transaction_id):
                    if other.raw not in answered:
                        answered.add(other.raw)
                        answers.append(structs.replace(answer, raw=other.raw))
        late = self.waiting.expired(committed.ledger_ms)
        answers += [self._late(each) for each in late if each.raw not in answered]
        self.waiting.commit(committed.ledger_ms)
        self._settle(answers)
        self.held.wake()
        self._look_ahead()
        self._tell(replace(committed, answers=tuple(answers)))
        if committed.header.height == self.application.halt_height:
            self.watcher.finish(ReachedHeight(committed.header.height))
        self.watcher.wake()

    def _look_ahead(self) -> None:
        """When the ledger has something due next; on the executing thread."""
        self.watcher.wake_ms = self.chain.ledger.next_wake_ms(self.chain.state)

    def _resolve(self, transactions: Sequence[Transaction]) -> None:
        """Answer those that need no block any more, and hold what nobody is authorised to do."""
        left = self._unresolved(transactions)
        self.held.hold([each for each in left if self._look(each) is not None])

    def _unresolved(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        """Those that need a block; the others are answered."""
        answers, left = [], []
        seal = self.chain.seal()
        if seal is None:
            return list(transactions)
        for transaction in transactions:
            answer = self._answer_now(transaction)
            if answer is None:
                left.append(transaction)
            else:
                answers.append(answer)
        if answers:
            self._settle(answers)
            self._tell(Committed(seal.header, b"", self.chain.ledger_ms, tuple(answers)))
        return left

    def _look(self, transaction: Transaction) -> Refused | None:
        """Why the committed state does not authorise a transaction; None when it does."""
        return self.application.glance.refused(transaction, self.now_ms())

    def _is_current(self) -> bool:
        """Whether this node has the blocks that the others have, as far as it knows."""
        is_up = self.watcher.is_up and not self.watcher.is_catching_up
        return is_up and self.chain.seal() is not None

    def _authorised(
        self, transactions: Sequence[Transaction]
    ) -> tuple[list[Transaction], set[bytes]]:
        """Those to keep, and the bytes of those among them that are not authorised so far.

        When too many of the kind are held already, they are answered at once and not kept.
        """
        looked = [(each, self._look(each)) for each in transactions]
        refused = [(each, no) for each, no in looked if no and each.raw not in self.waiting]
        if not refused:
            return list(transactions), set()
        doubtful = {each.raw for each, _ in refused}
        if self.held.has_room(len(refused)):
            return list(transactions), doubtful
        self._turn_away(refused)
        return [each for each in transactions if each.raw not in doubtful], set()

    def _turn_away(self, refused: TurnedAway) -> None:
        """Answer what the committed state does not authorise; it is in no block."""
        seal = self.chain.seal()
        if seal is not None:
            answers = [_turned_away(each, Outcome.UNAUTHORISED, no) for each, no in refused]
            self._settle(answers)
            self._tell(Committed(seal.header, b"", self.chain.ledger_ms, tuple(answers)))

    def _answer_now(self, transaction: Transaction) -> Answer | None:
        """The answer to a transaction that is decided, has expired, or reuses a reference."""
        body, now_ms = transaction.body, self.chain.ledger_ms
        if body.expires_at_ms <= now_ms:
            return self._late(transaction)
        used_by = self.chain.state.used_by(body.sender, body.reference, now_ms)
        if used_by is None:
            return None
        if used_by == transaction.id:
            known = self.chain.answer(transaction.id)
            return None if known is None else structs.replace(known, raw=transaction.raw)
        no = Refused(Refusal.REFERENCE_REUSED, {"reference": body.reference})
        return _turned_away(transaction, Outcome.REUSED, no)

    def _late(self, transaction: Transaction) -> Answer:
        """The answer to a transaction whose expiry a committed block's time has passed."""
        known = self.chain.answer(transaction.id)
        if known is not None:
            return structs.replace(known, raw=transaction.raw)
        is_told = transaction.body.expires_at_ms > self.chain.not_here_until_ms
        height = None if is_told else self.chain.first_height - 1
        return Answer(transaction.id, None, height, transaction.raw)

    def _settle(self, answers: Sequence[Answer]) -> None:
        """Wait no longer for what is answered."""
        self.outbox.decided([each.raw for each in answers if self.waiting.settle(each.raw)])

    def _tell(self, committed: Committed) -> None:
        """Tell the listeners, one thing after the other."""
        with self._telling:
            for listener in self._listeners:
                listener(committed)

    # --- reading

    def now_ms(self) -> int:
        """Ledger time now, as the last blocks tell it (`blockclock.py`); it never goes back."""
        return self.clock() + self.chain.offset_ms

    def standing(self) -> Standing:
        """How the engine is doing."""
        state, seal = self.chain.state, self.chain.seal()
        return Standing(
            height=state.tip.height,
            block_ms=state.tip.time_ms,
            ledger_ms=self.chain.ledger_ms,
            state_root=seal.state_root if seal is not None else bytes(32),
            queued=len(self.waiting),
            blocks=self._blocks,
            transactions=self._transactions,
            trouble=self.watcher.trouble(),
        )


def _turned_away(transaction: Transaction, outcome: Outcome, no: Refused) -> Answer:
    """The answer to a transaction that is in no block, and leaves its reference as it is."""
    receipt = refused_receipt(outcome, no, transaction_id=transaction.id, timer_id=None)
    return Answer(transaction.id, receipt, None, transaction.raw)
