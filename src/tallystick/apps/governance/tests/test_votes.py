"""Propose, CastVote, WithdrawProposal, Enact, CloseProposal, EnactProposal."""

from typing import Any

import pytest

from tallystick.apps.governance.interface import Admits, parameter, rules
from tallystick.apps.governance.messages import (
    CastVote,
    CloseProposal,
    Enact,
    EnactProposal,
    Propose,
    SetParameter,
    WithdrawProposal,
)
from tallystick.apps.governance.records import (
    ActivateRules,
    AdmitMember,
    Amend,
    AnyAction,
    ChangeParameter,
    Choice,
    Constitution,
    ExpelMember,
    Offset,
    Proposal,
    ProposalStatus,
    PublishYear,
    Vote,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.members.interface import (
    LegalNumber,
    Limit,
    NewKey,
    NewMember,
    NewOfficer,
    NewOutlet,
    NumberScheme,
    member,
)
from tallystick.apps.members.messages import Admit, Expel
from tallystick.apps.members.parts import MemberStatus
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.members.tests.network import (
    DAY_MS,
    both,
    key,
    network,
    newcomer,
    person,
    publication,
    timer_receipts,
)
from tallystick.apps.members.tests.network import rules as usual_rules
from tallystick.ledger.app import Record, Role
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusal import RefusalCode
from tallystick.ledger.system import Activation
from tallystick.testing.world import World
from tallystick.values.codec import replace

SET = ChangeParameter(name="x.max", value=7)
USCC = LegalNumber(scheme=NumberScheme.USCC, number="N1")
VOTERS = ("SUP", "bank-a", "D1")


@pytest.fixture
def world() -> World:
    return network()


def propose(world: World, action: AnyAction = SET, who: str = "bank-a") -> str:
    return world.accepts(both(who), Propose(action=action, reason="agreed")).id


def vote(world: World, proposal_id: str, **choices: Choice) -> None:
    for voter, choice in choices.items():
        cast = CastVote(proposal_id=proposal_id, choice=choice)
        world.accepts(both(voter.replace("_", "-")), cast)


def status(world: World, proposal_id: str) -> ProposalStatus:
    return world.view().get(Proposal, proposal_id).status


def tick(world: World) -> None:
    """Let the block come that carries out what was carried."""
    world.passes(minutes=1)


# --- Propose


def test_a_proposal_keeps_the_rules_of_its_day(world: World) -> None:
    proposal_id = propose(world)
    kept = world.view().get(Proposal, proposal_id)
    assert (kept.proposer, kept.voters, kept.threshold_ppm) == ("bank-a", VOTERS, 666_666)
    assert kept.closes_at_ms == kept.opened_at_ms + 7 * DAY_MS
    assert kept.status is ProposalStatus.OPEN


def test_only_voters_propose(world: World) -> None:
    ask = Propose(action=ChangeParameter(name="x.max", value=7), reason="x")
    world.refuses(both("S1"), ask, Refusal.NOT_A_VOTER, member="S1")


PUBLISHED = publication()
LATE = Offset(from_ms=1, minutes=0)
ACTIVATE = ActivateRules(app="counter", version=2, from_height=1_000)
LONE = usual_rules(voters=(), admits=Admits.VOTE)


@pytest.mark.parametrize(
    ("action", "said", "code"),
    (
        (AdmitMember(newcomer=newcomer("S1")), Admits.SUPERVISOR, Refusal.ADMITTED_BY_SUPERVISOR),
        (AdmitMember(newcomer=newcomer("S1")), Admits.VOTE, Members.ALREADY_A_MEMBER),
        (
            AdmitMember(newcomer=newcomer("N", numbers=(USCC,))),
            Admits.VOTE,
            Members.NUMBER_TAKEN,
        ),
        (ExpelMember(member="nobody"), Admits.SUPERVISOR, Refusal.ADMITTED_BY_SUPERVISOR),
        (ExpelMember(member="nobody"), Admits.VOTE, Members.NOT_A_MEMBER),
        (ExpelMember(member="gone"), Admits.VOTE, Members.EXPELLED),
        (ChangeParameter(name="x.min", value=1), Admits.VOTE, Refusal.NOTHING_TO_CHANGE),
        (
            PublishYear(publication=replace(PUBLISHED, banking_days=("2026-02-30",))),
            Admits.VOTE,
            Refusal.BAD_DAYS,
        ),
        (
            PublishYear(
                publication=replace(PUBLISHED, utc_offsets=(Offset(from_ms=1, minutes=0),))
            ),
            Admits.VOTE,
            Refusal.BAD_OFFSETS,
        ),
        (PublishYear(publication=publication(2028)), Admits.VOTE, Refusal.NOT_NEXT_YEAR),
        (
            PublishYear(publication=replace(PUBLISHED, banking_days=())),
            Admits.VOTE,
            Refusal.PAST_CHANGED,
        ),
        (replace(ACTIVATE, version=1), Admits.VOTE, Refusal.OLD_VERSION),
        (replace(ACTIVATE, app="pending"), Admits.VOTE, Refusal.ACTIVATION_PENDING),
        (replace(ACTIVATE, from_height=1), Admits.VOTE, Refusal.HEIGHT_PASSED),
        (Amend(rules=LONE), Admits.VOTE, Refusal.BAD_RULES),
        (Amend(rules=usual_rules(voters=("SUP", "SUP"))), Admits.VOTE, Refusal.BAD_RULES),
        (Amend(rules=usual_rules(threshold_ppm=0)), Admits.VOTE, Refusal.BAD_RULES),
        (Amend(rules=usual_rules(registrar="nobody")), Admits.VOTE, Members.NOT_A_MEMBER),
        (Amend(rules=usual_rules(calendar_id="mars")), Admits.VOTE, Refusal.NO_SUCH_CALENDAR),
    ),
)
def test_what_cannot_be_done_is_not_proposed_nor_carried_out(
    action: AnyAction, said: Admits, code: RefusalCode
) -> None:
    """The same is asked when it is proposed and again when it is carried out."""
    world = broken(said)
    world.refuses(both("bank-a"), Propose(action=action, reason="x"), code)
    refused_when_enacted(action, said, code)


def broken(said: Admits, *extra: Record) -> World:
    """A network where the things above are in the way."""
    first = network(admits=Admits.SUPERVISOR)
    first.accepts(both("SUP"), Admit(newcomer=newcomer("holder", numbers=(USCC,))))
    first.accepts(both("SUP"), Admit(newcomer=newcomer("gone")))
    first.accepts(both("SUP"), Expel(member="gone", reason="x"))
    first.accepts(both("SUP"), SetParameter(name="x.min", value=1, reason="x"))
    waiting = Activation(app="pending", version=0, next_version=2, from_height=1_000)
    kept = [
        each
        for type_ in first.ledger.rules.record_types
        if not type_.spec.name.startswith(("ledger", "governance.constitution"))
        for each in first.view().scan(type_)
    ]
    return network(*kept, waiting, *extra, admits=said)


CARRIED = Proposal(
    proposal_id="prop-0123456789abcdef",
    proposer="bank-a",
    action=SET,
    reason="x",
    voters=VOTERS,
    quorum_ppm=500_000,
    threshold_ppm=666_666,
    opened_at_ms=0,
    closes_at_ms=2**50,
    timer_id="tmr-0123456789abcdef",
    timer_at_ms=0,
)
"""A proposal that stood before things came in its way; two votes carry it."""


def refused_when_enacted(action: AnyAction, said: Admits, code: RefusalCode) -> None:
    """What is carried and cannot be done leaves a receipt and stays carried."""
    refused_when_enacted_in(broken(said, replace(CARRIED, action=action)), code)


def refused_when_enacted_in(world: World, code: RefusalCode) -> None:
    proposal_id = CARRIED.proposal_id
    vote(world, proposal_id, SUP=Choice.YES, bank_a=Choice.YES)
    tick(world)
    last = timer_receipts(world)[-1]
    assert (last.outcome, last.app, last.code) == (Outcome.REFUSED, code.app, code.number)
    assert status(world, proposal_id) is ProposalStatus.CARRIED
    world.refuses(both("D1"), Enact(proposal_id=proposal_id), code)


def test_a_network_without_a_constitution_admits_nobody() -> None:
    proposal = replace(CARRIED, action=ExpelMember(member="S1"))
    world = network(proposal, without=Constitution)
    refused_when_enacted_in(world, Refusal.NO_CONSTITUTION)


ADMIN = person("N", "a", Role.ADMIN)
CHECKER = person("N", "b", Role.CHECKER)
OUTLET = NewOutlet(outlet_id="o", name="O")


def with_(*officers: NewOfficer) -> NewMember:
    return newcomer("N", officers=officers)


@pytest.mark.parametrize(
    ("told", "code"),
    (
        (newcomer("N", outlets=(OUTLET, OUTLET)), Members.OUTLET_EXISTS),
        (with_(ADMIN, ADMIN), Members.ALREADY_AN_OFFICER),
        (with_(ADMIN, replace(CHECKER, identity=ADMIN.identity)), Members.SAME_IDENTITY),
        (with_(replace(ADMIN, system=True)), Members.ONLY_MAKES),
        (with_(replace(ADMIN, limits=(Limit(currency="CNY"),) * 2)), Members.LIMIT_TWICE),
        (with_(replace(ADMIN, outlet="moon")), Members.NO_SUCH_OUTLET),
        (with_(replace(ADMIN, keys=(NewKey(public_key=bytes(32)),))), Members.WEAK_KEY),
        (with_(replace(ADMIN, keys=(key("S1.maker"),))), Members.KEY_TAKEN),
        (with_(ADMIN), Members.CANNOT_SIGN),
    ),
)
def test_a_newcomer_is_looked_at_when_it_is_admitted(told: NewMember, code: RefusalCode) -> None:
    refused_when_enacted(AdmitMember(newcomer=told), Admits.VOTE, code)


# --- what is carried is done


def carry(world: World, action: AnyAction) -> str:
    """Propose, vote and carry out."""
    proposal_id = propose(world, action)
    vote(world, proposal_id, SUP=Choice.YES, D1=Choice.YES)
    assert status(world, proposal_id) is ProposalStatus.CARRIED
    tick(world)
    assert status(world, proposal_id) is ProposalStatus.ENACTED
    return proposal_id


def test_members_come_and_go_by_vote() -> None:
    world = network(admits=Admits.VOTE)
    carry(world, AdmitMember(newcomer=newcomer("N")))
    assert member(world.view(), "N").status is MemberStatus.ACTIVE
    carry(world, ExpelMember(member="N"))
    assert member(world.view(), "N").status is MemberStatus.EXPELLED


def test_a_parameter_is_set_by_vote(world: World) -> None:
    assert parameter(world.view(), "x.max", default=3) == 3
    carry(world, SET)
    assert parameter(world.view(), "x.max", default=3) == 7
    carry(world, replace(SET, value=-8))
    assert parameter(world.view(), "x.max", default=3) == -8


def test_a_calendar_is_published_by_vote(world: World) -> None:
    carry(world, PublishYear(publication=publication(2027)))


def test_rules_are_activated_at_a_height(world: World) -> None:
    height = world.view().height + 100
    carry(world, ActivateRules(app="counter", version=2, from_height=height))
    kept = world.view().get(Activation, "counter")
    assert (kept.version, kept.next_version, kept.from_height) == (1, 2, height)
    assert (kept.at(height - 1), kept.at(height)) == (1, 2)


def test_an_application_that_genesis_did_not_know(world: World) -> None:
    carry(world, ActivateRules(app="later", version=1, from_height=10_000))
    kept = world.view().get(Activation, "later")
    assert (kept.version, kept.next_version) == (0, 1)


def test_a_version_in_force_is_followed_by_the_next() -> None:
    world = network(Activation(app="counter", version=0, next_version=1, from_height=1))
    tick(world)
    world.accepts(both("SUP"), SetParameter(name="a", value=1, reason="x"))
    carry(world, ActivateRules(app="counter", version=3, from_height=10_000))
    kept = world.view().get(Activation, "counter")
    assert (kept.version, kept.next_version) == (1, 3)


def test_the_constitution_is_changed_by_its_own_vote(world: World) -> None:
    after = usual_rules(admits=Admits.VOTE, voters=("bank-a",), registrar="SUP", clock_keepers=())
    carry(world, Amend(rules=after))
    assert rules(world.view()) == after
    proposal_id = propose(world)
    vote(world, proposal_id, bank_a=Choice.YES)
    assert status(world, proposal_id) is ProposalStatus.CARRIED


def test_a_network_without_voters_may_be_agreed_on(world: World) -> None:
    carry(world, Amend(rules=usual_rules(voters=())))
    world.refuses(both("bank-a"), Propose(action=SET, reason="x"), Refusal.NOT_A_VOTER)


# --- CastVote

YES, NO, ABSTAIN = Choice.YES, Choice.NO, Choice.ABSTAIN


@pytest.mark.parametrize(
    ("votes", "after_votes", "at_the_end"),
    (
        ({"SUP": YES, "bank_a": YES}, ProposalStatus.ENACTED, ProposalStatus.ENACTED),
        ({"SUP": NO}, ProposalStatus.OPEN, ProposalStatus.LAPSED),
        ({"SUP": NO, "D1": NO}, ProposalStatus.REJECTED, ProposalStatus.REJECTED),
        ({}, ProposalStatus.OPEN, ProposalStatus.LAPSED),
        ({"SUP": YES}, ProposalStatus.OPEN, ProposalStatus.LAPSED),
        ({"SUP": YES, "D1": ABSTAIN}, ProposalStatus.OPEN, ProposalStatus.ENACTED),
        ({"SUP": YES, "D1": NO}, ProposalStatus.OPEN, ProposalStatus.REJECTED),
        ({"SUP": ABSTAIN, "D1": ABSTAIN}, ProposalStatus.OPEN, ProposalStatus.REJECTED),
        (
            {"SUP": ABSTAIN, "D1": ABSTAIN, "bank_a": ABSTAIN},
            ProposalStatus.REJECTED,
            ProposalStatus.REJECTED,
        ),
        (
            {"SUP": ABSTAIN, "D1": ABSTAIN, "bank_a": YES},
            ProposalStatus.ENACTED,
            ProposalStatus.ENACTED,
        ),
    ),
)
def test_votes_decide(
    world: World,
    votes: dict[str, Choice],
    after_votes: ProposalStatus,
    at_the_end: ProposalStatus,
) -> None:
    """Two of three must vote (half); two thirds of yes and no must be yes."""
    proposal_id = propose(world)
    vote(world, proposal_id, **votes)
    tick(world)
    assert status(world, proposal_id) is after_votes
    world.passes(days=8)
    assert status(world, proposal_id) is at_the_end
    assert CloseProposal.spec.timer
    assert EnactProposal.spec.timer


def test_votes_that_cannot_change_it_are_not_waited_for() -> None:
    """With a simple majority of three the second yes carries, whatever the third says."""
    world = network(threshold_ppm=500_001)
    proposal_id = propose(world)
    vote(world, proposal_id, SUP=YES)
    assert status(world, proposal_id) is ProposalStatus.OPEN
    vote(world, proposal_id, D1=YES)
    assert status(world, proposal_id) is ProposalStatus.CARRIED


def test_a_vote_refused(world: World) -> None:
    proposal_id = propose(world)
    vote(world, proposal_id, SUP=NO)

    def cast(**more: Any) -> CastVote:
        return CastVote(**{"proposal_id": proposal_id, "choice": YES, **more})

    unknown = "prop-0000000000000000"
    world.refuses(both("SUP"), cast(proposal_id=unknown), Refusal.NO_SUCH_PROPOSAL)
    world.refuses(both("S1"), cast(), Refusal.NOT_A_VOTER, member="S1")
    world.refuses(both("SUP"), cast(), Refusal.ALREADY_VOTED, member="SUP")
    vote(world, proposal_id, D1=NO)
    world.refuses(both("bank-a"), cast(), Refusal.NOT_OPEN, proposal_id=proposal_id)
    assert world.view().get(Vote, proposal_id, "D1").choice is NO


def test_the_time_to_vote_ends_before_its_timer_ran() -> None:
    late = replace(CARRIED, closes_at_ms=1, timer_at_ms=1)
    world = network(late)
    cast = CastVote(proposal_id=late.proposal_id, choice=YES)
    world.refuses(both("SUP"), cast, Refusal.VOTING_ENDED, proposal_id=late.proposal_id)
    withdraw = WithdrawProposal(proposal_id=late.proposal_id)
    world.refuses(both("bank-a"), withdraw, Refusal.VOTING_ENDED)


# --- WithdrawProposal


def test_a_proposal_is_withdrawn_by_who_proposed_it(world: World) -> None:
    proposal_id = propose(world)
    withdraw = WithdrawProposal(proposal_id=proposal_id)
    world.refuses(both("SUP"), withdraw, Refusal.NOT_PROPOSER, member="SUP")
    world.accepts(both("bank-a"), withdraw)
    world.refuses(both("bank-a"), withdraw, Refusal.NOT_OPEN)
    unknown = WithdrawProposal(proposal_id="prop-0000000000000000")
    world.refuses(both("bank-a"), unknown, Refusal.NO_SUCH_PROPOSAL)
    world.passes(days=8)
    assert status(world, proposal_id) is ProposalStatus.WITHDRAWN
    assert timer_receipts(world) == []


# --- Enact


def test_what_could_not_be_done_at_once_is_tried_again(world: World) -> None:
    proposal_id = propose(world)
    enact = Enact(proposal_id=proposal_id)
    world.refuses(both("S1"), enact, Refusal.NOT_A_VOTER)
    world.refuses(both("SUP"), enact, Refusal.NOT_CARRIED, proposal_id=proposal_id)
    world.refuses(both("SUP"), Enact(proposal_id="prop-0000000000000000"), Refusal.NO_SUCH_PROPOSAL)
    vote(world, proposal_id, SUP=YES)
    direct = SetParameter(name=SET.name, value=SET.value, reason="in the way")
    world.accepts(both("SUP"), direct)
    vote(world, proposal_id, D1=YES)
    tick(world)
    assert timer_receipts(world)[-1].code == Refusal.NOTHING_TO_CHANGE.number
    world.accepts(both("SUP"), replace(direct, value=8))
    world.accepts(both("SUP"), enact)
    assert parameter(world.view(), SET.name, default=0) == SET.value
    world.refuses(both("SUP"), enact, Refusal.NOT_CARRIED)
