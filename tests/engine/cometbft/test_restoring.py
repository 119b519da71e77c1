"""A snapshot handed to a node: it is the same from then on; and stopped in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.engine.base_block import BaseBlock
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.seam import Offered
from tallystick.engine.replay import replay
from tallystick.errors import NoSuchBlock
from tallystick.ledger.app import key_bytes
from tallystick.ledger.receipt import Outcome
from tallystick.store.memory import MemoryStore
from tallystick.store.rocks import RocksStore
from tallystick.testing.disk import PowerCut, SimulatedDisk
from tallystick.values.units import AT_MS_MAX
from tests.engine.cometbft.shelves import (
    BLOCKS,
    Given,
    follow,
    hand_over,
    shelved,
)
from tests.engine.cometbft.stand import MINUTE_MS, Stand
from tests.till.messages import Fill
from tests.till.records import Purse


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    made = Given(tmp_path_factory.mktemp("given"))
    yield made
    made.node.shelf.close()


# --- handed over


def test_a_restored_node_is_the_same_and_goes_on(given: Given, tmp_path: Path) -> None:
    giver, chain = given.node.stand, given.node.stand.chain
    store, disk = MemoryStore(), SimulatedDisk()
    taker = given.taker(tmp_path / "taker", store=store, disk=disk)
    before, kept_state = taker.stand.chain, taker.stand.chain.state
    hand_over(given.node, taker, given.info, given.app_hash)
    assert taker.stand.chain is before
    assert taker.stand.chain.state is not kept_state
    mine = taker.stand.chain
    assert (mine.state.tip.height, mine.app_hash()) == (given.info.height, given.app_hash)
    assert mine.state.tip == replay_tip(giver, given.info.height)
    assert mine.seal() is None
    assert mine.prove_record(key_bytes(Purse(party="A"))) is None, "no block yet to prove against"
    assert mine.not_here_until_ms == AT_MS_MAX
    info = taker.stand.application.info(abci.RequestInfo(abci_version="2.0.0"))
    assert (info.last_block_height, info.last_block_app_hash) == (BLOCKS, given.app_hash)
    follow(giver, taker.stand)
    assert mine.app_hash() == chain.app_hash()
    proof = mine.prove_record(key_bytes(mine.view().get(Purse, "A")))
    assert proof is not None
    assert proof.record is not None
    first_ms = mine.entry(given.info.height + 1).ledger_ms
    assert mine.not_here_until_ms == first_ms + giver.genesis.horizon_ms
    again = Stand(begins=giver.genesis, store=store, disk=disk)
    assert again.chain.app_hash() == chain.app_hash(), "after a restart too"
    assert again.chain.base == mine.base
    taker.shelf.close()


def replay_tip(giver: Stand, height: int) -> object:
    """Where the giver stood after a block."""
    entry = giver.chain.entry(height)
    tip = BaseBlock(
        height=height,
        name=entry.block_hash,
        time_ms=entry.header.time_ms,
        ledger_ms=entry.ledger_ms,
        receipts_root=entry.receipts_root,
        state_root=entry.state_root,
    )
    return tip.tip()


def test_what_was_used_before_the_snapshot_stays_used(given: Given, tmp_path: Path) -> None:
    giver = given.node.stand
    taker = given.taker(tmp_path / "taker")
    hand_over(given.node, taker, given.info, given.app_hash)
    done = giver.ledger.codec.decode(giver.chain.entry(3).transactions[0])
    answer = taker.stand.chain.answer(done.id)
    assert answer is not None
    assert (answer.receipt, answer.height) == (None, given.info.height), "committed, but not here"
    assert taker.stand.chain.prove_receipt(done.id) is None
    entry = giver.chain.entry(given.info.height + 1)
    candidate = taker.stand.chain.execute(entry.header.time_ms, [done])
    assert [left.transaction.id for left in candidate.left_out] == [done.id]
    committed = taker.stand.chain.commit(candidate, bytes(32))
    [told] = committed.answers
    assert (told.receipt, told.height) == (None, given.info.height)
    other = taker.stand.signed(
        ("A", Fill(currency="CNY", amount_minor=1)),
        reference=done.body.reference,
        expires_at_ms=taker.stand.chain.ledger_ms + MINUTE_MS,
    )
    candidate = taker.stand.chain.execute(
        entry.header.time_ms, [taker.stand.ledger.codec.decode(other)]
    )
    assert [done.receipt.outcome for done in candidate.done] == [Outcome.REUSED]
    with pytest.raises(NoSuchBlock, match="begins with block 7"):
        taker.stand.chain.entry(3)
    with pytest.raises(NoSuchBlock):
        list(taker.stand.chain.entries(1))
    taker.shelf.close()


def test_references_expire_on_a_restored_node_as_on_the_others(tmp_path: Path) -> None:
    giver = shelved(tmp_path / "giver")
    giver.blocks(3)
    app_hash = giver.stand.chain.app_hash()
    info = giver.snapshot()
    later = giver.stand.chain.state.tip.time_ms + 60 * MINUTE_MS
    giver.stand.block(ms=later)
    disk, store = SimulatedDisk(), MemoryStore()
    taker = shelved(tmp_path / "taker", begins=giver.stand.genesis, disk=disk, store=store)
    behind = store.copy()
    hand_over(giver, taker, info, app_hash)
    behind = store.copy()
    follow(giver.stand, taker.stand)
    assert taker.root() == giver.root()
    assert taker.stand.chain.state.used_count() == giver.stand.chain.state.used_count() == 0
    for kept in (store, behind):
        again = Stand(begins=giver.stand.genesis, disk=disk, store=kept)
        assert again.chain.state.root() == giver.root()
        assert again.chain.state.used_count() == 0
    for each in (giver, taker):
        each.shelf.close()


def test_three_ways_to_the_same_state(given: Given, tmp_path: Path) -> None:
    """Replayed from the genesis, restored from a snapshot, from a copy of the data."""
    giver = shelved(tmp_path / "giver")
    giver.blocks(5)
    app_hash = giver.stand.chain.app_hash()
    info = giver.snapshot()
    replayed = Stand(begins=giver.stand.genesis)
    replay(giver.stand.chain.entries(1), replayed.chain)
    copied = Stand(begins=giver.stand.genesis, disk=giver.stand.disk.clone())
    taker = shelved(tmp_path / "taker", begins=giver.stand.genesis)
    hand_over(giver, taker, info, app_hash)
    follow(giver.stand, taker.stand)
    roots = {stand.chain.state.root() for stand in (giver.stand, replayed, copied, taker.stand)}
    assert roots == {giver.root()}
    for each in (giver, taker):
        each.shelf.close()


def test_through_the_application(given: Given, tmp_path: Path) -> None:
    taker = given.taker(tmp_path / "taker")
    application, giver = taker.stand.application, given.node.stand.application
    application._snapshots, giver._snapshots = taker.shelf, given.node.shelf
    [offered] = giver.list_snapshots(abci.RequestListSnapshots()).snapshots
    said = application.offer_snapshot(
        abci.RequestOfferSnapshot(snapshot=offered, app_hash=given.app_hash)
    )
    assert said.result == abci.ResponseOfferSnapshot.ACCEPT
    for index in range(offered.chunks):
        chunk = giver.load_snapshot_chunk(
            abci.RequestLoadSnapshotChunk(height=offered.height, format=offered.format, chunk=index)
        ).chunk
        wrong = application.apply_snapshot_chunk(
            abci.RequestApplySnapshotChunk(index=index, chunk=chunk[:-1], sender="liar")
        )
        assert wrong.result == abci.ResponseApplySnapshotChunk.RETRY
        assert (list(wrong.refetch_chunks), list(wrong.reject_senders)) == ([index], ["liar"])
        took = application.apply_snapshot_chunk(
            abci.RequestApplySnapshotChunk(index=index, chunk=chunk, sender="giver")
        )
        assert took.result == abci.ResponseApplySnapshotChunk.ACCEPT
    info = application.info(abci.RequestInfo(abci_version="2.0.0"))
    assert info.last_block_app_hash == given.app_hash
    taker.shelf.close()


# --- stopped in the middle


def test_a_restore_that_stops_in_the_middle_starts_over(given: Given, tmp_path: Path) -> None:
    disk, folder = SimulatedDisk(), tmp_path / "snapshots"
    for applied in range(given.info.chunks):
        taker = given.taker(folder, disk=disk)
        assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
        for index in range(applied):
            taker.shelf.apply(index, given.chunk(index), "giver")
        taker.shelf.close()
        disk.kill()
    taker = given.taker(folder, disk=disk)
    assert taker.shelf.list() == ()
    assert [path.name for path in folder.iterdir()] == []
    hand_over(given.node, taker, given.info, given.app_hash)
    assert taker.root() == given.root
    assert taker.shelf.heights() == (given.info.height,), "ours as well now"
    taker.shelf.close()


def test_a_crash_while_the_chain_is_restored_begins_anew(tmp_path: Path) -> None:
    """At every operation of the log's disk; the state store was not filled to its end."""
    giver = shelved(tmp_path / "giver")
    giver.blocks(3)
    app_hash = giver.stand.chain.app_hash()
    info = giver.snapshot()
    whole = SimulatedDisk()
    taker = shelved(tmp_path / "whole", begins=giver.stand.genesis, disk=whole)
    before = whole.operations
    hand_over(giver, taker, info, app_hash)
    taker.shelf.close()
    for cut in range(1, whole.operations - before + 1):
        disk = SimulatedDisk()
        taker = shelved(tmp_path / f"cut-{cut}", begins=giver.stand.genesis, disk=disk)
        disk.cut_power_at(cut)
        with pytest.raises(PowerCut):
            hand_over(giver, taker, info, app_hash)
        taker.shelf.close()
        for name in ("kept", "forgotten"):
            after = disk.clone()
            after.restart([(0, write.length) for write in after.pending()])
            if name == "forgotten":
                after.forget_names()
            folder = tmp_path / f"cut-{cut}-{name}"
            again = shelved(folder, begins=giver.stand.genesis, disk=after, store=MemoryStore())
            assert again.stand.chain.state.tip.height == 0, "unfinished: it begins at the genesis"
            assert again.stand.chain.base is None
            hand_over(giver, again, info, app_hash)
            follow(giver.stand, again.stand)
            assert again.root() == giver.root()
            again.shelf.close()
    giver.shelf.close()


def test_a_restored_node_may_be_restored_again_while_it_has_no_block(tmp_path: Path) -> None:
    """The engine lost what it had of a snapshot and asks for a later one."""
    giver = shelved(tmp_path / "giver")
    giver.blocks(2)
    offers = []
    for _ in range(2):
        giver.blocks(1)
        offers.append((giver.stand.chain.app_hash(), giver.snapshot()))
    disk, store = SimulatedDisk(), RocksStore(str(tmp_path / "state"))
    taker = shelved(tmp_path / "taker", begins=giver.stand.genesis, disk=disk, store=store)
    for app_hash, info in offers:
        hand_over(giver, taker, info, app_hash)
        assert taker.stand.chain.app_hash() == app_hash
        taker.shelf.close()
        taker = shelved(tmp_path / "taker", begins=giver.stand.genesis, disk=disk, store=store)
        assert taker.stand.chain.app_hash() == app_hash
    follow(giver.stand, taker.stand)
    assert taker.root() == giver.root()
    taker.shelf.close()
    taker.stand.chain.close()
    giver.shelf.close()
