"""Four gateways of a real network: the same transaction at all of them, and two thirds away."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tallystick.gateway.reply import Outcome, Reply
from tests.consortium.till_net import LEVEL_SECONDS, TillNet, TillNode, running, until
from tests.till.messages import Pay

COUNT = 100


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TillNet]:
    """Four validators; in the end all have one history."""
    with running(tmp_path_factory.mktemp("net"), heartbeat_seconds=2) as made:
        yield made
        made.stop()
        made.histories()


def payments(net: TillNet) -> list[bytes]:
    """Many payments, signed."""
    return [net.signed("A", Pay(to="B", amount_minor=1)) for _ in range(COUNT)]


def paid(node: TillNode) -> int:
    """How many payments A has made, as a node tells it."""
    client = node.client()
    try:
        found = client.record("till", "purse", "A")
        return 0 if found is None else int(found.get("payments", 0))
    finally:
        client.close()


def submitted(node: TillNode, raws: list[bytes]) -> list[Reply]:
    """Final answers of a node."""
    client = node.client(patience_seconds=60)
    try:
        return list(client.submit_many(raws))
    finally:
        client.close()


def test_the_same_transactions_at_every_gateway_happen_once(net: TillNet) -> None:
    before, raws = paid(net.nodes[0]), payments(net)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda node: submitted(node, raws), net.nodes))
    assert {each.outcome for replies in answers for each in replies} == {Outcome.ACCEPTED}
    heights = [[each.height for each in replies] for replies in answers]
    assert heights == [heights[0]] * 4
    net.wait_level()
    assert [paid(node) for node in net.nodes] == [before + COUNT] * 4


def test_what_is_kept_without_a_majority_happens_when_there_is_one(net: TillNet) -> None:
    """Two of four are away; a client hands over and goes; then the node itself is killed."""
    before, raws = paid(net.nodes[0]), payments(net)
    for node in net.nodes[2:]:
        node.kill()
    client = net.nodes[0].client()
    kept = client.offer(raws, wait_seconds=2)
    client.close()
    assert {each.outcome for each in kept} == {Outcome.KEPT}
    net.nodes[0].kill()
    for node in (net.nodes[0], *net.nodes[2:]):
        node.start()
    net.wait_live(net.nodes)
    until(lambda: paid(net.nodes[1]) == before + COUNT, LEVEL_SECONDS, net.nodes[0].said)
    net.wait_level()
    assert [paid(node) for node in net.nodes] == [before + COUNT] * 4
    assert {each.outcome for each in submitted(net.nodes[0], raws)} == {Outcome.ACCEPTED}
