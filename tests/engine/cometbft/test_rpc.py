"""The client of CometBFT's interface, against a server that says what a test tells it to."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable, time_ms_of

Said = tuple[int, bytes]


class Server(ThreadingHTTPServer):
    """Answers calls as told, and notes them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        self.say: Callable[[str, dict[str, str]], Said] = lambda method, given: told({})
        self.hangs_up = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up is no error of the test."""

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        method, given = self.asked(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls.append((method, given))
        status, body = self.server.say(method, given)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = self.server.hangs_up

    def asked(self, body: bytes) -> tuple[str, dict[str, str]]:
        """The method and what it is given: in JSON at the root, or as a form at its own path."""
        if self.headers["Content-Type"] == "application/x-www-form-urlencoded":
            return self.path[1:], dict(parse_qsl(body.decode("ascii"), strict_parsing=True))
        asked = json.loads(body)
        return asked["method"], asked["params"]

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def told(result: Any) -> Said:
    """An answer."""
    return 200, json.dumps({"jsonrpc": "2.0", "id": 1, "result": result}).encode()


def refused(code: int, message: str, data: str) -> Said:
    """CometBFT's no."""
    error = {"code": code, "message": message, "data": data}
    return 500, json.dumps({"jsonrpc": "2.0", "id": 1, "error": error}).encode()


def say_no(words: str, method: str, given: dict[str, str]) -> Said:
    """CometBFT's no to any call."""
    return refused(-32603, "Internal error", words)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def rpc(server: Server) -> Iterator[Rpc]:
    made = Rpc(server.address, timeout_seconds=60)
    yield made
    made.close()


def test_a_connection_is_kept_from_call_to_call(server: Server, rpc: Rpc) -> None:
    server.say = lambda method, given: told({"method": method})
    assert [rpc.call(each)["method"] for each in ("status", "net_info", "block")] == [
        "status",
        "net_info",
        "block",
    ]
    assert server.connections == 1


def test_callers_at_the_same_time_have_connections_of_their_own(server: Server, rpc: Rpc) -> None:
    gate = threading.Barrier(4, timeout=30)

    def say(method: str, given: dict[str, str]) -> Said:
        gate.wait()
        return told({})

    server.say = say
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: rpc.status(), range(4)))
    assert server.connections == 4


def test_a_connection_that_was_closed_meanwhile_is_made_anew(server: Server, rpc: Rpc) -> None:
    server.hangs_up = True
    for _ in range(3):
        assert rpc.status() == {}
    assert len(server.calls) == 3


def test_a_transaction_travels_in_hex_and_numbers_as_text(server: Server, rpc: Rpc) -> None:
    server.say = lambda method, given: told({"code": 0, "log": ""})
    rpc.broadcast(b"\x00\xff")
    rpc.commit(7)
    rpc.commit()
    assert server.calls == [
        ("broadcast_tx_sync", {"tx": "0x00ff"}),
        ("commit", {"height": "7"}),
        ("commit", {}),
    ]


def test_the_applications_no_carries_its_code(server: Server, rpc: Rpc) -> None:
    server.say = lambda method, given: told({"code": 3, "log": "settled"})
    with pytest.raises(RpcRefused, match=r"settled \(code 3\)") as caught:
        rpc.broadcast(b"x")
    assert (caught.value.code, caught.value.is_known, caught.value.is_full) == (3, False, False)


def test_the_engines_no_is_understood(server: Server, rpc: Rpc) -> None:
    for words, known, full in (
        ("tx already exists in cache", True, False),
        ("mempool is full: number of txs 5", False, True),
        ("something else", False, False),
    ):
        server.say = partial(say_no, words)
        with pytest.raises(RpcRefused) as caught:
            rpc.broadcast(b"x")
        assert (caught.value.is_known, caught.value.is_full) == (known, full)
        assert caught.value.code == -32603
        assert words in caught.value.log


@pytest.mark.parametrize(
    "said", ((200, b"not json"), (404, b"{}"), (200, b"[1]"), (200, b'{"result": 5}'), (500, b""))
)
def test_what_is_no_answer_is_as_good_as_none(server: Server, rpc: Rpc, said: Said) -> None:
    server.say = lambda method, given: said
    with pytest.raises(RpcUnavailable):
        rpc.status()


def test_nobody_there_and_nobody_in_time_are_unavailable(server: Server) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        nobody = Rpc(f"127.0.0.1:{unheard.getsockname()[1]}")
        with pytest.raises(RpcUnavailable):
            nobody.status()
    slow = Rpc(server.address, timeout_seconds=60)
    slow.status()
    (kept,) = slow._idle
    kept.sock.settimeout(0.2)
    late = threading.Event()

    def say(method: str, given: dict[str, str]) -> Said:
        late.wait(30)
        return told({})

    server.say = say
    with pytest.raises(RpcUnavailable, match="in time"):
        slow.status()
    late.set()
    slow.close()


@pytest.mark.parametrize("name", ("nobody.sock", "x" * 200))
def test_a_socket_where_nobody_listens_is_unavailable(tmp_path: Path, name: str) -> None:
    with closing(Rpc(f"unix:{tmp_path / name}")) as rpc, pytest.raises(RpcUnavailable):
        rpc.status()


def test_all_pages_of_validators_are_put_together(server: Server, rpc: Rpc) -> None:
    names = [{"address": f"{number}"} for number in range(230)]

    def say(method: str, given: dict[str, str]) -> Said:
        first = (int(given["page"]) - 1) * int(given["per_page"])
        part = names[first : first + int(given["per_page"])]
        return told({"block_height": "9", "validators": part, "total": "230"})

    server.say = say
    assert rpc.validators() == names
    assert [given.get("height") for _, given in server.calls] == [None, "9", "9"]
    assert [given["page"] for _, given in server.calls] == ["1", "2", "3"]


def test_a_page_that_is_empty_ends_the_list(server: Server, rpc: Rpc) -> None:
    server.say = lambda method, given: told({"block_height": "9", "validators": [], "total": "5"})
    assert rpc.validators(9) == []


def test_the_other_calls_say_what_they_are_for(server: Server, rpc: Rpc) -> None:
    server.say = lambda method, given: told({"total": "4", "response": {"data": "x"}})
    assert rpc.unconfirmed() == 4
    assert rpc.abci_info() == {"data": "x"}
    rpc.block(2)
    rpc.consensus_params(3)
    rpc.net_info()
    assert [method for method, _ in server.calls] == [
        "num_unconfirmed_txs",
        "abci_info",
        "block",
        "consensus_params",
        "net_info",
    ]


def test_once_closed_it_keeps_no_connection(server: Server, rpc: Rpc) -> None:
    rpc.status()
    rpc.close()
    rpc.status()
    rpc.status()
    assert server.connections == 3


def test_times_of_the_engine_are_read_to_the_millisecond() -> None:
    assert time_ms_of("2026-07-03T01:00:00Z") == 1_783_040_400_000
    assert time_ms_of("2026-07-03T01:00:00.1Z") == 1_783_040_400_100
    assert time_ms_of("2026-07-03T01:00:00.123999999Z") == 1_783_040_400_123
