"""What the tests of receivables share."""

import pytest

from tallystick.apps.governance.interface import Banking
from tallystick.values.calendar import BankingCalendar
from tallystick.values.time import add_days, weekday

# Source: General Office of the State Council, 2025-11-04, holidays of 2026.
HOLIDAYS_2026 = (
    ("2026-01-01", 3), ("2026-02-15", 9), ("2026-04-04", 3), ("2026-05-01", 5),
    ("2026-06-19", 3), ("2026-09-25", 3), ("2026-10-01", 7),
)  # fmt: skip
MAKE_UP_DAYS_2026 = {
    "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
}  # fmt: skip


def banking_days_2026() -> tuple[str, ...]:
    """China's banking days of 2026, one by one."""
    off = {add_days(first, n) for first, days in HOLIDAYS_2026 for n in range(days)}
    year = [add_days("2026-01-01", n) for n in range(365)]
    return tuple(
        day for day in year if day in MAKE_UP_DAYS_2026 or (weekday(day) < 5 and day not in off)
    )


class Zone:
    """An offset that holds for ever."""

    from_ms = 0
    minutes = 480


@pytest.fixture
def banking() -> Banking:
    """China's calendar of 2026."""
    return Banking(
        calendar_id="cn",
        version=1,
        days=BankingCalendar(banking_days_2026(), first_year=2026, last_year=2026),
        payment_cutoff_minute=17 * 60,
        utc_offsets=(Zone(),),  # type: ignore[arg-type]
    )
