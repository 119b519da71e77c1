"""How a payment is shared out over the pieces of an undertaking: arithmetic alone.

Civil Code 561 gives the order inside a piece; late interest is Decree 802 article 17.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.apps.receivables.terms import Share
from tallystick.values.rates import interest, largest_remainder
from tallystick.values.time import days_between

PER_DAY = 1
"""Basis of a rate that is stated per day."""


@dataclass(frozen=True, slots=True)
class Owing:
    """What one piece is owed on a value day."""

    start_minor: int
    """First cent of the piece, by which it is found."""
    principal_minor: int
    """Unpaid principal, in minor units."""
    accrued_minor: int
    """Late interest counted up to the value day, in minor units, whether it is demanded or not."""
    late_minor: int
    """Part of it that is demanded on that day; within grace none is."""

    @property
    def total_minor(self) -> int:
        """What the debtor owes on it in all."""
        return self.principal_minor + self.late_minor


def late_interest(principal_minor: int, ppm_per_day: int, *, since: str, until: str) -> int:
    """Late interest from a day (inclusive) to a day (exclusive), half-up."""
    days = max(0, days_between(since, until))
    return interest(principal_minor, ppm_per_day, days, PER_DAY)


def total_owed(owing: Iterable[Owing]) -> int:
    """What the debtor owes on all pieces: the sum of the rounded figures."""
    return sum(each.total_minor for each in owing)


def share_out(amount_minor: int, owing: Sequence[Owing], *, in_grace: bool) -> tuple[Share, ...]:
    """Share a payment out, pro rata to what each piece is owed in all.

    Inside a piece late interest comes first, then principal. Paid whole within grace, the late
    interest counted so far is not owed.
    """
    cash = largest_remainder(amount_minor, [each.total_minor for each in owing])
    is_whole = in_grace and amount_minor == total_owed(owing)
    shares = []
    for each, part in zip(owing, cash, strict=True):
        late = min(part, each.late_minor)
        shares.append(
            Share(
                start_minor=each.start_minor,
                late_minor=late,
                principal_minor=part - late,
                late_owed_minor=0 if is_whole else each.accrued_minor - late,
            )
        )
    return tuple(shares)


def share_unnamed(amount_minor: int, owed: Sequence[tuple[str, int]]) -> tuple[int, ...]:
    """Share a payment that names no debt: the earliest due first, of one day pro rata.

    `owed` has the day and the amount of each debt, in order of days (Civil Code 560).
    """
    parts = [0] * len(owed)
    left = amount_minor
    for day in sorted({day for day, _ in owed}):
        of_day = [index for index, (due, _) in enumerate(owed) if due == day]
        weights = [owed[index][1] for index in of_day]
        given = largest_remainder(min(left, sum(weights)), weights)
        for index, part in zip(of_day, given, strict=True):
            parts[index] = part
        left -= sum(given)
    return tuple(parts)
