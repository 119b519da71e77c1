"""Days, months and instants, told without a clock."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.errors import DayError
from tallystick.values.time import (
    MS_PER_DAY,
    add_days,
    add_months,
    at,
    day_of,
    days_between,
    format_at,
    is_day,
    weekday,
)

CHINA = 480
"""Minutes that China is ahead of UTC."""

days = st.dates(date(1970, 1, 2), date(9998, 12, 31)).map(date.isoformat)


# Case 9: six months warn, one year blocks, on nominal dates.
@pytest.mark.parametrize(
    ("opened", "months", "due"),
    (
        ("2026-07-03", 6, "2027-01-03"),
        ("2026-07-03", 12, "2027-07-03"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2026-10-31", -1, "2026-09-30"),
        ("2026-01-15", -1, "2025-12-15"),
        ("2026-12-31", 0, "2026-12-31"),
        ("1999-12-31", 2, "2000-02-29"),
        ("1899-12-31", 2, "1900-02-28"),
    ),
)
def test_months_are_clipped_to_the_months_end(opened: str, months: int, due: str) -> None:
    assert add_months(opened, months) == due


def test_the_story_runs_for_97_days() -> None:
    assert days_between("2026-07-03", "2026-10-08") == 97
    assert add_days("2026-07-03", 90) == "2026-10-01"
    assert add_days("2026-10-01", -90) == "2026-07-03"
    assert days_between("2026-10-08", "2026-07-03") == -97


def test_weekdays() -> None:
    assert weekday("2026-07-03") == 4
    assert weekday("2026-07-06") == 0
    assert weekday("2026-10-08") == 3


@pytest.mark.parametrize(
    "text",
    (
        "",
        "2026-02-30",
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "2026-1-1",
        "20260101",
        "2026/01/01",
        "2026-W01-1",
        "2026-01-01\n",
        "２０２６-01-01",
        "2026-01-1٠",
        "0000-01-01",
        "2026-01-01T00",
        "+026-01-01",
        "2026-+1-01",
        "2026- 1-01",
        "-026-01-01",
        "2026-01-32",
    ),
)
def test_what_is_not_a_day(text: str) -> None:
    assert not is_day(text)
    with pytest.raises(DayError, match="not a day"):
        weekday(text)


def test_what_is_a_day() -> None:
    assert is_day("2028-02-29")
    assert is_day("0001-01-01")
    assert is_day("9999-12-31")


def test_the_cut_off_at_five_in_the_afternoon() -> None:
    cut_off = at("2026-10-08", 17 * 60, CHINA)
    assert datetime.fromtimestamp(cut_off // 1000, UTC) == datetime(2026, 10, 8, 9, 0, tzinfo=UTC)
    assert format_at(cut_off, CHINA) == "2026-10-08 17:00"
    assert format_at(cut_off + 59_999, CHINA) == "2026-10-08 17:00"
    assert format_at(cut_off, 0) == "2026-10-08 09:00"
    assert format_at(cut_off, -600) == "2026-10-07 23:00"


def test_a_day_ends_where_the_next_begins() -> None:
    assert at("2026-10-08", 1440, CHINA) == at("2026-10-09", 0, CHINA)
    assert day_of(at("2026-10-08", 1440, CHINA) - 1, CHINA) == "2026-10-08"
    assert day_of(at("2026-10-08", 1440, CHINA), CHINA) == "2026-10-09"
    assert at("1970-01-01", 0, 0) == 0


def test_instants_out_of_range_are_refused() -> None:
    with pytest.raises(DayError, match="before 1970"):
        at("1970-01-01", 0, CHINA)
    with pytest.raises(DayError, match="not a time of day"):
        at("2026-10-08", 1441, CHINA)
    with pytest.raises(DayError, match="not a time of day"):
        at("2026-10-08", -1, CHINA)
    with pytest.raises(DayError, match="beyond the years"):
        day_of(2**60, 0)


@pytest.mark.parametrize(
    ("day", "n"), (("9999-12-31", 1), ("0001-01-01", -1), ("2026-01-01", 10**30))
)
def test_days_out_of_range_are_refused(day: str, n: int) -> None:
    with pytest.raises(DayError, match="beyond the years"):
        add_days(day, n)
    with pytest.raises(DayError, match="beyond the years"):
        add_months(day, n * 12)


@given(days, st.integers(0, 1439), st.integers(-720, 840))
def test_an_instant_falls_on_its_day(day: str, minute: int, offset: int) -> None:
    instant = at(day, minute, offset)
    assert day_of(instant, offset) == day
    assert format_at(instant, offset) == f"{day} {minute // 60:02}:{minute % 60:02}"
    assert (instant + offset * 60_000) // MS_PER_DAY == days_between("1970-01-01", day)


@given(days, st.integers(-300_000, 300_000))
def test_days_go_forth_and_back(day: str, n: int) -> None:
    later = date.fromisoformat(day).toordinal() + n
    if 1 <= later <= date.max.toordinal():
        assert add_days(day, n) == (date.fromisoformat(day) + timedelta(n)).isoformat()
        assert days_between(day, add_days(day, n)) == n


@given(days, st.integers(-1_200, 1_200))
def test_months_land_in_their_month(day: str, n: int) -> None:
    start = date.fromisoformat(day)
    months = start.year * 12 + start.month - 1 + n
    if 12 <= months < 120_000:
        end = date.fromisoformat(add_months(day, n))
        assert end.year * 12 + end.month - 1 == months
        assert end.day == start.day or (end.day < start.day and (end + timedelta(1)).day == 1)
