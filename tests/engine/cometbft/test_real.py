"""A real CometBFT, one validator, over our socket: it orders bundles and we execute them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tallystick.engine.cometbft.home import validator_key, write_home
from tallystick.engine.cometbft.install import install
from tallystick.engine.cometbft.rpc import Rpc, RpcUnavailable
from tallystick.engine.cometbft.server import AbciServer
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.system import Validator
from tallystick.network.ports import free_ports
from tallystick.settings import EngineSettings
from tests.engine.cometbft.stand import Stand, till_genesis
from tests.till.desk import until
from tests.till.messages import Fill, Pay
from tests.till.records import Purse

UP_SECONDS = 60


class Engine:
    """A home of CometBFT with one validator, and its process."""

    def __init__(self, folder: Path) -> None:
        """Make its key."""
        self.binary = install()
        self.home = folder / "engine"
        self.socket = folder / "abci.sock"
        p2p, rpc = (f"127.0.0.1:{port}" for port in free_ports(2))
        self.settings = EngineSettings(kind="cometbft", p2p=p2p, rpc=rpc, heartbeat_seconds=60)
        self.rpc = Rpc(self.settings.rpc)
        self.validator = Validator(public_key=validator_key(self.home), member="A", power=10)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, genesis: Genesis) -> None:
        """Run."""
        write_home(self.home, genesis, self.settings, socket=self.socket)
        with (self.home / "log").open("ab") as out:
            self._process = subprocess.Popen(
                [self.binary, "start", f"--home={self.home}"],
                start_new_session=True,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """End it, as a power cut would."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def said(self) -> str:
        """Its log."""
        return (self.home / "log").read_text()

    def asked(self, ask: Callable[[], Any]) -> Any:
        """The answer to a question, once it answers."""
        end = time.monotonic() + UP_SECONDS
        while time.monotonic() < end:
            try:
                return ask()
            except RpcUnavailable:
                time.sleep(0.05)
        raise TimeoutError(self.said())

    def broadcast(self, raw: bytes) -> None:
        """Hand in a bundle."""
        self.asked(lambda: self.rpc.broadcast(raw))


@contextmanager
def serving(stand: Stand, sock: Path) -> Iterator[AbciServer]:
    """An application at a socket."""
    server = AbciServer(stand.application, sock)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A home, and whatever runs in it, killed in the end."""
    made = Engine(tmp_path)
    try:
        yield made
    finally:
        made.kill()
        made.rpc.close()


def test_a_real_engine_orders_bundles_and_each_may_be_killed(engine: Engine) -> None:
    begins = till_genesis(engine.validator, time_ms=int(time.time() * 1000) - 1_000)
    stand = Stand(begins=begins)
    with serving(stand, engine.socket):
        engine.start(begins)
        engine.broadcast(stand.bundle(*[("A", Fill(currency="CNY", amount_minor=1))] * 5))
        until(lambda: stand.chain.view().peek(Purse, "A") is not None)
        assert stand.application.reused > 0
        engine.kill()
        engine.start(begins)
        engine.broadcast(stand.bundle(("B", Fill(currency="CNY", amount_minor=1))))
        until(lambda: stand.chain.view().peek(Purse, "B") is not None)
    until(engine.has_ended)  # without its application it can do nothing
    again = Stand(begins=begins, disk=stand.disk, references=100)
    with serving(again, engine.socket):
        engine.start(begins)
        engine.broadcast(again.bundle(("A", Pay(to="B", amount_minor=3))))
        until(lambda: again.chain.view().get(Purse, "B").amount_minor == 4)
        tip = again.chain.state.tip
        until(lambda: last_height(engine) >= tip.height)
        commit = engine.rpc.commit(tip.height)["signed_header"]["commit"]
        assert commit["block_id"]["hash"] == tip.header_hash.hex().upper()
        engine.kill()
    assert not again.halted


def last_height(engine: Engine) -> int:
    """Height of the last block that the engine has."""
    found = engine.asked(engine.rpc.status)
    return int(found["sync_info"]["latest_block_height"])


def test_an_engine_with_another_genesis_stops_with_a_clear_message(engine: Engine) -> None:
    begins = till_genesis(engine.validator, time_ms=int(time.time() * 1000) - 1_000)
    stand = Stand(begins=till_genesis(engine.validator, time_ms=begins.time_ms - 1))
    with serving(stand, engine.socket):
        engine.start(begins)
        until(engine.has_ended)
    (problem,) = stand.halted
    assert "not that of chain" in str(problem)
    assert begins.chain_id in engine.said()
