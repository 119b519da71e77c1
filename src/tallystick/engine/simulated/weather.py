"""What comes from outside: transactions, bad proposals, and how much goes wrong in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol


@dataclass(frozen=True)
class Harm:
    """What a bad proposer proposes."""

    name: str
    """What is wrong with it."""
    bundles: tuple[bytes, ...]
    """The proposal."""
    is_legal: bool
    """Whether honest nodes may vote for it: duplicates and expired transactions are legal."""


class Load(Protocol):
    """What clients and bad proposers send."""

    def transaction(self, chance: Random, ledger_ms: int) -> bytes | None:
        """One more signed transaction; None when there is none."""
        ...

    def harm(self, chance: Random, seen: Sequence[bytes], ledger_ms: int) -> Harm:
        """A bad proposal; `seen` are transactions that clients sent before."""
        ...


@dataclass(frozen=True)
class Weather:
    """How much goes wrong in a run, and how long it is."""

    steps: int = 400
    """Steps of the safety phase."""
    transactions: int = 24
    """Transactions that clients send."""
    crash: float = 0.02
    """Chance of a crash in a step."""
    power: float = 0.5
    """Chance that a crash is a loss of power."""
    split: float = 0.01
    """Chance of a partition in a step."""
    lost: float = 0.15
    """Chance that a round's votes are lost."""
    harm: float = 0.1
    """Chance that a proposal of the bad peer is bad."""
    down_max: int = 2
    """Most peers that are down at once."""

    @classmethod
    def drawn(cls, chance: Random) -> Weather:
        """The weather of a seed: fair, rough, or anything between."""
        return cls(
            crash=chance.choice((0.0, 0.01, 0.03, 0.08)),
            power=chance.choice((0.0, 0.5, 1.0)),
            split=chance.choice((0.0, 0.01, 0.03)),
            lost=chance.choice((0.0, 0.15, 0.4)),
            harm=chance.choice((0.0, 0.3, 0.7)),
            down_max=chance.choice((1, 2, 4)),
        )


@dataclass
class Open:
    """A transaction that a client keeps until it has an answer."""

    raw: bytes
    """Its bytes."""
    id: bytes
    """Its id."""
    expires_at_ms: int
    """Ledger time from which it never will be."""
    attempts: int = 0
    """Bundles that it was put into."""
