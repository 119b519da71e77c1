"""Backup and restore: what comes back is what was there, and nothing that could sign twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import tarfile
import threading
import time
from pathlib import Path

import pytest
from click import UsageError

from tallystick.audit import audit
from tallystick.cli.commands.backup import asked, read_floor
from tallystick.cli.main import run
from tallystick.cli.session import Session
from tallystick.client.keys import KeyStore, OfficerKey
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.snapshots import SnapshotShelf
from tallystick.engine.folder import BLOCKS, SNAPSHOTS, STATE, read_genesis
from tallystick.errors import BadBackup, WrongPassphrase
from tallystick.ledger.execute import Ledger
from tallystick.node import read_passphrase
from tallystick.operations.backup.blockstore import Unreadable, engine_height, unsnap
from tallystick.operations.backup.folder import STAGE, engine_of, held_still, is_running
from tallystick.operations.backup.manifest import Manifest, Signed
from tallystick.operations.backup.read import Wish, restore, signed_up_to, unpack
from tallystick.operations.backup.sealing import seal, unseal
from tallystick.operations.backup.write import back_up, read_signed
from tallystick.settings import Settings
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.rocks import RocksStore
from tests.till import APP
from tests.till.messages import Pay
from tests.till.people import PEOPLE
from tests.till.process import make
from tests.till.running import running

PASSPHRASE = "a long one"
EMBEDDED = Wish(signed=signed_up_to(0), passphrase=PASSPHRASE)


def backed_up(folder: Path, out: Path, passphrase: str | None = PASSPHRASE) -> Manifest:
    return back_up(folder, out, [APP], passphrase=passphrase).manifest


def root_of(folder: Path) -> tuple[int, str]:
    """Height and root of a folder, if everything in it is as it should be."""
    report = audit(folder, [APP], PEOPLE)
    assert report.ok, report.problems
    return report.height, report.state_root


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped node's data, a few blocks long."""
    made = tmp_path_factory.mktemp("till") / "data"
    with running(made) as till:
        for amount in (1, 2, 3):
            till.client.send(("A.clerk", Pay(to="B", amount_minor=amount)))
    return made


@pytest.fixture
def consortium(folder: Path, tmp_path: Path) -> Path:
    """The same data beside a CometBFT's store that is as far as the ledger."""
    made = tmp_path / "member"
    shutil.copytree(folder, made)
    engine_at(made, root_of(folder)[0])
    signed = made / "engine/data/priv_validator_state.json"
    signed.write_text('{"height": "3", "round": 1, "step": 3}')
    (made / "engine/config").mkdir()
    (made / "engine/config/priv_validator_key.json").write_text("{}")
    return made


def engine_at(folder: Path, height: int) -> None:
    """Write a block store's journal as LevelDB does."""
    store = folder / "engine/data/blockstore.db"
    store.mkdir(parents=True, exist_ok=True)
    value = bytes((8, 1, 16, height))
    entry = b"\x01" + bytes((10,)) + b"blockStore" + bytes((len(value),)) + value
    batch = struct.pack("<QI", 7, 1) + entry
    (store / "000001.log").write_bytes(struct.pack("<IHB", 0, len(batch), 1) + batch)


# --- there and back


def test_a_stopped_node_comes_back_whole(folder: Path, tmp_path: Path) -> None:
    manifest = backed_up(folder, tmp_path / "b.tar")
    height, root = root_of(folder)
    assert (manifest.height, manifest.engine, manifest.has_secrets) == (height, "embedded", True)
    restored = tmp_path / "new"
    restore(tmp_path / "b.tar", restored, [APP], Wish(signed_up_to(height), PASSPHRASE))
    assert root_of(restored) == (height, root)
    for path in restored.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0
    with running(restored) as till:
        till.client.send(("A.clerk", Pay(to="B", amount_minor=4)))
        assert till.client.status().height == height + 1


def test_a_running_node_is_backed_up_while_it_works(tmp_path: Path) -> None:
    with running(tmp_path / "data") as till:
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))

        worker = threading.Thread(target=work)
        worker.start()
        try:
            for number in range(3):
                out = tmp_path / f"{number}.tar"
                before = till.node.height()
                assert before <= backed_up(till.folder, out).height <= till.node.height()
        finally:
            stop.set()
            worker.join()
        assert not (till.folder / STAGE).exists()
    for number in range(3):
        restored = tmp_path / f"r{number}"
        manifest = restore(tmp_path / f"{number}.tar", restored, [APP], EMBEDDED_LOSS)
        with running(restored) as again:
            assert again.node.height() >= manifest.height
        assert root_of(restored)[0] >= manifest.height


