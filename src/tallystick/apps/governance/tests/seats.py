"""Validators, and the votes that change them, for the tests of governance."""

from typing import Any

from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.apps.governance import queries
from tallystick.apps.governance.messages import CastVote, Enact, Propose
from tallystick.apps.governance.records import (
    AddValidator,
    AnyAction,
    ChangeConsensus,
    Choice,
    Proposal,
    ProposalStatus,
    RemoveValidator,
    SetPower,
)
from tallystick.apps.governance.validators import BOUNDS, VALIDATORS_MAX
from tallystick.apps.members.tests.network import both, node, timer_receipts
from tallystick.ledger.refusal import RefusalCode
from tallystick.testing.world import World
from tallystick.values.codec import replace

FOUR = tuple(node(each) for each in ("SUP", "bank-a", "D1", "S1"))
"""Four validators, 40 in all: up to 13 may move in a block."""
YES = Choice.YES


def add(member: str, power: int = 10, **more: Any) -> AddValidator:
    told = {"member": member, "public_key": node(member).public_key, "power": power}
    return AddValidator(**{**told, **more})


def set_power(member: str, power: int) -> SetPower:
    return SetPower(public_key=node(member).public_key, power=power)


def remove(member: str) -> RemoveValidator:
    return RemoveValidator(public_key=node(member).public_key)


def engine(**more: int) -> ChangeConsensus:
    told = {name: getattr(DEFAULT_CONSENSUS, name) for name in BOUNDS}
    return ChangeConsensus(**{**told, **more})


def propose(world: World, action: AnyAction) -> str:
    who = action.member if isinstance(action, AddValidator) else "bank-a"
    return world.accepts(both(who), Propose(action=action, reason="agreed")).id


def vote(world: World, *proposal_ids: str) -> None:
    """Two of three say yes to each, in one transaction each."""
    for voter in ("SUP", "D1"):
        votes = [CastVote(proposal_id=each, choice=YES) for each in proposal_ids]
        world.accepts_together(*((both(voter), cast) for cast in votes))


def tick(world: World) -> None:
    """Let the block come that carries out what was carried."""
    world.passes(minutes=1)


def status(world: World, proposal_id: str) -> ProposalStatus:
    return world.view().get(Proposal, proposal_id).status


def carry(world: World, action: AnyAction) -> None:
    """Propose, vote and carry out."""
    proposal_id = propose(world, action)
    vote(world, proposal_id)
    tick(world)
    assert status(world, proposal_id) is ProposalStatus.ENACTED


def powers(world: World) -> dict[str, int]:
    return {each.member: each.power for each in queries.validators(world.view("S1"))}


def proposed(action: AnyAction) -> Proposal:
    """A proposal that stood before things came in its way; two votes carry it."""
    return Proposal(
        proposal_id="prop-0123456789abcdef",
        proposer="bank-a",
        action=action,
        reason="x",
        voters=("SUP", "bank-a", "D1"),
        quorum_ppm=500_000,
        threshold_ppm=666_666,
        opened_at_ms=0,
        closes_at_ms=2**50,
        timer_id="tmr-0123456789abcdef",
        timer_at_ms=0,
    )


def refused_when_enacted(world: World, code: RefusalCode, **values: Any) -> None:
    """What is carried and cannot be done leaves a receipt and stays carried."""
    proposal_id = "prop-0123456789abcdef"
    vote(world, proposal_id)
    tick(world)
    last = timer_receipts(world)[-1]
    assert (last.app, last.code) == (code.app, code.number)
    assert status(world, proposal_id) is ProposalStatus.CARRIED
    told = {name: value for name, value in values.items() if name != "from_height"}
    world.refuses(both("bank-a"), Enact(proposal_id=proposal_id), code, **told)


def carried(number: int, action: AnyAction) -> Proposal:
    """A proposal that only has to be enacted."""
    proposal_id = f"prop-{number:016x}"
    return replace(proposed(action), proposal_id=proposal_id, status=ProposalStatus.CARRIED)


def enact(*proposals: Proposal) -> list[tuple[str, Enact]]:
    return [(both("SUP"), Enact(proposal_id=each.proposal_id)) for each in proposals]


WEAK = bytes(32)
OFF_THE_CURVE = bytes([2]) + bytes(31)
LAST = (node("D1"),)
LOPSIDED = (node("SUP", 20), node("D1", 11))
FULL = tuple(node("SUP", name=f"node-{n}") for n in range(VALIDATORS_MAX))
