"""Reads case files: text to steps. docs/reference/cases.md is the grammar.

Strangers write case files, so that whatever is wrong with one is said with its file and line.
"""

from __future__ import annotations

import shlex
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.errors import TallystickError

BYTES_MAX = 1_048_576
"""Largest case file."""
DEPTH_MAX = 20
"""Most forks that stand in one another."""
SHOWN_MAX = 200
"""So much of a line is shown when something is wrong with it."""

HEAD = ("opens", "member", "parameter", "validator")
"""First words of lines before the first step."""
STEPS = ("$", "@", "invoice", "credit-note")
"""First words of steps."""
EXPECTED = ("as", "!", "=")
"""First words of what must come of a step."""


class CaseProblem(TallystickError):
    """A case cannot be read, or does not come out as it is written."""

    def __init__(self, place: str, reason: str) -> None:
        """Name file and line."""
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason


@dataclass(frozen=True)
class Line:
    """One line that counts."""

    number: int
    """Where it stands, from 1."""
    sign: str
    """Its first word: `$`, `&`, `@`, `as`, `!`, `=`, `fork`, `end`, `invoice`, `member`, …"""
    words: tuple[str, ...]
    """The other words."""
    text: str
    """As it was written."""


@dataclass
class Step:
    """A line, what must come of it, and, for a fork, the lines inside."""

    line: Line
    """What is done."""
    more: list[Line] = field(default_factory=list)
    """Further calls of the same transaction."""
    expected: list[Line] = field(default_factory=list)
    """What must come of it."""
    inside: list[Step] = field(default_factory=list)
    """Steps of a fork."""


@dataclass(frozen=True)
class Case:
    """A case file, read."""

    name: str
    """Its path as given."""
    head: tuple[Line, ...]
    """Lines before the first step."""
    steps: tuple[Step, ...]
    """Steps in order."""


def read_file(path: Path) -> Case:
    """Read a case file."""
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as problem:
        raise CaseProblem(str(path), f"cannot be read: {problem.strerror}") from None
    if len(raw) > BYTES_MAX:
        raise CaseProblem(str(path), f"is larger than {BYTES_MAX} bytes")
    try:
        return read_case(str(path), raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise CaseProblem(str(path), "is not UTF-8 text") from None


def read_case(name: str, text: str) -> Case:
    """Read a case; CaseProblem names the line that cannot be understood."""
    lines = deque(_lines(name, text))
    head: list[Line] = []
    while lines and lines[0].sign in HEAD:
        head.append(lines.popleft())
    return Case(name, tuple(head), tuple(_steps(name, lines, forks=[])))


def place_of(name: str, line: Line) -> str:
    """File and line."""
    return f"{name}:{line.number}"


def shown(text: str) -> str:
    """A line as it is shown, of bounded length."""
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + " …"


def _lines(name: str, text: str) -> Iterator[Line]:
    """Lines that count, continued ones joined."""
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        start = start or number
        stripped = raw.strip()
        if stripped.endswith("\\"):
            held += stripped[:-1] + " "
            continue
        whole, held = held + stripped, ""
        at, start = start, 0
        if whole and not whole.startswith("#"):
            yield _line(name, at, whole)
    if held:
        raise CaseProblem(f"{name}:{start}", "the last line ends in a backslash")


def _line(name: str, number: int, whole: str) -> Line:
    """A line in words, quotes as in a shell; the title of a fork may have apostrophes."""
    try:
        words = whole.split() if whole.startswith("fork ") else shlex.split(whole)
    except ValueError:
        raise CaseProblem(f"{name}:{number}", f"a quote is not closed: {shown(whole)}") from None
    return Line(number, words[0], tuple(words[1:]), whole)


def _steps(name: str, lines: deque[Line], *, forks: list[Line]) -> list[Step]:
    """Steps up to the end of the file, or of the innermost fork; the lines are taken away."""
    steps: list[Step] = []
    while lines:
        line = lines.popleft()
        if line.sign == "end" and forks:
            return steps
        if line.sign == "fork":
            if len(forks) == DEPTH_MAX:
                reason = f"more than {DEPTH_MAX} forks stand in each other"
                raise CaseProblem(place_of(name, line), reason)
            steps.append(Step(line, inside=_steps(name, lines, forks=[*forks, line])))
        elif line.sign in STEPS:
            steps.append(Step(line))
        else:
            _add(name, steps, line)
    if forks:
        raise CaseProblem(place_of(name, forks[-1]), "the fork has no end")
    return steps


def _add(name: str, steps: list[Step], line: Line) -> None:
    """A line that belongs to the step before it."""
    before = steps[-1] if steps else None
    is_step = before is not None and before.line.sign != "fork"
    if line.sign in EXPECTED and before is not None and is_step:
        before.expected.append(line)
    elif line.sign == "&" and before is not None and before.line.sign == "$":
        if before.expected:
            raise CaseProblem(
                place_of(name, line), "& belongs directly after $, before what must come of it"
            )
        before.more.append(line)
    else:
        raise CaseProblem(place_of(name, line), _why_misplaced(line))


def _why_misplaced(line: Line) -> str:
    """What to say of a line that does not belong where it stands."""
    if line.sign in EXPECTED:
        return f"{line.sign} says what must come of a step, and there is none before it"
    if line.sign == "&":
        return "& adds a call to a $ line, and there is none before it"
    if line.sign == "end":
        return "end without a fork"
    if line.sign in HEAD:
        return f"{line.sign} belongs before the first step"
    return f"no line begins with {shown(line.sign)!r}"
