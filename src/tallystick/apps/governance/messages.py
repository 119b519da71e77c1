"""What can be asked of governance: proposals and votes, parameters, calendars, the clock."""

from tallystick.apps.governance.records import (
    AnyAction,
    Choice,
    ProposalId,
    Publication,
    Value,
)
from tallystick.ledger.app import Message, message, timer
from tallystick.values.units import DurationMs, Label, ShortText


@message(verb=None)
class Propose(Message, tag="governance.propose.1"):
    """Put something to the vote."""

    action: AnyAction
    """What it would do."""
    reason: ShortText
    """Why, e.g. `licensed by the supervisor on 1 July`."""


@message(verb=None)
class CastVote(Message, tag="governance.cast_vote.1"):
    """Vote on a proposal; a vote is not taken back."""

    proposal_id: ProposalId
    """Proposal, e.g. `prop-0123456789abcdef`."""
    choice: Choice
    """What the member says."""


@message(verb=None)
class WithdrawProposal(Message, tag="governance.withdraw_proposal.1"):
    """Take back a proposal on which nothing is decided yet."""

    proposal_id: ProposalId
    """Proposal, e.g. `prop-0123456789abcdef`."""


@message(verb=None)
class Enact(Message, tag="governance.enact.1"):
    """Carry out a carried proposal again, when it could not be at once."""

    proposal_id: ProposalId
    """Proposal, e.g. `prop-0123456789abcdef`."""


@timer()
class CloseProposal(Message, tag="governance.close_proposal.1"):
    """The time to vote is over."""

    proposal_id: ProposalId
    """Proposal, e.g. `prop-0123456789abcdef`."""


@timer()
class EnactProposal(Message, tag="governance.enact_proposal.1"):
    """A proposal was carried."""

    proposal_id: ProposalId
    """Proposal, e.g. `prop-0123456789abcdef`."""


@message(verb=None)
class SetParameter(Message, tag="governance.set_parameter.1"):
    """Set a parameter without a vote, where the constitution lets the member."""

    name: Label
    """Its name, which ends in its unit, e.g. `receivables.pieces_max`."""
    value: Value
    """Its value from now on, in that unit."""
    reason: ShortText
    """Why, e.g. `LPR of 20 July`."""


@message(verb=None)
class PublishCalendar(Message, tag="governance.publish_calendar.1"):
    """Publish a year of a calendar without a vote, where the constitution lets the member."""

    publication: Publication
    """What is published."""


@message(verb=None)
class AdvanceClock(Message, tag="governance.advance_clock.1"):
    """Move the clock of a trial forward, from the next block on."""

    by_ms: DurationMs
    """How far, in milliseconds, e.g. 8380800000 for 97 days."""
