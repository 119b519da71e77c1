"""The same blocks give the same receipts and roots: ordered here or there, ahead or not, again."""

from __future__ import annotations

import random

import pytest

from tallystick.engine.cometbft.blocks import Blocks, Ordered
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.engine.replay import replay
from tallystick.ledger.app import Message
from tallystick.ledger.block import Entry
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import encode
from tests.engine.cometbft.stand import MINUTE_MS, OPENS_MS, Stand, till_genesis
from tests.engine.conformance import ROOT_AFTER_STORY
from tests.till.desk import Desk, genesis
from tests.till.messages import Fill, Leave, Pay
from tests.till.records import Note

STORY: tuple[tuple[str, Message], ...] = (
    ("A", Fill(currency="CNY", amount_minor=100)),
    ("B", Fill(currency="CNY", amount_minor=5)),
    ("A", Pay(to="B", amount_minor=30)),
    ("A", Pay(to="B", amount_minor=300)),
    ("A", Leave(name="later", number=1, at_ms=OPENS_MS + MINUTE_MS)),
)


def test_the_story_of_every_engine_ends_with_the_same_root() -> None:
    stand = Stand(begins=genesis())
    stand.block()
    for step in STORY:
        raw = stand.signed(step, expires_at_ms=OPENS_MS + 60 * MINUTE_MS)
        stand.block(encode_bundle(0, [raw]))
    stand.block(encode_tick(stand.next_height), ms=OPENS_MS + MINUTE_MS)
    assert stand.chain.view().get(Note, "later", 1).number == 1
    assert stand.chain.state.root().hex() == ROOT_AFTER_STORY


Block = tuple[int, list[bytes]]


def random_blocks(seed: int, count: int = 25) -> list[Block]:
    """Honest and odd bundles: duplicates, expired, strangers, references used twice."""
    chance = random.Random(seed)
    maker = Stand()
    made: list[bytes] = []
    blocks: list[Block] = []
    now = OPENS_MS
    for height in range(1, count):
        now += chance.choice((0, 1, 700, 40_000))
        bundles = [encode_tick(height)] if chance.random() < 0.3 else []
        for note in range(chance.randint(0, 3)):
            raws = [any_transaction(maker, chance, now) for _ in range(chance.randint(1, 6))]
            made += raws
            raws += chance.sample(made, k=min(len(made), chance.randint(0, 4)))
            bundles.append(encode_bundle(note, raws))
        blocks.append((now, bundles))
    return blocks


def any_transaction(maker: Stand, chance: random.Random, now_ms: int) -> bytes:
    """One transaction, perhaps an odd one."""
    party, other = chance.sample(("A", "B", "C"), 2)
    what: list[Message] = [
        Fill(currency="CNY", amount_minor=chance.randint(0, 50)),
        Pay(to=other, amount_minor=chance.randint(0, 60)),
        Leave(name="n", number=chance.randint(0, 30)),
        Leave(name="t", number=chance.randint(0, 30), at_ms=now_ms + chance.randint(0, 90_000)),
    ]
    calls = [(party, chance.choice(what)) for _ in range(chance.randint(1, 3))]
    return maker.signed(
        *calls,
        keys=["C.clerk"] if chance.random() < 0.1 else (),
        reference=f"same-{chance.randint(0, 9)}" if chance.random() < 0.2 else None,
        expires_at_ms=now_ms + chance.choice((0, 30_000, 600_000)),
    )


@pytest.mark.parametrize("seed", range(8))
def test_ahead_or_not_restarted_or_not_the_answers_are_the_same(seed: int) -> None:
    """Bytes told to the engine, entries in the log, roots: equal in every way of getting there."""
    chance = random.Random(seed)
    plain, ahead, restarted = Stand(), Stand(), Stand()
    for ms, raws in random_blocks(seed):
        for _ in range(chance.randint(0, 3)):
            ahead.process(chance.sample(raws, k=len(raws)), ms=ms)
        assert ahead.process(raws, ms=ms)
        if chance.random() < 0.4:  # it decided the block, and crashed
            restarted.finalize(raws, ms=ms)
        if chance.random() < 0.4:
            restarted = Stand(disk=restarted.disk, store=MemoryStore())
        told = [
            each.finalize(raws, ms=ms).SerializeToString(deterministic=True)
            for each in (plain, ahead, restarted)
        ]
        assert told[0] == told[1] == told[2]
        for each in (plain, ahead, restarted):
            each.commit()
    kept = [[encode(entry) for entry in each.chain.entries(1)] for each in (plain, ahead)]
    assert kept[0] == kept[1] == [encode(entry) for entry in restarted.chain.entries(1)]
    assert ahead.application.reused >= len(kept[0]) - 1


@pytest.mark.parametrize("seed", range(8))
def test_the_embedded_engine_makes_the_same_of_these_blocks(seed: int) -> None:
    stand = Stand()
    for ms, raws in random_blocks(seed):
        stand.block(*raws, ms=ms)
    desk = Desk(begins=till_genesis())
    assert replay(stand.chain.entries(1), desk.chain) == stand.chain.state.tip.height
    assert desk.chain.state.root() == stand.chain.state.root()
    assert desk.chain.app_hash() == stand.chain.app_hash()


def test_what_is_answered_is_what_the_log_says() -> None:
    stand = Stand()
    for ms, raws in random_blocks(3):
        stand.block(*raws, ms=ms)
    outcomes = set()
    for committed in stand.published:
        entry: Entry = stand.chain.entry(committed.header.height)
        assert committed.header == entry.header
        assert committed.header_hash == entry.engine_hash
        fresh = [each for each in committed.answers if each.height == committed.header.height]
        assert {each.raw for each in fresh} >= set(entry.transactions)
        for each in committed.answers:
            outcomes.add("expired" if each.receipt is None else each.receipt.outcome.value)
            if each.height is not None:
                assert each.receipt in stand.chain.entry(each.height).receipts
    assert outcomes == {"accepted", "refused", "unauthorised", "reused", "expired"}


def test_a_block_of_which_too_much_comes_is_done_by_halves_on_every_node() -> None:
    def finalized(limit: int) -> tuple[Stand, list[bytes]]:
        stand = Stand()
        checks = stand.application._checks
        published = stand.published.append
        stand.application._blocks = Blocks(stand.chain, checks, published, entry_bytes_max=limit)
        raws = [stand.signed(("A", Leave(name="n", number=number))) for number in range(12)]
        stand.finalize([encode_bundle(0, raws[:5]), encode_bundle(0, raws[5:])])
        stand.commit()
        return stand, raws

    whole, _ = finalized(10_000_000)
    half, raws = finalized(4_000)
    assert len(whole.chain.entry(1).transactions) == 12
    kept = half.chain.entry(1).transactions
    assert kept == tuple(raws[:6])
    assert [each.raw for each in half.published[0].answers] == raws[:6]
    assert half.check(encode_bundle(1, raws)).code == 0
    one, raws = finalized(1)
    assert one.chain.entry(1).transactions == (raws[0],)
    desk = Desk(begins=till_genesis())
    replay(half.chain.entries(1), desk.chain)
    assert desk.chain.app_hash() == half.chain.app_hash()


def test_a_block_is_known_by_all_that_it_says() -> None:
    block = Ordered(bytes(32), 1, OPENS_MS, (b"a",))
    assert block == Ordered(bytes(32), 1, OPENS_MS, (b"a",))
    assert block != Ordered(bytes(32), 1, OPENS_MS, (b"b",))
