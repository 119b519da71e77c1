"""The socket at which CometBFT finds its application.

CometBFT opens four connections, and four new ones after it was restarted. On each the answers must
come in the order of the requests, or CometBFT ends. A loop on a thread of its own reads and writes;
the requests are answered on threads by kind, so that queries and checks go on while a block is
executed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import cast

from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.dispatch import Route, answer, answer_all, exception, route_of
from tallystick.engine.cometbft.frames import FRAME_BYTES_MAX, BadFrame, FrameReader
from tallystick.errors import NodeError
from tallystick.values.codec import settle_types

log = logging.getLogger(__name__)

PATH_BYTES_MAX = 107
"""Longest path of a Unix socket on Linux."""
BATCH_MAX = 64
"""Requests that are answered in one go."""
WAITING_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of requests that may wait on a connection before no more are read from it."""
WAITING_MAX = 1_024
"""Requests that may wait; CometBFT has at most 256 under way."""
REPLY_BYTES_MAX = 4 * 1024 * 1024
"""Bytes of answers that may wait to be read by the other side."""
READERS = 4
"""Threads for queries and snapshots."""
BACKLOG = 16


class AbciServer:
    """Serves an application at a Unix socket, from threads of its own."""

    def __init__(
        self, application: Application, path: Path, *, frame_bytes_max: int = FRAME_BYTES_MAX
    ) -> None:
        """Stand ready; `start` listens."""
        self.application = application
        self.path = path
        self.frame_bytes_max = frame_bytes_max
        self.connections: set[Connection] = set()
        self._threads = {
            Route.EXECUTE: ThreadPoolExecutor(1, thread_name_prefix="abci-execute"),
            Route.MEMPOOL: ThreadPoolExecutor(1, thread_name_prefix="abci-mempool"),
            Route.READ: ThreadPoolExecutor(READERS, thread_name_prefix="abci-read"),
        }
        self._own = ThreadPoolExecutor(1, thread_name_prefix="abci-server")
        self._running: Future[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None

    # --- life

    def start(self) -> None:
        """Listen; returns once a client can connect."""
        settle_types()
        sock = bind(self.path)
        is_ready = threading.Event()
        self._running = self._own.submit(self._run, sock, is_ready)
        self._running.add_done_callback(partial(self._ended, is_ready))
        is_ready.wait()

    def _ended(self, is_ready: threading.Event, future: Future[None]) -> None:
        """Nobody listens any more; if nobody asked for that, the application has to know."""
        problem = future.exception()
        if problem is not None:
            self.application.fail(problem)
        is_ready.set()

    def stop(self) -> None:
        """Close every connection, finish the request at hand, and end. Not from its own threads.

        A second time it does nothing.
        """
        running, self._running = self._running, None
        if running is None:
            return
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None and not running.done():
            loop.call_soon_threadsafe(stopping.set)
        self._own.shutdown()
        self.path.unlink(missing_ok=True)

    def _run(self, sock: socket.socket, is_ready: threading.Event) -> None:
        """Serve on this thread until stopped."""
        asyncio.run(self._serve(sock, is_ready))

    async def _serve(self, sock: socket.socket, is_ready: threading.Event) -> None:
        """Listen, and wait for the end."""
        loop = self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        server = await loop.create_unix_server(lambda: Connection(self), sock=sock, backlog=BACKLOG)
        is_ready.set()
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for connection in list(self.connections):
                connection.abort()
            for threads in self._threads.values():
                await loop.run_in_executor(None, partial(threads.shutdown, cancel_futures=True))

    # --- work

    @property
    def is_stopping(self) -> bool:
        """Whether nothing is begun any more."""
        return self._stopping is None or self._stopping.is_set()

    def submit(self, connection: Connection, route: Route, messages: list[bytes]) -> None:
        """Answer requests on the thread that they are for."""
        if self.is_stopping:
            return
        answers: list[bytes] = []
        future = self._threads[route].submit(answer_all, self.application, messages, route, answers)
        future.add_done_callback(partial(self._done, connection, route, messages, answers))

    def _done(
        self,
        connection: Connection,
        route: Route,
        messages: list[bytes],
        answers: list[bytes],
        future: Future[None],
    ) -> None:
        """Hand the answers back to the loop; what is wrong with this node halts it."""
        if future.cancelled():
            return
        problem = future.exception()
        if problem is not None and not isinstance(problem, BadFrame):
            self.application.fail(problem)
            said = exception(f"the ledger has halted: {type(problem).__name__}: {problem}")
            answers += [said] * (len(messages) - len(answers))
        if self._loop is not None:
            bad = problem if isinstance(problem, BadFrame) else None
            self._loop.call_soon_threadsafe(connection.answered, route, answers, bad)

    def execute_ahead(self) -> None:
        """Have an accepted proposal executed while the others vote."""
        if self.is_stopping:
            return
        future = self._threads[Route.EXECUTE].submit(self.application.execute_ahead)
        future.add_done_callback(_look_ahead)


def _look_ahead(future: Future[None]) -> None:
    """Say what went wrong; if it is not the proposal's, the decided block will meet it again."""
    problem = None if future.cancelled() else future.exception()
    if problem is not None:
        log.warning("what could wait until after an answer failed: %s", problem, exc_info=problem)


class Connection(asyncio.Protocol):
    """One connection: frames in, answers out, in order."""

    def __init__(self, server: AbciServer) -> None:
        """Wait to be connected."""
        self._server = server
        self._reader = FrameReader(bytes_max=server.frame_bytes_max)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_busy = False
        self._is_reader_slow = False
        self._is_reading_paused = False

    # --- called by the loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(REPLY_BYTES_MAX)
        self._server.connections.add(self)
        log.debug("the engine connected to %s", self._server.path)

    def data_received(self, data: bytes) -> None:
        """Take what came, and answer what is complete."""
        try:
            messages = self._reader.feed(data)
        except BadFrame as problem:
            self._refuse(problem)
            return
        self._waiting.extend(messages)
        self._waiting_bytes += sum([len(message) for message in messages])
        self._work()

    def pause_writing(self) -> None:
        """The other side reads slowly: begin nothing more."""
        self._is_reader_slow = True

    def resume_writing(self) -> None:
        """The other side has read."""
        self._is_reader_slow = False
        self._work()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what waits: nobody reads the answers."""
        self._server.connections.discard(self)
        self._transport = None
        self._waiting.clear()
        torn = "" if self._reader.is_between else " in the middle of a frame"
        log.debug("a connection at %s was closed%s", self._server.path, torn)

    # --- work

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _work(self) -> None:
        """Answer what is cheap, hand over what is not, and read no more than can be kept."""
        while self._waiting and not (self._is_busy or self._is_reader_slow):
            route = route_of(self._waiting[0])
            messages = self._take(route)
            if route is Route.HERE:
                self._answer_here(messages)
            else:
                self._is_busy = True
                self._server.submit(self, route, messages)
        self._heed_limits()

    def _take(self, route: Route) -> list[bytes]:
        """The next requests that are answered in the same place."""
        messages: list[bytes] = []
        while self._waiting and len(messages) < BATCH_MAX and route_of(self._waiting[0]) is route:
            messages.append(self._waiting.popleft())
            self._waiting_bytes -= len(messages[-1])
        return messages

    def _answer_here(self, messages: list[bytes]) -> None:
        """Answer on the loop."""
        try:
            answers = [answer(self._server.application, each, Route.HERE) for each in messages]
        except BadFrame as problem:
            self._refuse(problem)
            return
        self._write(answers)

    def answered(self, route: Route, answers: list[bytes], bad: BadFrame | None) -> None:
        """Send the answers, and go on."""
        self._is_busy = False
        self._write(answers)
        if route is Route.EXECUTE:
            self._server.execute_ahead()
        if bad is not None:
            self._refuse(bad)
        self._work()

    def _write(self, answers: list[bytes]) -> None:
        """Send answers, if anybody is there."""
        if self._transport is not None and answers:
            self._transport.write(b"".join(answers))

    def _refuse(self, problem: BadFrame) -> None:
        """Close a connection on which something else is spoken."""
        log.error("%s: closing the connection: %s", self._server.path, problem)
        self._waiting.clear()
        self._waiting_bytes = 0
        if self._transport is not None:
            self._transport.close()

    def _heed_limits(self) -> None:
        """Stop reading while too much waits; read again when half of it is gone."""
        if self._transport is None or self._transport.is_closing():
            return
        bytes_, count = self._waiting_bytes, len(self._waiting)
        if not self._is_reading_paused and (bytes_ > WAITING_BYTES_MAX or count > WAITING_MAX):
            self._is_reading_paused = True
            self._transport.pause_reading()
        elif self._is_reading_paused and (
            bytes_ <= WAITING_BYTES_MAX // 2 and count <= WAITING_MAX // 2
        ):
            self._is_reading_paused = False
            self._transport.resume_reading()


def bind(path: Path) -> socket.socket:
    """A listening Unix socket that only this user may use; one left by a dead process goes."""
    length = len(os.fsencode(path))
    if length > PATH_BYTES_MAX:
        raise NodeError(
            f"the path of the engine's socket has {length} bytes, at most {PATH_BYTES_MAX} are"
            f" possible: use a data folder with a shorter path than {path.parent}"
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        path.chmod(0o600)
    except OSError as problem:
        sock.close()
        raise NodeError(f"the engine's socket {path} cannot be made: {problem}") from None
    return sock
