"""What a problem says: short, plain, and with its values."""

import pytest

from tallystick.values import errors
from tallystick.values.errors import AmountError, OutsideCalendar, UnknownCurrency, ValueProblem
from tallystick.values.problems import plain_reason


def test_every_problem_is_one_tree() -> None:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    assert len(kinds) == 9
    for kind in kinds:
        assert issubclass(kind, ValueProblem)
        assert kind.__name__ in str(errors.__doc__)


def test_a_problem_carries_its_values() -> None:
    problem = AmountError("not an amount", text="1e3", currency="CNY")
    assert str(problem) == "not an amount (text='1e3', currency='CNY')"
    assert problem.reason == "not an amount"
    assert problem.values == {"text": "1e3", "currency": "CNY"}
    assert str(ValueProblem("plain")) == "plain"


def test_named_problems_carry_what_they_are_about() -> None:
    assert UnknownCurrency("XAU").currency == "XAU"
    assert str(OutsideCalendar("2027-01-01")) == (
        "no banking calendar covers the day (day='2027-01-01')"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    (
        ("甲\n\x1b[31m", r"'\u7532\n\x1b[31m'"),
        ("x" * 10_000, "'" + "x" * 79 + "..."),
        (b"\x00" * 10_000, "b'" + r"\x00" * 19 + r"\x..."),
        (10**400, "an integer of 1329 bits"),
        (-5, "-5"),
    ),
)
def test_a_strangers_value_is_shown_short_and_plain(value: object, shown: str) -> None:
    assert str(ValueProblem("bad", value=value)) == f"bad (value={shown})"


def test_a_decoders_reason_is_plain_and_keeps_its_end() -> None:
    assert plain_reason(ValueError("甲\n!")) == r"\u7532?!"
    long = plain_reason(ValueError("a" * 5_000 + " - at `$.field`"))
    assert len(long) < 310
    assert long.endswith(" - at `$.field`")
