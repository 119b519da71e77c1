"""What is remembered of members changes nothing: random histories with a memory and without.

Keys, officers, policies, delegations, licences and orders come and go between the transactions that
lean on them, within one block and in blocks that run ahead. Receipts, changes, answers, roots and
work budgets are compared byte for byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from tallystick.accel import load
from tallystick.apps.members.authority import AUTHORITY
from tallystick.apps.members.tests.counter.messages import PAY, Ask, Pay
from tallystick.apps.members.tests.network import APPS, network
from tallystick.apps.members.tests.test_stateful import ACTIONS, some_party
from tallystick.ledger.ahead import Ahead
from tallystick.ledger.app import Message
from tallystick.ledger.block import header_hash
from tallystick.ledger.candidate import Run
from tallystick.ledger.genesis import BUDGET
from tallystick.ledger.memory import Memory
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.state import State, genesis_tip
from tallystick.testing.world import World
from tallystick.values.codec import encode, replace

STEPS = 90
READS = (BUDGET.reads, 7, 9, 12, 16)
"""Reads of a transaction: enough, and so few that the last one more often than not is too many."""
CHOICES, WEIGHTS = list(ACTIONS), list(ACTIONS.values())


@dataclass(frozen=True)
class Step:
    """One block: when it is made and what is offered."""

    time_ms: int
    """Block time, in milliseconds."""
    raws: tuple[bytes, ...]
    """Transactions as they travel."""


def opened(reads: int) -> World:
    """The network on its first morning, with such a work budget."""
    genesis = replace(network().genesis, budget=replace(BUDGET, reads=reads))
    return World.begun(APPS, AUTHORITY, genesis)


def leaning(rng: Random, world: World) -> list[tuple[str, Message]]:
    """What changes nothing and depends on members: a payment, a question."""
    party, other = some_party(rng, world), some_party(rng, world)
    signers = rng.choice(("maker+checker", "maker", "maker+checker+approver", "admin+checker"))
    what = rng.choice(("known", "active", "licensed", "account"))
    asked: list[tuple[str, Message]] = [
        (f"{party}.{signers}", Pay(amount_minor=rng.choice((1, 400, 900, 10**7)), currency="CNY")),
        (f"{party}.{signers}", Ask(what=what, party=other, about=rng.choice((PAY, "a.b")))),
    ]
    return rng.sample(asked, rng.randint(1, 2))


def history(world: World, seed: int) -> Iterator[tuple[int, bytes]]:
    """Random messages, each with the time of its block; the world plays along."""
    rng = Random(seed)
    for _ in range(STEPS):
        asked: Any = rng.choices(CHOICES, WEIGHTS)[0](rng, world)
        several = [asked] if asked and isinstance(asked[0], str) else list(asked or ())
        for calls in ([several] if several else []) + [leaning(rng, world) for _ in range(3)]:
            raw = world.signed(*calls)
            world.offer(raw)
            yield world.now_ms, raw


def in_blocks(seed: int, reads: int) -> tuple[World, list[Step]]:
    """A world, and blocks of several transactions to be played from there."""
    world = opened(reads)
    start, rng = world.copy(), Random(seed)
    waiting = list(history(world, seed))
    steps = []
    while waiting:
        count = rng.randint(1, 7)
        taken, waiting = waiting[:count], waiting[count:]
        steps.append(Step(taken[-1][0], tuple([raw for _, raw in taken])))
    return start, steps


class Player:
    """A state of its own, with a memory or without."""

    def __init__(self, world: World, *, memory: Memory) -> None:
        """Begin where the world stands."""
        self.ledger = world.ledger
        self.state = State(
            world.store.copy(),
            world.ledger.rules.decoders,
            genesis_tip(world.genesis.time_ms),
            tree=load("python").tree(),
        )
        self.state.memory = memory
        self.blocks: list[bytes] = []
        self.outcomes: set[tuple[Outcome, int]] = set()

    def run(self, step: Step, ahead: Sequence[Run] = ()) -> Run:
        """Execute one block over those ahead."""
        base = Ahead(self.state, ahead) if ahead else self.state
        transactions = [self.ledger.codec.decode(raw) for raw in step.raws]
        return self.ledger.run(base, step.time_ms, transactions, proposing=step.time_ms % 2 == 0)

    def keep(self, run: Run) -> None:
        """Commit a block that was executed."""
        candidate = self.ledger.seal(run, self.state)
        answers = tuple([(left.transaction.raw, left.receipt) for left in candidate.left_out])
        done = tuple([(each.encoded, each.changes) for each in candidate.done])
        self.blocks.append(encode((candidate.header, done, candidate.own_changes, answers)))
        receipts = [done.receipt for done in candidate.done]
        receipts += [left.receipt for left in candidate.left_out if left.receipt is not None]
        self.outcomes |= {(each.outcome, each.code) for each in receipts}
        self.state.commit(candidate, header_hash(candidate.header))


def played(
    world: World, steps: Sequence[Step], memory: Memory, *, depth: int = 0, trials: bool = False
) -> Player:
    """Play with so many blocks ahead; with trials, other candidates are executed in between."""
    player = Player(world, memory=memory)
    ahead: deque[Run] = deque()
    for place, step in enumerate(steps):
        if trials:
            player.run(Step(step.time_ms, steps[place - 1].raws[::-1] + step.raws[::-1]), ahead)
            player.run(step, ahead)
        ahead.append(player.run(step, ahead))
        while len(ahead) > depth:
            player.keep(ahead.popleft())
    for run in ahead:
        player.keep(run)
    return player


@pytest.mark.parametrize("reads", READS)
@pytest.mark.parametrize("seed", range(2))
def test_a_memory_changes_nothing(seed: int, reads: int) -> None:
    world, steps = in_blocks(seed, reads)
    plain = played(world, steps, Memory(0))
    for memory, depth, trials in (
        (Memory(), 0, False),
        (Memory(), 0, True),
        (Memory(40), 1, False),
        (Memory(), 2, True),
    ):
        other = played(world, steps, memory, depth=depth, trials=trials)
        assert other.blocks == plain.blocks
        assert other.state.root() == plain.state.root()
        assert memory


def test_histories_have_everything_in_them() -> None:
    """Else the test above would show less than it says."""
    outcomes = {reads: set[tuple[Outcome, int]]() for reads in READS}
    for reads in READS:
        world, steps = in_blocks(1, reads)
        outcomes[reads] = played(world, steps, Memory()).outcomes
    assert len(played(*in_blocks(1, READS[0]), Memory()).state.memory) > 20
    many = (Outcome.UNAUTHORISED, LedgerRefusal.TOO_MUCH_WORK.number)
    assert all(many in outcomes[reads] for reads in READS[1:3])
    assert (Outcome.ACCEPTED, 0) in outcomes[READS[0]]
    assert len(outcomes[READS[0]]) > 12
