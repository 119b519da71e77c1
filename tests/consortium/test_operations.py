"""A member loses its disk: its node comes back from a backup, and signs nothing twice."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.engine.cometbft.home import address_of
from tallystick.engine.cometbft.rpc import Rpc
from tallystick.network.network import Network
from tallystick.node import shipped
from tallystick.operations.doctor.examine import examine, is_well
from tallystick.operations.doctor.finding import Finding, Level
from tallystick.operations.doctor.patient import look_at
from tests.consortium.conftest import MakeNetwork

MINT = ("--as", "CB.maker+checker", "cash", "mint", "--money", "CNY@CB", "--to", "bank-a")
SECONDS = 90


def versions() -> dict[str, int]:
    return {app.name: app.version for app in shipped()[0]}


def until(net: Network, node: int, height: int) -> None:
    """Let a node come to a height."""
    end = time.monotonic() + SECONDS
    while True:
        with_client = net.nodes[node].client()
        try:
            if with_client.status().height >= height:
                return
        finally:
            with_client.close()
        assert time.monotonic() < end, f"node {node} does not reach block {height}"
        time.sleep(0.1)


def found_once(net: Network, holds: Callable[[dict[str, Finding]], bool]) -> None:
    """Have the first node examined until it is found as it should be."""
    end = time.monotonic() + SECONDS
    while not holds(found := examine(look_at(net.nodes[0].folder, versions()))):
        assert time.monotonic() < end, {name: each.said for name, each in found.items()}
        time.sleep(0.2)


def height_of(net: Network, node: int) -> int:
    client = net.nodes[node].client()
    try:
        return client.status().height
    finally:
        client.close()


def test_a_lost_disk(make: MakeNetwork, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Backed up while it works, lost, restored as far as the network has signed, caught up."""
    backup, password = tmp_path / "b.tar", tmp_path / "password"
    password.write_text("a long one\n")
    with make() as net:
        lost = net.nodes[3]
        found_once(net, is_well)
        assert run(["backup", str(lost.folder), str(backup), "--with-keys", str(password)]) == 0
        assert run(["--node", net.nodes[0].address, *MINT, "--amount", "1.00"]) == 0
        lost.stop()
        found_once(net, lambda found: found["peers"].level is Level.WARN)
        toml = (lost.folder / "node.toml").read_bytes()
        shutil.rmtree(lost.folder)
        assert run(["--node", net.nodes[1].address, *MINT, "--amount", "2.00"]) == 0
        height = height_of(net, 0)
        ask = ["--ask", net.nodes[0].address, "--passphrase", str(password)]
        assert run(["restore", str(backup), str(lost.folder), *ask]) == 0
        assert (lost.folder / "node.toml").read_bytes() == toml
        lost.start()
        until(net, 3, height + 3)
        assert _signs_after(lost.rpc, lost.validator_key, height)
        found = examine(look_at(lost.folder, versions()))
        assert found["heights"].level is Level.OK
        roots = {_root(net, number, height) for number in range(4)}
        assert len(roots) == 1


def _root(net: Network, node: int, height: int) -> str:
    """App hash that a node's engine has in the header after a block."""
    rpc = net.nodes[node].rpc
    try:
        return str(rpc.commit(height + 1)["signed_header"]["header"]["app_hash"])
    finally:
        rpc.close()


def _signs_after(rpc: Rpc, key: bytes, height: int) -> bool:
    """Whether a validator votes again, and only for blocks after the floor."""
    name = address_of(key).upper()
    end = time.monotonic() + SECONDS
    try:
        while time.monotonic() < end:
            last = int(rpc.status()["sync_info"]["latest_block_height"])
            for each in range(height + 2, last):
                votes = rpc.commit(each)["signed_header"]["commit"]["signatures"]
                if any(vote["validator_address"] == name for vote in votes):
                    return True
            time.sleep(0.2)
    finally:
        rpc.close()
    return False
