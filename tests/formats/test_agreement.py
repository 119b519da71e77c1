"""What we wrote out by hand agrees with packages that others keep: banking days, currencies."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
from iso4217 import Currency

from tallystick.formats.calendars import CN_2026
from tallystick.values.money import CURRENCIES


def test_banking_days_of_china_in_2026() -> None:
    """Weekdays but holidays, and the weekend days worked to make up for them."""
    china = holidays.country_holidays("CN", years=2026)
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    banking = [
        day.isoformat()
        for day in days
        if (day.weekday() < 5 and day not in china) or day in china.weekend_workdays
    ]
    assert tuple(banking) == CN_2026


def test_currencies_and_their_decimals() -> None:
    """Every code that has minor units, and no other."""
    published = {each.code: each.exponent for each in Currency if each.exponent is not None}
    assert dict(CURRENCIES) == published
