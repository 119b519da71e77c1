"""The least that other applications may ask of governance: parameters, calendars, constitution."""

from tallystick.apps.governance.banking import Banking
from tallystick.apps.governance.calendars import calendar, publish
from tallystick.apps.governance.moving import awaited_block, stays_behind
from tallystick.apps.governance.records.standing import (
    CONSTITUTION,
    Admits,
    Constitution,
    Offset,
    Parameter,
    Publication,
    Rules,
)
from tallystick.apps.governance.validators import engine, found, unseat
from tallystick.ledger.system import CONSENSUS, Consensus
from tallystick.ledger.view import Reader

__all__ = [
    "CONSTITUTION",
    "Admits",
    "Banking",
    "Constitution",
    "Offset",
    "Parameter",
    "Publication",
    "Rules",
    "admission",
    "awaited_block",
    "banking_day",
    "calendar",
    "default_calendar",
    "engine",
    "found",
    "lead_blocks",
    "parameter",
    "publish",
    "registrar",
    "rules",
    "stays_behind",
    "today",
    "unseat",
]

LEAD = "governance.activation_lead_blocks"
"""Parameter: blocks between the decision on rules and their first block."""
LEAD_BLOCKS = 1_000
"""Its default where several nodes must be given a new release; one node alone needs none."""


def rules(reader: Reader) -> Rules:
    """What the constitution says."""
    return reader.get(Constitution, CONSTITUTION).rules


def admission(reader: Reader) -> Admits:
    """Who admits and expels members."""
    return rules(reader).admits


def registrar(reader: Reader) -> str | None:
    """Member that decides doubtful registrations; None when supervisors do."""
    return rules(reader).registrar


def default_calendar(reader: Reader) -> str:
    """Calendar of the network, e.g. `cn`."""
    return rules(reader).calendar_id


def parameter(reader: Reader, name: str, *, default: int) -> int:
    """Value of a parameter; the caller's default where governance has set none."""
    found = reader.peek(Parameter, name)
    return default if found is None else found.value


def lead_blocks(reader: Reader) -> int:
    """How many blocks at least lie between the decision on rules and their first block."""
    is_alone = reader.peek(Consensus, CONSENSUS) is None
    return parameter(reader, LEAD, default=0 if is_alone else LEAD_BLOCKS)


def today(reader: Reader, calendar_id: str) -> str:
    """The day that ledger time falls on in the zone of a calendar."""
    return calendar(reader, calendar_id).day_of(reader.now_ms)


def banking_day(reader: Reader) -> str:
    """The banking day that business done now counts for, by the calendar of the network.

    Business of a holiday counts for the next banking day; beyond the published years a day counts
    for itself.
    """
    banking = calendar(reader, default_calendar(reader))
    day, _ = banking.roll(banking.day_of(reader.now_ms))
    return day
