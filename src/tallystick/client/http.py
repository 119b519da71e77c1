"""HTTP to a node over a Unix socket or mutual TLS: one kept connection per thread."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
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
    """Sends requests to one address; may be used from several threads."""

    def __init__(self, address: str, tls: Tls | None = None, *, timeout: float = 90) -> None:
        """`address` is `unix:PATH` or `https://HOST:PORT`; nothing is connected yet."""
        self.address = address
        self._timeout = timeout
        self._local = threading.local()
        self._context = tls.context() if tls is not None else None
        parts = urlsplit(address)
        self._host, self._port = parts.hostname or "", parts.port or 443
        if parts.scheme not in {"unix", "https"} or (parts.scheme == "https" and not self._host):
            raise Unreachable(address, "an address is unix:PATH or https://HOST:PORT")

    def request(
        self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request and read the whole answer; `Unreachable` when there is none.

        A kept connection may have been closed by the node meanwhile: then it is tried once more.
        """
        kept = getattr(self._local, "connection", None)
        try:
            return self._once(method, target, body, headers or {})
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            if kept is None:
                raise Unreachable(self.address, _told(problem)) from None
        try:
            return self._once(method, target, body, headers or {})
        except (OSError, http.client.HTTPException) as problem:
            self.close()
            raise Unreachable(self.address, _told(problem)) from None

    def stream(
        self, target: str, headers: Mapping[str, str]
    ) -> tuple[int, http.client.HTTPResponse]:
        """Begin to read an answer that may never end, on a connection of its own."""
        connection = self._connect()
        try:
            connection.request("GET", target, headers=dict(headers))
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as problem:
            connection.close()
            raise Unreachable(self.address, _told(problem)) from None
        return response.status, response

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _once(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = self._connect()
        connection.request(method, target, body=body or None, headers=dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.read())

    def _connect(self) -> http.client.HTTPConnection:
        if self.address.startswith("unix:"):
            return _UnixConnection(self.address[len("unix:") :], self._timeout)
        context = self._context or ssl.create_default_context()
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=context
        )


def _told(problem: Exception) -> str:
    """What went wrong, in the system's words."""
    return getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
