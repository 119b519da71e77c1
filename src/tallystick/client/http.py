"""HTTP to a node over a Unix socket or mutual TLS, on connections that are kept."""

from __future__ import annotations

import http.client
import socket
import ssl
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.errors import Unreachable


@dataclass(frozen=True, slots=True)
class Tls:
    """Files for mutual TLS, as `tally init` makes them."""

    ca: Path
    """Certificate of the network's or the node's own authority."""
    certificate: Path
    """This client's certificate."""
    key: Path
    """Its private key."""

    def context(self) -> ssl.SSLContext:
        """Trust that authority alone, and show the certificate."""
        made = ssl.create_default_context(cafile=str(self.ca))
        made.load_cert_chain(str(self.certificate), str(self.key))
        return made


@dataclass(frozen=True, slots=True)
class Answer:
    """A node's answer."""

    status: int
    """HTTP status."""
    body: bytes
    """The whole body."""


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Transport:
    """Sends requests to one address; may be used from several threads.

    Connections are kept for the next request, and closed when nobody holds the transport any more.
    """

    def __init__(self, address: str, tls: Tls | None = None, *, timeout: float = 90) -> None:
        """`address` is `unix:PATH` or `https://HOST:PORT`; nothing is connected yet."""
        self.address = address
        self._timeout = timeout
        self._idle: deque[http.client.HTTPConnection] = deque()
        weakref.finalize(self, _close_all, self._idle)
        self._context = tls.context() if tls is not None else None
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 443
        if parts.scheme not in {"unix", "https"} or (parts.scheme == "https" and not self._host):
            raise Unreachable(address, "an address is unix:PATH or https://HOST:PORT")

    def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and read the whole answer; `Unreachable` when there is none.

        A kept connection may have been closed by the node meanwhile: then a new one is tried.
        """
        while True:
            kept = self._kept()
            connection = kept or self._connect()
            try:
                connection.request(method, target, body=body or None, headers=dict(headers or {}))
                with connection.getresponse() as response:  # it may hold the socket alone
                    answer = Answer(response.status, response.read())
            except (OSError, http.client.HTTPException) as problem:
                connection.close()
                if kept is None:
                    raise Unreachable(self.address, _told(problem)) from None
            else:
                self._idle.append(connection)
                return answer

    @contextmanager
    def stream(
        self, target: str, headers: Mapping[str, str]
    ) -> Iterator[tuple[int, http.client.HTTPResponse]]:
        """Read an answer that may never end, on a connection of its own."""
        connection = self._connect()
        try:
            try:
                connection.request("GET", target, headers=dict(headers))
                response = connection.getresponse()
            except (OSError, http.client.HTTPException) as problem:
                raise Unreachable(self.address, _told(problem)) from None
            with response:
                yield response.status, response
        finally:
            connection.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        _close_all(self._idle)

    def _kept(self) -> http.client.HTTPConnection | None:
        """A connection that is kept, if there is one."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self) -> http.client.HTTPConnection:
        if self.address.startswith("unix:"):
            return _UnixConnection(self.address[len("unix:") :], self._timeout)
        context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=context
        )


def _close_all(connections: deque[http.client.HTTPConnection]) -> None:
    """Close what is kept."""
    while connections:
        connections.pop().close()


def _told(problem: Exception) -> str:
    """What went wrong, in the system's words."""
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
