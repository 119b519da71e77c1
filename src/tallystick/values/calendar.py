"""Banking days, one by one, as a published calendar lists them.

There is no weekend rule: a Saturday on which banks work is simply in the list.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from tallystick.values.errors import DayError, OutsideCalendar
from tallystick.values.time import is_day


class BankingCalendar:
    """The banking days of whole published years; a day outside them is refused, never guessed."""

    __slots__ = ("_days", "_first", "_last")

    def __init__(self, days: Sequence[str], *, first_year: int, last_year: int) -> None:
        """Take the banking days in order, all within the years from first to last."""
        self._days = tuple(days)
        self._first = f"{first_year:04}-01-01"
        self._last = f"{last_year:04}-12-31"
        previous = ""
        for day in self._days:
            if not (is_day(day) and previous < day and self._first <= day <= self._last):
                raise DayError("not the next banking day of these years", day=day)
            previous = day

    def covers(self, day: str) -> bool:
        """Has the year of this day been published?"""
        return is_day(day) and self._first <= day <= self._last

    def provisional(self, day: str) -> bool:
        """Does this day lie beyond the last published year, so that it may yet be rolled?"""
        return is_day(day) and day > self._last

    def is_banking_day(self, day: str) -> bool:
        """Do banks work on this day?"""
        index = bisect_left(self._days, self._covered(day))
        return index < len(self._days) and self._days[index] == day

    def roll(self, day: str) -> str:
        """This day if it is a banking day, else the next one."""
        return self._nth(day, bisect_left(self._days, self._covered(day)))

    def add(self, day: str, n: int) -> str:
        """The n-th banking day after this day, before it if n is negative; 0 rolls."""
        if n > 0:
            return self._nth(day, bisect_right(self._days, self._covered(day)) + n - 1)
        return self._nth(day, bisect_left(self._days, self._covered(day)) + n)

    def before(self, day: str, n: int) -> str:
        """The n-th banking day before this day: T-n."""
        return self.add(day, -n)

    def _covered(self, day: str) -> str:
        """The day itself, if its year has been published."""
        if self.covers(day):
            return day
        raise OutsideCalendar(day)

    def _nth(self, day: str, index: int) -> str:
        """The banking day at this index, if the count that began at `day` stays in the list."""
        if 0 <= index < len(self._days):
            return self._days[index]
        raise OutsideCalendar(day)
