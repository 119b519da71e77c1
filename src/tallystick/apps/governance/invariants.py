"""What must always hold of governance."""

from collections import Counter
from collections.abc import Iterator

from tallystick.apps.governance.records import (
    Calendar,
    CalendarYear,
    Choice,
    Constitution,
    Proposal,
    Vote,
)
from tallystick.apps.members.interface import require_known
from tallystick.ledger.refusal import Refused
from tallystick.ledger.view import View


def votes_counted_are_votes_cast(view: View) -> Iterator[str]:
    """A proposal's counts are its votes, each by one of its voters."""
    for proposal in view.scan(Proposal):
        votes = list(view.scan(Vote, proposal.proposal_id))
        counted = Counter({Choice.YES: proposal.yes, Choice.NO: proposal.no})
        counted[Choice.ABSTAIN] = proposal.abstain
        if +counted != Counter(vote.choice for vote in votes):
            yield f"proposal {proposal.proposal_id} counts votes that were not cast"
        if any(vote.voter not in proposal.voters for vote in votes):
            yield f"proposal {proposal.proposal_id} has a vote of a stranger"


def calendars_are_whole(view: View) -> Iterator[str]:
    """Every year from a calendar's first to its last is there, and no other."""
    for head in view.scan(Calendar):
        years = [kept.year for kept in view.scan(CalendarYear, head.calendar_id)]
        if years != list(range(head.first_year, head.last_year + 1)):
            yield f"calendar {head.calendar_id} has other years than it says"


def constitution_names_members(view: View) -> Iterator[str]:
    """Whoever may decide is or was a member."""
    for kept in view.scan(Constitution):
        rules = kept.rules
        for party in (*rules.voters, *rules.parameter_keepers, *rules.calendar_keepers):
            try:
                require_known(view, party)
            except Refused:
                yield f"the constitution names {party}, which is no member"
