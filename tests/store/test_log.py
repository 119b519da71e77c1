"""Appending: what a full or failing disk does to it, how segments roll, what opening reports."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.errors import Damage, DiskFailed, DiskFull, LogSealed, StoreError
from tallystick.store.base import BlockLog
from tallystick.store.check import ProblemKind, check
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog, Recovery
from tallystick.testing.disk import SimulatedDisk, SimulatedFile
from tests.store.conformance import BlockLogConformance
from tests.store.worlds import FOLDER, GENESIS, SEGMENT_BYTES, body, made, open_log

FIRST, SECOND = f"{FOLDER}/00000001.log", f"{FOLDER}/00000002.log"
TIP = f"{FOLDER}/tip"


class TestOnOsDisk(BlockLogConformance):
    """The conformance suite on the file system."""

    @pytest.fixture
    def open_log(self, tmp_path: Path) -> Callable[[], BlockLog]:
        folder = str(tmp_path / "data" / "blocks")
        return lambda: FileLog.open(OsDisk(), folder, GENESIS, segment_bytes=SEGMENT_BYTES)


class TestOnSimulatedDisk(BlockLogConformance):
    """The conformance suite on the simulated disk."""

    @pytest.fixture
    def open_log(self) -> Callable[[], BlockLog]:
        disk = SimulatedDisk()
        return lambda: open_log(disk)


def test_an_append_is_one_write_and_one_flush_then_the_tip() -> None:
    disk = SimulatedDisk()
    log = open_log(disk)
    log.append(body(1))
    before = disk.operations
    log.append(body(2))
    assert disk.operations == before + 3
    assert [write.path for write in disk.pending()] == [TIP, TIP]


def test_entries_never_span_segments() -> None:
    disk = made(9)
    segments = [name for name in disk.list(FOLDER) if name != "tip"]
    assert segments == [f"0000000{number}.log" for number in range(1, 6)]
    assert all(len(disk.files()[f"{FOLDER}/{name}"]) <= SEGMENT_BYTES for name in segments)


def test_a_block_larger_than_a_segment_has_one_of_its_own() -> None:
    disk = made(1)
    log = open_log(disk)
    log.append(bytes(1000))
    log.append(b"small")
    assert len(disk.list(FOLDER)) == 4
    assert [len(block) for _, block in open_log(disk).entries(2)] == [1000, 5]


def test_opening_says_what_it_did() -> None:
    disk = made(2)
    assert open_log(disk).recovery == Recovery(0, tip_rewritten=False, message="")
    disk.put(FIRST, disk.files()[FIRST] + b"torn")
    disk.lose(TIP)
    assert open_log(disk).recovery == Recovery(
        4,
        tip_rewritten=True,
        message="block log at 2: cut 4 bytes of a block that was never committed,"
        " wrote the tip again",
    )


def test_a_full_disk_refuses_the_block_and_keeps_the_log() -> None:
    for room in range(len(made(2).files()[FIRST]) - len(made(1).files()[FIRST])):
        disk = made(1)
        log = open_log(disk)
        before = disk.files()
        disk.set_capacity(sum(len(stored) for stored in before.values()) + room)
        with pytest.raises(DiskFull, match="no space left"):
            log.append(body(2))
        assert log.height() == 1
        assert disk.files() == before
        assert check(disk, FOLDER, GENESIS).is_ok
        disk.set_capacity(None)
        assert log.append(body(2)) == 2
        assert disk.files()[FIRST] == made(2).files()[FIRST]


def test_a_failing_write_refuses_the_block_and_keeps_the_log() -> None:
    disk = made(1)
    log = open_log(disk)
    disk.fail("write", errno.EIO)
    with pytest.raises(DiskFailed, match=r"cannot write .*00000001\.log: Input/output error"):
        log.append(body(2))
    assert log.append(body(2)) == 2
    assert check(disk, FOLDER, GENESIS).is_ok


@pytest.mark.parametrize("action", ("cut", "sync"))
def test_what_cannot_be_cut_seals_the_log(action: str) -> None:
    disk = made(1)
    log = open_log(disk)
    disk.fail("write", errno.ENOSPC)
    disk.fail(action, errno.EIO)
    with pytest.raises(DiskFull):
        log.append(body(2))
    with pytest.raises(LogSealed):
        log.append(body(2))
    assert log.read(1) == body(1)
    again = open_log(disk)
    assert again.height() == 1
    assert (again.recovery.cut_bytes > 0) == (action == "cut")
    assert again.append(body(2)) == 2


def test_a_failing_flush_seals_the_log_and_opening_it_makes_the_block_durable() -> None:
    """After a failed flush the system shows bytes that no later flush would write."""
    disk = made(1)
    log = open_log(disk)
    disk.fail("sync", errno.EIO)
    with pytest.raises(DiskFailed, match="cannot flush"):
        log.append(body(2))
    assert log.height() == 1
    with pytest.raises(LogSealed):
        log.append(body(2))
    assert open_log(disk).height() == 2
    disk.restart([(0, 0)] * len(disk.pending()))
    assert open_log(disk).read(2) == body(2)


def test_a_segment_that_cannot_begin_is_begun_by_the_next_append() -> None:
    disk = made(2)
    log = open_log(disk)
    disk.fail("open", errno.EMFILE)
    with pytest.raises(DiskFailed, match=r"cannot begin .*00000002\.log"):
        log.append(body(3))
    disk.fail("sync_folder", errno.EIO)
    with pytest.raises(DiskFailed):
        log.append(body(3))
    assert disk.files()[SECOND] == b""
    assert check(disk, FOLDER, GENESIS).is_ok
    assert open_log(disk.clone()).append(body(3)) == 3
    assert log.append(body(3)) == 3
    assert check(disk, FOLDER, GENESIS).is_ok


def test_a_small_block_may_still_go_before_a_segment_that_did_not_begin() -> None:
    disk = made(2)
    log = open_log(disk)
    disk.fail("sync_folder", errno.EIO)
    with pytest.raises(DiskFailed):
        log.append(bytes(200))
    assert log.append(b"") == 3
    torn = disk.files()[FIRST][:-1]
    assert check(disk, FOLDER, GENESIS).is_ok
    assert disk.files()[SECOND] == b""
    disk.lose(TIP)
    disk.put(FIRST, torn)
    assert open_log(disk).height() == 2


def test_a_tip_that_cannot_be_written_does_not_undo_the_block() -> None:
    disk = made(1)
    log = open_log(disk)
    disk.fail("write", 0, errno.EIO, errno.EIO)
    assert log.append(body(2)) == 2
    with pytest.raises(DiskFailed, match=r"cannot write .*tip"):
        log.append(body(3))
    assert log.height() == 2
    assert log.append(body(3)) == 3
    assert check(disk, FOLDER, GENESIS).is_ok


def test_closing_does_not_fail_for_the_tip() -> None:
    disk = SimulatedDisk()
    log = open_log(disk)
    log.close()
    log = open_log(disk)
    log.append(body(1))
    disk.fail("sync", errno.EIO)
    log.close()
    assert open_log(disk).height() == 1


@pytest.mark.parametrize("action", ("mkdir", "open", "sync_folder", "read", "sync", "write", "cut"))
def test_opening_on_a_failing_disk_says_so(action: str) -> None:
    disk = SimulatedDisk()
    if action != "mkdir":
        disk = made(2)
        disk.lose(TIP)
        disk.put(FIRST, disk.files()[FIRST] + b"torn")
    disk.fail(action, errno.EIO)
    with pytest.raises(DiskFailed):
        FileLog.open(disk, FOLDER, GENESIS)


def test_reading_says_what_it_finds() -> None:
    disk = made(3)
    log = open_log(disk)
    disk.fail("read", errno.EIO)
    with pytest.raises(DiskFailed, match=r"cannot read .*00000002\.log"):
        log.read(3)
    disk.fail("open", errno.EACCES)
    with pytest.raises(DiskFailed, match="cannot open"):
        log.read(3)
    good = disk.files()[FIRST]
    for changed in (b"", good[:80], good.replace(b"last=1", b"last=9"), b"?" + good[1:]):
        disk.put(FIRST, changed)
        with pytest.raises(Damage, match="block 1 "):
            log.read(1)


def test_old_segments_are_verified_when_they_are_read() -> None:
    """Opening reads bodies of the last two segments; a check reads all."""
    disk = made(8)
    disk.put(FIRST, disk.files()[FIRST].replace(b"last=2", b"last=9"))
    log = open_log(disk)
    assert log.height() == 8
    with pytest.raises(Damage, match="block 2 "):
        log.read(2)
    with pytest.raises(Damage, match="block 2 "):
        list(log.entries(1))
    assert [p.kind for p in check(disk, FOLDER, GENESIS).problems] == [ProblemKind.DAMAGE]


def test_a_forged_block_breaks_the_chain_when_read() -> None:
    """Checksums and all, yet the block after it carries another hash."""
    disk, other = made(8), SimulatedDisk()
    log = open_log(disk)
    forged = open_log(other)
    forged.append(body(1))
    forged.append(body(2).replace(b"last=2", b"last=9"))
    disk.put(FIRST, other.files()[FIRST])
    assert log.read(2) != body(2)
    with pytest.raises(Damage, match="block 3 is damaged: it does not follow"):
        list(log.entries(1))
    with pytest.raises(Damage, match="block 3 "):
        open_log(disk)


def test_a_file_that_changes_while_it_is_looked_at_is_damage() -> None:
    class Fickle(SimulatedDisk):
        """A disk whose first segment goes bad after it was opened a number of times."""

        def __init__(self, opens: int) -> None:
            super().__init__()
            self.opens = opens

        def open(self, path: str, *, create: bool = False, write: bool = False) -> SimulatedFile:
            self.opens -= path == FIRST
            if self.opens == 0:
                self.put(FIRST, bytes(200))
            return super().open(path, create=create, write=write)

    disk = Fickle(3)
    for path, stored in made(3).files().items():
        disk.put(path, stored)
    disk.put(TIP, made(1).files()[TIP])
    with pytest.raises(Damage, match="block 2 is damaged: its header changed"):
        check(disk, FOLDER, GENESIS)


def test_the_tip_cannot_be_compared_on_a_failing_disk() -> None:
    disk = made(3)
    disk.put(TIP, made(1).files()[TIP])
    disk.fail("open", 0, 0, 0, 0, 0, errno.EIO)
    with pytest.raises(DiskFailed):
        check(disk, FOLDER, GENESIS)


def test_a_flipped_byte_on_the_file_system(tmp_path: Path) -> None:
    """The same on real files: a check names the block, the node stops, nothing is changed."""
    folder = tmp_path / "blocks"
    log = FileLog.open(OsDisk(), str(folder), GENESIS)
    for _ in range(20):
        log.append(os.urandom(300))
    log.close()
    path = folder / "00000001.log"
    good = path.read_bytes()
    size = len(good) // 20
    for offset in range(0, len(good), 37):
        path.write_bytes(good[:offset] + bytes((good[offset] ^ 0x10,)) + good[offset + 1 :])
        report = check(OsDisk(), str(folder), GENESIS)
        assert [problem.height for problem in report.problems] == [offset // size + 1]
        with pytest.raises(StoreError, match=f"block {offset // size + 1} "):
            FileLog.open(OsDisk(), str(folder), GENESIS)
    path.write_bytes(good)
    assert check(OsDisk(), str(folder), GENESIS).is_ok
