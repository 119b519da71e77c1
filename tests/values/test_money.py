"""Amounts: what people write, what the ledger keeps, and where arithmetic stops."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.errors import AmountError, Overflow, UnknownCurrency
from tallystick.values.money import (
    CURRENCIES,
    add,
    checked,
    currency_of,
    exponent,
    format_minor,
    issuer_of,
    money_id,
    mul,
    parse_decimal,
    sub,
    total,
)
from tallystick.values.units import INT64_MAX, INT64_MIN


# Source: ISO 4217 list one, column "minor unit".
@pytest.mark.parametrize(
    ("currency", "digits"),
    (
        ("CNY", 2),
        ("EUR", 2),
        ("USD", 2),
        ("DKK", 2),
        ("NOK", 2),
        ("HKD", 2),
        ("GBP", 2),
        ("JPY", 0),
        ("KRW", 0),
        ("VND", 0),
        ("KWD", 3),
        ("BHD", 3),
        ("TND", 3),
        ("CLF", 4),
    ),
)
def test_exponents_are_those_of_iso_4217(currency: str, digits: int) -> None:
    assert exponent(currency) == digits


def test_all_165_codes_with_minor_units_are_known() -> None:
    assert len(CURRENCIES) == 165
    assert all(code.isascii() and code.isupper() and len(code) == 3 for code in CURRENCIES)


# Gold, the SDR and the test code have no minor unit; BGN and HRK were replaced by the euro.
@pytest.mark.parametrize(
    "code", ("XAU", "XDR", "XTS", "XXX", "BGN", "HRK", "cny", "CN", "", "CNY\n")
)
def test_what_has_no_minor_unit_is_no_currency(code: str) -> None:
    with pytest.raises(UnknownCurrency) as raised:
        exponent(code)
    assert raised.value.currency == code


def test_money_names_its_currency_and_its_issuer() -> None:
    money = money_id("CNY", "central-bank")
    assert money == "CNY@central-bank"
    assert (currency_of(money), issuer_of(money)) == ("CNY", "central-bank")


@pytest.mark.parametrize(
    ("minor", "currency", "shown", "plain"),
    (
        (0, "CNY", "0.00", "0.00"),
        (1, "CNY", "0.01", "0.01"),
        (100_000, "CNY", "1,000.00", "1000.00"),
        (100_000_000, "CNY", "1,000,000.00", "1000000.00"),
        (-78_217_943, "DKK", "-782,179.43", "-782179.43"),
        (-1, "EUR", "-0.01", "-0.01"),
        (1_234_567, "JPY", "1,234,567", "1234567"),
        (1_234_567, "KWD", "1,234.567", "1234.567"),
        (5, "CLF", "0.0005", "0.0005"),
        (INT64_MAX, "CNY", "92,233,720,368,547,758.07", "92233720368547758.07"),
    ),
)
def test_amounts_are_shown_as_people_write_them(
    minor: int, currency: str, shown: str, plain: str
) -> None:
    assert format_minor(minor, currency) == shown
    assert format_minor(minor, currency, grouping=False) == plain
    assert parse_decimal(shown, currency, signed=True) == minor
    assert parse_decimal(plain, currency, signed=True) == minor


@given(st.integers(INT64_MIN, INT64_MAX), st.sampled_from(sorted(CURRENCIES)), st.booleans())
def test_what_is_shown_is_read_back(minor: int, currency: str, grouping: bool) -> None:
    shown = format_minor(minor, currency, grouping=grouping)
    assert parse_decimal(shown, currency, signed=True) == minor


@pytest.mark.parametrize(
    ("text", "minor"),
    (("1000", 100_000), ("0.5", 50), ("0", 0), ("1,000", 100_000), ("12.30", 1230)),
)
def test_decimals_may_be_left_out(text: str, minor: int) -> None:
    assert parse_decimal(text, "CNY") == minor


@pytest.mark.parametrize(
    "text",
    (
        "",
        " ",
        ".",
        "1.",
        ".5",
        "1e3",
        "1E3",
        "nan",
        "NaN",
        "inf",
        "0x10",
        "1_000",
        "+1",
        "1 000",
        "1,00.00",
        "1000,000",
        ",100",
        "1,,000",
        "1,0000",
        "0,100",
        "01",
        "00.10",
        "1.0.0",
        "1,000.",
        "1.2,3",
        " 1",
        "1 ",
        "1\n",
        "１.00",
        "1٠",
        "一",
        "--1",
        "¥1",
        "1\x00",
    ),
)
def test_what_is_not_an_amount_is_refused(text: str) -> None:
    with pytest.raises(AmountError, match="not an amount"):
        parse_decimal(text, "CNY", signed=True)


def test_an_endless_amount_is_refused_without_being_read() -> None:
    with pytest.raises(AmountError, match="not an amount") as raised:
        parse_decimal("9" * 1_000_000, "CNY")
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize(("text", "currency"), (("0.001", "CNY"), ("1.0", "JPY"), ("1.000", "EUR")))
def test_more_decimals_than_the_currency_has_are_refused(text: str, currency: str) -> None:
    with pytest.raises(AmountError, match="too many decimals"):
        parse_decimal(text, currency)


def test_a_sign_is_read_only_where_it_is_allowed() -> None:
    assert parse_decimal("-1.00", "CNY", signed=True) == -100
    with pytest.raises(AmountError, match="no sign"):
        parse_decimal("-1.00", "CNY")


@pytest.mark.parametrize("text", ("92233720368547758.08", "-92233720368547758.09"))
def test_an_amount_beyond_64_bits_is_refused(text: str) -> None:
    with pytest.raises(AmountError, match="too large"):
        parse_decimal(text, "CNY", signed=True)


def test_an_amount_of_no_currency_is_refused() -> None:
    with pytest.raises(UnknownCurrency):
        parse_decimal("1.00", "XAU")


def test_arithmetic_within_64_bits() -> None:
    assert add(2, 3) == 5
    assert sub(2, 3) == -1
    assert mul(-2, 3) == -6
    assert total([1, 2, 3]) == 6
    assert total([INT64_MAX, 1, -1]) == INT64_MAX
    assert checked(INT64_MIN) == INT64_MIN


def test_arithmetic_stops_at_64_bits() -> None:
    with pytest.raises(Overflow):
        add(INT64_MAX, 1)
    with pytest.raises(Overflow):
        sub(INT64_MIN, 1)
    with pytest.raises(Overflow):
        mul(2**32, 2**31)
    with pytest.raises(Overflow):
        total([INT64_MAX, INT64_MAX])
    with pytest.raises(Overflow, match="an integer of 10001 bits"):
        checked(2**10_000)
