"""A node that a real CometBFT orders for: its door, its restarts, and what kills it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from tallystick.client.client import Client
from tallystick.engine.cometbft.home import HOME
from tallystick.errors import NodeError, SettingsError, Unreachable
from tallystick.gateway.reply import Outcome
from tallystick.node import Node
from tallystick.node.consortium import AllowList
from tallystick.settings import (
    FILE,
    EngineSettings,
    Settings,
    is_loopback,
    load,
    rpc_address,
)
from tests.till import APP
from tests.till.desk import until
from tests.till.messages import Leave, Pay
from tests.till.people import PEOPLE
from tests.till.process import make
from tests.till.running import keys_of
from tests.till.validator import make_validator

SECONDS = 60
NODE_ID = "0123456789abcdef0123456789abcdef01234567"


def opened(folder: Path, **options: object) -> Node:
    return Node.open(folder, apps=[APP], authority=PEOPLE, **options)  # type: ignore[arg-type]


@contextmanager
def process(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A node's process; killed in the end, its engine with it."""
    began = subprocess.Popen(
        [sys.executable, "-m", "tests.till.process", "run", str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert began.stdout is not None
        assert began.stdout.readline() == "ready\n"
        yield began
    finally:
        with suppress(ProcessLookupError):
            os.killpg(began.pid, signal.SIGKILL)
        began.wait()
        assert began.stdout is not None
        began.stdout.close()


def engine_pids(folder: Path) -> list[int]:
    """Processes of CometBFT that run in a data folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            is_engine = b"cometbft\0start" in (path / "cmdline").read_bytes()
            if is_engine and (path / "cwd").readlink() == folder:
                found.append(int(path.name))
    return found


# --- the door


def test_a_node_of_a_consortium_answers_like_any_other(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make_validator(folder)
    with opened(folder) as node:
        client = Client(node.address, keys=keys_of(folder))
        raw = client.sign(("A.clerk", Pay(to="B", amount_minor=7)))
        assert client.offer([raw])[0].outcome in {Outcome.KEPT, Outcome.ACCEPTED}
        reply = client.submit(raw)
        assert reply.outcome is Outcome.ACCEPTED
        assert client.send(("A.clerk", Pay(to="B", amount_minor=10**11))).outcome is Outcome.REFUSED
        assert client.submit(raw).height == reply.height
        until(lambda: not client.status().trouble, SECONDS)
        status = client.status()
        assert (status.trouble, status.clock_trouble) == ("", "")
        assert abs(status.ledger_ms - time.time_ns() // 1_000_000) < 20_000
        assert reply.transaction_id is not None
        assert client.ask(reply.transaction_id) == reply
        block = next(client.blocks(reply.height or 0))
        assert reply.transaction_id in {each.transaction_id for each in block.transactions}
        client.close()
        root = node.engine.standing().state_root
    with opened(folder) as node:
        assert node.engine.standing().state_root == root
    assert not (folder / "abci.sock").exists()
    assert engine_pids(folder) == []


def test_kind_and_genesis_must_fit(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    settings = make_validator(folder)
    with pytest.raises(NodeError, match="it is a consortium's"):
        opened(folder, settings=Settings())
    alone = tmp_path / "alone"
    make(alone)
    with pytest.raises(NodeError, match="names no validators"):
        opened(alone, settings=settings)


# --- kills


@pytest.mark.consortium
def test_kills_of_the_node_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make_validator(folder)
    client = Client(f"unix:{folder / 'api.sock'}", keys=keys_of(folder))
    kept: list[bytes] = []
    number = 0
    for _ in range(3):
        with process(folder) as began:
            raws = []
            for _ in range(100):
                number += 1
                left = Leave(name="note", number=number)
                raws.append(client.sign(("A.clerk", left), expires_at_ms=_later()))
            replies = client.offer(raws)
            assert {each.outcome for each in replies} <= {Outcome.KEPT, Outcome.ACCEPTED}
            kept += raws
            pids = engine_pids(folder)
            assert pids
            began.kill()
            began.wait()
            until(lambda: not engine_pids(folder))
    with process(folder):
        replies = list(client.submit_many(kept))
        assert {each.outcome for each in replies} == {Outcome.ACCEPTED}
        again = list(client.submit_many(kept))
        assert [each.height for each in again] == [each.height for each in replies]
        reader = client.as_reader("A.clerk")
        assert len(list(reader.find("till", "note"))) == number
    client.close()


def _later() -> int:
    return time.time_ns() // 1_000_000 + 600_000


def test_ctrl_c_ends_engine_and_node(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    make_validator(folder)
    with process(folder) as began:
        until(lambda: engine_pids(folder), SECONDS)
        began.send_signal(signal.SIGINT)
        assert began.wait(SECONDS) == 0
        assert engine_pids(folder) == []
    client = Client(f"unix:{folder / 'api.sock'}", patience_seconds=0)
    with pytest.raises(Unreachable):
        client.status()
    assert "captured interrupt" not in (folder / HOME / "cometbft.log").read_text()


# --- settings


def test_who_may_connect_is_read_again_when_the_file_changes(tmp_path: Path) -> None:
    first = EngineSettings(peers=(f"{NODE_ID}@host:26656",))
    allowed = AllowList(tmp_path, first)
    assert allowed() == {NODE_ID}
    path = tmp_path / FILE
    other = "f" * 40
    path.write_bytes(msgspec.toml.encode({"engine": {"allow": [other]}}))
    assert allowed() == {other}
    path.write_text("[engine\n")
    os.utime(path, ns=(1, 1))
    assert allowed() == {other}
    path.unlink()
    assert allowed() == frozenset()


def test_engine_settings_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[engine]\nkind = "cometbft"\nrpc = "0.0.0.0:26657"\n')
    with pytest.raises(SettingsError, match=r"engine\.rpc must be on loopback"):
        load(tmp_path, {})
    (tmp_path / FILE).write_text('[engine]\nrpc = "unix:"\n')
    with pytest.raises(SettingsError, match="is no path that CometBFT can take"):
        load(tmp_path, {})
    (tmp_path / FILE).write_text('[engine]\nrpc = "127.0.0.1:26657"\n')
    assert rpc_address(tmp_path, load(tmp_path, {}).engine) == "127.0.0.1:26657"
    assert rpc_address(tmp_path, EngineSettings()) == f"unix:{tmp_path}/rpc.sock"
    for bad in ('metrics = "10.0.0.1:1"', 'peers = ["host:1"]', 'allow = ["x"]', "bundle = 0"):
        (tmp_path / FILE).write_text(f"[engine]\n{bad}\n")
        with pytest.raises(SettingsError):
            load(tmp_path, {})
    for address, near in (("127.0.0.2:1", True), ("[::1]:1", True), ("localhost:1", True)):
        assert is_loopback(address) is near
    for address in ("", "host:1", "0.0.0.0:1", "192.168.0.1:1"):
        assert not is_loopback(address)
