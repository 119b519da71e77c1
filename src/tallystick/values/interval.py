"""Intervals of minor units: which cents of a claim a piece is."""

from collections.abc import Iterable, Sequence

from tallystick.values.codec import Struct
from tallystick.values.errors import IntervalError
from tallystick.values.units import Minor


class Interval(Struct):
    """The cents from start (inclusive) to end (exclusive) of a claim; never empty."""

    start_minor: Minor
    """First cent, counted from 0, e.g. 33333333."""
    end_minor: Minor
    """First cent that no longer belongs to it, e.g. 66666666."""

    def __post_init__(self) -> None:
        """Refuse an interval without a cent, also while decoding."""
        if not 0 <= self.start_minor < self.end_minor:
            raise IntervalError("empty interval", start=self.start_minor, end=self.end_minor)

    @property
    def size(self) -> int:
        """How many cents it has."""
        return self.end_minor - self.start_minor

    def cut(self, lengths: Sequence[int]) -> tuple["Interval", ...]:
        """Cut it, from the lowest cent up, into parts that together are all of it."""
        if not lengths or sum(lengths) != self.size or min(lengths) < 1:
            raise IntervalError("parts do not add up", size=self.size, parts=len(lengths))
        parts = []
        start = self.start_minor
        for length in lengths:
            parts.append(Interval(start_minor=start, end_minor=start + length))
            start += length
        return tuple(parts)

    def lowest(self, n: int) -> tuple["Interval", "Interval | None"]:
        """Take its n lowest cents; the rest is None when nothing is left."""
        if n == self.size:
            return self, None
        taken, rest = self.cut((n, self.size - n))
        return taken, rest


def partitions(face: int, intervals: Iterable[Interval]) -> bool:
    """Do the intervals, in any order, make up every cent from 0 to the face exactly once?"""
    end = 0
    for each in sorted(intervals, key=lambda interval: interval.start_minor):
        if each.start_minor != end:
            return False
        end = each.end_minor
    return end == face
