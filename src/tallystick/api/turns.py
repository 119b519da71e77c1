"""The loop of a node's doors: it looks at its sockets when it has nothing else to do.

Python's loop asks the system for news before every round of callbacks, and lets go of Python's
lock for it. In a node whose other threads are busy, it then waits a turn to get the lock back: a
dozen times for one request, most of them without any news.
"""

from __future__ import annotations

import asyncio
import selectors

ROUNDS_MAX = 8
"""Rounds of callbacks after which the sockets are looked at in any case."""


class Selector(selectors.DefaultSelector):
    """Answers that there is no news, without looking, while callbacks wait to be run."""

    def __init__(self) -> None:
        """Nothing is watched yet."""
        super().__init__()
        self._rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What is ready; with a timeout of 0, when callbacks wait, it looks only now and then."""
        if timeout is not None and timeout <= 0 and self._rounds < ROUNDS_MAX:
            self._rounds += 1
            return []
        self._rounds = 0
        return super().select(timeout)


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for a node's doors."""
    return asyncio.SelectorEventLoop(Selector())
