"""Transactions that came together, and the answers to them as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from tallystick.engine.base import Answer
from tallystick.gateway.reply import (
    Happened,
    Made,
    Reply,
    Said,
    happened,
    pack_replies,
    reply_of,
    taken,
)

Call = Callable[[], None]
"""Called once all answers are there, on any thread."""


class Batch:
    """What came in one request; done when each has an answer.

    Answers are put by whoever holds `lock`, the gateway's own: so many as a block has in one round.
    """

    def __init__(
        self, ids: Sequence[bytes], lock: threading.Lock, *, is_kept: bool = False
    ) -> None:
        """Wait for an answer to each id; `is_kept` when the node itself hands in until they come.

        An id is empty where the bytes are no transaction: that place gets its answer at once.
        """
        self._ids = ids
        self._lock = lock
        self._is_kept = is_kept
        self._answers: list[Said | None] = [None] * len(ids)
        self._left = len(ids)
        self._when_done: Call | None = None
        self.is_left = False
        """Whether nobody will ask for the answers any more: the request has had its reply."""

    def leave(self) -> None:
        """Nobody will ask for the answers any more."""
        self.is_left = True

    def when_done(self, call: Call) -> None:
        """Call once, from any thread, when every answer is there."""
        with self._lock:
            self._when_done = call
            is_done = self._left <= 0
        if is_done:
            call()

    def give_up(self) -> None:
        """Call those who wait although answers are missing."""
        with self._lock:
            call, self._left = self._when_done, -1
        if call is not None:
            call()

    def put_happened(self, told: Mapping[int, Happened | Made]) -> Call | None:
        """The same for several places whose transactions were accepted in one block."""
        answers = self._answers
        fresh = len([place for place in told if answers[place] is None])
        for place, said in told.items():
            answers[place] = said
        self._left -= fresh
        return self._when_done if fresh and not self._left else None

    def put(self, place: int, answer: Answer | Reply) -> Call | None:
        """Note an answer, under the lock; what is to be called after it, when it was the last."""
        answers = self._answers
        if answers[place] is None:
            answers[place] = answer
            self._left -= 1
            return None if self._left else self._when_done
        answers[place] = answer
        return None

    def replies(self) -> list[Reply]:
        """What can be said now: answers, and `received` or `kept` where there is none yet."""
        return [
            happened(transaction_id, said) if isinstance(said, Happened | Made) else reply_of(said)
            for transaction_id, said in zip(self._ids, self._said(), strict=True)
        ]

    def packed(self) -> bytes:
        """`replies` as one MessagePack array."""
        return pack_replies(self._ids, self._said())

    def _said(self) -> list[Said]:
        """The answers; where there is none, that it was taken."""
        if not self._left:
            return cast(list[Said], self._answers)
        return [
            taken(self._ids[place], is_kept=self._is_kept) if answer is None else answer
            for place, answer in enumerate(self._answers)
        ]
