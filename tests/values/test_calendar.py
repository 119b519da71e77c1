"""Banking days of China in 2026, as published."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.calendar import BankingCalendar
from tallystick.values.errors import DayError, OutsideCalendar

# Source: General Office of the State Council, notice on the holidays of 2026, 2025-11-04.
HOLIDAYS = (
    ("2026-01-01", "2026-01-03"),  # New Year
    ("2026-02-15", "2026-02-23"),  # Spring Festival
    ("2026-04-04", "2026-04-06"),  # Qingming
    ("2026-05-01", "2026-05-05"),  # Labour Day
    ("2026-06-19", "2026-06-21"),  # Dragon Boat Festival
    ("2026-09-25", "2026-09-27"),  # Mid-Autumn Festival
    ("2026-10-01", "2026-10-07"),  # National Day
)
MAKE_UP_DAYS = ("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10")

ALL_DAYS = [(date(2026, 1, 1) + timedelta(n)).isoformat() for n in range(365)]


def is_published_banking_day(day: str) -> bool:
    """What the notice says of a day."""
    if any(first <= day <= last for first, last in HOLIDAYS):
        return False
    return day in MAKE_UP_DAYS or date.fromisoformat(day).weekday() < 5


BANKING_DAYS = [day for day in ALL_DAYS if is_published_banking_day(day)]
CHINA = BankingCalendar(BANKING_DAYS, first_year=2026, last_year=2026)


@pytest.mark.parametrize(
    ("due", "paid"),
    (
        ("2026-10-01", "2026-10-08"),
        ("2026-10-02", "2026-10-08"),
        ("2026-10-04", "2026-10-08"),
        ("2026-10-10", "2026-10-10"),
        ("2026-09-20", "2026-09-20"),
        ("2026-02-14", "2026-02-14"),
        ("2026-09-25", "2026-09-28"),
        ("2026-02-15", "2026-02-24"),
    ),
)
def test_case_9_a_due_date_rolls_to_the_next_banking_day(due: str, paid: str) -> None:
    assert CHINA.roll(due) == paid
    assert CHINA.is_banking_day(due) == (due == paid)
    assert CHINA.add(due, 0) == paid


def test_case_9_the_transfer_cut_off() -> None:
    assert CHINA.before("2026-10-08", 3) == "2026-09-28"
    assert CHINA.before("2026-10-08", 5) == "2026-09-23"
    assert CHINA.add("2026-10-08", -5) == "2026-09-23"


def test_case_9_grace_ends_on_monday_because_banks_work_on_saturday() -> None:
    assert CHINA.add("2026-10-08", 3) == "2026-10-12"
    assert CHINA.add("2026-10-12", 1) == "2026-10-13"


def test_counting_from_a_day_on_which_banks_are_closed() -> None:
    assert CHINA.add("2026-10-03", 1) == "2026-10-08"
    assert CHINA.add("2026-10-03", -1) == "2026-09-30"


@pytest.mark.parametrize("day", ("2025-12-31", "2027-01-01"))
def test_outside_the_published_years_nothing_is_said(day: str) -> None:
    assert not CHINA.covers(day)
    for ask in (CHINA.is_banking_day, CHINA.roll):
        with pytest.raises(OutsideCalendar) as raised:
            ask(day)
        assert raised.value.day == day
    for n in (-1, 0, 1):
        with pytest.raises(OutsideCalendar):
            CHINA.add(day, n)


def test_a_date_beyond_the_last_published_year_is_provisional() -> None:
    assert CHINA.provisional("2027-01-01")
    assert not CHINA.provisional("2026-12-31")
    assert not CHINA.provisional("2025-12-31")


@pytest.mark.parametrize("text", ("2027", "2026-02-30", "9999", "zzzz-zz-zz", "2026-06-01\n"))
def test_what_is_no_day_is_neither_covered_nor_provisional(text: str) -> None:
    assert not CHINA.covers(text)
    assert not CHINA.provisional(text)
    with pytest.raises(OutsideCalendar):
        CHINA.roll(text)


def test_counting_out_of_the_calendar_is_refused() -> None:
    assert CHINA.add("2026-12-30", 1) == "2026-12-31"
    with pytest.raises(OutsideCalendar):
        CHINA.add("2026-12-31", 1)
    with pytest.raises(OutsideCalendar):
        CHINA.before("2026-01-04", 1)
    short = BankingCalendar(["2026-12-30"], first_year=2026, last_year=2026)
    assert not short.is_banking_day("2026-12-31")
    with pytest.raises(OutsideCalendar):
        short.roll("2026-12-31")


@pytest.mark.parametrize(
    "listed",
    (
        ["2026-01-05", "2026-01-05"],
        ["2026-01-06", "2026-01-05"],
        ["2026-02-30"],
        ["2025-12-31"],
        ["2027-01-01"],
        ["20260105"],
    ),
)
def test_a_list_that_is_not_one_of_these_years_is_refused(listed: list[str]) -> None:
    with pytest.raises(DayError):
        BankingCalendar(listed, first_year=2026, last_year=2026)


@given(st.sampled_from(ALL_DAYS[7:-7]), st.integers(1, 200))
def test_counting_agrees_with_walking_day_by_day(day: str, n: int) -> None:
    later = [each for each in BANKING_DAYS if each > day]
    earlier = [each for each in reversed(BANKING_DAYS) if each < day]
    for listed, count in ((later, CHINA.add), (earlier, CHINA.before)):
        if n <= len(listed):
            assert count(day, n) == listed[n - 1]
        else:
            with pytest.raises(OutsideCalendar):
                count(day, n)
