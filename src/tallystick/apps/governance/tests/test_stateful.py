"""Governance, played at random: proposals, votes, validators, calendars, a clock moved forward."""

from __future__ import annotations

from random import Random
from typing import cast

import pytest

from tallystick.apps.governance import APP
from tallystick.apps.governance.messages import (
    AdvanceClock,
    CastVote,
    Enact,
    Propose,
    PublishCalendar,
    SetParameter,
    WithdrawProposal,
)
from tallystick.apps.governance.records import (
    ActivateRules,
    AddValidator,
    AdmitMember,
    Admits,
    Amend,
    AnyAction,
    Calendar,
    ChangeConsensus,
    ChangeParameter,
    Choice,
    ExpelMember,
    Proposal,
    ProposalStatus,
    Publication,
    PublishYear,
    RemoveValidator,
    SetPower,
    Vote,
)
from tallystick.apps.members.interface import Member
from tallystick.apps.members.tests.network import (
    both,
    network,
    newcomer,
    node,
    publication,
    rules,
)
from tallystick.ledger.system import Validator
from tallystick.testing.stateful import Actions, Asked, Tally, play, play_run
from tallystick.testing.world import World
from tallystick.values.codec import decode_key

VOTERS = ("SUP", "bank-a", "D1")
PARTIES = (*VOTERS, *VOTERS, "S1")
NAMES = ("x.a", "x.b")
NEWCOMERS = tuple(f"N{n}" for n in range(5))
HOUR_MS = 3_600_000
ACTION_RULES = (rules(admits=Admits.VOTE), rules(admits=Admits.VOTE, voters=("SUP", "SUP")))


FIRST = (node("SUP"), node("bank-a"), node("D1"), node("S1"))
NODES = (*FIRST, node("SUP", name="second"), node("S1", name="second"), *map(node, NEWCOMERS))
POWERS = (0, 1, 7, 10, 10, 13, 40)


def opening() -> World:
    """A consortium's trial where members and validators come and go by vote."""
    return network(trial=True, admits=Admits.VOTE, validators=FIRST)


def some_publication(rng: Random, world: World) -> Publication:
    """The next year, a correction, or a year out of turn."""
    head = world.view().get(Calendar, "cn")
    year = rng.choice((head.last_year, head.last_year + 1, head.last_year + 1, 2031))
    days = publication(year).banking_days
    return publication(year, banking_days=days[: rng.choice((len(days), len(days) - 1, 0))])


def some_action(rng: Random, world: World) -> AnyAction:
    """Something to decide."""
    return rng.choice(
        (
            AdmitMember(newcomer=newcomer(rng.choice(NEWCOMERS))),
            ExpelMember(member=rng.choice(NEWCOMERS)),
            some_change(rng),
            some_change(rng),
            some_change(rng),
            PublishYear(publication=some_publication(rng, world)),
            ActivateRules(
                app=rng.choice(("later", "counter")),
                version=rng.randrange(4),
                from_height=rng.choice((1, 1_000_000, 2_000_000)),
            ),
            Amend(rules=rng.choice(ACTION_RULES)),
            some_seat(rng, world),
            ChangeConsensus(
                block_bytes=rng.choice((1, 4_194_304, 8_388_608)),
                block_transactions=5_000,
                evidence_blocks=100_000,
                evidence_ms=rng.choice((HOUR_MS, 48 * HOUR_MS)),
            ),
        )
    )


def some_seat(rng: Random, world: World) -> AddValidator | SetPower | RemoveValidator:
    """A validator comes, goes, or counts for more or less; mostly one of a member."""
    members = [each for each in NODES if world.view().peek(Member, each.member) is not None]
    seat = rng.choice((*NODES, *members, *members))
    key, power = seat.public_key, rng.choice(POWERS)
    return rng.choice(
        (
            AddValidator(member=seat.member, public_key=key, power=power),
            AddValidator(member=seat.member, public_key=key, power=power),
            SetPower(public_key=key, power=power),
            RemoveValidator(public_key=key),
        )
    )


def some_change(rng: Random) -> ChangeParameter:
    """One of few values of few parameters, so that they meet."""
    return ChangeParameter(name=rng.choice(NAMES), value=rng.randrange(3))


def proposals(world: World, *wanted: ProposalStatus) -> list[Proposal]:
    """Proposals that stand so."""
    return [each for each in world.view().scan(Proposal) if each.status in wanted]


def proposes(rng: Random, world: World) -> Asked | None:
    """A voter, or somebody who is none; who would run a node mostly asks for it itself."""
    return asks(some_action(rng, world), rng, world)


def proposes_a_seat(rng: Random, world: World) -> Asked | None:
    """Somebody has a validator in mind, or who leaves with all it has."""
    gone = ExpelMember(member=rng.choice(("S1", *NEWCOMERS)))
    come = AdmitMember(newcomer=newcomer(rng.choice(NEWCOMERS)))
    return asks(rng.choice((*(some_seat(rng, world) for _ in range(8)), gone, come)), rng, world)


