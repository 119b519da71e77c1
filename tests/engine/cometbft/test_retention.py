"""Which blocks are kept: until nobody can need them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallystick.engine.cometbft.retention import Kept, Retention
from tallystick.errors import Halted
from tallystick.ledger.genesis import Genesis
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.values.codec import encode, replace
from tests.engine.cometbft.shelves import Shelved, follow, hand_over, shelved
from tests.engine.cometbft.stand import CONSENSUS_RECORD, VALIDATOR, Stand, till_genesis

SEGMENT_BYTES = 4_000
"""So small that a few blocks fill one."""


def short_genesis(*, blocks: int = 5, seconds: int = 3) -> Genesis:
    """A chain on which double signatures can be reported for a short time only."""
    record = replace(CONSENSUS_RECORD, evidence_blocks=blocks, evidence_ms=seconds * 1_000)
    return till_genesis(records=(encode(record), encode(VALIDATOR)))


def small_log(node: Shelved) -> None:
    """Have the log begin new files often."""
    node.stand.log._segment_bytes = SEGMENT_BYTES


def played(retention: Retention, node: Shelved, blocks: int) -> list[int]:
    """Blocks, each a second after the other, and what the engine was told to keep."""
    told = []
    for _ in range(blocks):
        node.blocks(1)
        height = node.stand.chain.state.tip.height
        told.append(retention(height))
        retention.after_commit(height)
    return told


@pytest.mark.parametrize(
    ("kept", "blocks", "seconds", "expected"),
    (
        (Kept(0), 5, 3, 0),
        (Kept(10), 5, 3, 21),
        (Kept(2), 5, 3, 26),
        (Kept(2), 1, 12, 18),
        (Kept(2), 20, 3, 11),
        (Kept(2, snapshots=lambda: (20, 10)), 5, 3, 10),
        (Kept(2, snapshots=lambda: ()), 5, 3, 0),
        (Kept(2, archived=lambda: 7), 5, 3, 7),
        (Kept(100), 5, 3, 0),
    ),
)
def test_the_least_of_all_that_is_needed(
    tmp_path: Path, kept: Kept, blocks: int, seconds: int, expected: int
) -> None:
    node = shelved(tmp_path, begins=short_genesis(blocks=blocks, seconds=seconds))
    told = played(Retention(node.stand.chain, kept, every=1), node, 30)
    assert told[-1] == expected
    assert told == sorted(told), "never back"
    node.shelf.close()


def test_looks_only_now_and_then(tmp_path: Path) -> None:
    node = shelved(tmp_path, begins=short_genesis())
    told = played(Retention(node.stand.chain, Kept(1), every=10), node, 25)
    assert told == [0] * 9 + [6] * 10 + [16] * 6
    node.shelf.close()


def test_a_pruned_node_restarts_and_answers_the_same(tmp_path: Path) -> None:
    disk, store = SimulatedDisk(), MemoryStore()
    node = shelved(tmp_path, begins=short_genesis(), disk=disk, store=store)
    small_log(node)
    chain = node.stand.chain
    played(Retention(chain, Kept(3), every=1), node, 40)
    first = chain.first_height
    assert 20 < first <= 36
    begins = chain.entry(first).header
    assert chain.base is not None
    assert chain.base.name == begins.previous_hash
    assert chain.not_here_until_ms == begins.time_ms + node.stand.genesis.horizon_ms
    root, last = chain.state.root(), chain.entry(40)
    for kept in (store, store.copy()):
        again = Stand(begins=node.stand.genesis, disk=disk, store=kept, references=500)
        assert again.chain.state.root() == root
        assert again.chain.first_height == first
        assert again.chain.entry(40) == last
        assert again.chain.not_here_until_ms == chain.not_here_until_ms
    node.shelf.close()


def test_a_state_store_that_is_lost_cannot_be_made_again_from_a_pruned_log(
    tmp_path: Path,
) -> None:
    disk = SimulatedDisk()
    node = shelved(tmp_path, begins=short_genesis(), disk=disk)
    small_log(node)
    played(Retention(node.stand.chain, Kept(3), every=1), node, 40)
    with pytest.raises(Halted, match="what is between is not here"):
        Stand(begins=node.stand.genesis, disk=disk, store=MemoryStore())
    node.shelf.close()


def test_the_state_is_durable_before_blocks_go(tmp_path: Path) -> None:
    """What a crash takes from the state store is in blocks that are still there."""

    class Checkpoints(MemoryStore):
        """A store that remembers up to where it is durable."""

        durable = 0

        def checkpoint(self) -> None:
            """Note the height."""
            super().checkpoint()
            self.durable = self.height()

    store = Checkpoints()
    node = shelved(tmp_path, begins=short_genesis(), store=store)
    small_log(node)
    retention = Retention(node.stand.chain, Kept(3), every=1)
    for _ in range(40):
        played(retention, node, 1)
        assert store.durable >= node.stand.chain.first_height - 1
    node.shelf.close()


def test_snapshot_and_pruning_together(tmp_path: Path) -> None:
    """A new node begins at the older one of the snapshots kept, and finds all blocks after it."""
    node = shelved(tmp_path / "giver", begins=short_genesis(), every=10)
    small_log(node)
    kept = Kept(1, snapshots=node.shelf.heights)
    retention = Retention(node.stand.chain, kept, every=1)
    app_hashes: dict[int, bytes] = {}
    for height in range(1, 44):
        played(retention, node, 1)
        app_hashes[height] = node.stand.chain.app_hash()
        node.shelf.after_commit(height)
        if node.shelf._taking is not None:
            node.shelf._taking.result(60)
    assert node.shelf.heights() == (40, 30)
    assert 20 < node.stand.chain.first_height <= 30
    oldest = node.shelf.list()[-1]
    taker = shelved(tmp_path / "taker", begins=node.stand.genesis)
    hand_over(node, taker, oldest, app_hashes[30])
    follow(node.stand, taker.stand)
    assert taker.root() == node.root()
    for each in (node, taker):
        each.shelf.close()


def test_nothing_is_pruned_by_an_archive(tmp_path: Path) -> None:
    disk = SimulatedDisk()
    node = shelved(tmp_path, begins=short_genesis(), disk=disk)
    small_log(node)
    played(Retention(node.stand.chain, Kept(0), every=1), node, 40)
    assert node.stand.chain.first_height == 1
    assert disk.list("blocks")[0] == "00000001.log"
    assert FileLog.open(disk, "blocks", node.stand.genesis.hash).height() == 40
    node.shelf.close()
