"""Banking days as authorities publish them, written out once so that no library can change them.

China 2026: notice of the General Office of the State Council of 4 November 2025.
Banks work Monday to Friday, not in a holiday, and on the weekend days that make up for one.
"""

from datetime import date, timedelta
from typing import Final

CN_2026_HOLIDAYS: Final = (
    ("2026-01-01", "2026-01-03"),  # New Year
    ("2026-02-15", "2026-02-23"),  # Spring Festival
    ("2026-04-04", "2026-04-06"),  # Qingming
    ("2026-05-01", "2026-05-05"),  # Labour Day
    ("2026-06-19", "2026-06-21"),  # Dragon Boat
    ("2026-09-25", "2026-09-27"),  # Mid-Autumn
    ("2026-10-01", "2026-10-07"),  # National Day
)
"""First and last day of each holiday."""

CN_2026_WORKED: Final = (
    "2026-01-04",
    "2026-02-14",
    "2026-02-28",
    "2026-05-09",
    "2026-09-20",
    "2026-10-10",
)
"""Weekend days that are worked instead."""

CN_ZONE_MINUTES: Final = 480
"""China, the whole of it: eight hours east of UTC."""


def banking_days(
    year: int, holidays: tuple[tuple[str, str], ...], worked: tuple[str, ...]
) -> tuple[str, ...]:
    """The banking days of a year, one by one: weekdays but holidays, and worked weekend days."""
    closed = {day for first, last in holidays for day in _days(first, last)}
    return tuple(
        day
        for day in _days(f"{year}-01-01", f"{year}-12-31")
        if day in worked or (date.fromisoformat(day).weekday() < 5 and day not in closed)
    )


def _days(first: str, last: str) -> list[str]:
    """Every day from the first to the last."""
    start = date.fromisoformat(first)
    count = (date.fromisoformat(last) - start).days + 1
    return [(start + timedelta(days=number)).isoformat() for number in range(count)]


CN_2026: Final = banking_days(2026, CN_2026_HOLIDAYS, CN_2026_WORKED)
"""Banking days of China in 2026."""