EMBEDDED_LOSS = Wish(passphrase=PASSPHRASE, accepts_loss=True)


def test_without_a_passphrase_no_key_is_in_it(folder: Path, tmp_path: Path) -> None:
    backed_up(folder, tmp_path / "b.tar", passphrase=None)
    with tarfile.open(tmp_path / "b.tar") as archive:
        names = archive.getnames()
    assert set(names) == {"genesis.json", "blocks/00000001.log", "blocks/tip", "manifest.json"}
    restored = tmp_path / "new"
    restore(tmp_path / "b.tar", restored, [APP], Wish(signed_up_to(1)))
    assert not (restored / "node.key").exists()


def test_keys_are_sealed(folder: Path, tmp_path: Path) -> None:
    backed_up(folder, tmp_path / "b.tar")
    secret = (folder / "passphrase").read_bytes().strip()
    assert secret not in (tmp_path / "b.tar").read_bytes()
    with pytest.raises(WrongPassphrase):
        restore(tmp_path / "b.tar", tmp_path / "new", [APP], Wish(signed_up_to(1), "another"))
    assert not (tmp_path / "new").exists()
    with pytest.raises(BadBackup, match="cannot be read"):
        unseal(b"{}", PASSPHRASE)
    assert unseal(seal({"a": b"b"}, PASSPHRASE), PASSPHRASE) == {"a": b"b"}


def test_an_export_is_audited_elsewhere(folder: Path, tmp_path: Path) -> None:
    made = back_up(folder, tmp_path / "e.tar", [APP], only_blocks=True)
    assert made.manifest.what == "export"
    (tmp_path / "there").mkdir()
    unpack(tmp_path / "e.tar", tmp_path / "there")
    assert root_of(tmp_path / "there") == root_of(folder)


def test_a_node_that_pruned_its_blocks_comes_back_with_its_state(
    folder: Path, tmp_path: Path
) -> None:
    pruned = tmp_path / "pruned"
    shutil.copytree(folder, pruned)
    genesis = read_genesis(pruned, [APP])
    log = FileLog.open(OsDisk(), str(pruned / BLOCKS), genesis.hash, segment_bytes=1_000)
    store = RocksStore(str(pruned / STATE))
    chain = Chain(Ledger([APP], PEOPLE, genesis), log, store, sign=node_key(pruned).sign)
    for _ in range(20):
        chain.next_block(chain.state.tip.time_ms + 1, [], force=True)
    assert chain.prune(20) > 1
    shelf = SnapshotShelf(pruned / SNAPSHOTS, chain, every=0)
    shelf.take().result()
    shelf.close()
    root, height = chain.state.root(), chain.state.tip.height
    chain.close()
    assert backed_up(pruned, tmp_path / "b.tar").height == height
    wish = Wish(signed_up_to(height), PASSPHRASE)
    restore(tmp_path / "b.tar", tmp_path / "new", [APP], wish)
    with running(tmp_path / "new") as till:
        assert till.node.height() == height
        assert till.client.status().state_root == root
        assert list((tmp_path / "new" / SNAPSHOTS).rglob("*"))
        till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
        backed_up(till.folder, tmp_path / "again.tar")
    restore(tmp_path / "again.tar", tmp_path / "newer", [APP], EMBEDDED_LOSS)
    with running(tmp_path / "newer") as till:
        assert till.node.height() == height + 1


def node_key(folder: Path) -> OfficerKey:
    """The key that signs a folder's headers."""
    return KeyStore(folder, read_passphrase(folder, Settings())).load("node")


