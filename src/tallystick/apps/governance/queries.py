"""Named reads of governance."""

from collections.abc import Iterable

from tallystick.apps.governance import interface
from tallystick.apps.governance.records import (
    CONSTITUTION,
    Calendar,
    CalendarYear,
    Constitution,
    Parameter,
    Proposal,
    ProposalId,
    ProposalStatus,
    Vote,
)
from tallystick.ledger.system import Activation, Consensus, Validator
from tallystick.ledger.view import View
from tallystick.values.codec import Struct
from tallystick.values.units import Count, Day, Height, Label


class Dated(Struct):
    """A day computed from a calendar."""

    day: Day
    """The day, e.g. `2026-10-08`."""
    provisional: bool = False
    """Whether it lies beyond the published years and may be rolled again."""


class Upgrade(Struct):
    """Rules that are decided and wait for their first block."""

    app: Label
    """Application, e.g. `receivables`."""
    version: Count
    """Version in force until then; 0 when the application is new."""
    next_version: Count
    """Version in force from then on; a node without it stops there."""
    from_height: Height
    """The first block that it decides."""
    blocks_left: Height
    """Blocks that are still decided by the version before."""


def constitution(view: View) -> Constitution:
    """Who may decide what."""
    return view.get(Constitution, CONSTITUTION)


def parameters(view: View) -> Iterable[Parameter]:
    """Parameters that were set; for others the applications' own defaults hold."""
    return view.find(Parameter)


def calendars(view: View) -> Iterable[Calendar]:
    """Calendars published, with zone, cut-off and years."""
    return view.find(Calendar)


def banking_days(view: View, calendar_id: Label) -> Iterable[CalendarYear]:
    """Banking days of a calendar, year by year."""
    return view.find(CalendarYear, calendar_id=calendar_id)


def today(view: View, calendar_id: Label) -> Dated:
    """The day of ledger time in the zone of a calendar."""
    return Dated(day=interface.today(view, calendar_id))


def rolled(view: View, calendar_id: Label, day: Day) -> Dated:
    """The day itself if banks work, else the next banking day."""
    found, provisional = interface.calendar(view, calendar_id).roll(day)
    return Dated(day=found, provisional=provisional)


def shifted(view: View, calendar_id: Label, day: Day, banking_days: int) -> Dated:
    """The day so many banking days later, earlier if negative."""
    found, provisional = interface.calendar(view, calendar_id).shift(day, banking_days)
    return Dated(day=found, provisional=provisional)


def proposals(view: View, status: ProposalStatus = ProposalStatus.OPEN) -> Iterable[Proposal]:
    """Proposals, those open for votes unless another status is asked for."""
    return view.find(Proposal, status=status)


def votes(view: View, proposal_id: ProposalId) -> Iterable[Vote]:
    """Votes cast on a proposal."""
    return view.find(Vote, proposal_id=proposal_id)


def activations(view: View) -> Iterable[Activation]:
    """Versions of the applications' rules in force, and those waiting for their height."""
    return view.find(Activation)


def upgrades(view: View) -> Iterable[Upgrade]:
    """Rules that are decided and wait for their first block: by then every node needs them."""
    for kept in view.find(Activation):
        next_version, first = kept.next_version, kept.from_height
        if next_version is not None and first is not None and first > view.height:
            yield Upgrade(
                app=kept.app,
                version=kept.version,
                next_version=next_version,
                from_height=first,
                blocks_left=first - view.height - 1,
            )


def validators(view: View) -> Iterable[Validator]:
    """Nodes whose votes decide on blocks, with their members and powers."""
    return view.find(Validator)


def engine(view: View) -> Consensus:
    """What the engine of a consortium keeps to."""
    return interface.engine(view)
