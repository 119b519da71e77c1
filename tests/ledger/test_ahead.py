"""Blocks executed ahead of the committed state: byte for byte what they are one after the other."""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Queue
from random import Random

import pytest

from tallystick.accel import load
from tallystick.ledger.ahead import Ahead
from tallystick.ledger.app import Message
from tallystick.ledger.block import header_hash
from tallystick.ledger.candidate import Run, sealed_by
from tallystick.ledger.execute import pending_timers
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.state import State, genesis_tip
from tallystick.ledger.system import PendingTimer, UsedMinute
from tallystick.testing.world import World
from tallystick.values.codec import encode, encode_key
from tallystick.values.ids import derive_id
from tests.ledger.toy.messages import (
    Activate,
    CountUp,
    Double,
    Drop,
    Halve,
    Open,
    Ring,
    Silence,
    Take,
    Wind,
)
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note

MINUTE_MS = 60_000
BLOCKS = 30
PATIENCE_SECONDS = 60
NOTES = [Note(name="n", number=number) for number in range(40)]


@dataclass(frozen=True)
class Step:
    """One block: when it is made and what is offered."""

    time_ms: int
    """Block time, in milliseconds."""
    raws: tuple[bytes, ...]
    """Transactions as they travel."""


class History:
    """A random history: what is offered block by block, whatever comes of it."""

    def __init__(self, world: World, seed: int) -> None:
        """Begin with nothing open."""
        self._world = world
        self._random = Random(seed)
        self._counters: list[str] = [derive_id("ctr", bytes(32), 0, 0)]
        self._offered: list[bytes] = []
        self._bells: list[tuple[int, str]] = []

    def steps(self) -> Iterator[Step]:
        """The blocks; time passes between them, sometimes much of it."""
        world, rng = self._world, self._random
        for _ in range(BLOCKS):
            world.now_ms += rng.choice((0, 1, 1_000, 20_000, MINUTE_MS, 3 * MINUTE_MS))
            yield Step(world.now_ms, tuple([self._raw() for _ in range(rng.randrange(8))]))

    def _raw(self) -> bytes:
        """A transaction: new, offered before, or under a reference that was used."""
        rng, world = self._random, self._world
        if self._offered and rng.random() < 0.1:
            return rng.choice(self._offered[-20:])
        message = self._message()
        calls = [(f"{rng.choice('AABBX')}.m", message)]
        if rng.random() < 0.2:
            calls.append((f"{rng.choice('AB')}.m", self._message()))
        raw = world.signed(
            *calls,
            reference=f"shared-{rng.randrange(3)}" if rng.random() < 0.3 else None,
            expires_at_ms=world.ledger_ms
            + rng.choice((-1, 1, 30_000, *range(60_000, 600_000, 60_000))),
        )
        self._offered.append(raw)
        made = world.ledger.codec.decode(raw).id
        self._counters.append(derive_id("ctr", made, 0, 0))
        if isinstance(message, Ring):
            self._bells.append((message.at_ms, derive_id("tmr", made, 0, 0)))
        return raw

    def _message(self) -> Message:
        """What is asked."""
        rng, now_ms = self._random, self._world.ledger_ms
        counter, other = rng.choice(self._counters[-6:]), rng.choice(self._counters[-6:])
        due_ms, bell = (
            rng.choice(self._bells[-4:])
            if self._bells
            else (now_ms, derive_id("tmr", bytes(32), 0, 0))
        )
        asked: tuple[Message, ...] = (
            Open(currency="CNY"),
            Open(currency="CNY", closes_at_ms=now_ms + rng.randrange(2 * MINUTE_MS)),
            CountUp(counter_id=counter, by_minor=rng.randrange(-3, 9)),
            CountUp(counter_id=counter, by_minor=rng.randrange(-3, 9)),
            Double(counter_id=counter),
            Halve(counter_id=counter),
            Drop(counter_id=counter),
            Take(source=counter, target=other, currency="CNY", amount_minor=1),
            Ring(name="bell", at_ms=now_ms + rng.randrange(MINUTE_MS), every_ms=9_000, times=3),
            Silence(due_at_ms=due_ms, timer_id=bell),
            Wind(by_ms=rng.choice((1, MINUTE_MS // 2))),
            Activate(version=rng.choice((1, 2)), from_height=rng.randrange(1, BLOCKS)),
        )
        return rng.choice(asked)


@dataclass(frozen=True)
class Played:
    """What a history came to."""

    blocks: list[bytes]
    """Each block: header, receipts, changes, answers outside it."""
    seen: list[object]
    """What was seen of the base before each block was run."""
    root: bytes
    """Root of the state at the end."""


class Player:
    """A state of its own, and the blocks that are executed ahead of it."""

    def __init__(self, world: World, *, cache_max: int = 400_000) -> None:
        """Begin where the world stands."""
        self.ledger = world.ledger
        self.state = State(
            world.store.copy(),
            world.ledger.rules.decoders,
            genesis_tip(world.genesis.time_ms),
            tree=load("python").tree(),
            cache_max=cache_max,
        )
        self.blocks: list[bytes] = []
        self.seen: list[object] = []

    def run(self, step: Step, ahead: Sequence[Run]) -> Run:
        """Execute one block over those ahead."""
        base = Ahead(self.state, ahead) if ahead else self.state
        now_ms = step.time_ms + base.offset_ms()
        self.seen.append((base.height, now_ms, base.minutes_over(now_ms)))
        self.seen.append((base.next_minute_over_ms(), self.ledger.next_wake_ms(base)))
        for name in (Note.spec.name, Counter.spec.name, UsedMinute.spec.name):
            found = list(base.scan(name, encode_key(name), None))
            self.seen.append(found)
            self.seen += [list(base.scan(name, encode_key(name), key)) for key, _ in found[-2:]]
            self.seen += [base.load(name, key) for key, _ in found[-3:]]
        name, first = PendingTimer.spec.name, base.first_timer()
        for timer in pending_timers(base):
            assert encode_key(name, timer.due_at_ms, timer.timer_id) >= first
        transactions = [self.ledger.codec.decode(raw) for raw in step.raws]
        return self.ledger.run(base, step.time_ms, transactions, proposing=True)

    def keep(self, run: Run) -> None:
        """Commit a block that was executed."""
        candidate = self.ledger.seal(run, self.state)
        answers = tuple([(left.transaction.raw, left.receipt) for left in candidate.left_out])
        done = tuple([(each.encoded, each.changes) for each in candidate.done])
        self.blocks.append(encode((candidate.header, done, candidate.own_changes, answers)))
        self.state.commit(candidate, header_hash(candidate.header))

    def played(self) -> Played:
        """What came of it."""
        return Played(self.blocks, self.seen, self.state.root())


def history(seed: int) -> tuple[World, list[Step]]:
    """A world, and what is to be played from there."""
    world = toy_world(records=NOTES, version=1, strict=False, timers_per_block=3)
    start = world.copy()
    return start, list(History(world, seed).steps())


def in_turn(world: World, steps: Sequence[Step], depth: int, *, cache_max: int = 400_000) -> Played:
    """Play with so many blocks ahead of the state at most."""
    player = Player(world, cache_max=cache_max)
    ahead: deque[Run] = deque()
    for step in steps:
        ahead.append(player.run(step, ahead))
        while len(ahead) > depth:
            player.keep(ahead.popleft())
    for run in ahead:
        player.keep(run)
    return player.played()


def at_once(world: World, steps: Sequence[Step], depth: int) -> Played:
    """The same with a thread that executes and one that commits."""
    player = Player(world, cache_max=20)
    ahead: deque[Run] = deque()
    room = threading.Semaphore(depth)
    handed: Queue[Run | None] = Queue()

    def keep_all() -> None:
        while (run := handed.get(timeout=PATIENCE_SECONDS)) is not None:
            player.keep(run)
            ahead.popleft()
            room.release()

    with ThreadPoolExecutor(1) as threads:
        keeping = threads.submit(keep_all)
        for step in steps:
            while not room.acquire(timeout=0.1):
                assert not keeping.done(), keeping.exception()
            run = player.run(step, tuple(ahead))
            ahead.append(run)
            handed.put(run)
        handed.put(None)
        keeping.result()
    return player.played()


@pytest.fixture(name="restless")
def restless_threads() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.parametrize("seed", range(12))
def test_random_histories_come_out_the_same(seed: int) -> None:
    world, steps = history(seed)
    plain = in_turn(world, steps, 0)
    assert len(set(plain.blocks)) == BLOCKS
    for depth in (1, 2, 3):
        assert in_turn(world, steps, depth, cache_max=10 * depth) == plain


@pytest.mark.usefixtures("restless")
@pytest.mark.parametrize("seed", range(20, 26))
def test_another_thread_commits_meanwhile(seed: int) -> None:
    world, steps = history(seed)
    plain = in_turn(world, steps, 0)
    for depth in (1, 2, 3):
        assert at_once(world, steps, depth) == plain


def test_histories_have_everything_in_them() -> None:
    """Else the tests above would show less than they say."""
    outcomes, names = set(), set()
    dropped = left_out = 0
    for seed in range(12):
        world, steps = history(seed)
        player = Player(world)
        for step in steps:
            run = player.run(step, ())
            outcomes |= {each.outcome for each in sealed_by(load(), run)}
            outcomes |= {left.receipt.outcome for left in run.left_out if left.receipt is not None}
            names |= {type(each).__name__ for each in run.records.values() if each is not None}
            dropped += len(run.minutes_dropped)
            left_out += sum(left.receipt is None for left in run.left_out)
            player.keep(run)
    assert outcomes == set(Outcome)
    assert {"Counter", "Note", "PendingTimer", "UsedMinute", "Clock", "Activation"} <= names
    assert dropped > 50
    assert left_out > 50
