"""Proofs and light clients over four real validators: CometBFT's own follows, ours convinces."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.client.http import Transport
from tallystick.client.light import verify_export
from tallystick.client.relay import Relay
from tallystick.engine.cometbft.light.export import Export, Trusted, export_from_bytes
from tallystick.engine.cometbft.light.verify import Terms
from tallystick.errors import BadAnswer, HeaderRefused
from tallystick.network.network import Network
from tests.light.follower import following

FLIPS = 500
MINT = ("--as", "CB.maker+checker", "cash", "mint", "--money", "CNY@CB", "--to", "bank-a")
BALANCE = ("cash", "balance", "bank-a", "CNY@CB")


def tally(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """Run a command line; what it printed."""
    capsys.readouterr()
    found = run([*words])
    told = capsys.readouterr()
    assert found == code, told.out + told.err
    return told.out


def height_of(net: Network) -> int:
    return net.nodes[0].client().status().height


def wait_for(net: Network, height: int) -> None:
    end = time.monotonic() + 60
    while min(node.client().status().height for node in net.nodes) < height:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_cometbfts_own_light_client_follows_our_chain(shared: Network, tmp_path: Path) -> None:
    """Its primary and its witnesses are members' doors, through relays."""
    wait_for(shared, 3)
    client = shared.nodes[0].client()
    with ExitStack() as stack:
        relays = [stack.enter_context(Relay(Transport(node.address))) for node in shared.nodes[:3]]
        follower = stack.enter_context(
            following(
                tmp_path / "light",
                client.light_block(1),
                primary=f"http://{relays[0].address}",
                witnesses=[f"http://{relay.address}" for relay in relays[1:]],
            )
        )
        height = height_of(shared)
        found = follower.verified(height)
        ours = client.light_block(height).header.hash.hex().upper()
        assert found["commit"]["block_id"]["hash"] == ours
        through = stack.enter_context(
            following(
                tmp_path / "through",
                client.light_block(2),
                primary=f"http://{relays[2].address}",
                witnesses=[f"http://{relays[1].address}"],
            )
        )
        assert through.verified(height)["commit"]["block_id"]["hash"] == ours


def test_a_proof_of_one_node_convinces_who_trusts_another_nodes_block(
    shared: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Minted through one node, proved by a second, checked with what a third one's owner trusts."""
    one, two, three = (node.address for node in shared.nodes[:3])
    made = json.loads(tally(capsys, "--node", one, "--json", *MINT, "--amount", "7.00"))
    wait_for(shared, made["height"] + 1)
    genesis = ("--genesis", str(shared.nodes[2].folder))
    balance, receipt = str(tmp_path / "balance.proof"), str(tmp_path / "receipt.proof")
    tally(capsys, "--node", two, "prove", *BALANCE, "--out", balance)
    tally(capsys, "--node", two, "prove", made["transaction_id"], "--out", receipt)
    assert "proven: there is a record cash.balance bank-a CNY@CB" in tally(
        capsys, "verify", balance, *genesis
    )
    assert f"transaction {made['transaction_id']} was accepted, after block {made['height']}" in (
        tally(capsys, "verify", receipt, *genesis)
    )
    nobody, small = str(tmp_path / "nobody.proof"), str(tmp_path / "nobody.ics23")
    absent = ("cash", "balance", "bank-a", "EUR@CB", "--out", nobody, "--ics23", small)
    assert "there is no record" in tally(capsys, "--node", two, "prove", *absent)
    assert Path(small).stat().st_size > 500

    wait_for(shared, made["height"] + 3)
    later = str(tmp_path / "trusted.json")
    height = str(height_of(shared))
    tally(capsys, "--node", three, "trust", height, "--out", later)
    assert "--trusted HEIGHT" in tally(capsys, "verify", balance, "--trust", later, code=1)
    back = ("--out", balance, "--trusted", height)
    tally(capsys, "--node", two, "prove", made["transaction_id"], *back)
    long_after = ("--trust", later, "--at", "2099-01-01")
    assert "was accepted" in tally(capsys, "verify", balance, *long_after)
    old = tally(capsys, "verify", receipt, *genesis, "--at", "2099-01-01", code=1)
    assert "proves nothing" in old
    assert "trust a newer header" in old


def test_no_byte_of_a_real_proof_can_be_changed(
    shared: Network, capsys: pytest.CaptureFixture[str]
) -> None:
    made = json.loads(
        tally(capsys, "--node", shared.nodes[0].address, "--json", *MINT, "--amount", "1")
    )
    client = shared.nodes[0].client()
    export: Export = client.prove_receipt_file(bytes.fromhex(made["transaction_id"]), trusted=1)
    trusted, terms = Trusted.of(client.light_block(1)), Terms(time.time_ns())
    data = export.to_bytes()
    assert verify_export(export_from_bytes(data), trusted, terms).height == made["height"]
    chance = random.Random(4)
    for _ in range(FLIPS):
        spoiled = bytearray(data)
        spoiled[chance.randrange(len(data))] ^= chance.randrange(1, 256)
        with pytest.raises((BadAnswer, HeaderRefused)):
            verify_export(export_from_bytes(bytes(spoiled)), trusted, terms)
