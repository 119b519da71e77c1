"""One run: played under one body, told again to a chain under the other, compared step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from tallystick.accel import Body
from tallystick.ledger.receipt import Receipt
from tallystick.testing.world import STEP_MS, World
from tallystick.values.codec import decode, encode
from tests.parity.plays import PLAYS, Asked, Author, opened
from tests.parity.whole import Said, Step, Whole, difference

RUN_TRANSACTIONS = 300
"""Transactions of an application in one run; each run begins again from the opening."""
NO_RECEIPT = encode(None)


@dataclass
class Played:
    """What came of a run, or of several."""

    transactions: int = 0
    """Transactions of the application that were told to both chains."""
    blocks: int = 0
    """Blocks compared."""
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often a message came to an outcome."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How often each refusal was met."""
    differences: list[str] = field(default_factory=list)
    """Where the bodies did not say the same."""

    def add(self, other: Played) -> None:
        """Add what came of another."""
        self.transactions += other.transactions
        self.blocks += other.blocks
        self.messages += other.messages
        self.refusals += other.refusals
        self.differences += other.differences


class Run:
    """One run of an application."""

    def __init__(self, app: str, seed: int, number: int, bodies: tuple[Body, Body]) -> None:
        """Begin in the application's opening, which both chains are told from the genesis on."""
        self._name = f"{app}, seed {seed}, run {number}"
        self._one, self._other = (Whole(opened(app).ledger, body) for body in bodies)
        self._played = Played()
        self._steps: list[tuple[Step, Said]] = []
        for entry in opened(app).chain.entries(1):
            self._tell(Step(entry.header.time_ms, entry.ledger_ms, entry.transactions))
        self._world = self._seen_by(opened(app))
        self._author = Author(PLAYS[app], self._world, Random(f"parity/{self._name}"))

    def _seen_by(self, opening: World) -> World:
        """A world over the first chain, for the author to look at."""
        world = opening.copy()
        world.chain, world.disk, world.store = self._one.chain, self._one.disk, self._one.store
        world.body, world.is_watched = self._one.body, False
        return world

    def play(self, transactions: int) -> Played:
        """Play so many transactions of the application, and compare."""
        while self._played.transactions < transactions and not self._played.differences:
            height = self._one.chain.state.tip.height
            asked = self._author.block(transactions - self._played.transactions)
            self._steps += self._one.said_since(height)
            world = self._world
            world.now_ms += STEP_MS
            raws = tuple(each.raw for each in asked)
            self._count(asked, self._tell(Step(world.now_ms, world.ledger_ms, raws)))
        self._compare()
        return self._played

    def _tell(self, step: Step) -> Said:
        """Tell the first chain, and remember what it says."""
        said = self._one.tell(step)
        self._steps.append((step, said))
        return said

    def _compare(self) -> None:
        """Tell the other chain the same, and look whether it says the same."""
        again = self._told_again()
        for number, ((_, one), other) in enumerate(zip(self._steps, again, strict=True)):
            self._played.blocks += one.entry is not None
            differs = difference(one, other)
            if differs is not None:
                self._played.differences.append(f"{self._name}, step {number}: {differs}")
                return
        if self._one.records() != self._other.records():
            self._played.differences.append(f"{self._name}: what the stores hold")

    def _told_again(self) -> Iterator[Said]:
        """What the other chain says, which starts anew after each third of the run."""
        third = len(self._steps) // 3 + 1
        for begin in range(0, len(self._steps), third):
            part = self._steps[begin : begin + third]
            yield from self._other.tell_all(step for step, _ in part)
            self._other.restart()

    def _count(self, asked: list[Asked], said: Said) -> None:
        """Count what came of each transaction."""
        receipts = {identity.hex(): receipt for identity, receipt, _ in said.answers}
        for each, at_door in zip(asked, said.door, strict=True):
            outcome = "turned away"
            if at_door in receipts:
                outcome = "expired"
                if receipts[at_door] != NO_RECEIPT:
                    receipt = decode(Receipt, receipts[at_door])
                    outcome = receipt.outcome.value
                    if receipt.app is not None:
                        no = f"{receipt.app} {self._world.name_of(receipt)}"
                        self._played.refusals[no] += 1
            else:
                self._played.refusals[" ".join(at_door.split(" ")[:2])] += 1
            self._played.messages.update((name, outcome) for name in each.messages)
            self._played.transactions += each.is_own
