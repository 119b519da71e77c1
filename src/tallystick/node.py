"""A node: the one place where its parts are wired. `engine/folder.py` says what its folder has."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import secrets
import signal
import ssl
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType

from tallystick import settings as settings_module
from tallystick.accel import load as load_accel
from tallystick.api import server as api
from tallystick.api import tls
from tallystick.api.service import Service
from tallystick.api.watched import Watched
from tallystick.catalogue import Catalogue
from tallystick.client.keys import KeyStore
from tallystick.engine.chain import Chain
from tallystick.engine.clock import Clock, MachineClock, check_start, wall_ms
from tallystick.engine.embedded import EmbeddedEngine, Limits
from tallystick.engine.folder import (
    BLOCKS,
    GENESIS,
    KEYS,
    LOCK,
    NODE_KEY,
    PASSPHRASE,
    STATE,
    TLS,
    forget_halt,
    make_room,
    note_halt,
    read_genesis,
    write_private,
)
from tallystick.engine.verdicts import Verdicts
from tallystick.errors import GenesisMismatch, Halted, NodeError, TallystickError
from tallystick.gateway.admit import Admission
from tallystick.gateway.submit import Gateway
from tallystick.ledger.app import App, Record
from tallystick.ledger.authority import Authority
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import (
    BUDGET,
    HORIZON_MS,
    AppVersion,
    Budget,
    Genesis,
    genesis_to_json,
)
from tallystick.ledger.rules import Rules
from tallystick.settings import Settings, split_address
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.rocks import RocksStore
from tallystick.values.codec import encode

log = logging.getLogger(__name__)

TIMERS_PER_BLOCK = 1_000
READERS = 4
"""Threads that read state for the door."""


@dataclass(frozen=True)
class Made:
    """A data folder that was made."""

    folder: Path
    """Where it is."""
    genesis: Genesis
    """How its chain begins."""
    passphrase: str
    """What opens its keys; also in the file `passphrase`."""

    @property
    def keys(self) -> KeyStore:
        """The folder's officers' keys."""
        return KeyStore(self.folder / KEYS, self.passphrase)


@dataclass(frozen=True)
class Beginning:
    """What the genesis of a new chain says."""

    name: str
    """Name of the chain, e.g. `pilot`."""
    records: Sequence[Record] = ()
    """First records of its applications."""
    opens_at_ms: int | None = None
    """For a trial: ledger time at genesis, in milliseconds; None when it is the machine's."""
    trial: bool = False
    """Whether named members may move the clock forward."""
    demo: bool = False
    """Whether a later demonstration may replace the data."""
    budget: Budget = BUDGET
    """Work budget of a transaction or timer."""
    horizon_ms: int = HORIZON_MS
    """How far ahead of ledger time an expiry may lie, in milliseconds."""


__all__ = [
    "Beginning",
    "Made",
    "Node",
    "init",
    "read_genesis",
    "read_passphrase",
    "shipped",
]


def shipped() -> tuple[tuple[App, ...], Authority]:
    """The applications of this release, and the one that decides who may sign."""
    from tallystick.apps import APPS, AUTHORITY

    return tuple(APPS), AUTHORITY


