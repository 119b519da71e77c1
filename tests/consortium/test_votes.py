"""Members run a real network: nodes voted in and out, their power, the engine, new rules."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from contextlib import closing, suppress

from tallystick.apps.cash.messages import Mint
from tallystick.apps.governance.messages import CastVote, Propose
from tallystick.apps.governance.records import (
    ActivateRules,
    AddValidator,
    AnyAction,
    ChangeConsensus,
    Choice,
    RemoveValidator,
    SetPower,
)
from tallystick.apps.members.messages import Expel
from tallystick.client.client import NodeRefused
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused
from tallystick.errors import ClientError, Unreachable
from tallystick.gateway.reply import Outcome, Reply
from tallystick.ledger.app import Message
from tallystick.network.network import Network, NetworkNode
from tests.consortium.conftest import MakeNetwork

VOTERS = ("CB", "SUP", "bank-a")
"""Three of the four voters: two thirds of yes and no."""
SECONDS = 90
SIGNED = 2
"""CometBFT's block_id_flag of a vote for the block."""


def wait_for(what: str, holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, f"after {SECONDS} s still waiting for {what}"
        time.sleep(0.1)


def send(net: Network, who: str, message: Message, at: int = 0) -> Reply:
    """Have a message accepted through a node."""
    with closing(net.nodes[at].client()) as client:
        reply = client.send((f"{who}.maker+checker", message))
    assert reply.outcome is Outcome.ACCEPTED, reply
    return reply


def decide(net: Network, action: AnyAction) -> int:
    """Propose, vote, and wait until it is done; the block that last moved power."""
    who = action.member if isinstance(action, AddValidator) else "bank-a"
    proposal_id = send(net, who, Propose(action=action, reason="agreed")).ids[0]
    for at, voter in enumerate(VOTERS):
        send(net, voter, CastVote(proposal_id=proposal_id, choice=Choice.YES), at)
    with closing(net.nodes[0].client()) as client:

        def enacted() -> bool:
            found = client.record("governance", "proposal", proposal_id)
            return found is not None and found["status"] == "enacted"

        wait_for(f"{action} to be enacted", enacted)
        shift = client.record("governance", "power_shift", "power_shift")
        return 0 if shift is None else int(shift["height"])


def seats(net: Network, height: int) -> dict[str, int]:
    """Address → power of the validators of a height, by the engine's word."""
    with closing(net.nodes[0].rpc) as rpc:
        wait_for(f"block {height}", lambda: height_of(rpc) >= height)
        return {each["address"]: int(each["voting_power"]) for each in rpc.validators(height)}


def height_of(rpc: Rpc) -> int:
    return int(rpc.status()["sync_info"]["latest_block_height"])


def parameters(rpc: Rpc, section: str, name: str) -> str:
    """One of the engine's parameters; empty while it writes those of the next block down."""
    try:
        return str(rpc.consensus_params()["consensus_params"][section][name])
    except RpcRefused:
        return ""


def address_of(node: NetworkNode) -> str:
    """The name under which the engine knows a validator."""
    return hashlib.sha256(node.validator_key).digest()[:20].hex().upper()


def signers(net: Network) -> set[str]:
    """Who signed the last block but one."""
    with closing(net.nodes[0].rpc) as rpc:
        votes = rpc.commit(height_of(rpc) - 1)["signed_header"]["commit"]["signatures"]
    return {each["validator_address"] for each in votes if each["block_id_flag"] == SIGNED}


def blocks(net: Network, count: int) -> None:
    """Wait for so many more blocks."""
    with closing(net.nodes[0].rpc) as rpc:
        wanted = height_of(rpc) + count
        wait_for(f"block {wanted}", lambda: height_of(rpc) >= wanted)


def test_members_run_the_network(make: MakeNetwork) -> None:
    """A fifth node comes, is needed, and leaves; an expelled member's node leaves with it."""
    with make(heartbeat_seconds=1) as net:
        fifth = net.add()
        assert not net.is_validator(fifth.name)

        # Voted in: the engine counts it two blocks after the block that changed the records.
        key, address = fifth.validator_key, address_of(fifth)
        height = decide(net, AddValidator(member="factor-a", public_key=key, power=10))
        assert address not in seats(net, height + 1)
        assert seats(net, height + 2)[address] == 10
        wait_for("the fifth to sign", lambda: address in signers(net))

        height = decide(net, SetPower(public_key=key, power=16))
        assert seats(net, height + 1)[address] == 10
        assert seats(net, height + 2)[address] == 16

        # 30 of 56 are no two thirds: while one of the first four is down, the fifth is needed.
        net.nodes[3].kill()
        blocks(net, 2)
        assert address in signers(net)
        net.nodes[3].start()

        # The engine's parameters, at the next block.
        decide(net, engine(block_bytes=8_388_608))
        with closing(net.nodes[0].rpc) as rpc:
            wait_for("larger blocks", lambda: parameters(rpc, "block", "max_bytes") == "8388608")
            age = "max_age_num_blocks"
            wait_for("evidence", lambda: parameters(rpc, "evidence", age) == "100000")

        # Voted out, it follows on.
        height = decide(net, RemoveValidator(public_key=key))
        assert address not in seats(net, height + 2)
        send(net, "CB", Mint(to="bank-a", money="CNY@CB", amount_minor=1), at=4)

        # Expelled: its node leaves the engine's set by the same block.
        with closing(net.nodes[0].client()) as client:
            fourth = client.record("ledger", "validator", net.nodes[3].validator_key.hex())
        assert fourth is not None
        gone = send(net, "SUP", Expel(member=fourth["member"], reason="licence withdrawn"))
        assert gone.height is not None
        left = seats(net, gone.height + 2)
        assert (len(left), sum(left.values())) == (3, 30)
        assert net.standing().agrees


def engine(**more: int) -> ChangeConsensus:
    """The usual parameters of the engine, some changed."""
    said = {
        "block_bytes": 4_194_304,
        "block_transactions": 5_000,
        "evidence_blocks": 100_000,
        "evidence_ms": 172_800_000,
    }
    return ChangeConsensus(**(said | more))


def test_a_release_that_lacks_the_rules_stops_at_their_block(make: MakeNetwork) -> None:
    """No node goes beyond it; who meets the block says why, and is not started again in vain."""
    # Few heartbeats: how many blocks come before the new rules does not depend on time.
    with make(heartbeat_seconds=5) as net:
        with closing(net.nodes[0].client()) as client:
            first = client.status().height + 25
        decide(net, ActivateRules(app="cash", version=2, from_height=first))
        with closing(net.nodes[0].client()) as client:
            (told,) = client.query("governance", "upgrades")
            assert told["from_height"] == first
            mint = Mint(to="bank-a", money="CNY@CB", amount_minor=1)

            def two_stop() -> bool:
                """Payments are blocks, so that it comes soon; this node may be one of the two."""
                with suppress(ClientError, NodeRefused):
                    client.offer([client.sign(("CB.maker+checker", mint))], wait_seconds=1)
                return len(stopped(net)) >= 2

            # With two down there are no more blocks; one that never saw the proposal waits for it.
            wait_for("two to stop", two_stop)
        reason = f"from block {first} on cash has version 2"
        for node in stopped(net):
            assert reason in node.log.read_text(encoding="utf-8")
        for node in net.nodes:
            with closing(node.client()) as client, suppress(Unreachable):
                assert client.status().height == first - 1


def stopped(net: Network) -> list[NetworkNode]:
    """Nodes that do not run."""
    return [node for node in net.nodes if node.process is None]
