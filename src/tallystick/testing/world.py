"""A whole network in one process for tests: members with keys, a clock that only tests move.

    world = World.of(founders)
    piece = world.accepts("D1.maker+checker", Confirm(...)).id
    world.refuses("S2.maker+checker", Split(...), Refusal.NOT_HOLDER)
    world.passes(days=97)

Invariants of every application are checked after every block: those that read a kind of record that
the block changed; when time has passed, all of them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick import accel
from tallystick.engine.base import Answer
from tallystick.engine.chain import Chain
from tallystick.ledger.app import App, Invariant, Message, Record
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
from tallystick.values.codec import decode_key, encode
from tallystick.values.time import at
from tallystick.values.units import AT_MS_MAX

OPENS = ("2026-07-03", 9 * 60)
"""Day and minute at which a world opens, in the zone of `ZONE_MINUTES`."""
ZONE_MINUTES = 480
"""Offset of the world's zone from UTC: China."""
EXPIRY_MS = 10 * 60_000
"""How long a transaction may wait for its block."""
STEP_MS = 1
"""Time between two blocks."""
TIMERS_PER_BLOCK = 1_000
"""Most timers run in one block, unless told otherwise."""


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


class Pairs(Protocol):
    """What a world reads of its store."""

    def get(self, key: bytes) -> bytes | None:
        """Value of a key."""

    def scan(self, prefix: bytes, start: bytes | None = None) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix, from `start` on, in key order."""


class Remembered:
    """Records of a store; what was decoded once is not decoded again."""

    def __init__(
        self,
        pairs: Pairs,
        decoders: Mapping[str, msgspec.msgpack.Decoder[Any]],
        memory: dict[bytes, Record],
    ) -> None:
        """Read `pairs`; `memory` holds records by their bytes."""
        self._pairs = pairs
        self._decoders = decoders
        self._memory = memory
        self.names: set[str] = set()
        """Names of the records that were read, or looked for."""

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""
        self.names.add(name)
        raw = self._pairs.get(key)
        return None if raw is None else self._decoded(name, raw)

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""
        self.names.add(name)
        for key, raw in self._pairs.scan(prefix, start):
            yield key, self._decoded(name, raw)

    def _decoded(self, name: str, raw: bytes) -> Record:
        """The record that the bytes say."""
        found = self._memory.get(raw)
        if found is None:
            found = self._memory[raw] = cast(Record, self._decoders[name].decode(raw))
        return found


@cache
def private_key(officer: str) -> Ed25519PrivateKey:
    """Test key of an officer, `S1.maker`, derived from the name; `S1.maker/2` is a second key."""
    seed = hashlib.sha256(b"tallystick/test-key/1" + officer.encode()).digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


@cache
def public_key(officer: str) -> bytes:
    """Public half of an officer's test key."""
    return private_key(officer).public_key().public_bytes_raw()


def chosen_body() -> accel.Body:
    """The body that TALLY_ACCEL names; the Python one when nothing is said."""
    return accel.load(os.environ.get("TALLY_ACCEL", "python"))


