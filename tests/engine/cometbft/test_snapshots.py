"""Snapshots: what they are, taken beside the chain, kept, and offered to others."""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.engine.cometbft.kept import chunk_path, write_checked
from tallystick.engine.cometbft.manifest import (
    CHUNK_BYTES,
    CHUNK_BYTES_MAX,
    Manifest,
    Sizes,
    Uses,
    divide_uses,
    read_manifest,
)
from tallystick.engine.cometbft.snapshots import BEHIND, SnapshotShelf
from tallystick.errors import Halted
from tallystick.ledger.app import key_bytes
from tallystick.store.memory import MemoryStore
from tallystick.store.rocks import RocksStore
from tallystick.values.codec import decode, encode, replace
from tallystick.values.errors import CodecError
from tests.engine.cometbft.shelves import (
    BLOCKS,
    MANY,
    Given,
    hand_over,
    shelved,
)
from tests.till.records import Purse


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


# --- taken


def test_a_snapshot_is_taken_every_so_many_blocks_and_the_last_two_are_kept(
    tmp_path: Path,
) -> None:
    node = shelved(tmp_path / "snapshots", every=5)
    for height in range(1, 24):
        node.blocks(1)
        node.shelf.after_commit(height)
        if node.shelf._taking is not None:
            node.shelf._taking.result(60)
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
        node.shelf.take().result(60)
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
