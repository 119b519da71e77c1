"""The applications of this release in a simulated consortium: cash, played at random."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from random import Random

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.cash.messages import Transfer
from tallystick.apps.cash.tests.test_stateful import ACTIONS, waits
from tallystick.apps.founding import first_records, supervised
from tallystick.engine.base import Answer
from tallystick.ledger.app import Message
from tallystick.ledger.execute import Ledger
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.testing.cast import CALENDAR, CAST, founder
from tallystick.testing.stateful import Asked
from tallystick.testing.world import OPENS, ZONE_MINUTES, World
from tallystick.values.time import at
from tests.sim.load import TillLoad

SCRIPTS = 4
"""Scripts that seeds share."""
LENGTH = 60
"""Transactions of a script."""


class RecordingWorld(World):
    """A world that keeps what it was offered."""

    def offers(self, *raws: bytes) -> tuple[Answer, ...]:
        """Offer, and keep."""
        self.__dict__.setdefault("script", []).extend(raws)
        return super().offers(*raws)

    @property
    def script(self) -> tuple[bytes, ...]:
        """Transactions, in the order in which they were offered."""
        return tuple(self.__dict__.get("script", ()))


@cache
def consortium_world(keys: tuple[bytes, ...]) -> RecordingWorld:
    """The usual cast on a chain of these validators."""
    seats = [Validator(public_key=key, member="bank-a", power=10) for key in keys]
    limits = Consensus(
        name=CONSENSUS,
        block_bytes=1_048_576,
        block_transactions=20,
        evidence_blocks=100_000,
        evidence_ms=172_800_000,
    )
    founders = [founder(party, *each) for party, each in CAST.items()]
    founding = supervised(founders, CALENDAR, validators=seats, consensus=limits)
    records = first_records(APPS, founding, at(OPENS[0], OPENS[1], ZONE_MINUTES))
    return RecordingWorld(APPS, AUTHORITY, records)


@cache
def cash_ledger(keys: tuple[bytes, ...]) -> Ledger:
    """The rules of that chain, as a node has them."""
    return Ledger(APPS, AUTHORITY, consortium_world(keys).genesis)


@cache
def script(keys: tuple[bytes, ...], number: int) -> tuple[bytes, ...]:
    """What is sent in one script: cash's own random actions, without letting time pass."""
    chance = Random(f"script/{number}")
    opened = consortium_world(keys)
    world = RecordingWorld.__new__(RecordingWorld)
    world.__dict__.update(opened.copy().__dict__)
    actions = {action: weight for action, weight in ACTIONS.items() if action is not waits}
    while len(world.script) < LENGTH:
        asked = chance.choices(list(actions), list(actions.values()))[0](chance, world)
        if asked:
            world.send(*calls_of(asked))
    return world.script


def calls_of(asked: Asked) -> Sequence[tuple[str, Message]]:
    """The calls of what was asked."""
    if isinstance(asked[0], str):
        return [asked]  # type: ignore[list-item]
    return asked  # type: ignore[return-value]


class CashLoad(TillLoad):
    """A script, sent nearly in its order."""

    def __init__(self, keys: tuple[bytes, ...], number: int) -> None:
        """A script by its number."""
        super().__init__(cash_ledger(keys), keys)
        self._script = script(keys, number)

    def transaction(self, chance: Random, ledger_ms: int) -> bytes:
        """The next transaction; at the end of the script the first ones once more."""
        self._count += 1
        return self._script[(self._count - 1) % len(self._script)]

    def sample(self) -> tuple[str, Message, tuple[str, ...]]:
        """Something that may be signed: the party, the message, the signers."""
        message = Transfer(to="S1", money="CNY@CB", amount_minor=1)
        return "D1", message, ("D1.maker", "D1.checker")
