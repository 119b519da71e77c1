"""The door over TCP: both sides show certificates of one authority, and reads need a token."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tallystick.api import tls
from tallystick.client.client import Client, NodeRefused
from tallystick.client.http import Tls
from tallystick.errors import PortTaken, SettingsError, Unreachable
from tallystick.gateway.reply import Outcome
from tallystick.node import Node
from tallystick.settings import Listen, Settings
from tests.till import APP
from tests.till.messages import Pay
from tests.till.people import PEOPLE
from tests.till.process import make
from tests.till.running import Running, running


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def till(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Running]:
    settings = Settings(listen=Listen(address=f"127.0.0.1:{port}"))
    with running(tmp_path_factory.mktemp("till") / "data", settings) as made:
        yield made


def files(folder: Path) -> Tls:
    """What a client of this node shows."""
    return Tls(folder / "ca.pem", folder / "client.pem", folder / "client.key")


def test_a_client_with_a_certificate_writes_and_reads_as_its_officer(
    till: Running, port: int
) -> None:
    client = Client(
        f"https://127.0.0.1:{port}", keys=till.client.keys, tls=files(till.folder / "tls")
    )
    assert client.send(("A.clerk", Pay(to="B", amount_minor=1))).outcome is Outcome.ACCEPTED
    assert client.as_reader("A.clerk").query("till", "total")["purses"] == 1
    with pytest.raises(NodeRefused, match="NOT_A_READER"):
        client.query("till", "total")
    with pytest.raises(NodeRefused, match="NOT_A_READER"):
        list(client.blocks())
    client.close()


def test_without_a_certificate_nobody_is_talked_to(till: Running, port: int) -> None:
    context = ssl.create_default_context(cafile=str(till.folder / "tls" / "ca.pem"))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as sock,
    ):
        assert talked_to(sock) == b""


def talked_to(sock: ssl.SSLSocket) -> bytes:
    """What the node answers."""
    try:
        sock.sendall(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n")
        return sock.recv(1)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_another_authoritys_certificate_is_not_trusted(
    till: Running, port: int, tmp_path: Path
) -> None:
    tls.make(tmp_path, datetime.now(UTC), ["127.0.0.1"])
    theirs = files(tmp_path)
    stranger = Tls(till.folder / "tls" / "ca.pem", theirs.certificate, theirs.key)
    with pytest.raises(Unreachable):
        Client(f"https://127.0.0.1:{port}", tls=stranger).status()
    with pytest.raises(Unreachable, match="certificate verify failed"):
        Client(f"https://127.0.0.1:{port}", tls=theirs).status()


def test_keys_are_their_owners_alone(till: Running) -> None:
    for path in (till.folder / "tls").glob("*.key"):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    make(tmp_path / "data")
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        settings = Settings(listen=Listen(address=address))
        node = Node.open(tmp_path / "data", settings=settings, apps=[APP], authority=PEOPLE)
        with pytest.raises(PortTaken, match=address) as caught:
            node.run()
    assert caught.value.exit_code == 31


def test_a_host_that_is_not_ours_and_missing_files_are_said(tmp_path: Path) -> None:
    make(tmp_path / "data")
    settings = Settings(listen=Listen(address="203.0.113.1:1"))
    node = Node.open(tmp_path / "data", settings=settings, apps=[APP], authority=PEOPLE)
    with pytest.raises(SettingsError, match="cannot listen at 203"):
        node.run()
    (tmp_path / "data" / "tls" / "node.pem").unlink()
    node = Node.open(tmp_path / "data", settings=settings, apps=[APP], authority=PEOPLE)
    with pytest.raises(SettingsError, match="cannot be used"):
        node.run()
