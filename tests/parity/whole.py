"""A chain under one body, from the door to the log: what is told to it, and all that it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tallystick.accel import Body
from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.verdicts import Verdicts
from tallystick.gateway.admit import Admission
from tallystick.ledger.block import Entry
from tallystick.ledger.candidate import Run
from tallystick.ledger.execute import Ledger
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import Transaction
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.values.codec import decode, encode


@dataclass(frozen=True, slots=True)
class Step:
    """What is told to a chain at one moment."""

    time_ms: int
    """Block time."""
    ledger_ms: int
    """Ledger time at the door."""
    raws: tuple[bytes, ...]
    """Transactions as they travel; none when time passes."""


@dataclass(frozen=True, slots=True)
class Said:
    """All that a chain says of a step."""

    door: tuple[str, ...]
    """Of each transaction its id, or why it does not come in."""
    entry: bytes | None
    """The block as the log holds it: header, receipts, changes, roots; None when none was made."""
    name: bytes
    """Hash of the header; empty when no block was made."""
    answers: tuple[tuple[bytes, bytes, int | None], ...]
    """Id, encoded receipt and height of each answer."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A step whose block was executed and is not kept yet."""

    door: tuple[str, ...]
    """What the door said."""
    run: Run
    """What came of the others."""
    is_block: bool
    """Whether there is a block to be made."""


class Whole:
    """Door, ledger, tree, log and store under one body, from the genesis on."""

    def __init__(self, ledger: Ledger, body: Body) -> None:
        """Begin with the genesis; ledger and caches are its own.

        What a rule raises becomes a receipt, as on a node: the desk, an application of tests, is
        not made for several transactions that were asked for over the same state.
        """
        self.body = body
        self.disk = SimulatedDisk()
        self.store = MemoryStore()
        self._start(ledger)

    def _start(self, ledger: Ledger) -> None:
        """Open what log and store hold; nothing is remembered of what was done before."""
        self.ledger = Ledger(ledger.rules.apps, ledger.authority, ledger.genesis)
        self._log = FileLog.open(self.disk, "blocks", ledger.genesis.hash)
        self.chain = Chain(self.ledger, self._log, self.store, body=self.body)
        self._door = Admission(self.ledger, Verdicts(self.body.open_batch))

    def tell(self, step: Step) -> Said:
        """Have a step's block executed and kept."""
        return self._keep(self._execute(step))

    def tell_all(self, steps: Iterable[Step]) -> Iterator[Said]:
        """The same of many, each executed before the block ahead of it is kept, as a node does."""
        waiting: Executed | None = None
        for step in steps:
            ahead = (waiting.run,) if waiting is not None and waiting.is_block else ()
            executed = self._execute(step, ahead)
            if waiting is not None:
                yield self._keep(waiting)
            waiting = executed
        if waiting is not None:
            yield self._keep(waiting)

    def said_since(self, height: int) -> list[tuple[Step, Said]]:
        """Blocks after a height in which only time passed."""
        found = []
        for number in range(height + 1, self.chain.state.tip.height + 1):
            raw = self._log.read(number)
            entry = decode(Entry, raw)
            step = Step(entry.header.time_ms, entry.ledger_ms, entry.transactions)
            found.append((step, Said((), raw, entry.block_hash, ())))
        return found

    def restart(self) -> None:
        """Start again; `Halted` when a tree made anew has another root than the log."""
        self._start(self.ledger)

    def records(self) -> dict[bytes, bytes]:
        """What the state store holds."""
        return dict(self.store.scan(b""))

    def _execute(self, step: Step, ahead: Sequence[Run] = ()) -> Executed:
        """Ask the door, and execute what comes in."""
        read = self._door.admit(step.raws, step.ledger_ms)
        transactions = [each for each in read if isinstance(each, Transaction)]
        run, is_block = self.chain.run(step.time_ms, transactions, ahead)
        return Executed(tuple([_at_door(each) for each in read]), run, is_block)

    def _keep(self, executed: Executed) -> Said:
        """Keep the block, if it is one."""
        if not executed.is_block:
            return _said(executed.door, None, self.chain.say(executed.run))
        committed = self.chain.keep(executed.run)
        return _said(executed.door, self._log.read(committed.header.height), committed)


def _at_door(read: Transaction | Refused) -> str:
    """What the door says of a transaction."""
    if isinstance(read, Transaction):
        return read.id.hex()
    return f"{read.code.app} {read.code.name} {read.values}"


def _said(door: tuple[str, ...], entry: bytes | None, committed: Committed) -> Said:
    """What was said of a step."""
    answers = tuple(
        [(each.transaction_id, encode(each.receipt), each.height) for each in committed.answers]
    )
    return Said(door, entry, committed.header_hash, answers)


def difference(one: Said, other: Said) -> str | None:
    """In which things two answers to one step are not the same; None when they are."""
    found = [name for name in ("door", "answers") if getattr(one, name) != getattr(other, name)]
    if one.entry is not None and other.entry is not None and one.entry != other.entry:
        first, second = decode(Entry, one.entry), decode(Entry, other.entry)
        parts = Entry.__struct_fields__
        found += [each for each in parts if getattr(first, each) != getattr(second, each)]
    if one != other and not found:
        found = ["block"]
    return ", ".join(found) or None
