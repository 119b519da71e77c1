"""A door on this machine for CometBFT's state sync and light clients, led to a member's node.

CometBFT wants plain `http://` addresses; members' nodes talk mutual TLS. The relay listens on
loopback and passes on the read-only methods that a member re-serves (`/v1/engine/…`), in the forms
that CometBFT's clients use: JSON-RPC by POST, URI by GET, and a WebSocket that says nothing.
What it tells is verified by who asks: it need not be trusted.

with Relay(Transport("https://node.bank-a:7443", tls)) as relay:
    relay.address      # "127.0.0.1:26691", for `rpc_servers`
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

from tallystick.client.http import Answer
from tallystick.engine.cometbft.light.serving import METHODS
from tallystick.errors import PortTaken, Unreachable

BODY_BYTES_MAX = 64 * 1024
"""Largest request: they name a method and a height."""
CONNECTION_SECONDS = 120
"""How long a connection may be silent."""
POLL_SECONDS = 0.1
"""How soon it hears that it is to stop."""
METHOD_NOT_FOUND = -32601
INTERNAL_ERROR = -32603
PARSE_ERROR = -32700
_WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

Json = dict[str, Any]


class Sender(Protocol):
    """What carries requests to the node: `client.http.Transport`."""

    def request(self, method: str, target: str) -> Answer:
        """Send a request, and wait for the answer."""


class Relay:
    """Listens on loopback while it is open; runs on threads of its own."""

    def __init__(self, sender: Sender, port: int = 0) -> None:
        """Lead to a node; port 0 takes a free one."""
        try:
            self._server = _Server(("127.0.0.1", port), _Handler)
        except OSError:
            raise PortTaken(f"127.0.0.1:{port}") from None
        self._server.sender = sender
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(POLL_SECONDS,), name="relay"
        )

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Relay:
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
        self.stop()


class _Server(ThreadingHTTPServer):
    """One thread for each connection; there are few."""

    daemon_threads = True
    block_on_close = False
    sender: Sender

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours."""


class _Handler(BaseHTTPRequestHandler):
    """One connection of a CometBFT client."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = CONNECTION_SECONDS

    def do_GET(self) -> None:
        """`/commit?height=5`, or the beginning of a WebSocket."""
        parts = urlsplit(self.path)
        if parts.path == "/websocket" and self.headers.get("Upgrade", "").lower() == "websocket":
            self._hold_websocket()
            return
        given = dict(parse_qsl(parts.query, keep_blank_values=True, max_num_fields=10))
        answer = self._ask(parts.path.strip("/"), given)
        self._reply(500 if "error" in answer else 200, answer)

    def do_POST(self) -> None:
        """`{"jsonrpc": "2.0", "id": 0, "method": "commit", "params": {"height": "5"}}`."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._reply(413, _no(PARSE_ERROR, "no request, or one that is too large"))
            return
        try:
            asked = json.loads(self.rfile.read(int(length)))
            method, given = str(asked["method"]), dict(asked.get("params") or {})
            identity = asked.get("id", -1)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._reply(200, _no(PARSE_ERROR, "no JSON-RPC request"))
            return
        plain = {str(name): str(value) for name, value in given.items() if value is not None}
        self._reply(200, self._ask(method, plain) | {"id": identity})

    def _ask(self, method: str, given: Mapping[str, str]) -> Json:
        """The node's answer."""
        if method not in METHODS:
            return _no(METHOD_NOT_FOUND, f"{method[:50]!r} is not told to others")
        query = f"?{urlencode(given)}" if given else ""
        try:
            answer = self.server.sender.request("GET", f"/v1/engine/{method}{query}")
            told = json.loads(answer.body)
        except Unreachable as problem:
            return _no(INTERNAL_ERROR, str(problem))
        except ValueError:
            return _no(INTERNAL_ERROR, "the node's answer is not JSON")
        if isinstance(told, dict) and "jsonrpc" in told:
            return told
        return _no(INTERNAL_ERROR, f"the node does not tell of its engine: HTTP {answer.status}")

    def _reply(self, status: int, answer: Json) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hold_websocket(self) -> None:
        """Accept and say nothing: CometBFT's light proxy will not start without a connection."""
        key = self.headers.get("Sec-WebSocket-Key", "") + _WEBSOCKET
        accept = base64.b64encode(hashlib.sha1(key.encode(), usedforsecurity=False).digest())
        self.send_response(HTTPStatus.SWITCHING_PROTOCOLS)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        self.wfile.flush()
        self.connection.settimeout(None)
        while self.connection.recv(4_096):
            pass
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: who asks logs what it asked."""


def _no(code: int, data: str) -> Json:
    """CometBFT's way to say no."""
    return {
        "jsonrpc": "2.0",
        "id": -1,
        "error": {"code": code, "message": "Internal error", "data": data},
    }


__all__ = ["Relay"]