def init(
    folder: Path,
    beginning: Beginning,
    *,
    apps: Sequence[App] | None = None,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    replace_demo: bool = False,
    clock: Clock = wall_ms,
) -> Made:
    """Make a data folder: genesis, node key, passphrase, certificates. The genesis is written last.

    A folder that holds a chain is refused, unless it is a demonstration's and `replace_demo`.
    """
    known = tuple(shipped()[0] if apps is None else apps)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = OsDisk().lock(str(folder / LOCK))
        stack.callback(lock.release)
        make_room(folder, known, replace_demo=replace_demo)
        passphrase = secrets.token_urlsafe(24)
        write_private(folder / PASSPHRASE, (passphrase + "\n").encode())
        node_key = KeyStore(folder, passphrase).create(NODE_KEY)
        now_ms = clock()
        tls.make(folder / TLS, datetime.fromtimestamp(now_ms // 1000, UTC), hosts)
        genesis = Genesis(
            format=1,
            name=beginning.name,
            time_ms=now_ms,
            opens_at_ms=beginning.opens_at_ms,
            trial=beginning.trial,
            demo=beginning.demo,
            horizon_ms=beginning.horizon_ms,
            timers_per_block=TIMERS_PER_BLOCK,
            budget=beginning.budget,
            node_key=node_key.public_key,
            apps=tuple(AppVersion(app=app.name, version=app.version) for app in known),
            records=tuple(encode(record) for record in beginning.records),
        )
        written = genesis_to_json(genesis, Rules(known).record_types)
        write_private(folder / (GENESIS + ".new"), written)
        (folder / (GENESIS + ".new")).rename(folder / GENESIS)
        OsDisk().sync_folder(str(folder))
    return Made(folder, genesis, passphrase)


def read_passphrase(folder: Path, settings: Settings) -> str:
    """The passphrase of a data folder's keys."""
    path = folder / settings.passphrase_file
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise NodeError(f"the passphrase file {path} cannot be read: {problem}") from None


class Node:
    """A running node, or one that is ready to run.

    with Node.open(folder) as node:      # runs on a thread until the block ends
        Client(node.address).status()

    Node.open(folder).run()              # runs here until SIGINT or SIGTERM
    """

    def __init__(self, folder: Path, settings: Settings, parts: _Parts, stack: ExitStack) -> None:
        """Use `Node.open`."""
        self.folder = folder
        self.settings = settings
        self.ledger = parts.ledger
        self.engine = parts.engine
        self.gateway = parts.gateway
        self._parts = parts
        self._stack = stack
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._wants_stop = False
        self._thread: ThreadPoolExecutor | None = None
        self._running: Future[None] | None = None

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        settings: Settings | None = None,
        apps: Sequence[App] | None = None,
        authority: Authority | None = None,
        clock: Clock | None = None,
    ) -> Node:
        """Take hold of a data folder and bring its chain to the last committed block."""
        found = settings or settings_module.load(folder, os.environ)
        with ExitStack() as stack:
            parts = _open_parts(folder, found, _rules(apps, authority), clock, stack)
            return cls(folder, found, parts, stack.pop_all())

    @property
    def address(self) -> str:
        """Address of the node's own socket, for clients."""
        return f"unix:{self.socket_path}"

    @property
    def socket_path(self) -> Path:
        """Path of the node's own socket."""
        return self.folder / self.settings.listen.socket

    def height(self) -> int:
        """Height of the last committed block."""
        return self._parts.watched.chain.state.tip.height

    # --- running

    def run(self, *, ready: Callable[[], None] | None = None) -> None:
        """Run until SIGINT, SIGTERM or `stop`; `ready` is called once the node answers.

        Raises what ended the engine, if anything did: the data is at its last committed block.
        """
        with self._stack:
            asyncio.run(self._serve(ready or (lambda: None)))
        if isinstance(self._failure, TallystickError):
            raise self._failure
        if self._failure is not None:
            raise Halted(
                self.engine.standing().height + 1, f"a bug of ours: {self._failure!r}"
            ) from self._failure

    def start(self) -> None:
        """Run on a thread of its own; returns once the node answers."""
        is_ready = threading.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="node")
        self._running = self._thread.submit(self.run, ready=is_ready.set)
        self._running.add_done_callback(lambda _: is_ready.set())
        is_ready.wait()
        if self._running.done():
            self.stop()

    def stop(self) -> None:
        """Stop, at any moment, and wait for it; raises what ended the engine before."""
        self._wants_stop = True
        self._wake()
        if self._running is None:
            self._stack.close()
            return
        running, self._running = self._running, None
        try:
            running.result()
        finally:
            if self._thread is not None:
                self._thread.shutdown()

    def __enter__(self) -> Node:
        """Start."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        if self._running is not None:
            self.stop()

    def _wake(self) -> None:
        """Have the loop look whether to stop."""
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)

    def _ended(self, failure: BaseException | None) -> None:
        """The engine makes no more blocks: the node says why, and stops."""
        self._failure = failure
        if failure is not None:
            log.critical("the engine has ended: %s", failure, exc_info=failure)
            note_halt(self.folder, self.height(), str(failure) or repr(failure))
        self._wake()

    async def _serve(self, ready: Callable[[], None]) -> None:
        """Listen, make blocks, and wait for the end."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        with ExitStack() as doors:
            servers = [(server, sock) for server, sock in self._doors(doors)]
            self._catch_signals(doors)
            self.engine.start(ended=self._ended)
            tasks = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in servers]
            for server, _ in servers:
                await server.is_ready.wait()
            if threading.current_thread() is threading.main_thread():
                _tame_collector()
            if self._failure is None:
                forget_halt(self.folder)
            ready()
            if not self._wants_stop:
                await self._stopping.wait()
            self.gateway.close()
            for server, _ in servers:
                server.should_exit = True
            await asyncio.gather(*tasks)
        await asyncio.get_running_loop().run_in_executor(None, self.engine.stop)

    def _doors(self, stack: ExitStack) -> list[tuple[api.Server, api.Socket]]:
        """A server for each address, with its socket bound."""
        doors = []
        listen = self.settings.listen
        if listen.socket:
            sock = api.bind_unix(self.socket_path)
            stack.callback(sock.close)
            stack.callback(self.socket_path.unlink, missing_ok=True)
            doors.append((self._server(self._service(True)), sock))
        if listen.address:
            context = tls.server_context(self.folder / TLS)
            sock = api.bind_tcp(*split_address(listen.address))
            stack.callback(sock.close)
            doors.append((self._server(self._service(False), context), sock))
        if not doors:
            raise NodeError("the settings name no address to listen at")
        if listen.probes:
            sock = api.bind_tcp(*split_address(listen.probes))
            stack.callback(sock.close)
            doors.append((api.server(api.application(self._service(False), api.PROBES)), sock))
        return doors

    def _server(self, service: Service, context: ssl.SSLContext | None = None) -> api.Server:
        """A door over a service."""
        return api.server(
            api.application(service),
            context,
            patience_seconds=self.settings.limits.patience_seconds,
        )

    def _service(self, is_trusted: bool) -> Service:
        """What a door shows of this node."""
        parts = self._parts
        return Service(
            engine=parts.engine,
            gateway=parts.gateway,
            ledger=parts.ledger,
            catalogue=parts.catalogue,
            readers=parts.readers,
            writers=parts.writers,
            verify=parts.verify,
            wall_ms=wall_ms,
            patience_seconds=self.settings.limits.patience_seconds,
            clock_trouble=parts.clock_trouble,
            watched=parts.watched,
            is_trusted=is_trusted,
        )

    def _catch_signals(self, stack: ExitStack) -> None:
        """Let SIGINT and SIGTERM stop the node, where this is the main thread."""
        loop = asyncio.get_running_loop()
        if threading.current_thread() is not threading.main_thread() or self._stopping is None:
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
            stack.callback(loop.remove_signal_handler, number)


