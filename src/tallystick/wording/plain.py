"""Words for single values: numbers, percents, times, lengths of time, choices, hex."""

from __future__ import annotations

import enum
import re
import shlex
from collections.abc import Mapping
from typing import Any

from tallystick.values.time import at, is_day

YES = {"yes": True, "true": True, "no": False, "false": False}

_NUMBER = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,20})")
_PERCENT = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,4}))? ?%")
_DURATION = re.compile(r"([0-9]{1,16})(ms|s|m|h|d)")
_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]([0-9]{1,2}):([0-9]{2}))?")

_DURATION_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_PER_PERCENT = {"ppm": 10_000, "ppm a day": 10_000, "bps": 100}
_OR = {
    "ms": "; write 30m, 24h or 7d",
    "ppm": "; write 4.35% or 43500",
    "ppm a day": "; write 0.05% or 500",
    "bps": "; write 4.35% or 435",
}


class WordingProblem(ValueError):
    """What was written is not what the message or query takes."""


def read_number(text: str, unit: str) -> int:
    """A whole number, or a percent or a length of time where the unit allows it."""
    percent, per_percent = _PERCENT.fullmatch(text), _PER_PERCENT.get(unit)
    if percent and per_percent:
        return _of_percent(percent, per_percent)
    duration = _DURATION.fullmatch(text)
    if unit == "ms" and duration:
        return int(duration[1]) * _DURATION_MS[duration[2]]
    if not _NUMBER.fullmatch(text):
        raise WordingProblem(f"{text!r} is no whole number{_OR.get(unit, '')}")
    return int(text.replace(",", ""))


def read_instant(text: str, zone_minutes: int) -> int:
    """Milliseconds of a day or of a day and time in a zone: `2026-10-08 17:00`."""
    found = _TIME.fullmatch(text)
    if not found or not is_day(found[1]) or int(found[3] or 0) >= 60:
        raise WordingProblem(f"{text!r} is no time; write '2026-10-08 17:00'")
    return at(found[1], int(found[2] or 0) * 60 + int(found[3] or 0), zone_minutes)


def percent_of(value: int, unit: str) -> str | None:
    """43500 ppm → `4.35%`; None for units that are no part of a whole."""
    per_percent = _PER_PERCENT.get(unit)
    if per_percent is None:
        return None
    sign, whole = "-" if value < 0 else "", abs(value)
    decimals = len(str(per_percent)) - 1
    part = str(whole % per_percent).rjust(decimals, "0").rstrip("0")
    return f"{sign}{whole // per_percent}{'.' if part else ''}{part}%"


def duration_of(value: int) -> str:
    """Milliseconds in the largest unit that tells them exactly: `97d`."""
    return next(f"{value // ms}{unit}" for unit, ms in _DURATION_MS.items() if value % ms == 0)


def member_of(type_: type[enum.Enum], text: str) -> enum.Enum:
    """A member of an enum by its value or its name, in any case."""
    wanted = text.lower().replace("-", "_")
    for each in type_:
        if wanted in (str(each.value).lower().replace("-", "_"), each.name.lower()):
            return each
    raise WordingProblem(f"{text!r} is none of {', '.join(str(each.value) for each in type_)}")


def choose(choices: Mapping[str, Any], text: str) -> Any:
    """One of several by name."""
    if text.lower() not in choices:
        raise WordingProblem(f"{text!r} is none of {', '.join(choices)}")
    return choices[text.lower()]


def read_hex(text: str) -> bytes:
    """Bytes from hex digits."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise WordingProblem(f"{text!r} is not hex") from None


def shell_words(text: str) -> list[str]:
    """Words as a shell splits them."""
    try:
        return shlex.split(text)
    except ValueError as problem:
        raise WordingProblem(f"{text!r}: {problem}") from None


def quoted(text: str) -> str:
    """A value as one word."""
    return shlex.quote(text) if not text or re.search(r"[\s\"']", text) else text


def _of_percent(percent: re.Match[str], per_percent: int) -> int:
    """Parts in a percentage, exactly."""
    parts = int(percent[1] + (percent[2] or "").ljust(4, "0")) * per_percent
    if parts % 10_000:
        raise WordingProblem(f"{percent[0]!r} has too many decimals")
    return parts // 10_000
