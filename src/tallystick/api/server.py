"""Listening: the routes on uvicorn, over a Unix socket or TCP, inside a loop of ours."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import uvicorn
from litestar import Litestar
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol

from tallystick.api import blocks, engine, health, reading, standing, submitting
from tallystick.api.problem import Problems
from tallystick.api.service import Service
from tallystick.errors import NodeError, PortTaken, SettingsError

Socket = socket.socket

CONNECTIONS_MAX = 512
"""Most connections and requests at a time; beyond it the answer is 503."""
STOP_SECONDS = 5
"""How long requests may go on when the node stops."""
BACKLOG = 256
HEADER_BYTES_MAX = 32 * 1024
WAITING_BYTES_MAX = 1024 * 1024
"""Bytes of a body that may wait to be read by its route, before nothing more is taken in."""
PATH_BYTES_MAX = 100


PROBES = (health,)
"""Routes of a door for those who watch the node."""
ALL = (submitting, reading, blocks, standing, health, engine)
"""Routes of every other door."""


def application(service: Service, parts: Sequence[ModuleType] = ALL) -> Litestar:
    """The routes over a node."""
    return Litestar(
        route_handlers=[route for part in parts for route in part.routes(service)],
        exception_handlers=Problems(service.catalogue).handlers(),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=None,
    )


class Flow(FlowControl):
    """Takes in the rest of a body of usual size without a pause: each is a call of the system."""

    def __init__(self, transport: asyncio.Transport, protocol: H11Protocol) -> None:
        """Nothing is paused."""
        super().__init__(transport)
        self._protocol = protocol

    def pause_reading(self) -> None:
        """Take in nothing more, unless it is a body that is not large yet."""
        cycle = self._protocol.cycle
        if not cycle.more_body or len(cycle.body) > WAITING_BYTES_MAX:
            super().pause_reading()


class PatientH11(H11Protocol):
    """Hangs up on whoever connects and then says nothing."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self.flow = Flow(transport, self)
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )


class Server(uvicorn.Server):
    """A server that leaves signals to the node, and says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        """Not listening yet."""
        super().__init__(config)
        self.is_ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self.is_ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Catch none: one node may have several servers, or none in the main thread."""
        yield


def server(
    app: Litestar, tls: ssl.SSLContext | None = None, *, patience_seconds: int = 30
) -> Server:
    """A server for one door; it is run with sockets that are bound already.

    It hangs up on a connection that is silent for so long, before or between requests.
    """
    config = uvicorn.Config(
        app,
        http=PatientH11,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
        timeout_keep_alive=patience_seconds,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
    )
    config.load()
    config.ssl = tls
    return Server(config)


def bind_unix(path: Path) -> socket.socket:
    """Listen on a Unix socket that its owner alone may use; one that nobody answers is replaced."""
    if len(str(path).encode()) > PATH_BYTES_MAX:
        raise SettingsError("listen.socket", f"{path} is too long for a Unix socket")
    if path.is_socket():
        if _answers(path):
            raise PortTaken(f"unix:{path}")
        path.unlink()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
        sock.listen(BACKLOG)
    except OSError as problem:
        sock.close()
        raise _cannot(problem, f"unix:{path}") from None
    sock.setblocking(False)
    return sock


def bind_tcp(host: str, port: int) -> socket.socket:
    """Listen on a TCP address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as problem:
        sock.close()
        raise _cannot(problem, f"{host}:{port}") from None
    sock.setblocking(False)
    return sock


def _answers(path: Path) -> bool:
    """Whether somebody listens on a Unix socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True


def _cannot(problem: OSError, address: str) -> NodeError:
    """The operating error of an address that cannot be had."""
    if problem.errno == errno.EADDRINUSE:
        return PortTaken(address)
    return SettingsError("listen", f"cannot listen at {address}: {problem.strerror or problem}")
