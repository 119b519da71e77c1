"""How long things took, counted in buckets that a monitoring system can add up."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets, in seconds; the last bucket has none."""


@dataclass(frozen=True, slots=True)
class Timed:
    """What was counted so far."""

    counts: tuple[int, ...]
    """How many fell into each bucket; one more than there are bounds."""
    total_s: float
    """All of them together, in seconds."""


class Timing:
    """Durations of one kind of work. For any thread."""

    def __init__(self, bounds_s: tuple[float, ...] = BOUNDS_S) -> None:
        """Nothing was counted yet."""
        self.bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._total_s = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Count how long the block takes, however it ends."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.observe(time.perf_counter() - began)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        with self._lock:
            self._counts[bisect_left(self.bounds_s, seconds)] += 1
            self._total_s += seconds

    def read(self) -> Timed:
        """What was counted so far."""
        with self._lock:
            return Timed(tuple(self._counts), self._total_s)
