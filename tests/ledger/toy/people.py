"""Who uses the toy: parties by their names, and a world of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.ledger.app import Record
from tallystick.ledger.authority import Signed
from tallystick.ledger.context import Context
from tallystick.ledger.genesis import BUDGET, Budget
from tallystick.ledger.refusal import require
from tallystick.ledger.transaction import Call
from tallystick.ledger.view import Reader
from tallystick.testing.world import World, public_key
from tests.ledger.toy import APP
from tests.ledger.toy.records import Secret
from tests.ledger.toy.refusals import Refusal

OFFICERS = ("A.m", "B.m", "C.m", "S.m")


class Keys:
    """An authority: one key a party; `S` sees all. It notes its decisions of who asks too much."""

    def __init__(self, *, bug: bool = False, writes: bool = False) -> None:
        """With a bug, it fails; it may write a record of its own."""
        self.party_of = {public_key(officer): officer.partition(".")[0] for officer in OFFICERS}
        self.bug = bug
        self.writes = writes

    def authorize(
        self, ctx: Context, calls: tuple[Call[Any], ...], keys: tuple[bytes, ...]
    ) -> tuple[Signed, ...]:
        """Each party signs for itself."""
        if self.bug:
            raise KeyError("a bug on purpose")
        held = {self.party_of.get(key, "") for key in keys}
        for call in calls:
            require(call.party in held, Refusal.UNKNOWN_KEY, party=call.party)
        if self.writes and ctx.peek(Secret, ctx.party) is None:
            ctx.add(Secret(party=ctx.party))
        return tuple(Signed(call.outlet, ("m",)) for call in calls)

    def reader_of(self, reader: Reader, key: bytes) -> str | None:
        """Party of a key."""
        return self.party_of.get(key)

    def sees_all(self, reader: Reader, party: str) -> bool:
        """Only S does."""
        return party == "S"


def toy_world(
    *,
    records: Sequence[Record] = (),
    budget: Budget = BUDGET,
    version: int = 2,
    strict: bool = True,
    authority: Keys | None = None,
    timers_per_block: int = 1_000,
) -> World:
    """A world where the toy alone is played."""
    return World(
        [APP],
        authority or Keys(),
        records,
        budget=budget,
        versions={"toy": version},
        strict=strict,
        timers_per_block=timers_per_block,
    )
