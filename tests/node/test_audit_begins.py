"""An audit of a log that does not begin at its genesis: where it begins, and what it relies on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tallystick.audit import AuditReport, audit
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.kept import MANIFEST, chunk_path, read_checked, write_checked
from tallystick.engine.cometbft.manifest import Manifest
from tallystick.engine.cometbft.snapshots import SnapshotShelf
from tallystick.engine.folder import BLOCKS, GENESIS, SNAPSHOTS, STATE, read_genesis
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import Genesis, genesis_to_json
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.rocks import RocksStore
from tallystick.values.codec import decode, encode, replace
from tests.engine.cometbft.shelves import shelved
from tests.till import APP
from tests.till.people import PEOPLE

BEGINS = 12


def filed(folder: Path, genesis: Genesis) -> Chain:
    """The chain of a data folder."""
    folder.mkdir(exist_ok=True)
    ledger = Ledger([APP], PEOPLE, genesis)
    written = genesis_to_json(genesis, ledger.rules.record_types)
    (folder / GENESIS).write_bytes(written)
    log = FileLog.open(OsDisk(), str(folder / BLOCKS), genesis.hash, segment_bytes=3_000)
    return Chain(ledger, log, RocksStore(str(folder / STATE)))


@pytest.fixture(scope="module")
def restored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a node that began at a snapshot, and has blocks since."""
    place = tmp_path_factory.mktemp("begins")
    giver = shelved(place / "given")
    giver.blocks(BEGINS)
    app_hash = giver.stand.chain.app_hash()
    info = giver.snapshot()
    folder = place / "node"
    chain = filed(folder, giver.stand.genesis)
    shelf = SnapshotShelf(folder / SNAPSHOTS, chain, every=0)
    shelf.offer(info, app_hash)
    for index in range(info.chunks):
        shelf.apply(index, giver.shelf.load(info.height, 1, index), "giver")
    giver.blocks(3)
    replay_on(giver.stand.chain, chain)
    giver.shelf.close()
    shelf.close()
    chain.close()
    return folder


def replay_on(giver: Chain, taker: Chain) -> None:
    """The blocks after the snapshot."""
    for entry in giver.entries(taker.first_height):
        transactions = [taker.ledger.codec.decode(raw) for raw in entry.transactions]
        candidate = taker.execute(entry.header.time_ms, transactions)
        taker.commit(candidate, entry.engine_hash)


@pytest.fixture
def copy(restored: Path, tmp_path: Path) -> Path:
    """A copy of it to spoil."""
    return Path(shutil.copytree(restored, tmp_path / "copy"))


def audited(folder: Path) -> AuditReport:
    """The audit of a data folder."""
    return audit(folder, [APP], PEOPLE)


def test_an_audit_begins_at_the_snapshot_and_says_so(restored: Path) -> None:
    report = audited(restored)
    assert report.problems == []
    assert report.ok
    assert (report.began_at, report.height) == (BEGINS, BEGINS + 5)
    assert "snapshot of block 12" in report.relied_on
    assert report.transactions == 2 * 5
    assert report.invariants_checked > 0
    assert report.as_data()["began_at"] == BEGINS


def test_an_audit_begins_at_a_later_snapshot_of_a_pruned_log(copy: Path) -> None:
    """The log begins between snapshots: the oldest one that it follows whole is the beginning."""
    chain = filed(copy, read_genesis(copy, [APP]))
    shelf = SnapshotShelf(copy / SNAPSHOTS, chain, every=0)
    shelf.take().result(60)
    assert chain.prune(chain.state.tip.height) > BEGINS + 1
    shelf.close()
    chain.close()
    report = audited(copy)
    assert report.problems == []
    assert report.began_at == BEGINS + 5
    assert f"snapshot of block {BEGINS + 5}" in report.relied_on


def test_without_a_snapshot_nothing_is_replayed(copy: Path) -> None:
    shutil.rmtree(copy / SNAPSHOTS)
    report = audited(copy)
    assert not report.ok
    assert any("no snapshot is kept that it follows" in problem for problem in report.problems)


def test_a_changed_chunk_is_no_beginning(copy: Path) -> None:
    path = chunk_path(copy / SNAPSHOTS / str(BEGINS), 0)
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    report = audited(copy)
    assert any("chunk 0 is missing or changed" in problem for problem in report.problems)


def test_a_forged_record_is_no_beginning(copy: Path) -> None:
    path = chunk_path(copy / SNAPSHOTS / str(BEGINS), 0)
    chunk = bytearray(read_checked(path) or b"")
    chunk[len(chunk) // 2] ^= 1
    write_checked(path, bytes(chunk))
    report = audited(copy)
    assert any("snapshot of block 12: chunk 0" in problem for problem in report.problems)


def test_a_snapshot_of_another_block_is_no_beginning(copy: Path) -> None:
    path = copy / SNAPSHOTS / str(BEGINS) / MANIFEST
    manifest = decode(Manifest, read_checked(path) or b"")
    other = replace(manifest.base, name=bytes(32))
    write_checked(path, encode(replace(manifest, base=other)))
    report = audited(copy)
    assert any("is not of the block that the log has" in problem for problem in report.problems)
