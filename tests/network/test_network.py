"""How a network on one machine is made: keys, one genesis, addresses; and where it cannot be."""

from __future__ import annotations

import socket
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.engine.cometbft.home import founding_validators
from tallystick.engine.folder import GENESIS, read_genesis
from tallystick.errors import NodeError, SettingsError
from tallystick.network.dwelling import prepare, put_genesis, read_settings, write_settings
from tallystick.network.network import Network
from tallystick.node import shipped
from tallystick.settings import EngineSettings, Limits, Listen, Settings
from tests.network.conftest import begin


def test_the_ceremony(network: Network) -> None:
    """Every node its own keys; all the same genesis, which names every key."""
    one, two = network.nodes
    genesis = read_genesis(one.folder, shipped()[0])
    assert (two.folder / GENESIS).read_bytes() == (one.folder / GENESIS).read_bytes()
    found = {each.public_key: each.member for each in founding_validators(genesis)}
    assert found == {one.validator_key: "bank-a", two.validator_key: "bank-b"}
    assert genesis.node_key is None
    assert network.plan.chain_id == genesis.chain_id
    assert one.settings.engine.kind == "cometbft"
    assert one.settings.engine.allow == (two.node_id,)
    assert one.settings.engine.peers == (f"{two.node_id}@{two.settings.engine.p2p}",)
    for node in network.nodes:
        assert stat.S_IMODE(node.folder.stat().st_mode) == 0o700
        for name in ("passphrase", "node.toml", "engine/config/priv_validator_key.json"):
            assert stat.S_IMODE((node.folder / name).stat().st_mode) == 0o600


def test_a_second_network_needs_a_second_folder(network: Network, tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="holds a network already"):
        Network.make(network.folder, ("bank-a",), begin)
    (network.folder / "network.json").unlink()
    with pytest.raises(NodeError, match="holds an unfinished network"):
        Network.make(network.folder, ("bank-a",), begin)
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(NodeError, match="begins in an empty one"):
        Network.make(tmp_path, ("bank-a",), begin)


def test_folders_that_are_none(tmp_path: Path, network: Network) -> None:
    with pytest.raises(NodeError, match="there is no network in"):
        Network.open(tmp_path)
    with pytest.raises(SettingsError, match="nearer to the root"):
        Network.make(tmp_path / ("a" * 100), ("bank-a",), begin)
    with pytest.raises(NodeError, match="needs a member"):
        Network.make(tmp_path / "x", (), begin)
    with pytest.raises(NodeError, match="this network has no node9; it has node1, node2"):
        network.node("9")
    (network.folder / "network.json").write_text("{}")
    with pytest.raises(NodeError, match="cannot be read"):
        _ = network.plan


def test_ports_that_somebody_took_are_given_anew(network: Network) -> None:
    """Between down and up: the others learn the new ones."""
    one, two = network.nodes
    before = one.settings.engine
    host, port = before.p2p.split(":")
    with closing(socket.create_server((host, int(port)))):
        said: list[str] = []
        network.start(bound=True, wait=False, command=("true",), say=said.append)
        network.stop()
    assert said == ["ports of node1 are taken by others: new ones"]
    after = one.settings.engine
    assert after.p2p != before.p2p
    assert two.settings.engine.peers == (f"{one.node_id}@{after.p2p}",)


def test_a_new_node_is_let_in_and_an_old_one_out(network: Network) -> None:
    added = network.add()
    assert added.name == "node3"
    assert [each.name for each in network.nodes] == ["node1", "node2", "node3"]
    for node in network.nodes[:2]:
        assert added.node_id in node.settings.engine.allow
    assert len(added.settings.engine.peers) == 2
    assert (added.folder / GENESIS).read_bytes() == (network.nodes[0].folder / GENESIS).read_bytes()
    network.remove("node2")
    assert [each.name for each in network.nodes] == ["node1", "node3"]
    assert network.nodes[0].settings.engine.allow == (added.node_id,)
    assert (network.folder / "node2").is_dir()
    assert network.add().name == "node4"


def test_settings_are_written_as_they_are_read(tmp_path: Path) -> None:
    settings = Settings(
        listen=Listen(address="127.0.0.1:7443"),
        limits=Limits(queue=7),
        engine=EngineSettings(kind="cometbft", allow=("ab" * 20,)),
        clock_is_right=True,
    )
    write_settings(tmp_path, settings)
    assert read_settings(tmp_path) == settings
    assert "patience_seconds" not in (tmp_path / "node.toml").read_text()


def test_a_folder_of_another_chain_is_left_alone(tmp_path: Path) -> None:
    put = tmp_path / "a"
    put.mkdir()
    (put / GENESIS).write_text("{}")
    with pytest.raises(NodeError, match="holds a chain already"):
        prepare(put)
    with pytest.raises(NodeError, match="holds another chain already"):
        put_genesis(put, b"other")
    (tmp_path / "b" / "blocks").mkdir(parents=True)
    with pytest.raises(NodeError, match="holds blocks, but no"):
        prepare(tmp_path / "b")
    assert prepare(tmp_path / "c") == prepare(tmp_path / "c")


def test_a_snapshot_to_begin_with_is_there_or_it_is_said(network: Network) -> None:
    with pytest.raises(NodeError, match="no live node has a snapshot yet"):
        network.snapshot_source()
    folder = network.nodes[0].folder / "snapshots"
    (folder / "30").mkdir(parents=True)
    (folder / "7").mkdir()
    (folder / "incoming").mkdir()
    assert network.nodes[0].snapshots() == [7, 30]


def test_settings_that_cannot_be_read_are_told_of(network: Network) -> None:
    """One node's file must not hide how the others do."""
    (network.nodes[0].folder / "node.toml").write_text("[engine]\nkind = 7\n")
    one, two = network.standing().nodes
    assert "node.toml" in one.trouble
    assert two.trouble == ""
    assert (one.state, two.state) == ("down", "down")


def test_another_number_of_validators_is_not_passed_over(
    network: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    """A network that is there has the nodes that it has."""
    assert run(["network", "up", "--data", str(network.folder), "--validators", "7"]) == 30
    assert "has 2 nodes, not 7" in capsys.readouterr().err
    assert network.supervisor is None
