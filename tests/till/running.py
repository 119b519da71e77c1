"""A till's node over real files and a real socket, for tests of the door and of clients."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.engine.clock import Clock
from tallystick.engine.folder import KEYS
from tallystick.node import Node, read_passphrase
from tallystick.settings import Settings
from tests.till import APP
from tests.till.people import PEOPLE
from tests.till.process import make


@dataclass(frozen=True)
class Running:
    """A node that runs."""

    folder: Path
    """Its data."""
    node: Node
    """The node."""
    client: Client
    """A client on its own socket, with everybody's keys."""

    def raw(self, data: bytes, *, shut: bool = True, seconds: float = 30) -> bytes:
        """Send bytes as they are, and read whatever comes until the node hangs up."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(seconds)
            sock.connect(str(self.node.socket_path))
            try:
                sock.sendall(data)
                if shut:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # hung up on while sending: what it said meanwhile is read below
            found = b""
            while True:
                try:
                    part = sock.recv(65_536)
                except ConnectionResetError:
                    return found
                if not part:
                    return found
                found += part


def keys_of(folder: Path) -> KeyStore:
    """Officers' keys of a data folder."""
    return KeyStore(folder / KEYS, read_passphrase(folder, Settings()))


@contextmanager
def running(
    folder: Path, settings: Settings | None = None, *, clock: Clock | None = None
) -> Iterator[Running]:
    """Run a node over a folder, which is made when it is not there."""
    if not folder.exists():
        make(folder)
    node = Node.open(folder, settings=settings, apps=[APP], authority=PEOPLE, clock=clock)
    with node:
        client = Client(node.address, keys=keys_of(folder), patience_seconds=3)
        try:
            yield Running(folder, node, client)
        finally:
            client.close()
