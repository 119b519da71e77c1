"""Days and instants as plain values. Nothing here knows what time it is.

A day is `YYYY-MM-DD`; an instant is milliseconds since 1970-01-01 00:00 UTC; a zone is its offset
from UTC in minutes on the day concerned.
"""

from datetime import date
from functools import lru_cache
from typing import Final

from tallystick.values.errors import DayError
from tallystick.values.units import AT_MS_MAX

MS_PER_MINUTE: Final = 60_000
"""Milliseconds in a minute."""

MS_PER_DAY: Final = 86_400_000
"""Milliseconds in a day."""

MINUTES_PER_DAY: Final = 1_440
"""Minutes in a day."""

_EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()
_LAST_ORDINAL: Final = date.max.toordinal()
_DAYS_OF_MONTH: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=20_000)
def _date(day: str) -> date:
    """The day as a date. Only the long form is read, which `fromisoformat` alone does not ask.

    The same few days are asked about again and again, so what a text says is kept.
    """
    if len(day) == 10 and day[4] == day[7] == "-" and day.isascii():
        try:
            return date.fromisoformat(day)
        except ValueError:
            pass
    raise DayError("not a day", day=day)


@lru_cache(maxsize=20_000)
def _day(ordinal: int) -> str:
    """The day of an ordinal; kept, as above."""
    if not 1 <= ordinal <= _LAST_ORDINAL:
        raise DayError("beyond the years 1 to 9999", ordinal=ordinal)
    return date.fromordinal(ordinal).isoformat()


def _days_of(year: int, month: int) -> int:
    """How many days a month has; January is 0."""
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 1 and is_leap else _DAYS_OF_MONTH[month]


def is_day(text: str) -> bool:
    """Is this a day that exists, in the form `YYYY-MM-DD`?"""
    try:
        _date(text)
    except DayError:
        return False
    return True


def add_days(day: str, n: int) -> str:
    """The day n days later, earlier if n is negative."""
    return _day(_date(day).toordinal() + n)


def days_between(start: str, end: str) -> int:
    """Days from start (inclusive) to end (exclusive); negative if end comes first."""
    return _date(end).toordinal() - _date(start).toordinal()


def add_months(day: str, n: int) -> str:
    """The same day n months later, or the last of that month if it is shorter."""
    start = _date(day)
    year, month = divmod(start.year * 12 + start.month - 1 + n, 12)
    if not 1 <= year <= date.max.year:
        raise DayError("beyond the years 1 to 9999", day=day, months=n)
    return date(year, month + 1, min(start.day, _days_of(year, month))).isoformat()


def weekday(day: str) -> int:
    """0 for Monday to 6 for Sunday."""
    return _date(day).weekday()


def day_of(at_ms: int, offset_minutes: int) -> str:
    """The day that an instant falls on in a zone."""
    return _day(_EPOCH_ORDINAL + (at_ms + offset_minutes * MS_PER_MINUTE) // MS_PER_DAY)


def at(day: str, minute_of_day: int, offset_minutes: int) -> int:
    """The instant of a time of day in a zone; minute 1440 is the end of the day."""
    if not 0 <= minute_of_day <= MINUTES_PER_DAY:
        raise DayError("not a time of day", minute_of_day=minute_of_day)
    days = _date(day).toordinal() - _EPOCH_ORDINAL
    at_ms = days * MS_PER_DAY + (minute_of_day - offset_minutes) * MS_PER_MINUTE
    if not 0 <= at_ms <= AT_MS_MAX:
        raise DayError("before 1970", day=day, minute_of_day=minute_of_day)
    return at_ms


def format_at(at_ms: int, offset_minutes: int) -> str:
    """The instant as a clock in the zone shows it: `2026-10-08 17:00`."""
    minute = (at_ms // MS_PER_MINUTE + offset_minutes) % MINUTES_PER_DAY
    hours, minutes = divmod(minute, 60)
    return f"{day_of(at_ms, offset_minutes)} {hours:02}:{minutes:02}"
