"""Rates, days and shares in whole numbers; every division says how it rounds."""

from collections.abc import Sequence
from datetime import date
from enum import Enum

from tallystick.values.errors import DivisionError
from tallystick.values.money import checked
from tallystick.values.time import days_between
from tallystick.values.units import PPM


class Rounding(Enum):
    """What becomes of a remainder."""

    FLOOR = "floor"
    """Towards minus infinity: drop it, as for money advanced."""
    HALF_UP = "half_up"
    """To the nearest, a half away from zero, as for interest and fees."""
    EXACT = "exact"
    """There must be none."""


class DayCount(Enum):
    """How days between two dates are counted, and of how many a year has."""

    ACT_360 = "act/360"
    """Calendar days over a year of 360."""
    ACT_365F = "act/365F"
    """Calendar days over a year of 365, leap or not."""
    THIRTY_360 = "30/360"
    """Months of 30 days over a year of 360: bond basis, ISDA 2006 definitions, 4.16(f)."""


def div_floor(dividend: int, divisor: int) -> int:
    """The quotient, rounded towards minus infinity."""
    if divisor <= 0:
        raise _not_positive(divisor)
    return checked(dividend // divisor)


def div_half_up(dividend: int, divisor: int) -> int:
    """The quotient, rounded to the nearest, a half away from zero."""
    if divisor <= 0:
        raise _not_positive(divisor)
    half = divisor // 2
    if dividend < 0:
        return checked(-((half - dividend) // divisor))
    return checked((half + dividend) // divisor)


def div_exact(dividend: int, divisor: int) -> int:
    """The quotient of a division that leaves no remainder."""
    if divisor <= 0:
        raise _not_positive(divisor)
    quotient, remainder = divmod(dividend, divisor)
    if remainder:
        raise DivisionError("leaves a remainder", dividend=dividend, divisor=divisor)
    return checked(quotient)


def mul_div(a: int, b: int, c: int, rounding: Rounding) -> int:
    """`a x b : c` on the exact product, rounded once."""
    if rounding is Rounding.FLOOR:
        return div_floor(a * b, c)
    if rounding is Rounding.HALF_UP:
        return div_half_up(a * b, c)
    return div_exact(a * b, c)


def basis(convention: DayCount) -> int:
    """Days of a year under a convention."""
    return 365 if convention is DayCount.ACT_365F else 360


def day_count(start: str, end: str, convention: DayCount) -> int:
    """Days of interest from start (inclusive) to end (exclusive)."""
    days = days_between(start, end)
    if convention is not DayCount.THIRTY_360:
        return days
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    first_day = min(first.day, 30)
    last_day = 30 if last.day == 31 and first_day == 30 else last.day
    months = (last.year - first.year) * 12 + last.month - first.month
    return months * 30 + last_day - first_day


def interest(principal_minor: int, rate_ppm: int, days: int, basis: int) -> int:
    """Interest for days at a rate per `basis` days, half-up once on the exact product.

    A yearly rate has basis 360 or 365; a rate per day has basis 1.
    """
    if basis <= 0:
        raise _not_positive(basis)
    return div_half_up(principal_minor * rate_ppm * days, PPM * basis)


def yearly_cost_ppm(cost_minor: int, received_minor: int, days: int) -> int:
    """What money costs a year: cost / received x 365 / days, in ppm, half-up once."""
    if received_minor <= 0:
        raise _not_positive(received_minor)
    if days <= 0:
        raise _not_positive(days)
    return div_half_up(cost_minor * 365 * PPM, received_minor * days)


def largest_remainder(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Share a total out by weight so that the shares add up to it exactly.

    All shares are rounded down; the units left over go one each to the largest fractions, of equal
    ones to the lower index. Who has no weight gets nothing.
    """
    weight = sum(weights)
    if total < 0 or any(each < 0 for each in weights):
        raise DivisionError("shares of less than nothing", total=total)
    if weight == 0:
        if total:
            raise DivisionError("nobody to share with", total=total)
        return (0,) * len(weights)
    parts = [divmod(checked(total) * each, weight) for each in weights]
    shares = [share for share, _ in parts]
    by_fraction = sorted(range(len(parts)), key=lambda index: (-parts[index][1], index))
    for index in by_fraction[: total - sum(shares)]:
        shares[index] += 1
    return tuple(shares)


def _not_positive(divisor: int) -> DivisionError:
    """What is raised for a divisor by which one cannot divide."""
    return DivisionError("divides by nothing or less", divisor=divisor)
