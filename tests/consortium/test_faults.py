"""What may befall one validator of a real network: it says so, the others go on, it is healed."""

from __future__ import annotations

import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.engine.cometbft.home import HOME
from tallystick.engine.cometbft.install import install
from tallystick.engine.folder import BLOCKS, GENESIS, STATE
from tallystick.errors import DiskFull, Halted
from tallystick.ledger.app import key_bytes
from tallystick.ledger.genesis import genesis_to_json
from tallystick.ledger.rules import Rules
from tallystick.network.addresses import give_ports, introduce
from tallystick.settings import split_address
from tallystick.store.rocks import RocksStore
from tallystick.values.codec import encode, replace
from tests.consortium.till_net import LEVEL_SECONDS, TillNet, TillNode, running, until
from tests.consortium.till_node import APPS, BUG, FILE_BYTES, SKEW
from tests.till.messages import Pay
from tests.till.records import Purse

FULL_BYTES = 400_000
MANY = 400
TEN_MINUTES_MS = 600_000
SIGNED_TWICE = "it voted for two blocks in one round"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillNet]:
    """Four validators, whole again after each test; in the end all have one history."""
    with running(tmp_path_factory.mktemp("net"), heartbeat_seconds=2) as made:
        yield made
        made.wait_live(made.nodes)
        made.stop()
        made.histories()


def ended_with(node: TillNode, code: int, *words: str) -> None:
    """The node has ended by itself, and says why."""
    assert node.process is not None
    assert node.process.wait(LEVEL_SECONDS) == code, node.said()[-3_000:]
    for each in words:
        assert each in node.log.read_text("utf-8")


def heal(net: TillNet, node: TillNode) -> None:
    """Start it as it should be, and wait until it has all that the others have."""
    node.start()
    net.wait_live([node])
    goal = net.nodes[0].height()
    until(lambda: node.height() >= goal, LEVEL_SECONDS, node.said)


def test_a_corrupted_record(net: TillNet) -> None:
    """The node does not start with a state that is not the one that was signed."""
    node = net.nodes[3]
    node.stop()
    store = RocksStore(str(node.folder / STATE))
    rich = Purse(party="C", currency="CNY", amount_minor=10**15)
    store._mark({b"s" + key_bytes(rich): encode(rich)})
    store.close()
    node.start()
    ended_with(node, Halted.exit_code, "the state root is", "the log says")
    assert net.pay()[0].outcome.value == "accepted"
    shutil.rmtree(node.folder / STATE)
    heal(net, node)


def test_other_rules(net: TillNet) -> None:
    """A node that comes to another result than all the others halts; it begins anew from peers."""
    node = net.nodes[2]
    node.stop()
    node.start({BUG: "1"})
    net.wait_live([node])
    net.pay(0)
    net.pay(1)
    ended_with(node, Halted.exit_code, "this node disagrees with the other validators")
    assert net.pay()[0].outcome.value == "accepted"
    begin_anew(node)
    heal(net, node)


def test_other_rules_found_while_catching_up(net: TillNet) -> None:
    """Blocks that it fetches say so too: CometBFT alone would ask its peers for others for ever."""
    node = net.nodes[2]
    node.stop()
    for turn in range(4):
        net.pay(turn % 2)
    node.start({BUG: "1"})
    words = "this node disagrees with the other validators: wrong Block.Header.AppHash"
    ended_with(node, Halted.exit_code, words)
    assert net.pay()[0].outcome.value == "accepted"
    begin_anew(node)
    heal(net, node)


def begin_anew(node: TillNode) -> None:
    """Drop all blocks and states, the engine's too, but keep keys and what was signed."""
    for name in (BLOCKS, STATE, "light", "snapshots"):
        shutil.rmtree(node.folder / name, ignore_errors=True)
    for path in (node.folder / HOME / "data").iterdir():
        if path.is_dir():
            shutil.rmtree(path)


def test_a_full_disk(net: TillNet) -> None:
    """A node that cannot write ends; with room again it has all blocks."""
    node = net.nodes[1]
    node.stop()
    script = node.folder / "engine.sh"
    script.write_text(f'#!/bin/sh\nulimit -S -f unlimited\nexec {install()} "$@"\n')
    script.chmod(0o755)
    node.set_engine(binary=str(script))
    node.start({FILE_BYTES: str(FULL_BYTES)})
    net.wait_live([node])
    for _ in range(4):
        if node.runs:
            net.pay(0, count=MANY)
    ended_with(node, DiskFull.exit_code, "no space left")
    assert net.pay()[0].outcome.value == "accepted"
    heal(net, node)