def asks(action: AnyAction, rng: Random, world: World) -> Asked:
    """Propose an action."""
    who = rng.choice(PARTIES)
    if isinstance(action, AddValidator) and rng.random() < 0.9:
        admitted = world.view().peek(Member, action.member) is not None
        who = action.member if admitted else who
    return both(who), Propose(action=action, reason="x")


def votes(rng: Random, world: World) -> Asked | None:
    """Somebody votes, usually on what is open, usually once."""
    found = proposals(world, ProposalStatus.OPEN)
    if rng.random() < 0.1:
        found += proposals(world, ProposalStatus.CARRIED, ProposalStatus.LAPSED)
    if not found:
        return None
    proposal = rng.choice(found)
    view = world.view()
    waiting = [each for each in VOTERS if view.peek(Vote, proposal.proposal_id, each) is None]
    who = rng.choice((*waiting, *waiting, *waiting, *waiting, *PARTIES))
    choice = rng.choice((Choice.YES, Choice.YES, Choice.YES, Choice.NO, Choice.ABSTAIN))
    return both(who), CastVote(proposal_id=proposal.proposal_id, choice=choice)


def withdraws(rng: Random, world: World) -> Asked | None:
    """Who proposed it, or another."""
    found = proposals(world, ProposalStatus.OPEN)
    if not found:
        return None
    proposal = rng.choice(found)
    who = rng.choice((proposal.proposer, proposal.proposer, "SUP"))
    return both(who), WithdrawProposal(proposal_id=proposal.proposal_id)


def enacts(rng: Random, world: World) -> Asked | None:
    """What was carried and could not be done, or something else."""
    found = proposals(world, ProposalStatus.CARRIED) or proposals(world, *ProposalStatus)
    if not found:
        return None
    return both(rng.choice(PARTIES)), Enact(proposal_id=rng.choice(found).proposal_id)


def sets(rng: Random, world: World) -> Asked | None:
    """A keeper sets a parameter, perhaps the one that is voted on."""
    change = some_change(rng)
    who = rng.choice(("SUP", "SUP", "SUP", "D1"))
    return both(who), SetParameter(name=change.name, value=change.value, reason="x")


def publishes(rng: Random, world: World) -> Asked | None:
    """A keeper publishes a year."""
    who = rng.choice(("SUP", "SUP", "SUP", "D1"))
    return both(who), PublishCalendar(publication=some_publication(rng, world))


def moves_the_clock(rng: Random, world: World) -> Asked | None:
    """A keeper, or somebody who is none."""
    who = rng.choice(("SUP", "SUP", "SUP", "S1"))
    return both(who), AdvanceClock(by_ms=rng.choice((0, HOUR_MS, 5 * HOUR_MS, 2**53)))


def waits(rng: Random, world: World) -> Asked | None:
    """Time passes; votes end, what was carried is carried out."""
    world.passes(hours=rng.randrange(24))
    return None


SEATS: Actions = {proposes_a_seat: 3, votes: 7, enacts: 1, waits: 1}
ACTIONS: Actions = {
    proposes: 4,
    votes: 7,
    withdraws: 1,
    enacts: 3,
    sets: 5,
    publishes: 3,
    moves_the_clock: 3,
    waits: 1,
}


@pytest.mark.stateful
@pytest.mark.timeout(600)
def test_governance_at_random() -> None:
    """20,000 messages: what is counted was cast, and calendars stay whole."""
    tally = play(APP, opening, ACTIONS)
    assert tally.shortfalls() == [], tally.told()


@pytest.mark.stateful
def test_the_engine_can_follow() -> None:
    """What blocks change is what CometBFT takes: no stranger leaves, none is alone, few move."""
    changed = 0
    for run in range(10):
        world = opening()
        play_run(Tally(APP), world, SEATS, seed=2, run=run)
        changed += follow(world)
    assert changed > 100


def follow(world: World) -> int:
    """Play a chain's validator updates as the engine does; how many blocks had one."""
    name = Validator.spec.name
    seats = {each.public_key: each.power for each in FIRST}
    changed = 0
    for entry in world.chain.entries(1):
        after = dict(seats)
        for key, raw in (change for changes in entry.changes for change in changes):
            told, *rest = decode_key(key)
            if told == name and raw is None:
                del after[cast("bytes", rest[0])]  # a stranger would be a KeyError
            elif told == name and raw is not None:
                kept = world.ledger.rules.decoders[name].decode(raw)
                after[kept.public_key] = kept.power
        keys = seats.keys() | after.keys()
        moved = sum(abs(after.get(key, 0) - seats.get(key, 0)) for key in keys)
        assert 3 * moved <= sum(seats.values())
        assert 0 < sum(after.values()) < 2**60
        changed += after != seats
        seats = after
    return changed
