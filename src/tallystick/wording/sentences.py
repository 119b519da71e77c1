"""Values of a sentence as people read them: a refusal's, told with plain numbers and texts."""

from __future__ import annotations

from collections.abc import Mapping

from tallystick.values.errors import ValueProblem
from tallystick.values.money import format_minor
from tallystick.values.time import format_at
from tallystick.wording.plain import percent_of
from tallystick.wording.wording import ZONE_MINUTES

_TIMES = ("at_ms", "until_ms", "from_ms")
_CHOICES = ("kind", "role", "scope", "warning")
"""What is one of a list: `cash_account` is read `cash account`."""


def values_in_words(
    values: Mapping[str, object], zone_minutes: int = ZONE_MINUTES
) -> dict[str, object]:
    """Amounts as decimals of the currency or money beside them, instants as times, ppm as percents.

    One of a list is told without underscores. What names no unit, and what cannot be read, stays
    as it is.
    """
    money = str(values.get("money", "")).partition("@")[0]
    currency = str(values.get("currency", "") or money)
    return {name: _in_words(name, each, currency, zone_minutes) for name, each in values.items()}


def _in_words(name: str, value: object, currency: str, zone_minutes: int) -> object:
    """One value, by the unit that its name ends in."""
    if isinstance(value, str) and name in _CHOICES:
        return value.replace("_", " ")
    if not isinstance(value, int):
        return value
    try:
        if name.endswith("_minor") and currency:
            return format_minor(value, currency)
        if name.endswith(_TIMES):
            return format_at(value, zone_minutes)
        return percent_of(value, "ppm") if name.endswith("_ppm") else value
    except ValueProblem:
        return value
