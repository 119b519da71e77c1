"""A whole network in one process for tests: members with keys, a clock that only tests move.

    world = World.of(founders)
    piece = world.accepts("D1.maker+checker", Confirm(...)).id
    world.refuses("S2.maker+checker", Split(...), Refusal.NOT_HOLDER)
    world.passes(days=97)

Invariants of every application are checked after every step.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.engine.base import Answer
from tallystick.engine.chain import Chain
from tallystick.ledger.app import App, Message, Record
from tallystick.ledger.authority import Authority
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import BUDGET, HORIZON_MS, AppVersion, Budget, Genesis
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.ledger.refusal import RefusalCode
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.transaction import (
    SUITE_ED25519,
    Body,
    Call,
    Signature,
    assemble,
    signed_bytes,
)
from tallystick.ledger.view import View
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.values.codec import encode
from tallystick.values.time import at

OPENS = ("2026-07-03", 9 * 60)
"""Day and minute at which a world opens, in the zone of `ZONE_MINUTES`."""
ZONE_MINUTES = 480
"""Offset of the world's zone from UTC: China."""
EXPIRY_MS = 10 * 60_000
STEP_MS = 1


class WorldProblem(AssertionError):
    """A test's expectation of the world is not met."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a transaction."""

    receipt: Receipt
    """The ledger's receipt."""
    height: int | None
    """Block that holds it; None when it was answered outside the chain."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids made, in the order made."""
        return self.receipt.ids

    @property
    def id(self) -> str:
        """The first id made."""
        if not self.ids:
            raise WorldProblem("the transaction made no id")
        return self.ids[0]


