"""Dates of an undertaking: worked case 9, and what lies beyond the published calendar."""

import pytest

from tallystick.apps.governance.interface import Banking
from tallystick.apps.receivables.dates import BLOCK_MONTHS, WARN_MONTHS, dates_of, is_over
from tallystick.values.time import at

CHINA = 480


@pytest.mark.parametrize(
    ("due_day", "payment_day"),
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
def test_case_9_due_dates_roll(banking: Banking, due_day: str, payment_day: str) -> None:
    assert dates_of(banking, due_day, cutoff_days=3, grace_days=3).payment_day == payment_day


def test_case_9_cut_offs_and_grace(banking: Banking) -> None:
    dates = dates_of(banking, "2026-10-01", cutoff_days=3, grace_days=3)
    assert dates.transfer_cutoff_at_ms == at("2026-09-29", 0, CHINA)
    assert dates.due_at_ms == at("2026-10-08", 0, CHINA)
    assert dates.payment_cutoff_at_ms == at("2026-10-08", 17 * 60, CHINA)
    assert dates.overdue_at_ms == at("2026-10-09", 0, CHINA)
    assert dates.grace_end_day == "2026-10-12"
    assert dates.default_at_ms == at("2026-10-13", 0, CHINA)
    assert not dates.provisional
    five = dates_of(banking, "2026-10-01", cutoff_days=5, grace_days=3)
    assert five.transfer_cutoff_at_ms == at("2026-09-24", 0, CHINA)


def test_transfers_end_before_the_payment_date_begins(banking: Banking) -> None:
    dates = dates_of(banking, "2026-10-01", cutoff_days=0, grace_days=0)
    assert dates.transfer_cutoff_at_ms == dates.due_at_ms
    assert dates.default_at_ms == dates.overdue_at_ms


@pytest.mark.parametrize(
    ("due_day", "over_six", "over_year"),
    (
        ("2027-01-03", False, False),
        ("2027-01-04", True, False),
        ("2027-07-03", True, False),
        ("2027-07-04", True, True),
    ),
)
def test_case_9_terms(due_day: str, over_six: bool, over_year: bool) -> None:
    assert is_over(WARN_MONTHS, opened_day="2026-07-03", due_day=due_day) is over_six
    assert is_over(BLOCK_MONTHS, opened_day="2026-07-03", due_day=due_day) is over_year


def test_case_9_the_day_is_clipped_to_the_months_end() -> None:
    assert not is_over(WARN_MONTHS, opened_day="2026-08-31", due_day="2027-02-28")
    assert is_over(WARN_MONTHS, opened_day="2026-08-31", due_day="2027-03-01")


def test_dates_beyond_the_published_calendar_are_provisional(banking: Banking) -> None:
    dates = dates_of(banking, "2027-02-01", cutoff_days=3, grace_days=3)
    assert dates.provisional
    assert dates.payment_day == "2027-02-01"
    assert dates.transfer_cutoff_at_ms == at("2027-01-30", 0, CHINA)
    at_the_edge = dates_of(banking, "2026-12-31", cutoff_days=3, grace_days=3)
    assert at_the_edge.payment_day == "2026-12-31"
    assert at_the_edge.provisional
