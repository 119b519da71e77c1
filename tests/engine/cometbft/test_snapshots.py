"""Snapshots: taken beside the chain, handed over chunk by chunk, refused when anything is wrong."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.engine.base_block import BaseBlock
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.kept import chunk_path, write_checked
from tallystick.engine.cometbft.manifest import (
    CHUNK_BYTES,
    CHUNK_BYTES_MAX,
    Manifest,
    Pairs,
    Sizes,
    Uses,
    divide_uses,
    name_of,
    read_manifest,
)
from tallystick.engine.cometbft.seam import Applied, Offered, SnapshotInfo
from tallystick.engine.cometbft.snapshots import BEHIND, TRIES_MAX, SnapshotShelf
from tallystick.engine.replay import replay
from tallystick.errors import Halted, NoSuchBlock
from tallystick.ledger.app import key_bytes
from tallystick.ledger.receipt import Outcome
from tallystick.store.memory import MemoryStore
from tallystick.store.rocks import RocksStore
from tallystick.testing.disk import PowerCut, SimulatedDisk
from tallystick.values.codec import decode, encode, replace
from tallystick.values.errors import CodecError
from tallystick.values.units import AT_MS_MAX
from tests.engine.cometbft.shelves import MANY, Shelved, hand_over, shelved
from tests.engine.cometbft.stand import MINUTE_MS, Stand
from tests.till.messages import Fill
from tests.till.records import Purse

BLOCKS = 6


class Given:
    """A node with a snapshot of many records, and what a receiver is told of it."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.node = shelved(folder, records=MANY)
        self.node.blocks(BLOCKS)
        self.app_hash = self.node.stand.chain.app_hash()
        self.root = self.node.root()
        self.info = self.node.snapshot()

    def chunk(self, index: int) -> bytes:
        """A chunk as it is handed out."""
        return self.node.shelf.load(self.info.height, self.info.format, index)

    def taker(self, folder: Path, **options: object) -> Shelved:
        """A new node of the same chain."""
        return shelved(folder, begins=self.node.stand.genesis, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    made = Given(tmp_path_factory.mktemp("given"))
    yield made
    made.node.shelf.close()


# --- what a snapshot is


def test_a_snapshot_has_chunks_of_a_size_that_the_engine_carries(given: Given) -> None:
    manifest = read_manifest(given.info.metadata)
    assert manifest.bits == 2
    assert given.info.chunks == 5 == manifest.chunks, "four of records, one of references"
    assert given.info.hash == hashlib.sha256(given.info.metadata).digest()
    assert manifest.app_hash == given.app_hash
    sizes = [len(given.chunk(index)) for index in range(4)]
    assert max(sizes) < CHUNK_BYTES_MAX
    assert sum(sizes) / 4 <= CHUNK_BYTES
    state = given.node.stand.chain.state
    version = state.version_at(BLOCKS)
    assert version is not None
    assert sum(count for _, count in manifest.parts) == state.tree.size(version) > MANY


def test_every_node_makes_the_same_bytes(given: Given, tmp_path: Path) -> None:
    """Also one that was itself restored, and one whose state store is RocksDB."""
    taker = given.taker(tmp_path / "taker", store=RocksStore(str(tmp_path / "state")))
    hand_over(given.node, taker, given.info, given.app_hash)
    taker.shelf.take().result(60)
    [kept] = taker.shelf.heights()
    assert kept == given.info.height
    for index in range(given.info.chunks):
        assert taker.shelf.load(kept, 1, index) == given.chunk(index)
    taker.shelf.close()
    taker.stand.chain.close()


def test_how_records_are_divided() -> None:
    """The fewest chunks that are small enough on average, and none beyond the limit."""
    for total, each, bits in (
        (0, 0, 0),
        (CHUNK_BYTES, 1_000, 0),
        (CHUNK_BYTES + 20_000, 1_000, 1),
        (100 * CHUNK_BYTES, 1_000, 7),
    ):
        sizes = Sizes()
        for number in range(total // (each + 10) if each else 0):
            sizes.add(hashlib.sha256(b"%d" % number).digest(), each)
        assert sizes.bits() == bits
    sizes = Sizes()
    sizes.add(bytes(32), 8_000_000)
    sizes.add(bytes([0, 128]) + bytes(30), 8_000_000)
    sizes.add(bytes([255]) * 32, 1_000)
    assert sizes.bits() == 9, "two large neighbours part at the ninth bit only"


def test_references_are_divided_within_a_minute_too() -> None:
    uses = [("A", f"{number:>60}", bytes(32)) for number in range(50_000)]
    chunks = list(divide_uses([(1, uses[:10]), (2, []), (3, uses), (4, uses[:1])]))
    assert len(chunks) > 1
    assert all(len(chunk) < CHUNK_BYTES * 5 // 4 for chunk in chunks)
    joined: dict[int, list[object]] = {}
    for chunk in chunks:
        for minute, listed in decode(Uses, chunk):
            joined.setdefault(minute, []).extend(listed)
    assert joined == {1: uses[:10], 3: uses, 4: uses[:1]}
    assert list(divide_uses([])) == []


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


def follow(giver: Stand, taker: Stand) -> None:
    """The blocks after the snapshot, as the network orders them."""
    for height in range(taker.chain.state.tip.height + 1, giver.chain.state.tip.height + 1):
        entry = giver.chain.entry(height)
        transactions = [taker.ledger.codec.decode(raw) for raw in entry.transactions]
        candidate = taker.chain.execute(entry.header.time_ms, transactions)
        taker.chain.commit(candidate, entry.engine_hash)
        assert taker.chain.entry(height).header == entry.header
        assert taker.chain.entry(height).state_root == entry.state_root


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


# --- lies


@pytest.fixture
def taker(given: Given, tmp_path: Path) -> Iterator[Shelved]:
    made = given.taker(tmp_path / "taker")
    yield made
    made.shelf.close()


def forged(info: SnapshotInfo, **changes: object) -> SnapshotInfo:
    """The same offer with another manifest, whose hash is right."""
    manifest = decode(Manifest, info.metadata)
    metadata = encode(replace(manifest, **changes))
    return SnapshotInfo(info.height, info.format, info.chunks, name_of(metadata), metadata)


def test_offers_that_are_refused(given: Given, taker: Shelved) -> None:
    info, offer = given.info, taker.shelf.offer
    manifest = decode(Manifest, info.metadata)
    base = manifest.base
    said = (info.height, info.format, info.chunks, info.hash, info.metadata)
    wrong = [
        SnapshotInfo(info.height + 1, *said[1:]),
        SnapshotInfo(*said[:2], info.chunks + 1, *said[3:]),
        SnapshotInfo(*said[:3], bytes(32), info.metadata),
        forged(info, chain_id="till-00000000"),
        forged(info, base=replace(base, state_root=bytes(32))),
        forged(info, base=replace(base, receipts_root=bytes(32))),
        forged(info, base=replace(base, height=base.height + 1)),
        forged(info, parts=(manifest.parts[1], manifest.parts[0], *manifest.parts[2:])),
        forged(info, parts=((bytes(32), 1), *manifest.parts[1:])),
        forged(info, parts=manifest.parts[:2]),
        forged(info, bits=3),
    ]
    for each in wrong:
        assert offer(each, given.app_hash) is Offered.REJECT_SENDER
        assert taker.shelf.apply(0, given.chunk(0), "x").result is Applied.ABORT
    assert offer(info, bytes(32)) is Offered.REJECT_SENDER, "not the trusted app hash"
    other = SnapshotInfo(info.height, 2, *said[2:])
    assert offer(other, given.app_hash) is Offered.REJECT_FORMAT
    assert taker.stand.chain.state.tip.height == 0
    assert offer(info, given.app_hash) is Offered.ACCEPT


def test_metadata_cut_or_changed_anywhere_is_refused(given: Given, taker: Shelved) -> None:
    """But for what no root covers, name and times, and for what the chunks will find out."""
    whole, truth = given.info.metadata, decode(Manifest, given.info.metadata)
    accepted = 0
    for at in range(len(whole)):
        for metadata in (whole[:at], whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]):
            info = SnapshotInfo(BLOCKS, 1, given.info.chunks, name_of(metadata), metadata)
            if taker.shelf.offer(info, given.app_hash) is Offered.ACCEPT:
                accepted += 1
                said = decode(Manifest, metadata)
                base = replace(
                    said.base,
                    name=truth.base.name,
                    time_ms=truth.base.time_ms,
                    ledger_ms=truth.base.ledger_ms,
                )
                assert [root for root, _ in said.parts] == [root for root, _ in truth.parts]
                same = replace(said, base=base, lists=truth.lists, parts=truth.parts)
                assert same == truth
    assert 32 + 32 < accepted < 100


def test_the_name_of_a_block_must_be_that_of_a_verified_header(
    given: Given, taker: Shelved
) -> None:
    manifest = decode(Manifest, given.info.metadata)
    lie = forged(given.info, base=replace(manifest.base, name=bytes(32)))
    assert taker.shelf.offer(lie, given.app_hash) is Offered.ACCEPT, "nobody said otherwise yet"
    taker.shelf.expect_block(BLOCKS, manifest.base.name)
    assert taker.shelf.offer(lie, given.app_hash) is Offered.REJECT_SENDER
    hand_over(given.node, taker, given.info, given.app_hash)
    taker.shelf.expect_block(BLOCKS, manifest.base.name)
    with pytest.raises(Halted, match="it is not"):
        taker.shelf.expect_block(BLOCKS, bytes(32))


def wrong_chunks(chunk: bytes) -> dict[str, bytes]:
    """A chunk of records with one thing wrong."""
    pairs = decode(Pairs, chunk)
    (key, record), last = pairs[0], pairs[-1]
    return {
        "nothing": b"",
        "no encoding": b"\xff" * 20,
        "cut": chunk[:-1],
        "longer": chunk + b"\0",
        "missing": encode(pairs[1:]),
        "twice": encode((pairs[0], *pairs)),
        "other record": encode(((key, record + b"\0"), *pairs[1:])),
        "other key": encode(((key + b"\0", record), *pairs[1:])),
        "order": encode((last, *pairs[1:-1], pairs[0])),
        "swapped": encode(((key, last[1]), *pairs[1:-1], (last[0], record))),
        "one more": encode((*pairs, (b"more", b"more"))),
        "empty": encode(()),
    }


def test_a_wrong_chunk_is_refused_and_its_sender_named(given: Given, taker: Shelved) -> None:
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
    chunks = [given.chunk(index) for index in range(given.info.chunks)]
    wrong = [*wrong_chunks(chunks[0]).values(), chunks[1], chunks[4]]
    for number, chunk in enumerate(wrong):
        verdict = taker.shelf.apply(0, chunk, f"liar-{number}")
        assert verdict.result is Applied.RETRY
        assert (verdict.refetch, verdict.reject_senders) == ((0,), (f"liar-{number}",))
    verdict = taker.shelf.apply(4, chunks[4][:-1], "")
    assert (verdict.result, verdict.reject_senders) == (Applied.RETRY, ())
    for index, chunk in enumerate(chunks):
        assert taker.shelf.apply(index, chunk, "honest").result is Applied.ACCEPT
    assert taker.root() == given.root


def test_too_many_wrong_chunks_and_the_snapshot_is_given_up(given: Given, taker: Shelved) -> None:
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
    results = [taker.shelf.apply(0, b"x", "liar").result for _ in range(TRIES_MAX + 2)]
    assert results[:-2] == [Applied.RETRY] * TRIES_MAX
    assert results[-2:] == [Applied.REJECT_SNAPSHOT, Applied.ABORT]
    assert taker.shelf.apply(99, b"x", "liar").result is Applied.ABORT
    hand_over(given.node, taker, given.info, given.app_hash)


def test_a_lone_leaf_that_was_made_up_is_never_found(given: Given, taker: Shelved) -> None:
    """A manifest may say that a subtree's root is one record's: then no record builds it."""
    empty = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
    root = decode(Manifest, given.info.metadata).base.state_root
    lie = forged(given.info, bits=1, parts=((root, 1), (empty, 0)), lists=())
    lie = SnapshotInfo(lie.height, 1, 2, lie.hash, lie.metadata)
    assert taker.shelf.offer(lie, given.app_hash) is Offered.ACCEPT
    for chunk in (encode(()), given.chunk(0), encode(decode(Pairs, given.chunk(0))[:1])):
        assert taker.shelf.apply(0, chunk, "liar").result is Applied.RETRY


@pytest.mark.parametrize("lie", ("none", "fewer", "other", "swapped", "minute", "no lists"))
def test_lists_that_are_not_the_ledgers(given: Given, taker: Shelved, lie: str) -> None:
    """The manifest names the made-up lists: only the ledger's own records tell."""
    lists = decode(Uses, given.chunk(4))
    minute, uses = lists[0]
    made = {
        "none": (),
        "fewer": ((minute, uses[1:]), *lists[1:]),
        "other": ((minute, (("A", "made up", bytes(32)), *uses[1:])), *lists[1:]),
        "swapped": ((minute, (uses[1], uses[0], *uses[2:])), *lists[1:]),
        "minute": ((minute - 1, uses), *lists[1:]),
        "no lists": 7,
    }[lie]
    chunk = encode(made)
    offer = forged(given.info, lists=(hashlib.sha256(chunk).digest(),))
    assert taker.shelf.offer(offer, given.app_hash) is Offered.ACCEPT
    for index in range(4):
        assert taker.shelf.apply(index, given.chunk(index), "liar").result is Applied.ACCEPT
    verdict = taker.shelf.apply(4, chunk, "liar too")
    assert verdict.result is Applied.REJECT_SNAPSHOT
    assert verdict.reject_senders == ("liar", "liar too")
    assert taker.stand.chain.state.tip.height == 0
    hand_over(given.node, taker, given.info, given.app_hash)


def test_chunks_may_come_again_and_in_any_order(given: Given, taker: Shelved) -> None:
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
    for index in (4, 2, 2, 0, 4, 3, 1):
        assert taker.shelf.apply(index, given.chunk(index), "giver").result is Applied.ACCEPT
    assert taker.root() == given.root


def test_a_node_with_blocks_of_its_own_takes_none(given: Given, taker: Shelved) -> None:
    taker.blocks(1)
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ABORT
    assert taker.stand.chain.state.tip.height == 1


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


# --- taken


def test_a_snapshot_is_taken_every_so_many_blocks_and_the_last_two_are_kept(
    tmp_path: Path,
) -> None:
    node = shelved(tmp_path / "snapshots", every=5)
    for height in range(1, 24):
        node.blocks(1)
        node.shelf.after_commit(height)
        if node.shelf._taking is not None:
            node.shelf._taking.result(20)
        kept = list(range(5, height + 1, 5))[-2:]
        assert list(node.shelf.heights()) == sorted(kept, reverse=True)
        told = [info.height for info in node.shelf.list()]
        assert told == [at for at in sorted(kept, reverse=True) if at <= height - BEHIND]
    assert node.shelf.load(5, 1, 0) == b"", "an old one"
    assert node.shelf.load(20, 2, 0) == b"" == node.shelf.load(20, 1, 99)
    node.shelf.close()
    again = SnapshotShelf(tmp_path / "snapshots", node.stand.chain, every=5)
    assert again.heights() == (20, 15)
    again.close()


def test_blocks_go_on_while_a_snapshot_is_taken(tmp_path: Path) -> None:
    node = shelved(tmp_path / "snapshots", records=30_000)
    node.blocks(3)
    height, root = node.stand.chain.state.tip.height, node.root()
    gate = threading.Event()
    node.shelf._pause = gate.wait  # type: ignore[method-assign, assignment]
    taking = node.shelf.take()
    node.blocks(70)  # more than versions of the tree are kept
    assert not taking.done()
    node.shelf.after_commit(0)
    gate.set()
    taking.result(60)
    [kept] = node.shelf._kept
    assert kept.manifest.base.height == height
    assert kept.manifest.base.state_root == root
    taker = shelved(tmp_path / "taker", begins=node.stand.genesis)
    [info] = node.shelf.list()
    hand_over(node, taker, info, kept.manifest.app_hash)
    assert taker.root() == root
    for each in (node, taker):
        each.shelf.close()


def test_a_record_that_the_disk_gives_back_wrong_is_found(tmp_path: Path) -> None:
    spoiled: tuple[dict[bytes, bytes | None], ...] = ({b"\x01stray": b"1"}, {})
    for number, spoil in enumerate(spoiled):
        store = MemoryStore()
        node = shelved(tmp_path / f"snapshots-{number}", store=store)
        node.blocks(2)
        change = spoil or {key_bytes(node.stand.chain.view().get(Purse, "A")): None}
        with store._shared.lock:
            store._shared.write(change, {})
        node.shelf.take().result(20)
        assert "what was committed" in node.shelf.trouble or "missing" in node.shelf.trouble
        assert node.shelf.heights() == ()
        node.blocks(1)
        node.shelf.close()


def test_a_chunk_that_changed_on_the_disk_is_not_handed_out(tmp_path: Path) -> None:
    node = shelved(tmp_path / "snapshots")
    node.blocks(2)
    info = node.snapshot()
    path = chunk_path(tmp_path / "snapshots" / str(info.height), 0)
    raw = bytearray(path.read_bytes())
    raw[9] ^= 1
    path.write_bytes(raw)
    assert node.shelf.load(info.height, 1, 0) == b""
    assert node.shelf.list() == ()
    node.shelf.close()


def test_what_is_no_whole_snapshot_is_not_offered(tmp_path: Path) -> None:
    node = shelved(tmp_path / "snapshots")
    node.blocks(2)
    info = node.snapshot()
    folder = tmp_path / "snapshots"
    node.shelf.close()
    shutil.copytree(folder / str(info.height), folder / "7")
    (folder / "8").mkdir()
    (folder / "incoming").mkdir()
    (folder / "notes").mkdir()
    shutil.copytree(folder / str(info.height), folder / "9")
    foreign = replace(decode(Manifest, info.metadata), chain_id="till-00000000")
    write_checked(folder / "9" / "manifest", encode(foreign))
    again = SnapshotShelf(folder, node.stand.chain, every=0)
    assert again.heights() == (info.height,)
    assert not (folder / "incoming").exists()
    again.close()


def test_a_snapshot_is_given_up_when_the_node_stops(tmp_path: Path) -> None:
    node = shelved(tmp_path / "snapshots", records=5_000)
    node.blocks(1)
    node.shelf._pause_seconds = 0.05
    taking = node.shelf.take()
    node.shelf.close()
    assert taking.done()
    assert list((tmp_path / "snapshots").iterdir()) == []


def test_there_is_no_snapshot_of_a_genesis(tmp_path: Path) -> None:
    node = shelved(tmp_path / "snapshots")
    with pytest.raises(Halted):
        node.shelf.take()
    node.shelf.close()


def test_a_manifest_agrees_with_itself() -> None:
    with pytest.raises(CodecError):
        read_manifest(b"")
