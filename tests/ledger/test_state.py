"""Committed state: a bounded cache that changes nothing, versions of the tree, used references."""

from __future__ import annotations

import pytest

from tallystick.accel import load
from tallystick.accel.errors import UnknownVersion
from tallystick.ledger.candidate import Candidate
from tallystick.ledger.side import USED, place_of, read_list, receipt_key
from tallystick.ledger.state import VERSIONS_KEPT, State
from tallystick.ledger.system import UsedMinute
from tallystick.testing.world import World
from tallystick.values.codec import encode_key
from tests.ledger.toy.messages import CountUp, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note

NOTES = [Note(name="n", number=number) for number in range(50)]


def state_of(world: World, cache_max: int) -> State:
    """The same state with another cache."""
    return State(
        world.store,
        world.ledger.rules.decoders,
        world.chain.state.tip,
        tree=load().tree(),
        cache_max=cache_max,
    )


def opened(world: World, count: int) -> Candidate:
    """A block of new counters, not committed."""
    raws = [world.signed(("A.m", Open(currency="CNY"))) for _ in range(count)]
    transactions = [world.ledger.codec.decode(raw) for raw in raws]
    return world.ledger.execute(world.chain.state, world.now_ms + 1, transactions, proposing=True)


@pytest.mark.parametrize("cache_max", (1, 7, 1_000))
def test_the_cache_is_bounded_and_changes_nothing(cache_max: int) -> None:
    world = toy_world(records=NOTES)
    state = state_of(world, cache_max)
    name = Note.spec.name
    keys = [encode_key(name, note.name, note.number) for note in NOTES]
    for _ in range(3):
        assert [state.load(name, key) for key in keys] == NOTES
        assert [kept for _, kept in state.scan(name, encode_key(name), None)] == NOTES
        assert state.load(name, encode_key(name, "absent", 1)) is None
        assert len(state._cache) <= cache_max
    assert state.root() == world.chain.state.root()


def test_cold_and_warm_give_the_same_block() -> None:
    world = toy_world(records=NOTES)
    made = world.accepts("A.m", Open(currency="CNY")).id
    raw = world.signed(("A.m", CountUp(counter_id=made, by_minor=5)))
    transaction = world.ledger.codec.decode(raw)
    headers = {
        world.ledger.execute(state, world.now_ms + 1, [transaction]).header
        for state in (world.chain.state, state_of(world, 1), state_of(world, 1_000))
    }
    assert len(headers) == 1


def test_several_candidates_may_be_alive() -> None:
    world = toy_world()
    one, two, none = opened(world, 1), opened(world, 2), opened(world, 0)
    assert len({one.state_root, two.state_root, none.state_root}) == 3
    state = world.chain.state
    before = state.tree_version
    world.chain.commit(two)
    assert state.root() == two.state_root
    state.drop(one)
    with pytest.raises(UnknownVersion):
        state.tree.root(one.tree_version)
    state.drop(none)  # it made no version of its own: the one before stays for proofs
    assert state.tree.root(before) == none.state_root


def test_a_bounded_number_of_versions_is_kept() -> None:
    world = toy_world()
    state = world.chain.state
    roots = {0: state.root()}
    for height in range(1, VERSIONS_KEPT + 6):
        if height % 3:
            world.accepts("A.m", Open(currency="CNY"))
        else:
            world.now_ms += 1
            world.chain.next_block(world.now_ms, [], force=True)
        roots[height] = state.root()
    newest = state.tip.height
    kept = [height for height in roots if state.version_at(height) is not None]
    assert kept == list(range(newest - VERSIONS_KEPT + 1, newest + 1))
    for height in kept:
        version = state.version_at(height)
        assert version is not None
        assert state.tree.root(version) == roots[height]


def test_lists_of_references_come_and_go_with_their_minute() -> None:
    world = toy_world()
    minutes = {}
    for reference in ("a", "b", "c"):
        expires = world.ledger_ms + 60_000
        minutes[reference] = expires // 60_000
        world.offer(
            world.signed(("A.m", Open(currency="CNY")), reference=reference, expires_at_ms=expires)
        )
        world.passes_until(world.ledger_ms + 20_000)

    def listed() -> set[str]:
        lists = [read_list(key, raw) for key, raw in world.store.side_scan(USED)]
        return {use[1] for _, _, uses in lists for use in uses}

    assert listed() == {"a", "b", "c"}
    counts = {kept.minute: kept.count for kept in world.view().scan(UsedMinute)}
    assert sum(counts.values()) == 3
    world.restarts()
    assert world.chain.state.used_by("A", "b", world.ledger_ms) is not None
    assert world.chain.state.used_by("B", "b", world.ledger_ms) is None
    world.passes_until((max(minutes.values()) + 1) * 60_000)
    assert listed() == set()
    assert list(world.view().scan(UsedMinute)) == []
    assert world.chain.state.used_by("A", "b", world.ledger_ms) is None


def test_the_place_of_a_receipt_is_kept_beside() -> None:
    world = toy_world()
    world.accepts("A.m", Open(currency="CNY"))
    result = world.accepts("A.m", Open(currency="CNY"))
    raw = world.store.side_get(receipt_key(result.receipt.transaction_id or b""))
    assert raw is not None
    assert place_of(raw) == (2, 0)
    assert world.view().total(Counter, "amount_minor")[0].count == 2