class World:
    """A chain over a simulated disk and a memory store, in strict mode.

    TALLY_ACCEL says which body of `accel` it has; the Python one when nothing is said.
    """

    is_watched = True
    """Whether invariants are checked after every block."""

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
        timers_per_block: int = TIMERS_PER_BLOCK,
    ) -> None:
        """Open a chain with first records. `versions`: rules in force, newest by default."""
        opens_at_ms = at(opens[0], opens[1], ZONE_MINUTES)
        newest = {app.name: app.version for app in apps} | (versions or {})
        genesis = Genesis(
            format=1,
            name="world",
            time_ms=opens_at_ms,
            horizon_ms=HORIZON_MS,
            timers_per_block=timers_per_block,
            budget=budget,
            trial=trial,
            apps=tuple(AppVersion(app=app.name, version=newest[app.name]) for app in apps),
            records=tuple(encode(record) for record in records),
        )
        self._begin(apps, authority, genesis, strict=strict)

    @classmethod
    def begun(
        cls, apps: Sequence[App], authority: Authority, genesis: Genesis, *, strict: bool = True
    ) -> World:
        """A world whose chain begins with a genesis that was made elsewhere."""
        made = object.__new__(cls)
        made._begin(apps, authority, genesis, strict=strict)
        return made

    def _begin(
        self, apps: Sequence[App], authority: Authority, genesis: Genesis, *, strict: bool
    ) -> None:
        """Open the chain of a genesis."""
        self.now_ms = genesis.time_ms
        self.genesis = genesis
        self.ledger = Ledger(apps, authority, self.genesis, strict=strict)
        self.body = chosen_body()
        self.disk = SimulatedDisk()
        self.store = MemoryStore()
        self.chain = self._open()
        self._references = 0
        self._memory: dict[bytes, Record] = {}
        self._reads: dict[Invariant, set[str]] = {}
        self.check()

    def _open(self) -> Chain:
        """Open the chain over the world's disk and store."""
        log = FileLog.open(self.disk, "blocks", self.genesis.hash)
        return Chain(self.ledger, log, self.store, body=self.body)

    # --- steps

    def accepts(self, who: str, message: Message, *, outlet: str | None = None) -> Result:
        """Send a message signed by `who` (`S1.maker+checker`); it must be accepted."""
        return self.accepts_together((who, message), outlet=outlet)

    def refuses(
        self, who: str, message: Message, code: RefusalCode, /, **values: str | int
    ) -> Result:
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
        return self.offers(raw)[0]

    def offers(self, *raws: bytes) -> tuple[Answer, ...]:
        """Offer several transactions for one block, in order; answers in the same order."""
        self.now_ms += STEP_MS
        opened = self.body.open_batch(raws).opened
        transactions = list(map(self.ledger.codec.decode_opened, raws, opened))
        committed = self.chain.next_block(self.now_ms, transactions)
        if committed is None:
            raise WorldProblem("no answer")
        if committed.header_hash:
            self._check_changed(committed.header.height)
        by_id = {answer.transaction_id: answer for answer in committed.answers}
        return tuple(by_id[transaction.id] for transaction in transactions)

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
        if max(target, ledger_ms) > AT_MS_MAX:
            raise WorldProblem("time does not go on for so long")
        while (due := self.ledger.next_wake_ms(self.chain.state)) is not None and due <= target:
            self.now_ms = max(self.now_ms, due)
            committed = self.chain.next_block(self.now_ms, [])
            if committed is not None and committed.header_hash:
                self._check_changed(committed.header.height)
        self.now_ms = target
        self.check()

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
        twin._memory, twin._reads = dict(self._memory), dict(self._reads)
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
        kept = Remembered(self.store.snapshot(), self.ledger.rules.decoders, self._memory)
        sees_all = asker is None
        if asker is not None:
            everything = self._view(kept, None, sees_all=True)
            sees_all = self.ledger.authority.sees_all(everything, asker)
        return self._view(kept, asker, sees_all=sees_all)

    def _view(self, kept: Remembered, asker: str | None, *, sees_all: bool) -> View:
        """A view over what is kept."""
        return View(
            kept,
            height=self.chain.state.tip.height,
            now_ms=self.ledger_ms,
            asker=asker,
            sees_all=sees_all,
            history=self.chain.history,
        )

    def check(self) -> None:
        """Every invariant of every application holds."""
        if self.is_watched:
            self._check(None)

    def _check_changed(self, height: int) -> None:
        """The invariants that read a kind of record that a block changed."""
        if not self.is_watched:
            return
        entry = self.chain.entry(height)
        keys = [key for changes in entry.changes for key, _ in changes]
        keys += [key for key, _ in entry.own_changes]
        self._check({str(decode_key(key)[0]) for key in keys})

    def _check(self, changed: Collection[str] | None) -> None:
        """Invariants that read one of some kinds of record; None for all."""
        for app in self.ledger.rules.apps:
            for invariant in app.invariant_functions:
                read = self._reads.get(invariant)
                if changed is None or read is None or not read.isdisjoint(changed):
                    self._check_one(app, invariant)

    def _check_one(self, app: App, invariant: Invariant) -> None:
        """One invariant, over the state as it is."""
        kept = Remembered(self.store, self.ledger.rules.decoders, self._memory)
        for sentence in invariant(self._view(kept, None, sees_all=True)):
            raise WorldProblem(f"{app.name}.{invariant.__name__}: {sentence}")
        self._reads[invariant] = kept.names

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
