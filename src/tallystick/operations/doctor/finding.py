"""What a check found, and what to do about it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Level(enum.Enum):
    """How bad it is."""

    OK = "ok"
    """As it should be."""
    WARN = "warn"
    """It works, and will not for ever."""
    FAIL = "fail"
    """Something does not work, or is not safe."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    level: Level
    """How bad it is."""
    said: str
    """What was found, in one sentence."""
    todo: str = ""
    """What to do; empty when nothing is."""


def ok(said: str) -> Finding:
    """As it should be."""
    return Finding(Level.OK, said)


def warn(said: str, todo: str) -> Finding:
    """It works, and will not for ever."""
    return Finding(Level.WARN, said, todo)


def fail(said: str, todo: str) -> Finding:
    """Something does not work, or is not safe."""
    return Finding(Level.FAIL, said, todo)
