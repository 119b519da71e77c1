"""A node joins a real network by a snapshot: it has the state, not the history, and goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.cash.messages import Mint
from tallystick.audit import audit
from tallystick.client.client import NodeRefused
from tallystick.gateway.reply import Outcome, Reply
from tallystick.network.network import Network, NetworkNode
from tests.consortium.conftest import MakeNetwork

EVERY = 6
"""A snapshot every so many blocks."""
SECONDS = 90


def until(what: str, holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, f"after {SECONDS} s still waiting for {what}"
        time.sleep(0.1)


def mint(node: NetworkNode, amount: int) -> Reply:
    """Have money issued through a node."""
    with closing(node.client()) as client:
        return client.send(
            ("CB.maker+checker", Mint(money="CNY@CB", amount_minor=amount, to="bank-a"))
        )


def height_of(node: NetworkNode) -> int:
    """Height of a node's last block."""
    with closing(node.client()) as client:
        return client.status().height


def snapshots(node: NetworkNode) -> list[int]:
    """Heights of a node's snapshots."""
    folder = node.folder / "snapshots"
    return sorted(int(path.name) for path in folder.glob("[0-9]*"))


def trusted(node: NetworkNode, height: int) -> str:
    """What an operator is told of a block by somebody he trusts."""
    with closing(node.rpc) as rpc:
        block_hash = rpc.commit(height)["signed_header"]["commit"]["block_id"]["hash"]
    return f"{height}:{block_hash}"


def same_everywhere(net: Network) -> None:
    """All nodes come to the same block and state."""
    until("agreement", lambda: net.standing().agrees and net.standing().is_well)


def test_a_fifth_node_begins_at_a_snapshot_and_follows(make: MakeNetwork) -> None:
    with make(snapshot_every=EVERY, heartbeat_seconds=1) as net:
        first, second = net.nodes[0], net.nodes[1]
        replies = [mint(net.nodes[at % 4], at + 1) for at in range(5)]
        assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
        until("a snapshot", lambda: snapshots(first) and snapshots(second))
        taken = snapshots(first)[-1]
        until("blocks after it", lambda: height_of(first) >= taken + 3)
        added = net.add(
            state_sync=(f"unix:{second.folder}/api.sock", f"unix:{first.folder}/api.sock"),
            trust=trusted(first, 2),
        )
        begins = first_block(added)
        assert begins > EVERY, "it has no block before the snapshot"
        assert snapshots(added), "it has the snapshot for others as well"
        same_everywhere(net)
        with closing(added.client()) as client:
            [balance] = client.query("cash", "balances", party="bank-a")
            assert balance["available_minor"] == "15"
            record = client.prove("cash", "balance", "bank-a", "CNY@CB")
            assert record.holds()
        after = mint(added, 100)
        assert after.outcome is Outcome.ACCEPTED
        again = mint(first, 1_000)
        assert again.outcome is Outcome.ACCEPTED
        added.stop()
        mint(second, 10_000)
        added.start()
        same_everywhere(net)
        with closing(added.client()) as client:
            [balance] = client.query("cash", "balances", party="bank-a")
            assert balance["available_minor"] == str(15 + 100 + 1_000 + 10_000)
        assert first_block(added) == begins
        net.stop()
        assert (added.folder / "blocks" / "00000001.base").exists()
        assert audit_of(added.folder) in snapshots(added), "the oldest snapshot that is kept"


def first_block(node: NetworkNode) -> int:
    """The first block that a node has: it says so when it is asked for the very first."""
    with closing(node.client()) as client:
        with pytest.raises(NodeRefused) as caught:
            next(iter(client.blocks(1)))
        first = int(caught.value.values["first"])
        assert next(iter(client.blocks(first))).seal.header.height == first
        return first


def audit_of(folder: Path) -> int:
    """Audit a node that has stopped; the block at which the audit began."""
    report = audit(folder, APPS, AUTHORITY)
    assert report.problems == []
    return report.began_at
