"""What happens: proposals and votes, parameters, calendars, the trial's clock."""

from tallystick.apps.governance.actions import carry_out, change_parameter, check
from tallystick.apps.governance.calendars import publish
from tallystick.apps.governance.interface import rules
from tallystick.apps.governance.messages import (
    AdvanceClock,
    CastVote,
    CloseProposal,
    Enact,
    EnactProposal,
    Propose,
    PublishCalendar,
    SetParameter,
    WithdrawProposal,
)
from tallystick.apps.governance.records import (
    AddValidator,
    ChangeParameter,
    Proposal,
    ProposalStatus,
    Vote,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.governance.verdict import verdict
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.system import CLOCK, Clock
from tallystick.values.codec import replace
from tallystick.values.units import AT_MS_MAX


def propose(ctx: Context, msg: Propose) -> None:
    """Put something to the vote, if it could be done as things stand."""
    said = rules(ctx)
    if isinstance(msg.action, AddValidator):
        # Running a node binds its member: it asks for that itself, whether it votes or not.
        runner = msg.action.member
        require(ctx.party == runner, Refusal.NOT_ITS_RUNNER, member=runner)
    else:
        require(ctx.party in said.voters, Refusal.NOT_A_VOTER, member=ctx.party)
    check(ctx, msg.action)
    proposal_id = ctx.new_id("prop")
    closes_at_ms = ctx.now_ms + said.voting_ms
    proposal = Proposal(
        proposal_id=proposal_id,
        proposer=ctx.party,
        action=msg.action,
        reason=msg.reason,
        voters=said.voters,
        quorum_ppm=said.quorum_ppm,
        threshold_ppm=said.threshold_ppm,
        opened_at_ms=ctx.now_ms,
        closes_at_ms=closes_at_ms,
        timer_id=ctx.at(closes_at_ms, CloseProposal(proposal_id=proposal_id)),
        timer_at_ms=closes_at_ms,
    )
    ctx.add(proposal)


def cast_vote(ctx: Context, msg: CastVote) -> None:
    """Count a vote; the proposal is decided as soon as the votes left cannot change it."""
    proposal = _open_proposal(ctx, msg.proposal_id)
    require(ctx.party in proposal.voters, Refusal.NOT_A_VOTER, member=ctx.party)
    voted = ctx.peek(Vote, msg.proposal_id, ctx.party) is not None
    require(not voted, Refusal.ALREADY_VOTED, member=ctx.party)
    vote = Vote(
        proposal_id=msg.proposal_id,
        voter=ctx.party,
        choice=msg.choice,
        cast_at_ms=ctx.now_ms,
    )
    ctx.add(vote)
    name = msg.choice.value
    counted = replace(proposal, **{name: getattr(proposal, name) + 1})
    _settle(ctx, counted, verdict(counted, is_over=False))


def withdraw_proposal(ctx: Context, msg: WithdrawProposal) -> None:
    """Take back a proposal that is still open."""
    proposal = _open_proposal(ctx, msg.proposal_id)
    require(proposal.proposer == ctx.party, Refusal.NOT_PROPOSER, member=ctx.party)
    _settle(ctx, proposal, ProposalStatus.WITHDRAWN)


def enact(ctx: Context, msg: Enact) -> None:
    """Carry out a carried proposal again, when it could not be at once."""
    proposal = ctx.get(Proposal, msg.proposal_id)
    require(ctx.party in proposal.voters, Refusal.NOT_A_VOTER, member=ctx.party)
    carried = proposal.status is ProposalStatus.CARRIED
    require(carried, Refusal.NOT_CARRIED, proposal_id=msg.proposal_id)
    ctx.cancel(proposal.timer_at_ms, proposal.timer_id)
    _enact(ctx, proposal)


def close_proposal(ctx: Context, msg: CloseProposal) -> None:
    """Decide a proposal by the votes that were cast."""
    proposal = ctx.get(Proposal, msg.proposal_id)
    _settle(ctx, proposal, verdict(proposal, is_over=True))


def enact_proposal(ctx: Context, msg: EnactProposal) -> None:
    """Carry out a carried proposal; if that is refused, it stays carried for `Enact`."""
    _enact(ctx, ctx.get(Proposal, msg.proposal_id))


def set_parameter(ctx: Context, msg: SetParameter) -> None:
    """Set a parameter without a vote."""
    keepers = rules(ctx).parameter_keepers
    require(ctx.party in keepers, Refusal.NOT_PARAMETER_KEEPER, member=ctx.party)
    change_parameter(ctx, ChangeParameter(name=msg.name, value=msg.value))


def publish_calendar(ctx: Context, msg: PublishCalendar) -> None:
    """Publish a year of a calendar without a vote."""
    keepers = rules(ctx).calendar_keepers
    require(ctx.party in keepers, Refusal.NOT_CALENDAR_KEEPER, member=ctx.party)
    publish(ctx, msg.publication)


def advance_clock(ctx: Context, msg: AdvanceClock) -> None:
    """Move the clock of a trial forward, from the next block on."""
    clock = ctx.get(Clock, CLOCK)
    require(clock.trial, Refusal.NOT_TRIAL)
    keepers = rules(ctx).clock_keepers
    require(ctx.party in keepers, Refusal.NOT_CLOCK_KEEPER, member=ctx.party)
    require(msg.by_ms > 0, Refusal.NOT_FORWARD)
    require(ctx.now_ms + msg.by_ms <= AT_MS_MAX, Refusal.TOO_FAR, by_ms=msg.by_ms)
    ctx.save(replace(clock, offset_ms=clock.offset_ms + msg.by_ms))


def _open_proposal(ctx: Context, proposal_id: str) -> Proposal:
    """A proposal on which members still vote."""
    proposal = ctx.get(Proposal, proposal_id)
    is_open = proposal.status is ProposalStatus.OPEN
    require(is_open, Refusal.NOT_OPEN, proposal_id=proposal_id)
    in_time = ctx.now_ms < proposal.closes_at_ms
    require(in_time, Refusal.VOTING_ENDED, proposal_id=proposal_id)
    return proposal


def _settle(ctx: Context, proposal: Proposal, status: ProposalStatus) -> None:
    """Note where a proposal stands; once decided its timer is spent, once carried it is enacted."""
    after = replace(proposal, status=status)
    if status is not ProposalStatus.OPEN:
        ctx.cancel(proposal.timer_at_ms, proposal.timer_id)
    if status is ProposalStatus.CARRIED:
        enacting = EnactProposal(proposal_id=proposal.proposal_id)
        timer_id = ctx.at(ctx.now_ms, enacting)
        after = replace(after, timer_id=timer_id, timer_at_ms=ctx.now_ms)
    ctx.save(after)


def _enact(ctx: Context, proposal: Proposal) -> None:
    """Do what was proposed and say so."""
    carry_out(ctx, proposal.action)
    ctx.save(replace(proposal, status=ProposalStatus.ENACTED))
