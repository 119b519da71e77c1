"""What time it is on the chain, as far as one node can tell.

CometBFT's block time is agreed: that of block h is the median of the times at which the validators
voted for block h - 1. So block h says what time it was when block h - 1 came, and since then the
time passes here as everywhere: the machine's own clock is not asked. Only before two blocks have
come is it believed, as far as it is not before the last block.
"""

from __future__ import annotations

import threading

from tallystick.engine.clock import JUMP_MS, Clock, boot_ms, wall_ms


class BlockClock:
    """Block time now; it never goes back. For any thread."""

    def __init__(self, block_ms: int, *, wall: Clock = wall_ms, boot: Clock = boot_ms) -> None:
        """Stand at the last committed block."""
        self._wall = wall
        self._boot = boot
        self._lock = threading.Lock()
        self._block_ms = block_ms
        self._came_ms: int | None = None
        self._before_ms: int | None = None
        self._last_ms = 0

    def seen(self, block_ms: int) -> None:
        """A block came."""
        with self._lock:
            self._block_ms = block_ms
            self._before_ms, self._came_ms = self._came_ms, self._boot()

    def restart(self) -> None:
        """Blocks may have been missed: what is known of when they came is worth nothing."""
        with self._lock:
            self._came_ms = self._before_ms = None

    def __call__(self) -> int:
        """Block time now."""
        with self._lock:
            told = self._told()
            self._last_ms = max(self._last_ms, self._wall() if told is None else told)
            self._last_ms = max(self._last_ms, self._block_ms)
            return self._last_ms

    def chain_ms(self) -> int:
        """The same without the machine's clock: the last block's time while nothing is known."""
        with self._lock:
            told = self._told()
            return self._block_ms if told is None else told

    @property
    def is_known(self) -> bool:
        """Whether two blocks have told the time."""
        return self._before_ms is not None

    @property
    def silent_seconds(self) -> float:
        """How long no block has come; 0 before the first."""
        came = self._came_ms
        return 0.0 if came is None else (self._boot() - came) / 1_000

    def _told(self) -> int | None:
        """What the blocks say; None before two have come."""
        if self._before_ms is None:
            return None
        return self._block_ms + self._boot() - self._before_ms

    def trouble(self) -> str:
        """What is wrong with the machine's clock, in words; empty when nothing is.

        A third of the validators with wrong clocks could move block time.
        """
        with self._lock:
            told = self._told()
            if told is None:
                return ""
            off_ms = self._wall() - told
        if abs(off_ms) <= JUMP_MS:
            return ""
        way = "ahead of" if off_ms > 0 else "behind"
        return f"this machine's clock is {abs(off_ms) // 1_000} s {way} the time of the chain"
