"""The public client against a node that answers, is busy, is gone, or answers nonsense."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tallystick.client.client import Client, NodeRefused
from tallystick.errors import BadAnswer, KeysError, Unreachable
from tallystick.gateway.reply import RETRY_MS, Outcome, Reply, expired, rejected
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tests.till.messages import Pay
from tests.till.running import Running, running


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("till") / "data") as made:
        yield made


def test_many_are_answered_in_order(till: Running) -> None:
    raws = [till.client.sign(("A.clerk", Pay(to="B", amount_minor=each))) for each in range(1, 60)]
    ids = [till.node.ledger.codec.decode(raw).id for raw in raws]
    replies = list(till.client.submit_many(iter(raws), chunk=7, in_flight=3))
    assert [reply.transaction_id for reply in replies] == ids
    assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
    assert list(till.client.submit_many([])) == []


def test_a_reference_and_an_expiry_may_be_given(till: Running) -> None:
    expires = till.client.status().ledger_ms + 60_000
    raw = till.client.sign(
        ("A.clerk", Pay(to="B", amount_minor=1)), reference="invoice 7", expires_at_ms=expires
    )
    body = till.node.ledger.codec.decode(raw).body
    assert (body.reference, body.expires_at_ms) == ("invoice 7", expires)


def test_a_transaction_needs_a_call_and_a_key(till: Running) -> None:
    with pytest.raises(KeysError, match="at least one call"):
        till.client.sign()
    with pytest.raises(KeysError):
        till.client.sign(("A.nobody", Pay(to="B", amount_minor=1)))


def test_a_node_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    client = Client(f"unix:{tmp_path / 'none.sock'}", patience_seconds=0.1)
    with pytest.raises(Unreachable, match="No such file"):
        client.status()
    with pytest.raises(Unreachable):
        client.submit(b"x")


@pytest.mark.parametrize("address", ("", "http://localhost", "unix", "https://", "ftp://x"))
def test_an_address_is_a_socket_or_https(address: str) -> None:
    with pytest.raises(Unreachable, match="an address is"):
        Client(address)


@contextmanager
def nonsense(path: Path, answer: bytes) -> Iterator[Client]:
    """Somebody else's server."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(path))
        server.listen()
        server.settimeout(10)

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):  # the body may come in a second piece
                    pass

        thread = threading.Thread(target=serve)
        thread.start()
        client = Client(f"unix:{path}", patience_seconds=0)
        yield client
        client.close()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "error"),
    (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", BadAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", Unreachable),
        (b"HTTP/1.1 500 No\r\nContent-Length: 5\r\n\r\nhello", NodeRefused),
        (b"HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\n{}", NodeRefused),
        (b"SSH-2.0-OpenSSH_9.0\r\n", Unreachable),
        (b"", Unreachable),
    ),
)
def test_what_is_no_node_is_an_error(tmp_path: Path, answer: bytes, error: type[Exception]) -> None:
    with nonsense(tmp_path / "x.sock", answer) as client, pytest.raises(error):
        client.status()


def test_a_busy_node_is_asked_again(tmp_path: Path) -> None:
    full = b'{"error":{"app":"ledger","code":18,"message":"busy","retry":true}}'
    head = b"HTTP/1.1 503 No\r\nContent-Length: %d\r\n\r\n" % len(full)
    with nonsense(tmp_path / "x.sock", head + full) as client, pytest.raises(NodeRefused) as caught:
        client.submit(b"x")
    assert caught.value.retry
    assert str(caught.value) == "busy"


class OnceBusy(Client):
    """A client whose node is busy the first time, and says when it wants to hear the rest again."""

    def offer(self, raws: Sequence[bytes], *, wait_seconds: int = 0) -> list[Reply]:
        """Take the first transaction at once, the others from the second time on."""
        self.heard = [*getattr(self, "heard", []), (time.monotonic(), list(raws))]
        no = rejected(Refused(Refusal.BUSY, {"reason": "full", RETRY_MS: 400}))
        is_first = len(self.heard) == 1
        return [no if is_first and place else expired(raw) for place, raw in enumerate(raws)]


def test_what_a_busy_node_did_not_take_comes_again_when_it_said(tmp_path: Path) -> None:
    client = OnceBusy(f"unix:{tmp_path / 'x.sock'}")
    raws = [bytes([each]) * 32 for each in range(3)]
    assert [reply.transaction_id for reply in client.submit_many(raws)] == raws
    (began, first), (came, second) = client.heard
    assert (first, second) == (raws, raws[1:])
    assert came - began >= 0.4


def test_a_kept_connection_that_the_node_closed_is_made_anew(till: Running) -> None:
    client = Client(till.node.address)
    client.status()
    for connection in client._transport._idle:
        connection.sock.close()
    assert client.status().height > 0
    client.close()


def test_a_refused_read_carries_its_code(till: Running) -> None:
    with pytest.raises(NodeRefused) as caught:
        till.client.query("till", "none")
    no = caught.value
    assert (no.status, no.app, no.code, no.name) == (404, "ledger", 22, "NO_SUCH_QUERY")
    assert no.values == {"path": "till/none"}