def test_the_commands_make_try_and_restore(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, new = str(tmp_path / "d"), str(tmp_path / "b.tar"), str(tmp_path / "new")
    (tmp_path / "pass").write_text(PASSPHRASE + "\n")
    assert run(["init", data]) == 0
    assert run(["export", data, str(tmp_path / "e.tar")]) == 0
    assert run(["backup", data, out, "--with-keys", str(tmp_path / "pass")]) == 0
    assert "every block checked" in capsys.readouterr().out
    assert run(["backup", data, out]) == 24
    assert "there is a file already" in capsys.readouterr().err
    assert run(["audit", str(tmp_path / "e.tar")]) == 0
    assert run(["restore", out, new]) == 24
    assert "--signed-until" in capsys.readouterr().err
    asked = ["--signed-until", "0", "--passphrase", str(tmp_path / "pass"), "--json"]
    assert run(["restore", out, new, *asked]) == 0
    assert json.loads(capsys.readouterr().out)["has_keys"]
    assert run(["restore", out, new, *asked]) == 24
    assert run(["restore", out, new, "--signed-until", "1", "--ask", "unix:x"]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "b.tar",
        "d",
        "e.tar",
        "new",
        "pass",
    ]


# --- what is refused


def test_a_backup_with_another_byte_is_refused(folder: Path, tmp_path: Path) -> None:
    backed_up(folder, tmp_path / "b.tar")
    whole = bytearray((tmp_path / "b.tar").read_bytes())
    with tarfile.open(tmp_path / "b.tar") as archive:
        places = [(each.offset_data, each.size, each.name) for each in archive.getmembers()]
    for offset, size, name in places:
        broken = bytearray(whole)
        broken[offset + size // 2] ^= 1
        (tmp_path / "broken.tar").write_bytes(broken)
        with pytest.raises(BadBackup, match="broken.tar" if name == "manifest.json" else name):
            restore(tmp_path / "broken.tar", tmp_path / "new", [APP], EMBEDDED_LOSS)
        assert not (tmp_path / "new").exists()


def test_a_backup_that_is_cut_off_is_refused(folder: Path, tmp_path: Path) -> None:
    backed_up(folder, tmp_path / "b.tar")
    whole = (tmp_path / "b.tar").read_bytes()
    with tarfile.open(tmp_path / "b.tar") as archive:
        last = archive.getmembers()[-1].offset
    for size in (0, 300, last // 2, last, last + 700):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(BadBackup):
            restore(tmp_path / "cut.tar", tmp_path / "new", [APP], EMBEDDED_LOSS)
    with pytest.raises(BadBackup):
        restore(tmp_path / "none.tar", tmp_path / "new", [APP], EMBEDDED_LOSS)
    assert not (tmp_path / "new.part").exists()


@pytest.mark.parametrize("name", ("../outside", "/outside", "keys/../../outside"))
def test_a_backup_writes_nothing_outside_of_the_folder(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadBackup, match="outside of the folder"):
        restore(tmp_path / "bad.tar", tmp_path / "a" / "new", [APP], EMBEDDED_LOSS)
    with tarfile.open(tmp_path / "link.tar", "w") as archive:
        link = tarfile.TarInfo("keys")
        link.type, link.linkname = tarfile.SYMTYPE, "/"
        archive.addfile(link)
    with pytest.raises(BadBackup, match="is no file"):
        restore(tmp_path / "link.tar", tmp_path / "a" / "new", [APP], EMBEDDED_LOSS)
    assert list(tmp_path.rglob("outside")) == []


def test_damaged_blocks_are_found_when_the_backup_is_made(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "d")
    log = tmp_path / "d" / BLOCKS / "00000001.log"
    raw = bytearray(log.read_bytes())
    raw[200] ^= 1
    log.write_bytes(raw)
    with pytest.raises(BadBackup, match="block 1"):
        backed_up(tmp_path / "d", tmp_path / "b.tar")
    assert not (tmp_path / "b.tar").exists()


def test_a_chain_of_one_node_does_not_sign_a_height_twice(folder: Path, tmp_path: Path) -> None:
    height = backed_up(folder, tmp_path / "b.tar").height
    with pytest.raises(BadBackup, match="Say up to which block"):
        restore(tmp_path / "b.tar", tmp_path / "new", [APP], Wish())
    late = Wish(signed_up_to(height + 2))
    with pytest.raises(BadBackup, match=f"blocks {height + 1} to {height + 2} are not in"):
        restore(tmp_path / "b.tar", tmp_path / "new", [APP], late)
    restore(tmp_path / "b.tar", tmp_path / "new", [APP], Wish(accepts_loss=True))
    assert root_of(tmp_path / "new")[0] == height


# --- a member of a consortium


def test_the_ledger_may_not_be_newer_than_the_engine(consortium: Path, tmp_path: Path) -> None:
    height = root_of(consortium)[0]
    engine_at(consortium, height - 1)
    assert backed_up(consortium, tmp_path / "b.tar").engine_height == height - 1
    wish = Wish(signed_up_to(100), PASSPHRASE)
    with pytest.raises(BadBackup, match=f"ledger is at block {height} and the engine is at"):
        restore(tmp_path / "b.tar", tmp_path / "new", [APP], wish)
    wish = Wish(signed_up_to(100), PASSPHRASE, only_keys=True)
    restore(tmp_path / "b.tar", tmp_path / "new", [APP], wish)
    there = {path.name for path in (tmp_path / "new").iterdir()}
    assert BLOCKS not in there
    assert {"genesis.json", "engine", "node.key"} <= there
    assert [path.name for path in (tmp_path / "new/engine/data").iterdir()] == [
        "priv_validator_state.json"
    ]


def test_a_validator_never_gets_an_old_memory_of_what_it_signed(
    consortium: Path, tmp_path: Path
) -> None:
    manifest = backed_up(consortium, tmp_path / "b.tar")
    assert manifest.signed == Signed(height=3, round=1, step=3)
    with tarfile.open(tmp_path / "b.tar") as archive:
        assert not [name for name in archive.getnames() if "priv_validator_state" in name]
    with pytest.raises(BadBackup, match="may sign twice"):
        restore(tmp_path / "b.tar", tmp_path / "new", [APP], Wish(passphrase=PASSPHRASE))
    for low in (signed_up_to(2), signed_up_to(3, 0)):
        with pytest.raises(BadBackup, match="too low"):
            restore(tmp_path / "b.tar", tmp_path / "new", [APP], Wish(low, PASSPHRASE))
    restore(tmp_path / "b.tar", tmp_path / "new", [APP], Wish(signed_up_to(120), PASSPHRASE))
    floor = tmp_path / "new/engine/data/priv_validator_state.json"
    assert json.loads(floor.read_text()) == {"height": "120", "round": 2**31 - 1, "step": 3}
    assert floor.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new/engine/config/priv_validator_key.json").exists()


def test_the_network_may_be_asked_how_far_it_is(tmp_path: Path) -> None:
    with running(tmp_path / "other") as other:
        other.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
        height = other.client.status().height
        assert asked(Session(), other.node.address) == signed_up_to(height + 1)
        other.node.engine._trouble = "no space left"  # type: ignore[union-attr]
        with pytest.raises(BadBackup, match="ask another node"):
            asked(Session(), other.node.address)
    assert read_floor("7") == signed_up_to(7)
    assert read_floor("7/2") == Signed(height=7, round=2, step=3)
    with pytest.raises(UsageError, match="is not H or H/ROUND"):
        read_floor("7/x")


def test_the_old_disks_memory_may_be_taken(tmp_path: Path) -> None:
    raw = b'{"height": "9", "round": 2, "step": 1, "signature": "x", "signbytes": "AB"}'
    assert read_signed(raw, "old") == Signed(height=9, round=2, step=1)
    for bad in (b"", b"[]", b'{"height": "x"}', b'{"height": -1}'):
        with pytest.raises(BadBackup, match="old"):
            read_signed(bad, "old")


# --- CometBFT's store


def test_the_newest_entry_counts_wherever_it_lies(tmp_path: Path) -> None:
    assert engine_height(tmp_path) is None
    engine_at(tmp_path, 9)
    assert engine_height(tmp_path) == 9
    store = tmp_path / "engine/data/blockstore.db"
    (store / "000001.log").write_bytes(b"")
    assert engine_height(tmp_path) == 0
    (store / "000002.ldb").write_bytes(b"cut off")
    assert engine_height(tmp_path) == 0


def test_what_snappy_made_smaller_is_read() -> None:
    assert unsnap(bytes((9, 0x08)) + b"abc" + bytes((0x09, 3))) == b"abcabcabc"
    assert unsnap(bytes((6, 0x08)) + b"abc" + bytes((0x0A, 3, 0))) == b"abcabc"
    assert unsnap(bytes((61, 60 << 2, 60)) + bytes(61)) == bytes(61)
    for bad in (bytes((9, 0x09, 3)), bytes((2, 0x00)) + b"a", b"\xff"):
        with pytest.raises(Unreadable):
            unsnap(bad)


# --- holding a process still


def test_a_process_is_held_still_and_goes_on() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        stat = Path(f"/proc/{process.pid}/stat")
        try:
            with held_still(process.pid):
                assert not is_running(stat)
            assert is_running(stat)
            assert engine_of(os.getpid()) is None
        finally:
            process.kill()
    assert not is_running(stat)
    with held_still(None):
        pass


def test_a_process_goes_on_when_the_backup_is_killed() -> None:
    """The guard that lets it go on lives in a session of its own."""
    with subprocess.Popen(["sleep", "60"]) as process:
        stat = Path(f"/proc/{process.pid}/stat")
        guard = subprocess.Popen(
            ["/bin/sh", "-c", f"sleep 0.2; kill -CONT {process.pid}"], start_new_session=True
        )
        try:
            process.send_signal(signal.SIGSTOP)
            guard.wait(timeout=60)
            end = time.monotonic() + 60
            while not is_running(stat) and time.monotonic() < end:
                time.sleep(0.01)
            assert is_running(stat)
        finally:
            process.kill()


def test_a_folder_without_a_chain_cannot_be_backed_up(tmp_path: Path) -> None:
    make(tmp_path / "d")
    manifest = backed_up(tmp_path / "d", tmp_path / "b.tar")
    assert manifest.height == 0
