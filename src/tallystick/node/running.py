"""A node that runs: its doors, its engine, and how it ends."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from tallystick import settings as settings_module
from tallystick.api import server as api
from tallystick.api import tls
from tallystick.api.service import Service
from tallystick.api.turns import new_loop
from tallystick.engine.clock import Clock, wall_ms
from tallystick.engine.folder import TLS, forget_halt, note_halt
from tallystick.errors import Halted, NodeError, ReachedHeight, TallystickError
from tallystick.ledger.app import App
from tallystick.ledger.authority import Authority
from tallystick.node.beginning import shipped
from tallystick.node.cores import settle
from tallystick.node.pages import HugePages
from tallystick.node.parts import Parts, open_parts
from tallystick.settings import PythonCore, Settings, split_address
from tallystick.store.elsewhere import available
from tallystick.values.codec import settle_types

log = logging.getLogger(__name__)

TURN_SECONDS = 0.001
"""How long a thread of a node may keep Python's lock while another waits for it.

The thread that makes blocks durable comes back from native code several times a block; it should
not wait five milliseconds, the usual turn, each time for the thread that executes. Nor should the
one that reads what CometBFT writes: as long as a write of its waits, CometBFT is busy waiting.
"""


class Node:
    """A running node, or one that is ready to run.

    with Node.open(folder) as node:      # runs on a thread until the block ends
        Client(node.address).status()

    Node.open(folder).run()              # runs here until SIGINT or SIGTERM
    """

    def __init__(self, folder: Path, settings: Settings, parts: Parts, stack: ExitStack) -> None:
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
        settle_types()
        found = settings or settings_module.load(folder, os.environ)
        with ExitStack() as stack:
            parts = open_parts(folder, found, _rules(apps, authority), clock, stack)
            return cls(folder, found, parts, stack.pop_all())

    @property
    def address(self) -> str:
        """Address of the node's own socket, for clients."""
        return f"unix:{self.socket_path}"

    @property
    def socket_path(self) -> Path:
        """Path of the node's own socket."""
        return self.folder / self.settings.listen.socket

    @property
    def body(self) -> str:
        """Which body checks signatures and holds the tree: `python`, `native` or `both`."""
        return self._parts.accel.name

    def height(self) -> int:
        """Height of the last committed block."""
        return self._parts.watched.chain.state.tip.height

    # --- running

    def run(self, *, ready: Callable[[], None] | None = None) -> None:
        """Run until SIGINT, SIGTERM or `stop`; `ready` is called once the node answers.

        Raises what ended the engine, if anything did: the data is at its last committed block.
        """
        with self._stack, asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(self._serve(ready or (lambda: None)))
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
        if isinstance(failure, ReachedHeight):
            log.warning("%s", failure)
        elif failure is not None:
            log.critical("the engine has ended: %s", failure, exc_info=failure)
            note_halt(self.folder, self.height(), str(failure) or repr(failure))
        self._wake()

    async def _serve(self, ready: Callable[[], None]) -> None:
        """Listen, make blocks, and wait for the end."""
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        with ExitStack() as doors:
            servers = [(server, sock) for server, sock in self._doors(doors)]
            self._catch_signals(doors)
            if _is_own_process():
                self._settle(doors)
            self.engine.start(ended=self._ended)
            tasks = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in servers]
            for server, _ in servers:
                await server.is_ready.wait()
            if _is_own_process():
                _tame_collector()
                sys.setswitchinterval(TURN_SECONDS)
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

    def _settle(self, stack: ExitStack) -> None:
        """Keep Python on one core, and have huge pages asked for on the others."""
        cores = available()
        core = settle(self._parts.accel, self._python_core())
        if self.settings.huge_pages == "auto":
            pages = HugePages()
            pages.start(cores - {core} or cores)
            stack.callback(pages.stop)

    def _python_core(self) -> PythonCore:
        """Core for Python; of a consortium's node only when one is named: CometBFT is busy too."""
        is_open = self.settings.python_core == "auto" and self.settings.engine.kind != "embedded"
        return "any" if is_open else self.settings.python_core

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
            light=parts.light,
        )

    def _catch_signals(self, stack: ExitStack) -> None:
        """Let SIGINT and SIGTERM stop the node, where this is the main thread."""
        loop = asyncio.get_running_loop()
        if not _is_own_process() or self._stopping is None:
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
            stack.callback(loop.remove_signal_handler, number)


def _rules(
    apps: Sequence[App] | None, authority: Authority | None
) -> tuple[tuple[App, ...], Authority]:
    """The applications given, or those of this release."""
    if apps is not None and authority is not None:
        return tuple(apps), authority
    known_apps, known_authority = shipped()
    return tuple(apps or known_apps), authority or known_authority


def _is_own_process() -> bool:
    """Whether this process is the node's alone: it runs in the main thread."""
    return threading.current_thread() is threading.main_thread()


def _tame_collector() -> None:
    """Keep what was loaded out of the cyclic collector's way, and have it look seldom.

    Only in a process of the node's own: it is worth an eighth of the time that executing takes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
