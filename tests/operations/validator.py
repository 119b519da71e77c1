"""A node of a consortium of one: the whole node over a real CometBFT, for tests of operating it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from tallystick.api import tls
from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.engine.folder import GENESIS, KEYS, PASSPHRASE, write_private
from tallystick.ledger.genesis import genesis_to_json
from tallystick.ledger.rules import Rules
from tallystick.node import Node
from tallystick.settings import FILE, Listen, Settings
from tallystick.testing.world import private_key
from tests.engine.cometbft.alone import genesis_for, settings_for
from tests.till import APP
from tests.till.people import NAMES, PEOPLE

PASSWORD = "of this test"
READY_SECONDS = 60


@dataclass(frozen=True)
class Validator:
    """A node that runs."""

    node: Node
    """The node."""
    client: Client
    """A client on its socket, with everybody's keys."""

    @property
    def folder(self) -> Path:
        """Its data."""
        return self.node.folder

    def wait_until_up(self) -> None:
        """Let the node learn that its engine is there."""
        end = time.monotonic() + READY_SECONDS
        while self.node.engine.standing().trouble:
            assert time.monotonic() < end, self.node.engine.standing().trouble
            time.sleep(0.02)

    def wait_until(self, height: int) -> None:
        """Let blocks come."""
        end = time.monotonic() + READY_SECONDS
        while self.node.height() < height:
            assert time.monotonic() < end, f"no block {height}"
            time.sleep(0.02)


def make(folder: Path, settings: Settings) -> None:
    """Make the data folder of the one member."""
    folder.mkdir(mode=0o700)
    genesis = genesis_for(folder)
    write_private(folder / GENESIS, genesis_to_json(genesis, Rules([APP]).record_types))
    write_private(folder / PASSPHRASE, PASSWORD.encode())
    tls.make(folder / "tls", datetime.now(UTC), ["localhost"])
    store = KeyStore(folder / KEYS, PASSWORD)
    for name in NAMES:
        store.create(name, private_key(name))
    write_settings(folder, settings)


def write_settings(folder: Path, settings: Settings) -> None:
    """Write `node.toml`."""
    (folder / FILE).write_bytes(tomli_w.dumps(msgspec.to_builtins(settings)).encode())


def settings(**engine: Any) -> Settings:
    """Settings on ports that nobody has; a block twice a second when nothing happens."""
    return Settings(
        listen=Listen(),
        engine=settings_for(**{"heartbeat_seconds": 1, "snapshot_every": 0} | engine),
    )


@contextmanager
def running(folder: Path) -> Iterator[Validator]:
    """Run the node until the block ends; it has made a block of this run when it begins."""
    node = Node.open(folder, apps=[APP], authority=PEOPLE)
    with node:
        client = Client(node.address, keys=KeyStore(folder / KEYS, PASSWORD), patience_seconds=60)
        try:
            validator = Validator(node, client)
            validator.wait_until(node.height() + 1)
            yield validator
        finally:
            client.close()
