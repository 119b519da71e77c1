"""Governance, played at random: proposals, votes, parameters, calendars, a clock moved forward."""

from __future__ import annotations

from random import Random

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
    AdmitMember,
    Admits,
    Amend,
    AnyAction,
    Calendar,
    ChangeParameter,
    Choice,
    ExpelMember,
    Proposal,
    ProposalStatus,
    Publication,
    PublishYear,
    Vote,
)
from tallystick.apps.members.tests.network import both, network, newcomer, publication, rules
from tallystick.testing.stateful import Actions, Asked, play
from tallystick.testing.world import World

VOTERS = ("SUP", "bank-a", "D1")
PARTIES = (*VOTERS, *VOTERS, "S1")
NAMES = ("x.a", "x.b")
NEWCOMERS = tuple(f"N{n}" for n in range(5))
HOUR_MS = 3_600_000
ACTION_RULES = (rules(admits=Admits.VOTE), rules(admits=Admits.VOTE, voters=("SUP", "SUP")))


def opening() -> World:
    """A trial where members come and go by vote."""
    return network(trial=True, admits=Admits.VOTE)


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
        )
    )


def some_change(rng: Random) -> ChangeParameter:
    """One of few values of few parameters, so that they meet."""
    return ChangeParameter(name=rng.choice(NAMES), value=rng.randrange(3))


def proposals(world: World, *wanted: ProposalStatus) -> list[Proposal]:
    """Proposals that stand so."""
    return [each for each in world.view().scan(Proposal) if each.status in wanted]


def proposes(rng: Random, world: World) -> Asked | None:
    """A voter, or somebody who is none."""
    return both(rng.choice(PARTIES)), Propose(action=some_action(rng, world), reason="x")


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


ACTIONS: Actions = {
    proposes: 4,
    votes: 7,
    withdraws: 1,
    enacts: 2,
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
