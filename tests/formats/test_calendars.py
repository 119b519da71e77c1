"""China's banking days of 2026, against the notice of the State Council's General Office."""

from __future__ import annotations

from tallystick.formats.calendars import (
    CN_2026,
    CN_2026_HOLIDAYS,
    CN_2026_WORKED,
    CN_ZONE_MINUTES,
    banking_days,
)
from tallystick.values.calendar import BankingCalendar
from tallystick.values.time import days_between, weekday


def test_the_length_of_each_holiday() -> None:
    """As the notice of 4 November 2025 says: 3, 9, 3, 5, 3, 3 and 7 days."""
    lengths = [days_between(first, last) + 1 for first, last in CN_2026_HOLIDAYS]
    assert lengths == [3, 9, 3, 5, 3, 3, 7]
    assert sum(lengths) == 33


def test_days_that_make_up_for_holidays_are_on_weekends() -> None:
    assert len(CN_2026_WORKED) == 6
    assert all(weekday(day) >= 5 for day in CN_2026_WORKED)
    assert all(day in CN_2026 for day in CN_2026_WORKED)


def test_banking_days_of_the_year() -> None:
    """365 days less 104 of weekends, less holidays on weekdays, plus worked weekend days."""
    assert len(CN_2026) == len(set(CN_2026)) == 248
    assert list(CN_2026) == sorted(CN_2026)
    weekdays = set(banking_days(2026, (), ()))
    closed = weekdays - set(CN_2026)
    assert (len(weekdays), len(closed)) == (261, 261 + 6 - 248)
    assert all(any(first <= day <= last for first, last in CN_2026_HOLIDAYS) for day in closed)


def test_national_day_rolls_to_the_eighth_of_october() -> None:
    """The date on which the story's claims fall due."""
    calendar = BankingCalendar(CN_2026, first_year=2026, last_year=2026)
    assert not calendar.is_banking_day("2026-10-01")
    assert calendar.roll("2026-10-01") == "2026-10-08"
    assert calendar.is_banking_day("2026-10-10")  # a Saturday that is worked
    assert not calendar.is_banking_day("2026-10-11")


def test_an_ordinary_year_has_its_weekdays() -> None:
    plain = banking_days(2026, (), ())
    assert len(plain) == 261
    assert all(weekday(day) < 5 for day in plain)
    assert CN_ZONE_MINUTES == 480
