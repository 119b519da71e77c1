"""Interest, shares and yearly cost: the figures of the worked cases, to the cent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.errors import DivisionError, Overflow
from tallystick.values.money import format_minor, parse_decimal
from tallystick.values.rates import (
    DayCount,
    Rounding,
    basis,
    day_count,
    div_exact,
    div_floor,
    div_half_up,
    interest,
    largest_remainder,
    mul_div,
    yearly_cost_ppm,
)
from tallystick.values.units import INT64_MAX, PPM


def cny(text: str) -> int:
    """Cents of an amount as people write it."""
    return parse_decimal(text, "CNY")


def shown(amounts: tuple[int, ...]) -> str:
    """Amounts as the worked cases write them."""
    return " / ".join(format_minor(amount, "CNY") for amount in amounts)


def test_case_4_discount_without_recourse() -> None:
    face = cny("225,000.00")
    days = day_count("2026-07-06", "2026-10-08", DayCount.ACT_360)
    discount = interest(face, 43_500, days, basis(DayCount.ACT_360))
    fee = mul_div(face, 1_000, PPM, Rounding.HALF_UP)
    net = face - discount - fee
    assert days == 94
    assert shown((discount, fee, net)) == "2,555.63 / 225.00 / 222,219.37"
    assert yearly_cost_ppm(discount + fee, net, days) == 48_588


def test_case_4_bought_back_before_maturity() -> None:
    face = cny("225,000.00")
    days = day_count("2026-08-03", "2026-10-08", DayCount.ACT_360)
    rebate = interest(face, 43_500, days, 360)
    assert days == 66
    assert shown((rebate, face - rebate)) == "1,794.38 / 223,205.62"


def test_case_5_sixty_per_cent_by_largest_remainder() -> None:
    pieces = (12_000_001, 9_999_996, 8_000_003)
    shares = largest_remainder(cny("180,000.00"), pieces)
    assert shown(shares) == "72,000.01 / 59,999.97 / 48,000.02"
    half_up_each = sum(mul_div(piece, 60, 100, Rounding.HALF_UP) for piece in pieces)
    assert format_minor(half_up_each, "CNY") == "180,000.01"
    unpaid = tuple(piece - share for piece, share in zip(pieces, shares, strict=True))
    assert shown(unpaid) == "48,000.00 / 39,999.99 / 32,000.01"


def test_case_6_late_interest_and_the_next_payment() -> None:
    unpaid = (cny("48,000.00"), cny("39,999.99"), cny("32,000.01"))
    days = day_count("2026-10-08", "2026-10-26", DayCount.ACT_365F)
    late = tuple(interest(principal, 500, days, basis=1) for principal in unpaid)
    owed = [principal + each for principal, each in zip(unpaid, late, strict=True)]
    shares = largest_remainder(cny("50,000.00"), owed)
    left = tuple(owes - share for owes, share in zip(owed, shares, strict=True))
    assert days == 18
    assert shown(late) == "432.00 / 360.00 / 288.00"
    assert shown(shares) == "20,000.00 / 16,666.66 / 13,333.34"
    assert shown(left) == "28,432.00 / 23,693.33 / 18,954.67"
    assert sum(left) == cny("71,080.00")


def test_case_7_recourse() -> None:
    piece = cny("99,999.96")
    advance = mul_div(piece, 800_000, PPM, Rounding.FLOOR)
    days = day_count("2026-07-06", "2026-10-08", DayCount.ACT_360)
    earned = interest(advance, 60_000, days, 360)
    fee = mul_div(piece, 2_000, PPM, Rounding.HALF_UP)
    claim = advance + earned + fee
    short = claim - cny("59,999.97")
    more = interest(short, 60_000, day_count("2026-10-08", "2026-10-16", DayCount.ACT_360), 360)
    assert shown((advance, earned, fee, claim)) == "79,999.96 / 1,253.33 / 200.00 / 81,453.29"
    assert shown((short, more, short + more)) == "21,453.32 / 28.60 / 21,481.92"


# Source: ISDA, "30/360 day count conventions", examples to 2006 Definitions section 4.16(f).
ISDA_BOND_BASIS = [
    ("2006-08-20", "2007-02-20", 180),
    ("2007-02-20", "2007-08-20", 180),
    ("2008-02-20", "2008-08-20", 180),
    ("2006-08-31", "2007-02-28", 178),
    ("2007-02-28", "2007-08-31", 183),
    ("2007-08-31", "2008-02-29", 179),
    ("2008-02-29", "2008-08-31", 182),
    ("2008-08-31", "2009-02-28", 178),
    ("2006-01-31", "2006-02-28", 28),
    ("2006-01-30", "2006-02-28", 28),
    ("2006-02-28", "2006-03-03", 5),
    ("2006-02-14", "2006-02-28", 14),
    ("2006-09-30", "2006-10-31", 30),
    ("2006-10-31", "2006-11-28", 28),
    ("2007-08-31", "2008-02-28", 178),
    ("2008-02-28", "2008-08-30", 182),
    ("2008-02-28", "2008-08-31", 183),
    ("2007-02-26", "2008-02-28", 362),
    ("2007-02-26", "2008-02-29", 363),
    ("2008-02-29", "2009-02-28", 359),
    ("2008-02-28", "2008-03-30", 32),
    ("2008-02-28", "2008-03-31", 33),
]


@pytest.mark.parametrize(("start", "end", "days"), ISDA_BOND_BASIS)
def test_thirty_360_counts_as_isda_does(start: str, end: str, days: int) -> None:
    assert day_count(start, end, DayCount.THIRTY_360) == days


def test_actual_days_include_the_leap_day() -> None:
    assert day_count("2028-02-01", "2028-03-01", DayCount.ACT_365F) == 29
    assert day_count("2026-02-01", "2026-03-01", DayCount.ACT_360) == 28
    assert day_count("2026-03-01", "2026-02-01", DayCount.ACT_360) == -28


def test_each_convention_names_its_year() -> None:
    assert {each.value: basis(each) for each in DayCount} == {
        "act/360": 360,
        "act/365F": 365,
        "30/360": 360,
    }


@pytest.mark.parametrize(
    ("dividend", "divisor", "floor", "half_up"),
    (
        (0, 7, 0, 0),
        (5, 10, 0, 1),
        (4, 10, 0, 0),
        (14, 10, 1, 1),
        (15, 10, 1, 2),
        (20, 10, 2, 2),
        (-5, 10, -1, -1),
        (-4, 10, -1, 0),
        (-15, 10, -2, -2),
        (1, 3, 0, 0),
        (2, 3, 0, 1),
    ),
)
def test_division_says_how_it_rounds(dividend: int, divisor: int, floor: int, half_up: int) -> None:
    assert div_floor(dividend, divisor) == mul_div(dividend, 1, divisor, Rounding.FLOOR) == floor
    assert div_half_up(dividend, divisor) == half_up
    assert mul_div(1, dividend, divisor, Rounding.HALF_UP) == half_up


def test_exact_division_leaves_nothing() -> None:
    assert div_exact(-12, 4) == -3
    assert mul_div(2**62, 6, 2**61, Rounding.EXACT) == 12
    with pytest.raises(DivisionError, match="remainder"):
        div_exact(13, 4)
    with pytest.raises(DivisionError, match="remainder"):
        mul_div(1, 1, 3, Rounding.EXACT)


@pytest.mark.parametrize("divisor", (0, -1))
def test_nothing_is_divided_by_nothing_or_less(divisor: int) -> None:
    for divide in (div_floor, div_half_up, div_exact):
        with pytest.raises(DivisionError):
            divide(1, divisor)
    with pytest.raises(DivisionError):
        interest(1, 1, 1, divisor)
    with pytest.raises(DivisionError):
        yearly_cost_ppm(1, divisor, 1)
    with pytest.raises(DivisionError):
        yearly_cost_ppm(1, 1, divisor)


def test_products_are_wide_and_results_are_not() -> None:
    assert mul_div(INT64_MAX, INT64_MAX, INT64_MAX, Rounding.FLOOR) == INT64_MAX
    with pytest.raises(Overflow):
        mul_div(INT64_MAX, 2, 1, Rounding.FLOOR)
    with pytest.raises(Overflow):
        mul_div(INT64_MAX, 2, 1, Rounding.HALF_UP)
    with pytest.raises(Overflow):
        mul_div(INT64_MAX, 2, 1, Rounding.EXACT)
    with pytest.raises(Overflow):
        interest(INT64_MAX, PPM, 2, 1)


def test_ties_go_to_the_lower_index_and_no_weight_gets_nothing() -> None:
    assert largest_remainder(10, (1, 1, 1)) == (4, 3, 3)
    assert largest_remainder(11, (1, 1, 1)) == (4, 4, 3)
    assert largest_remainder(1, (0, 1, 0, 1)) == (0, 1, 0, 0)
    assert largest_remainder(0, (3, 4)) == (0, 0)


def test_nobody_to_share_with() -> None:
    assert largest_remainder(0, (0, 0)) == (0, 0)
    assert largest_remainder(0, ()) == ()
    with pytest.raises(DivisionError, match="nobody"):
        largest_remainder(1, (0, 0))
    with pytest.raises(DivisionError, match="nobody"):
        largest_remainder(1, ())


def test_less_than_nothing_is_not_shared() -> None:
    with pytest.raises(DivisionError, match="less than nothing"):
        largest_remainder(-1, (1,))
    with pytest.raises(DivisionError, match="less than nothing"):
        largest_remainder(1, (2, -1))
    with pytest.raises(Overflow):
        largest_remainder(2**63, (1,))


@given(
    st.integers(0, INT64_MAX),
    st.lists(st.integers(0, INT64_MAX), min_size=1, max_size=20).filter(any),
)
def test_shares_add_up_and_are_fair(total: int, weights: list[int]) -> None:
    shares = largest_remainder(total, weights)
    weight = sum(weights)
    assert sum(shares) == total
    for share, each in zip(shares, weights, strict=True):
        floor = total * each // weight
        assert floor <= share <= floor + (each > 0)


@given(
    st.integers(0, 10**15),
    st.integers(0, 10**7),
    st.integers(0, 36_500),
    st.sampled_from([1, 360, 365]),
)
def test_interest_is_the_nearest_cent(principal: int, rate: int, days: int, year: int) -> None:
    exact, divisor = principal * rate * days, PPM * year
    if 2 * exact + divisor <= 2 * divisor * INT64_MAX:
        assert abs(2 * (interest(principal, rate, days, year) * divisor - exact)) <= divisor
