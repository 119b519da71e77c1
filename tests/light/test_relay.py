"""The relay: CometBFT's own light client follows a real chain through it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tallystick.client.http import Answer
from tallystick.client.relay import Relay
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.keeping import Archiver, Keeper
from tallystick.engine.cometbft.light.serving import LightService
from tallystick.engine.cometbft.rpc import Rpc
from tallystick.errors import NoSuchBlock, PortTaken, Unreachable
from tallystick.ledger.block import Entry
from tallystick.testing.disk import SimulatedDisk
from tests.light.follower import following
from tests.light.kvstore import Node, kvstore_chain, made_up_key

LAST = 12


def no_entry(height: int) -> Entry:
    raise NoSuchBlock(height=height, last=0)


@dataclass
class Door:
    """Stands for a node's door: the same service, without HTTP."""

    service: LightService
    is_away: bool = False
    is_garbled: bool = False

    def request(self, method: str, target: str) -> Answer:
        """Answer as `/v1/engine/…` does."""
        if self.is_away:
            raise Unreachable("https://node.bank-a:7443", "connection refused")
        if self.is_garbled:
            return Answer(404, b'{"error": {"app": "ledger"}}')
        parts = urlsplit(target)
        told = self.service.answer(parts.path.rpartition("/")[2], dict(parse_qsl(parts.query)))
        return Answer(200, json.dumps(told).encode())


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A chain on which a validator that never votes was added."""
    with kvstore_chain(tmp_path_factory.mktemp("kvstore") / "chain") as (made,):
        made.set_power(made.key, 10)
        made.wait(made.height() + 3)
        made.set_power(made_up_key(1), 2)
        made.wait(LAST)
        yield made


@pytest.fixture
def door(node: Node) -> Iterator[Door]:
    archive, rpc = LightArchive(SimulatedDisk(), "light"), Rpc(f"127.0.0.1:{node.rpc}")
    archiver = Archiver(archive, rpc, no_entry, "kvstore")
    yield Door(LightService(archive, Keeper(archiver, archive, lambda _: None), rpc))
    rpc.close()


def test_cometbfts_light_client_follows_through_the_relay(
    node: Node, door: Door, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        relays = [stack.enter_context(Relay(door)) for _ in range(2)]
        addresses = [f"http://{relay.address}" for relay in relays]
        follower = stack.enter_context(
            following(
                tmp_path / "light",
                node.light_block(2),
                primary=addresses[0],
                witnesses=[addresses[1], node.url],
            )
        )
        for height in (LAST, 5):
            found = follower.verified(height)
            expected = node.light_block(height).header.hash.hex().upper()
            assert found["commit"]["block_id"]["hash"] == expected


def ask(relay: Relay, method: str, target: str, body: bytes = b"") -> tuple[int, Any]:
    host, _, port = relay.address.partition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    try:
        connection.request(method, target, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_both_forms_of_a_request_have_one_answer(node: Node, door: Door) -> None:
    with Relay(door) as relay:
        status, by_uri = ask(relay, "GET", "/commit?height=3")
        request = {"jsonrpc": "2.0", "id": 7, "method": "commit", "params": {"height": "3"}}
        _, by_post = ask(relay, "POST", "/", json.dumps(request).encode())
        assert status == 200
        assert by_uri["result"] == by_post["result"] == node.call("commit", height=3)
        assert (by_uri["id"], by_post["id"]) == (-1, 7)
        status, far = ask(relay, "GET", "/commit?height=999999")
        assert status == 500
        assert "must be less than or equal to" in far["error"]["data"]


def test_nothing_else_is_led_on(door: Door) -> None:
    with Relay(door) as relay:
        for method in ("broadcast_tx_sync", "abci_query", "unsafe_flush_mempool", ""):
            _, no = ask(relay, "GET", f"/{method}")
            assert "is not told to others" in no["error"]["data"]
        for body in (b"", b"[]", b"{", b'{"method": "status", "params": 7}', b"[" * 60_000):
            _, no = ask(relay, "POST", "/", body)
            assert no["error"]["data"] == "no JSON-RPC request"
        status, _ = ask(relay, "POST", "/", b" " * 70_000)
        assert status == 413
        door.is_away = True
        assert "no node answers" in ask(relay, "GET", "/status")[1]["error"]["data"]
        door.is_away, door.is_garbled = False, True
        assert "HTTP 404" in ask(relay, "GET", "/status")[1]["error"]["data"]


def test_a_taken_port_is_said(door: Door) -> None:
    with Relay(door) as relay, pytest.raises(PortTaken):
        Relay(door, int(relay.address.partition(":")[2]))
