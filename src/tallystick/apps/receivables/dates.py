"""Dates of an undertaking, worked out from its nominal due date and a calendar."""

from dataclasses import dataclass

from tallystick.apps.governance.interface import Banking
from tallystick.values.time import MINUTES_PER_DAY, add_months

WARN_MONTHS = 6
"""A longer term is warned of: Yinfa [2025] 77."""
BLOCK_MONTHS = 12
"""A longer term is refused: Yinfa [2025] 77."""


@dataclass(frozen=True, slots=True)
class Dates:
    """When things happen to an undertaking."""

    payment_day: str
    """Due date rolled to a banking day."""
    grace_end_day: str
    """Last day of grace."""
    due_at_ms: int
    """Payment date, 00:00."""
    transfer_cutoff_at_ms: int
    """When transfers end."""
    payment_cutoff_at_ms: int
    """When the shares of what is held are fixed."""
    overdue_at_ms: int
    """End of the payment date."""
    default_at_ms: int
    """End of grace."""
    provisional: bool
    """Whether a date lies beyond the published calendar."""


def dates_of(banking: Banking, due_day: str, *, cutoff_days: int, grace_days: int) -> Dates:
    """The dates of an undertaking. Beyond the published calendar days are counted one by one."""
    payment_day, due_open = banking.roll(due_day)
    last_transfer_day, cutoff_open = banking.shift(payment_day, -cutoff_days)
    grace_end_day, grace_open = banking.shift(payment_day, grace_days)
    due_at_ms = banking.at(payment_day, 0)
    return Dates(
        payment_day=payment_day,
        grace_end_day=grace_end_day,
        due_at_ms=due_at_ms,
        transfer_cutoff_at_ms=min(due_at_ms, banking.at(last_transfer_day, MINUTES_PER_DAY)),
        payment_cutoff_at_ms=banking.payment_cutoff(payment_day),
        overdue_at_ms=banking.at(payment_day, MINUTES_PER_DAY),
        default_at_ms=banking.at(grace_end_day, MINUTES_PER_DAY),
        provisional=due_open or cutoff_open or grace_open,
    )


def end_of_day(banking: Banking, now_ms: int, banking_days: int) -> int:
    """The instant at which the day so many banking days after today ends."""
    day, _ = banking.shift(banking.day_of(now_ms), banking_days)
    return banking.at(day, MINUTES_PER_DAY)


def is_over(months: int, *, opened_day: str, due_day: str) -> bool:
    """Is the nominal term longer than so many calendar months, the day clipped to the month?"""
    return due_day > add_months(opened_day, months)
