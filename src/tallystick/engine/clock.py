"""The machine's clock, as far as a chain may believe it.

Block time never goes back, so a clock that jumps ahead by mistake would spoil it for good. Within
a run this clock follows the time since boot, corrected by small steps of the wall clock; a jump is
not followed but reported. At the start a clock far ahead of the last block is refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from tallystick.errors import ClockWrong

Clock = Callable[[], int]
"""Block time now, in milliseconds since 1970 UTC."""

JUMP_MS = 60_000
"""A step of the wall clock beyond this is a jump."""
AHEAD_MS_MAX = 366 * 86_400_000
"""How far a clock may be ahead of the last block when a node starts: a year of standing still."""


def wall_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def boot_ms() -> int:
    """Time since boot, sleep included where the system counts it."""
    clock_id = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime_ns(clock_id) // 1_000_000


class MachineClock:
    """A clock that never goes back and does not jump."""

    def __init__(self, wall: Clock = wall_ms, boot: Clock = boot_ms) -> None:
        """Begin at the wall clock."""
        self._wall = wall
        self._boot = boot
        self._offset_ms = wall() - boot()
        self._last_ms = 0
        self._lock = threading.Lock()
        self.trouble = ""
        """What is wrong with the wall clock, in words; empty when nothing is."""

    def __call__(self) -> int:
        """Block time now."""
        with self._lock:
            offset_ms = self._wall() - self._boot()
            step_ms = offset_ms - self._offset_ms
            if abs(step_ms) <= JUMP_MS:
                self._offset_ms = offset_ms
                self.trouble = ""
            else:
                way = "ahead" if step_ms > 0 else "back"
                self.trouble = (
                    f"this machine's clock jumped {way} by {abs(step_ms) // 1000} s; blocks keep"
                    " their own time until the node is restarted"
                )
            self._last_ms = max(self._last_ms, self._boot() + self._offset_ms)
            return self._last_ms


def check_start(now_ms: int, last_ms: int) -> str:
    """Refuse a clock far ahead of the last block; a warning in words when it is behind."""
    if now_ms > last_ms + AHEAD_MS_MAX:
        raise ClockWrong(clock=_told(now_ms), chain=_told(last_ms))
    if now_ms < last_ms:
        return (
            f"this machine's clock says {_told(now_ms)}, the last block is of {_told(last_ms)}:"
            " block time stands still until the clock has caught up"
        )
    return ""


def _told(at_ms: int) -> str:
    """A moment for people."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
