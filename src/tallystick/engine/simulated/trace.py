"""What happened in a run, line by line, and what ends one that went wrong."""

from __future__ import annotations

import hashlib


class Broken(Exception):
    """Something that must always hold did not."""


class Trace:
    """The lines of one run; the same seed writes the same ones."""

    def __init__(self) -> None:
        """Begin with an empty page."""
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        """Write a line."""
        self.lines.append(line)

    def tail(self, count: int = 40) -> str:
        """The last lines, numbered."""
        first = max(0, len(self.lines) - count)
        return "\n".join(f"{n:5} {line}" for n, line in enumerate(self.lines[first:], first + 1))

    def digest(self) -> str:
        """A hash over all lines."""
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()


def require(holds: bool, what: str) -> None:
    """Raise `Broken` unless it holds."""
    if not holds:
        raise Broken(what)
