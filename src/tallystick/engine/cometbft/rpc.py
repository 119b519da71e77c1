"""A small client of CometBFT's own interface: JSON-RPC over a Unix socket or loopback TCP.

The node is its only user: it hands bundles in here, and asks for what light clients and status
pages need. What the engine says travels on as it came, as plain JSON data.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from binascii import hexlify
from datetime import datetime
from http import HTTPStatus
from typing import Any, cast

from tallystick.settings import UNIX, is_unix, split_address

TIMEOUT_SECONDS = 10.0
"""How long one call may take."""
PAGE = 100
"""Validators that the engine tells at a time."""
IDLE_MAX = 8
"""Connections kept open while nobody uses them."""
BROADCAST = "broadcast_tx_sync"
FORM = "application/x-www-form-urlencoded"

Json = dict[str, Any]


class RpcUnavailable(Exception):
    """CometBFT does not answer: not started yet, gone, or too slow."""


class RpcRefused(Exception):
    """CometBFT answered no."""

    def __init__(self, code: int, log: str) -> None:
        """Keep its code and its words; a transaction's code is the application's own."""
        super().__init__(f"{log} (code {code})")
        self.code = code
        self.log = log

    @property
    def is_known(self) -> bool:
        """Whether a transaction was refused because the engine has seen the same bytes before."""
        return "already exists in cache" in self.log

    @property
    def is_full(self) -> bool:
        """Whether a transaction was refused because the engine's mempool is full."""
        return "mempool is full" in self.log


class Rpc:
    """Calls to one CometBFT. For any thread; each call in progress has a connection."""

    def __init__(self, address: str, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """`address` is `unix:PATH` or HOST:PORT; nothing is connected before the first call."""
        self._path = address.removeprefix(UNIX) if is_unix(address) else ""
        self._host, self._port = ("localhost", 0) if self._path else split_address(address)
        self._timeout_seconds = timeout_seconds
        self._idle: list[http.client.HTTPConnection] = []
        self._is_closed = False
        self._lock = threading.Lock()

    # --- what may be asked

    def broadcast(self, raw: bytes) -> None:
        """Hand a transaction to the mempool; `RpcRefused` when it was not taken.

        As a form, in hex: of JSON the engine reads every byte several times over.
        """
        body = b"tx=0x" + hexlify(raw)
        checked = self._told(BROADCAST, self._exchange(f"/{BROADCAST}", FORM, body))
        if checked["code"]:
            raise RpcRefused(int(checked["code"]), str(checked.get("log", "")))

    def status(self) -> Json:
        """The engine's node, its last block, and whether it is catching up."""
        return self.call("status")

    def commit(self, height: int | None = None) -> Json:
        """A header and the votes for it; of the last block unless a height is given."""
        return self.call("commit", **_at(height))

    def block(self, height: int | None = None) -> Json:
        """A block; the last one unless a height is given."""
        return self.call("block", **_at(height))

    def validators(self, height: int | None = None) -> list[Json]:
        """All validators of a height, the engine's pages put together."""
        found: list[Json] = []
        total = 1
        while len(found) < total:
            page = len(found) // PAGE + 1
            answer = self.call("validators", page=str(page), per_page=str(PAGE), **_at(height))
            total = int(answer["total"])
            found += answer["validators"]
            height = int(answer["block_height"])
            if not answer["validators"]:
                break
        return found

    def consensus_params(self, height: int | None = None) -> Json:
        """The parameters in force at a height."""
        return self.call("consensus_params", **_at(height))

    def net_info(self) -> Json:
        """The peers it is connected with."""
        return self.call("net_info")

    def abci_info(self) -> Json:
        """What the application told it last."""
        return cast(Json, self.call("abci_info")["response"])

    def unconfirmed(self) -> int:
        """How many transactions wait in its mempool."""
        return int(self.call("num_unconfirmed_txs")["total"])

    # --- the wire

    def call(self, method: str, **parameters: str) -> Json:
        """One call; numbers travel as text."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}
        body = json.dumps(request).encode("ascii")
        return self._told(method, self._exchange("/", "application/json", body))

    def _told(self, method: str, exchanged: tuple[int, bytes]) -> Json:
        """The result that an answer tells of."""
        status, answer = exchanged
        try:
            told = json.loads(answer)
            error, result = told.get("error"), told.get("result")
        except (ValueError, AttributeError):
            raise RpcUnavailable(f"HTTP {status} instead of an answer to {method}") from None
        if error:
            words = [str(error.get(name, "")) for name in ("message", "data")]
            raise RpcRefused(int(error.get("code", 0)), ": ".join(filter(None, words)))
        if status != HTTPStatus.OK or not isinstance(result, dict):
            raise RpcUnavailable(f"HTTP {status} instead of an answer to {method}")
        return result

    def close(self) -> None:
        """Close the connections that nobody uses; keep none from now on."""
        self._is_closed = True
        self._drop_idle()

    def _drop_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, path: str, kind: str, body: bytes) -> tuple[int, bytes]:
        """Post on a kept connection; the engine may have closed it meanwhile: then on a new one."""
        with self._lock:
            kept = self._idle.pop() if self._idle else None
        if kept is not None:
            try:
                return self._post(kept, path, kind, body)
            except TimeoutError as slow:
                raise RpcUnavailable("no answer in time") from slow
            except (OSError, http.client.HTTPException):
                self._drop_idle()
        try:
            return self._post(self._fresh(), path, kind, body)
        except (OSError, http.client.HTTPException) as problem:
            raise RpcUnavailable(str(problem) or type(problem).__name__) from problem

    def _fresh(self) -> http.client.HTTPConnection:
        """A connection that is made when it is used."""
        if self._path:
            return _UnixConnection(self._path, self._timeout_seconds)
        return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_seconds)

    def _post(
        self, connection: http.client.HTTPConnection, path: str, kind: str, body: bytes
    ) -> tuple[int, bytes]:
        """One request; the connection is kept only when all went well."""
        try:
            connection.request("POST", path, body, {"Content-Type": kind})
            response = connection.getresponse()
            found = response.status, response.read()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            is_kept = not response.will_close and not self._is_closed
            if is_kept and len(self._idle) < IDLE_MAX:
                self._idle.append(connection)
                return found
        connection.close()
        return found


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__("localhost", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the path."""
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(self.timeout)
        try:
            made.connect(self._path)
        except BaseException:
            made.close()
            raise
        self.sock = made


def _at(height: int | None) -> dict[str, str]:
    """The parameter that names a height."""
    return {} if height is None else {"height": str(height)}


def time_ms_of(text: str) -> int:
    """Milliseconds of a time as CometBFT writes it, e.g. `2026-11-22T10:00:00.123456789Z`."""
    whole, _, fraction = text.removesuffix("Z").partition(".")
    seconds = int(datetime.fromisoformat(whole + "+00:00").timestamp())
    return seconds * 1_000 + int((fraction + "000")[:3])


__all__ = ["Rpc", "RpcRefused", "RpcUnavailable", "time_ms_of"]
