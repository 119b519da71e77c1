"""The whole chain over a disk that forgets: nothing committed is lost, nothing happens twice.

A small story is played block by block. The power is cut at every operation of the disk; what was
written after the last flush is then dropped, torn, kept or reordered, and the state store is set
back to every earlier checkpoint, or is empty. The chain comes back at the last committed block with
the root it had, gives every answer that it gave before, and plays the story to the same end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tallystick.engine.chain import Chain
from tallystick.ledger.execute import Ledger
from tallystick.ledger.receipt import Receipt
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import Fate, PowerCut, SimulatedDisk, Write
from tallystick.testing.world import World, chosen_body
from tests.ledger.toy.messages import CountUp, Open, Ring
from tests.ledger.toy.people import toy_world

SEGMENT_BYTES = 2_500
"""So small that the story fills several segments."""


@dataclass(frozen=True)
class Step:
    """One block of the story: when it is made and what is offered."""

    time_ms: int
    """Block time, in milliseconds."""
    raws: tuple[bytes, ...]
    """Transactions as they travel."""


@dataclass(frozen=True)
class Story:
    """What is played, and what it comes to when nothing goes wrong."""

    ledger: Ledger
    """The rules."""
    genesis_hash: bytes
    """What the log begins with."""
    steps: tuple[Step, ...]
    """A step for each block."""
    roots: tuple[bytes, ...]
    """State root after each block, genesis first."""
    receipts: dict[bytes, tuple[int, Receipt]]
    """Height and receipt of each transaction."""


def told() -> Story:
    """Counters, a refusal, a bell that rings twice, references that expire."""
    world = toy_world()
    begins = world.now_ms
    ring = Ring(name="noon", at_ms=world.ledger_ms + 90_000, every_ms=60_000, times=2)
    opening = world.signed(("A.m", Open(currency="CNY")), ("B.m", Open(currency="CNY")))
    made = toy_world().offer(opening).receipt
    assert made is not None
    mine, theirs = made.ids
    expiring = world.ledger_ms + 61_000
    count = [
        world.signed(("A.m", CountUp(counter_id=mine, by_minor=number)), expires_at_ms=at)
        for number, at in ((1, expiring), (2, None), (3, None), (4, None))
    ]
    stranger = world.signed(("B.m", CountUp(counter_id=mine, by_minor=1)))
    both = world.signed(
        ("A.m", CountUp(counter_id=mine, by_minor=5)),
        ("B.m", CountUp(counter_id=theirs, by_minor=5)),
    )
    steps = (
        Step(begins + 1, (opening,)),
        Step(begins + 1_000, (count[0], stranger)),
        Step(begins + 2_000, (world.signed(("A.m", ring)),)),
        Step(begins + 100_000, (count[1],)),  # the bell rings, on the way
        Step(begins + 130_000, ()),  # the first minute of references is over
        Step(begins + 170_000, (both, count[2])),  # it rings again
        Step(begins + 171_000, (count[3],)),
    )
    return played(world, steps)


def played(world: World, steps: tuple[Step, ...]) -> Story:
    """The story as it goes when nothing goes wrong."""
    genesis = world.genesis.hash
    story = Story(world.ledger, genesis, steps, (), {})
    chain = opened(story, SimulatedDisk(), MemoryStore())
    roots = [chain.state.root()]
    receipts = {}
    for step in steps:
        for identity, height, receipt in play(chain, step):
            receipts[identity] = (height, receipt)
        roots.append(chain.state.root())
    assert chain.state.tip.height == len(steps)
    assert len(set(roots)) == len(roots)
    return Story(world.ledger, genesis, steps, tuple(roots), receipts)


def opened(story: Story, disk: SimulatedDisk, store: MemoryStore) -> Chain:
    """A chain over what disk and store hold."""
    log = FileLog.open(disk, "blocks", story.genesis_hash, segment_bytes=SEGMENT_BYTES)
    return Chain(story.ledger, log, store, body=chosen_body())


def play(chain: Chain, step: Step) -> list[tuple[bytes, int, Receipt]]:
    """One block; the answers of what was offered."""
    transactions = [chain.ledger.codec.decode(raw) for raw in step.raws]
    committed = chain.next_block(step.time_ms, transactions)
    assert committed is not None
    answered = []
    for answer in committed.answers:
        assert answer.receipt is not None
        assert answer.height is not None
        answered.append((answer.transaction_id, answer.height, answer.receipt))
    return answered


@dataclass
class Run:
    """A run that the power cut short."""

    disk: SimulatedDisk
    """The disk at that moment."""
    stores: list[MemoryStore]
    """The state store as it was after each block, genesis first, and at the end."""
    answered: int
    """Height up to which clients have their answers."""


def cut_short(story: Story, disk: SimulatedDisk, cut_at: int | None) -> Run:
    """Play until the power goes at an operation of the disk, or to the end."""
    if cut_at is not None:
        disk.cut_power_at(cut_at)
    store = MemoryStore()
    run = Run(disk, [], 0)
    try:
        chain = opened(story, disk, store)
        for height, step in enumerate(story.steps, 1):
            run.stores.append(store.copy())
            play(chain, step)
            run.answered = height
        run.stores.append(store.copy())
    except PowerCut:
        pass
    return run


def operations(story: Story) -> int:
    """Operations of the disk in a run that nothing interrupts."""
    disk = SimulatedDisk()
    assert cut_short(story, disk, None).answered == len(story.steps)
    return disk.operations


def outcomes(pending: Sequence[Write]) -> list[tuple[Fate, ...]]:
    """What may become of writes that were not flushed: dropped, kept, torn, and mixtures."""
    dropped = [(0, 0) for _ in pending]
    kept = [(0, write.length) for write in pending]
    head = [(0, write.length // 2) for write in pending]
    tail = [(write.length // 2, write.length) for write in pending]
    short = [(0, max(0, write.length - 1)) for write in pending]
    mixed = [dropped, kept, head, tail, short, dropped[:-1] + kept[-1:], kept[:-1] + dropped[-1:]]
    return sorted({tuple(fates) for fates in mixed})


def crashed(run: Run) -> Iterator[SimulatedDisk]:
    """The disk as it may be found when the power is back."""
    for fates in outcomes(run.disk.pending()):
        for is_shuffled in (False, True):
            twin = run.disk.clone()
            twin.restart(fates, is_shuffled=is_shuffled)
            yield twin
            if len(fates) < 2:
                break


def require_whole(story: Story, chain: Chain, answered: int) -> int:
    """Every committed block is there, once, with its root and answers. Its height."""
    height = chain.state.tip.height
    assert answered <= height <= answered + 1  # the block at hand may have become durable
    assert chain.state.root() == story.roots[height]
    seen = [receipt for entry in chain.entries(1) for receipt in entry.receipts]
    ids = [receipt.transaction_id for receipt in seen if receipt.transaction_id is not None]
    assert len(set(ids)) == len(ids)
    for identity, (at, receipt) in story.receipts.items():
        found = chain.answer(identity)
        expected = (at, receipt) if at <= height else None
        assert (None if found is None else (found.height, found.receipt)) == expected
    return height


def play_on(story: Story, chain: Chain, height: int) -> None:
    """Everything is offered once more; what was committed is only answered again."""
    for number, step in enumerate(story.steps, 1):
        if number > height:
            play(chain, step)
        elif step.raws:
            offered = [chain.ledger.codec.decode(raw) for raw in step.raws]
            now_ms = chain.state.tip.time_ms
            candidate = chain.ledger.execute(chain.state, now_ms, offered, proposing=True)
            assert not candidate.ids
            chain.state.drop(candidate)
    assert chain.state.root() == story.roots[-1]


@pytest.fixture(scope="module")
def story() -> Story:
    return told()


def test_the_power_fails_at_every_operation(story: Story) -> None:
    last = operations(story)
    assert last > 3 * len(story.steps)
    heights = set()
    for cut_at in range(1, last + 1):
        run = cut_short(story, SimulatedDisk(), cut_at)
        for disk in crashed(run):
            for store in [MemoryStore(), *run.stores]:
                chain = opened(story, disk.clone(), store.copy())
                heights.add(require_whole(story, chain, run.answered))
            chain = opened(story, disk, MemoryStore())
            play_on(story, chain, chain.state.tip.height)
    assert heights == set(range(len(story.steps) + 1))


def test_the_power_fails_again_while_the_chain_comes_back(story: Story) -> None:
    """Cutting off a torn end and writing the tip anew are writes as well."""
    first = cut_short(story, SimulatedDisk(), operations(story) - 2)
    for disk in crashed(first):
        again = disk.clone()
        before = again.operations
        opened(story, again, MemoryStore())
        for cut_at in range(1, again.operations - before + 1):
            second = disk.clone()
            second.cut_power_at(cut_at)
            with pytest.raises(PowerCut):
                opened(story, second, MemoryStore())
            for twice in crashed(Run(second, [], 0)):
                chain = opened(story, twice, MemoryStore())
                height = require_whole(story, chain, first.answered)
                play_on(story, chain, height)


def test_a_process_that_is_killed_loses_nothing_written(story: Story) -> None:
    for height in range(len(story.steps) + 1):
        disk, store = SimulatedDisk(), MemoryStore()
        chain = opened(story, disk, store)
        for step in story.steps[:height]:
            play(chain, step)
        disk.kill()
        chain = opened(story, disk, MemoryStore())
        assert require_whole(story, chain, height) == height