def private_key(officer: str) -> Ed25519PrivateKey:
    """Test key of an officer, `S1.maker`, derived from the name; `S1.maker/2` is a second key."""
    seed = hashlib.sha256(b"tallystick/test-key/1" + officer.encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def public_key(officer: str) -> bytes:
    """Public half of an officer's test key."""
    return private_key(officer).public_key().public_bytes_raw()


class World:
    """A chain over a simulated disk and a memory store, in strict mode."""

    def __init__(
        self,
        apps: Sequence[App],
        authority: Authority,
        records: Sequence[Record] = (),
        *,
        budget: Budget = BUDGET,
        versions: dict[str, int] | None = None,
        strict: bool = True,
        opens: tuple[str, int] = OPENS,
        trial: bool = False,
    ) -> None:
        """Open a chain with first records. `versions`: rules in force, newest by default."""
        self.now_ms = at(opens[0], opens[1], ZONE_MINUTES)
        newest = {app.name: app.version for app in apps} | (versions or {})
        self.genesis = Genesis(
            format=1,
            name="world",
            time_ms=self.now_ms,
            horizon_ms=HORIZON_MS,
            timers_per_block=1000,
            budget=budget,
            trial=trial,
            apps=tuple(AppVersion(app=app.name, version=newest[app.name]) for app in apps),
            records=tuple(encode(record) for record in records),
        )
        self.ledger = Ledger(apps, authority, self.genesis, strict=strict)
        self.disk = SimulatedDisk()
        self.store = MemoryStore()
        self.chain = self._open()
        self._references = 0
        self.check()

    def _open(self) -> Chain:
        """Open the chain over the world's disk and store."""
        log = FileLog.open(self.disk, "blocks", self.genesis.hash)
        return Chain(self.ledger, log, self.store)

    # --- steps

    def accepts(self, who: str, message: Message, *, outlet: str | None = None) -> Result:
        """Send a message signed by `who` (`S1.maker+checker`); it must be accepted."""
        return self.accepts_together((who, message), outlet=outlet)

    def refuses(self, who: str, message: Message, code: RefusalCode, **values: str | int) -> Result:
        """Send a message; it must be refused with this code, and with these values if given."""
        return self.refuses_together((who, message), code=code, **values)

    def accepts_together(self, *calls: tuple[str, Message], outlet: str | None = None) -> Result:
        """Send several calls as one transaction; all must happen."""
        result = self.send(*calls, outlet=outlet)
        if result.receipt.outcome is not Outcome.ACCEPTED:
            raise WorldProblem(f"expected acceptance, got {self.told(result.receipt)}")
        return result

    def refuses_together(
        self, *calls: tuple[str, Message], code: RefusalCode, **values: str | int
    ) -> Result:
        """Send several calls as one transaction; it must be refused with this code."""
        result = self.send(*calls)
        receipt = result.receipt
        if (receipt.app, receipt.code) != (code.app, code.number):
            raise WorldProblem(
                f"expected {code.app} {code.number} {code.name}, got {self.told(receipt)}"
            )
        told = {value.name: value.value for value in receipt.values}
        for name, value in values.items():
            if told.get(name) != value:
                raise WorldProblem(f"expected {name}={value}, got {told}")
        return result

    def send(
        self, *calls: tuple[str, Message], outlet: str | None = None, reference: str | None = None
    ) -> Result:
        """Send calls as one transaction in a block of its own; answer whatever comes."""
        raw = self.signed(*calls, outlet=outlet, reference=reference)
        answer = self.offer(raw)
        if answer.receipt is None:
            raise WorldProblem("the transaction expired or was offered before")
        return Result(answer.receipt, answer.height)

    def offer(self, raw: bytes) -> Answer:
        """Offer a transaction's bytes for the next block and make it."""
        self.now_ms += STEP_MS
        transaction = self.ledger.codec.decode(raw)
        committed = self.chain.next_block(self.now_ms, [transaction])
        self.check()
        if committed is None:
            raise WorldProblem("no answer")
        return next(a for a in committed.answers if a.transaction_id == transaction.id)

    def signed(
        self,
        *calls: tuple[str, Message],
        outlet: str | None = None,
        reference: str | None = None,
        expires_at_ms: int | None = None,
        keys: Sequence[str] | None = None,
    ) -> bytes:
        """Bytes of a transaction signed by the officers that the calls name, or by `keys`."""
        self._references += 1
        made: list[Call[Any]] = []
        signers: list[str] = []
        for who, message in calls:
            party, officers = split_who(who)
            made.append(Call(party=party, message=message, outlet=outlet))
            signers += [f"{party}.{officer}" for officer in officers]
        body = encode(
            Body(
                chain_id=self.ledger.chain_id,
                sender=made[0].party,
                reference=reference or f"ref-{self._references}",
                expires_at_ms=expires_at_ms or self.ledger_ms + EXPIRY_MS,
                calls=tuple(made),
            )
        )
        return assemble(body, [sign(key, body) for key in dict.fromkeys(keys or signers)])

    def passes(
        self, *, days: int = 0, hours: int = 0, minutes: int = 0, to: tuple[str, int] | None = None
    ) -> None:
        """Let time pass, or let it be a day and minute of the zone; run what falls due."""
        if to is not None:
            self.passes_until(at(to[0], to[1], ZONE_MINUTES))
        else:
            self.passes_until(self.ledger_ms + ((days * 24 + hours) * 60 + minutes) * 60_000)

    def passes_until(self, ledger_ms: int) -> None:
        """Let ledger time be that instant; run what falls due on the way, in order."""
        target = ledger_ms - self.offset_ms
        if target < self.now_ms:
            raise WorldProblem("time goes forward only")
        while (due := self.ledger.next_wake_ms(self.chain.state)) is not None and due <= target:
            self.now_ms = max(self.now_ms, due)
            self.chain.next_block(self.now_ms, [])
            self.check()
        self.now_ms = target

    def restarts(self) -> None:
        """Close the chain and recover it from log and store."""
        self.chain = self._open()
        self.check()

    def copy(self) -> World:
        """Another world that has come as far as this one."""
        twin = object.__new__(World)
        twin.__dict__.update(self.__dict__)
        twin.disk = self.disk.clone()
        twin.store = MemoryStore()
        twin.chain = twin._open()
        return twin

    # --- looks

    @property
    def offset_ms(self) -> int:
        """Ledger time less block time."""
        return self.chain.state.offset_ms()

    @property
    def ledger_ms(self) -> int:
        """Ledger time now."""
        return self.now_ms + self.offset_ms

    def view(self, asker: str | None = None) -> View:
        """State as a party may see it; None sees all."""
        sees_all = asker is None
        if asker is not None:
            sees_all = self.ledger.authority.sees_all(self.view(), asker)
        return self.chain.view(now_ms=self.ledger_ms, asker=asker, sees_all=sees_all)

    def check(self) -> None:
        """Every invariant of every application holds."""
        view = self.chain.view(now_ms=self.ledger_ms)
        for app in self.ledger.rules.apps:
            for invariant in app.invariant_functions:
                for sentence in invariant(view):
                    raise WorldProblem(f"{app.name}.{invariant.__name__}: {sentence}")

    def told(self, receipt: Receipt) -> str:
        """A receipt in a line."""
        if receipt.outcome is Outcome.ACCEPTED:
            return "accepted"
        values = " ".join(f"{value.name}={value.value}" for value in receipt.values)
        code = f"{receipt.app} {receipt.code} {self.name_of(receipt)}"
        return f"{receipt.outcome.value} {code}: {values}"

    def name_of(self, receipt: Receipt) -> str:
        """Name of a receipt's refusal."""
        codes: list[type[RefusalCode]] = [
            LedgerRefusal,
            *(app.refusals for app in self.ledger.rules.apps),
        ]
        return next(each for each in codes if each.app == receipt.app)(receipt.code).name


def split_who(who: str) -> tuple[str, tuple[str, ...]]:
    """`S1.maker+checker` → `S1` and its officers."""
    party, _, officers = who.partition(".")
    return party, tuple(officers.split("+")) if officers else ()


def sign(officer: str, body: bytes) -> Signature:
    """An officer's signature under a body, by the test key."""
    key = private_key(officer)
    return Signature(
        suite=SUITE_ED25519,
        public_key=key.public_key().public_bytes_raw(),
        signature=key.sign(signed_bytes(body)),
    )
