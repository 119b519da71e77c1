"""`tally network` with real nodes: up, status, kill, heal, add, remove, logs, down."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.network.network import Network
from tests.consortium.conftest import MakeNetwork

MINT = ("--as", "CB.maker+checker", "cash", "mint", "--money", "CNY@CB", "--to", "bank-a")


def tally(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Run a command line; what it printed."""
    capsys.readouterr()
    found = run([*words])
    told = capsys.readouterr()
    assert found == code, told.out + told.err
    return told.out + told.err


def test_a_life(make: MakeNetwork, capsys: pytest.CaptureFixture[str]) -> None:
    """Four validators: one is killed and comes back, one more is added and taken out, all stop."""
    with make() as net:
        data = ("--data", str(net.folder))
        _all_agree(net, capsys)
        tally(capsys, "network", "kill", "3", *data)
        one, two = net.nodes[0], net.nodes[1]
        tally(capsys, "--node", one.address, *MINT, "--amount", "1.00")
        tally(capsys, "--node", two.address, *MINT, "--amount", "2.00")
        text = tally(capsys, "network", "status", *data)
        assert "node3   killed" in text
        assert "3 of 4 live; they agree" in text
        tally(capsys, "network", "heal", "node3", *data)
        _all_agree(net, capsys)
        words = ("--json", "cash", "balances", "--party", "bank-a")
        told = json.loads(tally(capsys, "--node", net.nodes[2].address, *words))
        assert told[0]["available_minor"] == "300"
        text = tally(capsys, "network", "add", *data)
        assert "add-validator member=MEMBER public-key=" in text
        _all_agree(net, capsys)
        text = tally(capsys, "network", "remove", "1", *data, code=30)
        assert "node1 still votes" in text
        tally(capsys, "network", "remove", "5", *data)
        assert "this network has no node5" in tally(capsys, "network", "kill", "5", *data, code=30)
        logs = tally(capsys, "network", "logs", *data, "--lines", "500")
        assert "node4: " in logs
        tally(capsys, "network", "logs", "1", "--engine", *data)
        assert "the network is down" in tally(capsys, "network", "down", *data)
        assert not any(node.process for node in net.nodes)
        text = tally(capsys, "network", "status", *data, code=1)
        assert "0 of 4 live" in text
        assert "the network is down" in tally(capsys, "network", "heal", "1", *data, code=30)


def _all_agree(net: Network, capsys: pytest.CaptureFixture[str]) -> None:
    """`status` says that all is well."""
    net.wait_live(90)
    end = time.monotonic() + 90
    while True:
        told = json.loads(tally(capsys, "--json", "network", "status", "--data", str(net.folder)))
        # Two engines that dial each other at once may both hang up, and try again later.
        if min(each["peers"] for each in told["nodes"]) >= len(net.nodes) // 2:
            break
        assert time.monotonic() < end
        time.sleep(1)
    assert told["well"]
    assert told["agree"]
    assert len({each["app_hash"] for each in told["nodes"]}) == 1


def test_where_there_is_no_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(tmp_path / "none"))
    for words in (("down",), ("status",), ("logs",), ("kill", "1"), ("add",), ("remove", "1")):
        text = tally(capsys, "network", *words, *data, code=30)
        assert "there is no network in" in text
    assert not (tmp_path / "none").exists()
