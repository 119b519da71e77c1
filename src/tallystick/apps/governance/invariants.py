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
from tallystick.apps.governance.validators import VALIDATORS_MAX
from tallystick.apps.members.interface import is_admitted, is_officers_key, require_known
from tallystick.ledger.refusal import Refused
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
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


def a_consortium_has_validators(view: View) -> Iterator[str]:
    """There are validators, and not too many, just where there is an engine to vote in."""
    count = sum(1 for _ in view.scan(Validator))
    has_engine = view.peek(Consensus, CONSENSUS) is not None
    if has_engine and not count:
        yield "the engine has parameters and no validators"
    if count and not has_engine:
        yield f"{count} validators, and no parameters of an engine"
    if count > VALIDATORS_MAX:
        yield f"{count} validators are too many"


def validators_are_members(view: View) -> Iterator[str]:
    """Whoever runs a validator is a member, and its key is no officer's."""
    for each in view.scan(Validator):
        if not is_admitted(view, each.member):
            yield f"validator {each.public_key.hex()} is run by {each.member}, which is no member"
        if is_officers_key(view, each.public_key):
            yield f"validator {each.public_key.hex()} has the key of an officer"
