"""Who may sign in the till: a key's party is known by a list, and `sup` sees all."""

from __future__ import annotations

from tallystick.ledger.app import Message
from tallystick.ledger.authority import Signed
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.transaction import Call
from tallystick.ledger.view import Reader
from tallystick.testing.world import public_key
from tests.till.refusals import Refusal

SUPERVISOR = "sup"


class People:
    """An authority over a fixed list of keys."""

    def __init__(self, *names: str) -> None:
        """`A.clerk` signs for party A."""
        self._party_of = {public_key(name): name.split(".")[0] for name in names}

    def authorize(
        self, ctx: Context, calls: tuple[Call[Message], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """Every party has signed, and nobody else."""
        parties = {self._party_of.get(key) for key in keys}
        require(None not in parties, Refusal.UNKNOWN_KEY)
        for call in calls:
            require(call.party in parties, Refusal.NOT_ALL_SIGNED, party=call.party)
        return tuple(Signed(None, ("clerk",)) for _ in calls)

    def reader_of(self, reader: Reader, key: bytes) -> str | None:
        """Party of a key."""
        return self._party_of.get(key)

    def sees_all(self, reader: Reader, party: str) -> bool:
        """Whether it is the supervisor."""
        return party == SUPERVISOR


NAMES = ("A.clerk", "B.clerk", "C.clerk", "sup.viewer")
"""The till's officers."""
PEOPLE = People(*NAMES)
"""The till's people."""