@dataclass(frozen=True)
class _Parts:
    """What a node is made of."""

    ledger: Ledger
    engine: EmbeddedEngine
    gateway: Gateway
    catalogue: Catalogue
    readers: ThreadPoolExecutor
    writers: ThreadPoolExecutor
    verify: Callable[[bytes, bytes, bytes], bool]
    clock_trouble: Callable[[], str]
    watched: Watched


def _rules(
    apps: Sequence[App] | None, authority: Authority | None
) -> tuple[tuple[App, ...], Authority]:
    """The applications given, or those of this release."""
    if apps is not None and authority is not None:
        return tuple(apps), authority
    known_apps, known_authority = shipped()
    return tuple(apps or known_apps), authority or known_authority


def _open_parts(
    folder: Path,
    settings: Settings,
    rules: tuple[tuple[App, ...], Authority],
    clock: Clock | None,
    stack: ExitStack,
) -> _Parts:
    """Open everything; what was opened is closed again if a later part fails."""
    apps, authority = rules
    genesis = read_genesis(folder, apps)
    lock = OsDisk().lock(str(folder / LOCK))
    stack.callback(lock.release)
    ledger = Ledger(apps, authority, genesis)
    body = load_accel(settings.accel)
    key = KeyStore(folder, read_passphrase(folder, settings)).load(NODE_KEY)
    if key.public_key != genesis.node_key:
        raise GenesisMismatch(expected=ledger.chain_id, found="another node's key")
    blocks = FileLog.open(OsDisk(), str(folder / BLOCKS), genesis.hash)
    stack.callback(blocks.close)
    if blocks.recovery.message:
        log.warning(blocks.recovery.message)
    store = RocksStore(str(folder / STATE))
    stack.callback(store.close)
    chain = Chain(ledger, blocks, store, sign=key.sign, body=body)
    machine = MachineClock()
    start_trouble = _check_clock(clock or machine, chain, settings)
    engine = EmbeddedEngine(
        chain,
        clock or machine,
        limits=Limits(queue=settings.limits.queue, block=settings.limits.block),
    )
    stack.callback(engine.stop)
    readers = ThreadPoolExecutor(READERS, thread_name_prefix="reader")
    writers = ThreadPoolExecutor(1, thread_name_prefix="gateway")
    for threads in (readers, writers):
        stack.callback(threads.shutdown)
    verdicts = Verdicts(body.verify_batch)
    watched = Watched(folder, chain, verdicts)
    engine.listen(watched.outcomes)
    return _Parts(
        ledger=ledger,
        engine=engine,
        gateway=Gateway(engine, Admission(ledger, verdicts)),
        catalogue=Catalogue(apps),
        readers=readers,
        writers=writers,
        verify=body.verify,
        clock_trouble=partial(_clock_trouble, machine, chain, start_trouble),
        watched=watched,
    )


def _check_clock(clock: Clock, chain: Chain, settings: Settings) -> str:
    """Refuse to start on a clock far ahead; a warning when it is behind."""
    if settings.clock_is_right:
        return ""
    trouble = check_start(clock(), chain.state.tip.time_ms)
    if trouble:
        log.warning(trouble)
    return trouble


def _clock_trouble(machine: MachineClock, chain: Chain, start_trouble: str) -> str:
    """What is wrong with the clock now."""
    if start_trouble and machine() >= chain.state.tip.time_ms:
        start_trouble = ""
    return machine.trouble or start_trouble


def _tame_collector() -> None:
    """Keep what was loaded out of the cyclic collector's way, and have it look seldom.

    Only in a process of the node's own: it is worth an eighth of the time that executing takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
