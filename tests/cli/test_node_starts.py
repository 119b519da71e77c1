"""`tally node` says in one line why it cannot start, and changes nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tallystick.node import Node
from tests.cli.conftest import Tally


@pytest.fixture
def data(tally: Tally, tmp_path: Path) -> Path:
    """A data folder without a node."""
    tally("init", str(tmp_path / "d"))
    return tmp_path / "d"


def test_a_port_that_is_taken(tally: Tally, data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        told = tally("node", str(data), "--listen", address, code=31).err
    assert told == f"tally: the address {address} is taken\n"


def test_an_address_that_is_none(tally: Tally, data: Path) -> None:
    assert "is not HOST:PORT" in tally("node", "--data", str(data), "--listen", "x", code=30).err


def test_a_wrong_passphrase(tally: Tally, data: Path) -> None:
    (data / "passphrase").write_text("wrong\n", encoding="utf-8")
    assert "the passphrase does not open" in tally("node", str(data), code=51).err


def test_settings_that_mean_nothing(tally: Tally, data: Path) -> None:
    (data / "node.toml").write_text("[limits]\nqueue = -1\n", encoding="utf-8")
    assert "setting node.toml: " in tally("node", str(data), code=30).err


def test_a_genesis_that_was_changed(tally: Tally, data: Path) -> None:
    path = data / "genesis.json"
    path.write_text(path.read_text("utf-8").replace('"format": 1', '"format": 9'), encoding="utf-8")
    assert "unknown genesis format" in tally("node", str(data), code=30).err


def test_a_flipped_byte_is_found_by_the_audit(tally: Tally, data: Path) -> None:
    with Node.open(data) as node:
        tally(
            "--node",
            node.address,
            *["--as", "CB.maker+checker", "cash", "mint"],
            *["--money", "CNY@CB", "--to", "D1", "--amount", "1.00"],
        )
    assert tally("audit", str(data), "--json").json["ok"] is True
    log = next((data / "blocks").glob("*.log"))
    raw = bytearray(log.read_bytes())
    raw[len(raw) // 2] ^= 1
    log.write_bytes(raw)
    report = tally("audit", str(data), "--json", code=1).json
    assert report["ok"] is False
    assert "block " in report["problems"][0]
    assert "NOT OK" in tally("audit", str(data), code=1).out
