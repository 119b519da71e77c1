"""What the story is played on: somebody who sends messages, reads records and moves the clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.ledger.app import Message

Row = dict[str, Any]
"""A record or a query's answer in its JSON form: amounts are strings of digits."""


class StageProblem(Exception):
    """The story did not go as it is told."""


@dataclass(frozen=True)
class Outcome:
    """What came of a transaction."""

    accepted: bool
    """Whether it happened."""
    ids: tuple[str, ...]
    """Ids made, in the order made."""
    sentence: str
    """What the ledger said, e.g. `documents 15 DFIN: …`; `accepted`."""


class Stage(Protocol):
    """A ledger that the story is played on."""

    def send(self, calls: Sequence[tuple[str, Message]]) -> Outcome:
        """Have calls signed by `MEMBER.OFFICER+OFFICER` and decided as one transaction."""

    def rows(self, app: str, query: str, **arguments: str) -> list[Row]:
        """What a query answers to the supervisor."""

    def records(self, app: str, record: str, **where: str) -> list[Row]:
        """Records of a kind that fit."""

    def record(self, app: str, record: str, *key: str) -> Row:
        """One record."""

    def now_ms(self) -> int:
        """Ledger time."""

    def settle(self) -> None:
        """Wait until everything that is due has happened."""

    def public_key(self, officer: str) -> bytes:
        """Public key of `MEMBER.OFFICER`; made when there is none yet."""