def test_a_clock_that_is_wrong(net: TillNet) -> None:
    """A gateway ten minutes off takes and answers as the others: time is that of the blocks."""
    node = net.nodes[0]
    node.stop()
    node.start({SKEW: str(TEN_MINUTES_MS)})
    net.wait_live([node])
    raws = [net.signed(each, Pay(to="C", amount_minor=1), minutes=5) for each in "AB"]
    client = node.client(patience_seconds=60)
    try:
        replies = client.submit_many(raws)
    finally:
        client.close()
    assert [reply.outcome.value for reply in replies] == ["accepted", "accepted"]
    node.stop()
    heal(net, node)


def test_a_flood_at_the_engines_door(net: TillNet) -> None:
    """Connections, rubbish and half requests at CometBFT's own door, while payments go on."""
    node = net.nodes[1]
    address = node.settings.engine.rpc
    stop = threading.Event()
    floods = [
        threading.Thread(target=flood, args=(node.folder, address, stop, n)) for n in range(6)
    ]
    for each in floods:
        each.start()
    try:
        for _ in range(5):
            assert net.pay(1)[0].outcome.value == "accepted"
            assert net.pay(0)[0].outcome.value == "accepted"
    finally:
        stop.set()
        for each in floods:
            each.join()
    net.wait_live([node])


def connected(folder: Path, address: str) -> socket.socket:
    """A connection to the engine's own door, a port or a file in the data folder."""
    if not address.startswith("unix:"):
        return socket.create_connection(split_address(address), timeout=1)
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(1)
    try:
        made.connect(str(folder / address.removeprefix("unix:")))
    except OSError:
        made.close()
        raise
    return made


def flood(folder: Path, address: str, stop: threading.Event, number: int) -> None:
    """Open, send something useless, and open again."""
    useless = (
        b"\x00" * 2_000,
        b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n{",
        b"GET /broadcast_tx_sync?tx=0x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /unconfirmed_txs?limit=100 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
        b'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"id": 1}',
    )[number]
    held: list[socket.socket] = []
    while not stop.is_set():
        try:
            made = connected(folder, address)
            held.append(made)
            made.sendall(useless)
        except OSError:
            stop.wait(0.01)
        if len(held) > 40:
            held.pop(0).close()
        stop.wait(0.002)
    for each in held:
        each.close()


def test_another_genesis(tmp_path: Path) -> None:
    """A node with another genesis is of another chain: the others do not know it."""
    with TillNet(tmp_path, heartbeat_seconds=2) as net:
        stranger = net.nodes[3]
        other = replace(net.genesis, time_ms=net.genesis.time_ms - 1)
        written = genesis_to_json(other, Rules(APPS).record_types)
        (stranger.folder / GENESIS).write_bytes(written)
        for node in net.nodes:
            node.start()
        net.wait_live(net.nodes[:3])
        assert net.pay()[0].outcome.value == "accepted"
        until(lambda: "network" in stranger.said(), LEVEL_SECONDS, stranger.said)
        assert stranger.height() == 0
        assert all(
            peer["node_info"]["network"] == net.ledger.chain_id
            for node in net.nodes[:3]
            for peer in node.asked("net_info")["peers"]
        )


def test_a_validator_that_signs_twice(tmp_path: Path) -> None:
    """Two engines vote with one key: that is evidence in a block, and the chain goes on."""
    with TillNet(tmp_path, heartbeat_seconds=1) as net:
        first = net.nodes[3]
        second = TillNode(tmp_path / "n4")
        shutil.copytree(first.folder, second.folder)
        (second.folder / HOME / "config" / "node_key.json").unlink()
        give_ports(tmp_path, ["n4"])
        introduce(tmp_path, [f"n{number}" for number in range(5)])
        net.nodes.append(second)
        net.start()
        witness = net.nodes[0]
        for turn in range(100):
            net.pay(turn % 3)
            if SIGNED_TWICE in witness.log.read_text("utf-8"):
                break
        assert SIGNED_TWICE in witness.log.read_text("utf-8")
        assert net.pay()[0].outcome.value == "accepted"
        net.nodes = net.nodes[:3]
        first.kill()
        second.kill()
        net.wait_level()
        net.stop()
        net.histories()
