"""A published calendar as other applications use it: banking days in a zone."""

from dataclasses import dataclass
from functools import lru_cache

from tallystick.apps.governance.records.standing import Calendar, CalendarYear, Offset
from tallystick.values import time
from tallystick.values.calendar import BankingCalendar
from tallystick.values.errors import OutsideCalendar


@dataclass(frozen=True, slots=True)
class Banking:
    """Banking days, zone and cut-off of a calendar at one version."""

    calendar_id: str
    """Its id, e.g. `cn`."""
    version: int
    """Its version; kept beside dates computed from it, it tells whether to compute again."""
    days: BankingCalendar
    """Its banking days; asked beyond the published years it raises OutsideCalendar."""
    payment_cutoff_minute: int
    """When payments of a day end, in minutes after midnight, e.g. 1020 for 17:00."""
    utc_offsets: tuple[Offset, ...]
    """Its zone's offsets from UTC, in order of time."""

    def offset_minutes(self, at_ms: int) -> int:
        """Minutes east of UTC at an instant."""
        return offset_at(self.utc_offsets, at_ms)

    def day_of(self, at_ms: int) -> str:
        """The day that an instant falls on in the zone."""
        return time.day_of(at_ms, offset_at(self.utc_offsets, at_ms))

    def at(self, day: str, minute: int) -> int:
        """The instant of a time of day in the zone; minute 1440 is the end of the day.

        Where the zone's offset changes, the one that holds at the guessed instant is taken.
        """
        offsets = self.utc_offsets
        guess = time.at(day, minute, offsets[-1].minutes)
        return guess if len(offsets) == 1 else time.at(day, minute, offset_at(offsets, guess))

    def payment_cutoff(self, day: str) -> int:
        """The instant at which payments of a day end."""
        return self.at(day, self.payment_cutoff_minute)

    def roll(self, day: str) -> tuple[str, bool]:
        """The day itself or the next banking day; True beside it: not published, may be rolled."""
        try:
            return self.days.roll(day), False
        except OutsideCalendar:
            return day, True

    def shift(self, day: str, banking_days: int) -> tuple[str, bool]:
        """So many banking days later, earlier if negative; True beside it: not published.

        Then plain days are counted, until the calendar says more.
        """
        try:
            return _shifted(self.days, day, banking_days), False
        except OutsideCalendar:
            return time.add_days(day, banking_days), True


def offset_at(offsets: tuple[Offset, ...], at_ms: int) -> int:
    """The offset that holds at an instant, in minutes; the first holds from 0."""
    minutes = offsets[0].minutes
    for offset in offsets[1:]:
        if offset.from_ms > at_ms:
            break
        minutes = offset.minutes
    return minutes


def banking_of(head: Calendar, years: tuple[CalendarYear, ...]) -> Banking:
    """Put a calendar's records together."""
    return Banking(
        calendar_id=head.calendar_id,
        version=head.version,
        days=_days(tuple(year.banking_days for year in years), head.first_year),
        payment_cutoff_minute=head.payment_cutoff_minute,
        utc_offsets=head.utc_offsets,
    )


@lru_cache(maxsize=4_096)
def _shifted(days: BankingCalendar, day: str, banking_days: int) -> str:
    """So many banking days later; kept, for every deadline of a day is the same."""
    return days.add(day, banking_days)


@lru_cache(maxsize=32)
def _days(years: tuple[tuple[str, ...], ...], first_year: int) -> BankingCalendar:
    """One calendar of several years; kept, for it is asked for often and never differs."""
    days = tuple(day for year in years for day in year)
    return BankingCalendar(days, first_year=first_year, last_year=first_year + len(years) - 1)
