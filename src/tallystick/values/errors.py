"""What can be wrong with a value.

ValueProblem
├── CodecError        bytes, JSON or a key that is not the one encoding of a value
├── AmountError       a text that is not an amount of its currency
├── UnknownCurrency   a code without minor units in ISO 4217
├── Overflow          a result that does not fit 64 bits
├── DivisionError     a divisor of nothing, a remainder where none may be, shares of no weight
├── IntervalError     an empty interval, or a cut that does not fit its interval
├── DayError          a text that is not a day, or a day or an instant out of range
└── OutsideCalendar   a day for which no calendar has been published

A value problem is a ValueError, so that msgspec names the field when one is raised while decoding.
"""


class ValueProblem(ValueError):
    """A value that cannot be what it claims to be; `values` says which ones were involved."""

    def __init__(self, reason: str, **values: object) -> None:
        """Keep the reason and the values, and show both in the text."""
        shown = ", ".join(f"{name}={_short(value)}" for name, value in values.items())
        super().__init__(f"{reason} ({shown})" if shown else reason)
        self.reason = reason
        self.values = values


class CodecError(ValueProblem):
    """Bytes, JSON or a key that is not the one encoding of a value."""


class AmountError(ValueProblem):
    """A text that is not an amount of its currency."""


class UnknownCurrency(ValueProblem):
    """A code that is no ISO 4217 currency with minor units."""

    def __init__(self, currency: str) -> None:
        """Keep the code."""
        super().__init__("unknown currency", currency=currency)
        self.currency = currency


class Overflow(ValueProblem):
    """A result that does not fit a signed 64-bit integer."""


class DivisionError(ValueProblem):
    """A divisor of nothing, a remainder where none may be, or shares of no weight."""


class IntervalError(ValueProblem):
    """An empty interval, or a cut that does not fit its interval."""


class DayError(ValueProblem):
    """A text that is not a day, or a day or an instant out of range."""


class OutsideCalendar(ValueProblem):
    """A day for which no banking calendar has been published."""

    def __init__(self, day: str) -> None:
        """Keep the day."""
        super().__init__("no banking calendar covers the day", day=day)
        self.day = day


_SHOWN_CHARS_MAX = 80


def _short(value: object) -> str:
    """The value as plain ASCII of bounded length: it may come from a stranger."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    shown = ascii(value[:_SHOWN_CHARS_MAX] if isinstance(value, str | bytes) else value)
    return shown if len(shown) <= _SHOWN_CHARS_MAX else shown[:_SHOWN_CHARS_MAX] + "..."
