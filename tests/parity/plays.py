"""What is played: every application's own random actions, and what may go wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random

from tallystick.apps import cash, documents, governance, members, receivables
from tallystick.apps.cash.tests import network as shelves
from tallystick.apps.cash.tests.test_stateful import ACTIONS as CASH
from tallystick.apps.documents.tests.test_stateful import ACTIONS as DOCUMENTS
from tallystick.apps.governance.tests.test_stateful import ACTIONS as GOVERNANCE
from tallystick.apps.governance.tests.test_stateful import opening as consortium
from tallystick.apps.members.tests.network import network as counter
from tallystick.apps.members.tests.test_stateful import ACTIONS as MEMBERS
from tallystick.apps.receivables.tests.test_stateful import ACTIONS as RECEIVABLES
from tallystick.apps.receivables.tests.test_stateful import opening as market
from tallystick.ledger.app import App, Message
from tallystick.testing.cast import cast_world
from tallystick.testing.stateful import IDLE_MAX, Actions, calls_of
from tallystick.testing.world import World, WorldProblem, split_who
from tests.accel.conformance_envelopes import mutated

BLOCKS = {1: 8, 2: 4, 4: 2, 10: 2, 40: 1}
"""Transactions of a block, each with its weight; all are asked for over the same state."""
TIME_PASSES = "waits"
"""The action of that name lets time pass; a block is closed before it."""
WAITS_MS = (10 * 60_000, 3_600_000, 24 * 3_600_000)
"""How long a transaction may wait for its block, and for so long its reference is remembered."""
ODD_SHARE = 0.06
"""Transactions with which something is not as it should be."""


@dataclass(frozen=True)
class Play:
    """How one application is played."""

    app: App
    """The application."""
    opening: Callable[[], World]
    """Where every run begins."""
    actions: Actions
    """What may be asked, with weights."""

    @property
    def own(self) -> frozenset[type[Message]]:
        """Its messages."""
        return frozenset(self.app.message_types)


PLAYS: Mapping[str, Play] = {
    play.app.name: play
    for play in (
        Play(members.APP, counter, MEMBERS),
        Play(governance.APP, consortium, GOVERNANCE),
        Play(cash.APP, cast_world, CASH),
        Play(documents.APP, shelves.network, DOCUMENTS),
        Play(receivables.APP, market, RECEIVABLES),
    )
}
"""All applications, by name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A transaction, and what it asks."""

    raw: bytes
    """As it travels."""
    messages: tuple[str, ...]
    """Names of its messages."""
    is_own: bool
    """Whether one of them is a message of the application that is played."""


class Author:
    """Writes the transactions of one run, block by block, from what the world looks like."""

    def __init__(self, play: Play, world: World, rng: Random) -> None:
        """Write for a world; the same seed writes the same."""
        self._play, self._world, self._rng = play, world, rng
        self._own = play.own
        self._before: list[Asked] = []

    def block(self, most: int) -> list[Asked]:
        """Transactions of the next block, at most so many; time may pass on the way."""
        [size] = self._rng.choices(list(BLOCKS), list(BLOCKS.values()))
        choices, weights = list(self._play.actions), list(self._play.actions.values())
        made: list[Asked] = []
        idle = 0
        while len(made) < min(size, most):
            action = self._rng.choices(choices, weights)[0]
            if made and action.__name__ == TIME_PASSES:
                break
            calls = calls_of(action(self._rng, self._world))
            idle = 0 if calls else idle + 1
            if calls:
                is_odd = self._rng.random() < ODD_SHARE
                made.append(self._odd(calls) if is_odd else self._made(calls))
            elif idle == IDLE_MAX:
                raise WorldProblem(f"{self._play.app.name}: the actions find nothing to ask")
        self._before += made
        return made

    def _made(
        self,
        calls: list[tuple[str, Message]],
        *,
        reference: str | None = None,
        keys: list[str] | None = None,
    ) -> Asked:
        """Sign what is asked."""
        waits_ms = self._rng.choice(WAITS_MS)
        raw = self._world.signed(
            *calls,
            reference=reference,
            keys=keys,
            expires_at_ms=self._world.ledger_ms + waits_ms,
        )
        kinds = [type(message) for _, message in calls]
        names = tuple(dict.fromkeys(kind.__name__ for kind in kinds))
        return Asked(raw, names, not self._own.isdisjoint(kinds))

    def _odd(self, calls: list[tuple[str, Message]]) -> Asked:
        """Something is wrong: the bytes, who signs, the reference; or it was sent before."""
        match self._rng.randrange(5):
            case 0 if self._before:
                return self._rng.choice(self._before[-100:])
            case 1:
                return self._made(calls, reference="again")
            case 2:
                party, officers = split_who(calls[0][0])
                return self._made(calls, keys=[f"{party}.{officers[0]}"])
            case _:
                asked = self._made(calls)
                return Asked(mutated(self._rng, asked.raw), asked.messages, asked.is_own)


@cache
def opened(name: str) -> World:
    """The world in which an application's runs begin."""
    return PLAYS[name].opening()
