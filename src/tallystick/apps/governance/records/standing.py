"""What holds until it is changed: the constitution, parameters and calendars."""

import enum
from typing import Annotated

from msgspec import Meta

from tallystick.apps.governance.refusals import Refusal
from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.values.codec import Struct
from tallystick.values.units import (
    INT64_MAX,
    INT64_MIN,
    AtMs,
    Count,
    Day,
    Height,
    Label,
    MinuteOfDay,
    OffsetMinutes,
    PartyId,
    SharePpm,
)

CONSTITUTION = "constitution"
"""Name of the one constitution."""
POWER_SHIFT = "power_shift"
"""Name of the one record of moved power."""
YEAR_FIRST = 1970
YEAR_LAST = 2200

Keepers = Annotated[tuple[PartyId, ...], Meta(max_length=100)]
"""Members who may do something directly."""
Year = Annotated[int, Meta(ge=YEAR_FIRST, le=YEAR_LAST, description="A year.")]
"""A calendar year, e.g. 2026."""
Value = Annotated[
    int, Meta(ge=INT64_MIN, le=INT64_MAX, description="Value in the parameter's own unit.")
]
"""A parameter's value; its unit stands in its name, e.g. `receivables.late_ppm_per_day`."""
BankingDays = Annotated[tuple[Day, ...], Meta(max_length=366)]
"""Days of one year on which banks work, in order."""
VotingMs = Annotated[
    int, Meta(ge=1, le=31_622_400_000, description="Milliseconds.", extra={"unit": "ms"})
]
"""How long a vote may last, in milliseconds: at most a year."""


Power = Annotated[int, Meta(ge=0, le=2**53, description="Weight of votes.")]
"""Weight of a validator's vote, or of several together; only its share of the whole matters."""


class Admits(enum.Enum):
    """Who decides that a member comes or goes."""

    SUPERVISOR = "supervisor"
    VOTE = "vote"


class Offset(Struct):
    """A zone's offset from UTC from an instant on."""

    from_ms: AtMs
    """Since when it holds, in milliseconds; 0 for the first."""
    minutes: OffsetMinutes
    """Minutes east of UTC, e.g. 480 for China."""


Offsets = Annotated[tuple[Offset, ...], Meta(min_length=1, max_length=500)]
"""Offsets of a zone, in order of time."""


class Rules(Struct):
    """What a constitution says: who may decide what."""

    admits: Admits
    """Who admits and expels members."""
    voters: Keepers
    """Members that vote, each with one vote."""
    quorum_ppm: SharePpm
    """Share of the voters that must vote at all, e.g. 500000 for half."""
    threshold_ppm: SharePpm
    """Share of the yes among yes and no that carries a proposal, e.g. 666667."""
    voting_ms: VotingMs
    """How long a proposal is open, in milliseconds, e.g. 604800000 for seven days."""
    parameter_keepers: Keepers = ()
    """Members that set parameters without a vote."""
    calendar_keepers: Keepers = ()
    """Members that publish calendars without a vote."""
    clock_keepers: Keepers = ()
    """Members that move the clock of a trial."""
    registrar: PartyId | None = None
    """Member that decides doubtful registrations; None when supervisors do."""
    calendar_id: Label
    """Calendar whose banking days count for officers' daily limits, e.g. `cn`."""


class Publication(Struct):
    """One year of a calendar, as it is published."""

    calendar_id: Label
    """Calendar, e.g. `cn`; its first publication makes it."""
    year: Year
    """The year: one published before, to correct it, or the next."""
    banking_days: BankingDays
    """Days on which banks work, one by one, in order."""
    utc_offsets: Offsets
    """The zone's offsets from UTC, in order of time, the first from 0."""
    payment_cutoff_minute: MinuteOfDay
    """When payments of a day end, in minutes after midnight, e.g. 1020 for 17:00."""


@record(key=("name",), missing=Refusal.NO_CONSTITUTION, seen_by=PUBLIC)
class Constitution(Record, tag="governance.constitution.1"):
    """Who may decide what; first set in genesis, changed only by its own vote."""

    name: Label
    """Always `constitution`: there is one."""
    rules: Rules
    """What it says."""
    amended_at_ms: AtMs
    """Ledger time of the last change, in milliseconds; of genesis when there was none."""


@record(key=("name",), seen_by=PUBLIC)
class Parameter(Record, tag="governance.parameter.1"):
    """A number that applications ask for; where there is none their own default holds."""

    name: Label
    """Its name, which ends in its unit, e.g. `receivables.pieces_max`."""
    value: Value
    """Its value, in that unit."""
    set_at_ms: AtMs
    """Ledger time at which it was set, in milliseconds."""


@record(key=("calendar_id",), missing=Refusal.NO_SUCH_CALENDAR, seen_by=PUBLIC)
class Calendar(Record, tag="governance.calendar.1"):
    """A place's banking calendar: its zone, its cut-off and the years published."""

    calendar_id: Label
    """Its id, e.g. `cn`."""
    version: Count
    """How often something of it was published, e.g. 3; kept beside dates computed from it."""
    first_year: Year
    """First year published."""
    last_year: Year
    """Last year published; later dates are provisional."""
    utc_offsets: Offsets
    """The zone's offsets from UTC, in order of time."""
    payment_cutoff_minute: MinuteOfDay
    """When payments of a day end, in minutes after midnight of the zone, e.g. 1020 for 17:00."""
    published_at_ms: AtMs
    """Ledger time of the last publication, in milliseconds."""


@record(key=("calendar_id", "year"), missing=Refusal.NO_SUCH_CALENDAR, seen_by=PUBLIC)
class CalendarYear(Record, tag="governance.calendar_year.1"):
    """The banking days of one year, one by one."""

    calendar_id: Label
    """Calendar it belongs to, e.g. `cn`."""
    year: Year
    """The year, e.g. 2026."""
    banking_days: BankingDays
    """Days on which banks work, in order; a Saturday worked to make up for a holiday is in it."""
    version: Count
    """Version of the calendar that brought these days, e.g. 1."""


@record(key=("name",), seen_by=PUBLIC)
class PowerShift(Record, tag="governance.power_shift.1"):
    """How much power of validators moved in the last block in which any did."""

    name: Label
    """Always `power_shift`: there is one."""
    height: Height
    """The block."""
    power_before: Power
    """Power of all validators when that block began, e.g. 40."""
    power_moved: Power
    """Power added and taken in that block, e.g. 10."""
