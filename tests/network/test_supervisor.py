"""What dies is started again unless it was killed on purpose; what should be down is down."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import pytest

from tallystick.errors import NodeError
from tallystick.network.network import Network, NetworkNode
from tallystick.network.plan import Run, read_run, write_run
from tallystick.network.processes import Process, kill_family
from tests.network.conftest import STAND_IN, start, until


def child_of(node: NetworkNode) -> Process | None:
    """The process that a stand-in started, as a node starts its engine."""
    return Process.of(int((node.folder / "child").read_text()))


def is_up(network: Network) -> bool:
    """Whether every stand-in runs."""
    return all(node.process and (node.folder / "child").exists() for node in network.nodes)


def is_gone(network: Network) -> bool:
    """Whether nothing of it runs."""
    return network.supervisor is None and not any(node.process for node in network.nodes)


def test_up_down_and_up_again(network: Network) -> None:
    start(network)
    until(lambda: is_up(network))
    supervisor = network.supervisor
    assert supervisor is not None
    said: list[str] = []
    network.start(wait=False, command=STAND_IN, say=said.append)
    assert said == ["the network is up already"]
    assert network.supervisor == supervisor
    assert not any(node.log.stat().st_mode & 0o077 for node in network.nodes)
    children = [child_of(node) for node in network.nodes]
    network.stop()
    assert is_gone(network)
    assert not any(each and each.is_alive for each in children)
    network.stop()
    start(network)
    until(lambda: is_up(network))
    assert network.supervisor != supervisor


def test_what_dies_is_started_again(network: Network) -> None:
    start(network)
    until(lambda: is_up(network))
    node = network.nodes[0]
    first = node.process
    assert first is not None
    kill_family(first)
    until(lambda: node.process not in (None, first))
    run = read_run(network.folder, node.name)
    assert run is not None
    assert run.restarts == 1


def test_what_is_killed_stays_down_until_it_is_healed(network: Network) -> None:
    start(network)
    until(lambda: is_up(network))
    one, two = network.nodes
    child, other = child_of(one), two.process
    one.kill()
    assert one.process is None
    until(lambda: not (child and child.is_alive))
    with pytest.raises(AssertionError):
        until(lambda: one.process is not None, seconds=1.0)
    assert two.process == other
    one.start(wait=False)
    until(lambda: one.process is not None)


def test_a_node_is_stopped_in_order(network: Network) -> None:
    start(network)
    until(lambda: is_up(network))
    network.nodes[0].stop()
    assert network.nodes[0].process is None
    text = (network.folder / "supervisor.log").read_text()
    until(lambda: "node1 has stopped" in (network.folder / "supervisor.log").read_text())
    assert "node1 ended with" not in text


def test_a_node_that_must_not_go_on_is_left_alone(network: Network) -> None:
    node = network.nodes[0]
    (node.folder / "behave").write_text("halt")
    start(network)
    until(lambda: (run := read_run(network.folder, node.name)) and run.halted)
    run = read_run(network.folder, node.name)
    assert run is not None
    assert run.halted == "stand-in: halt"
    with pytest.raises(NodeError, match="node1 halted: stand-in: halt"):
        network.wait_live(60)
    (node.folder / "behave").write_text("sleep")
    node.start(wait=False)
    until(lambda: node.process is not None)


def test_one_that_fails_at_once_is_tried_ever_more_slowly(network: Network) -> None:
    (network.nodes[0].folder / "behave").write_text("crash")
    start(network)
    log = network.folder / "supervisor.log"
    until(lambda: "starting it again in 1.0 s" in log.read_text())
    with pytest.raises(NodeError, match="node1: down, block 0"):
        network.wait_live(0.1)
    network.stop()


def test_nodes_outlive_a_killed_supervisor(network: Network) -> None:
    """Its successor takes them over, and `stop` needs none."""
    start(network)
    until(lambda: is_up(network))
    first = [node.process for node in network.nodes]
    for _ in range(2):
        assert network.supervisor is not None
        network.supervisor.send(signal.SIGKILL)
        until(lambda: network.supervisor is None)
        assert [node.process for node in network.nodes] == first
        start(network)
    assert [node.process for node in network.nodes] == first
    assert network.supervisor is not None
    network.supervisor.send(signal.SIGKILL)
    until(lambda: network.supervisor is None)
    network.stop()
    assert not any(node.process for node in network.nodes)


def test_a_number_that_now_belongs_to_somebody_else_is_left_alone(network: Network) -> None:
    with subprocess.Popen(["sleep", "60"]) as bystander:
        try:
            write_run(network.folder, "node1", Run(bystander.pid, "1", 0))
            assert network.nodes[0].process is None
            network.nodes[0].kill()
            network.stop()
            assert bystander.poll() is None
        finally:
            bystander.kill()


def test_a_node_that_nobody_wrote_down_is_taken_over(network: Network) -> None:
    """As when the supervisor was killed between starting it and writing that down."""
    node = network.nodes[0]
    with subprocess.Popen([*STAND_IN, str(node.folder)], stdout=subprocess.DEVNULL) as lost:
        try:
            until((node.folder / "child").exists)
            start(network)
            until(lambda: node.process is not None)
            assert node.process == Process.of(lost.pid)
        finally:
            found = Process.of(lost.pid)
            assert found is not None
            kill_family(found)


def test_the_network_ends_with_what_it_was_started_for(network: Network) -> None:
    code = (
        "import sys; from pathlib import Path; from tallystick.network.network import Network\n"
        "Network.open(Path(sys.argv[1])).start(bound=True, wait=False, command=sys.argv[2:])"
    )
    subprocess.run([sys.executable, "-c", code, str(network.folder), *STAND_IN], check=True)
    until(lambda: network.supervisor is None)
    assert not any(node.process for node in network.nodes)


def test_two_supervisors_never(network: Network) -> None:
    start(network)
    words = [sys.executable, "-m", "tallystick.network", str(network.folder), "--", *STAND_IN]
    told = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert told.returncode == 1
    assert "another supervisor has" in told.stderr


def test_a_plan_that_cannot_be_read_changes_nothing(network: Network) -> None:
    start(network)
    until(lambda: is_up(network))
    plan = (network.folder / "network.json").read_bytes()
    first = [node.process for node in network.nodes]
    (network.folder / "network.json").write_text("half a pl")
    until(lambda: "cannot be read" in (network.folder / "supervisor.log").read_text())
    (network.folder / "network.json").write_bytes(plan)
    assert [node.process for node in network.nodes] == first


def test_nothing_runs_on_in_a_folder_that_was_removed(network: Network) -> None:
    start(network)
    until(lambda: is_up(network))
    supervisor = network.supervisor
    processes = [supervisor, *(node.process for node in network.nodes)]
    shutil.rmtree(network.folder)
    until(lambda: not any(each and each.is_alive for each in processes))
