"""The outbox: what was kept stays kept, whatever the disk does and whenever the power goes."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tallystick.engine.cometbft import outbox as outbox_module
from tallystick.engine.cometbft.outbox import FILES, Outbox, OutboxFull
from tallystick.errors import DiskFailed, DiskFull
from tallystick.store.disk import OsDisk, OsFile
from tallystick.testing.disk import PowerCut, SimulatedDisk

FOLDER = "outbox"


def opened(disk: SimulatedDisk, **options: int) -> Outbox:
    return Outbox(disk, FOLDER, **options)


def raws(*numbers: int, size: int = 200) -> list[bytes]:
    """Transactions as an outbox sees them: bytes."""
    return [b"%06d" % number * (size // 6) for number in numbers]


def file_in_use(disk: SimulatedDisk) -> str:
    return max(disk.files(), key=lambda path: len(disk.files()[path]))


# --- as it should be


def test_what_was_kept_waits_until_it_is_decided() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1, 2, 3))
    box.decided(raws(2))
    assert box.pending() == raws(1, 3)
    assert len(box) == 2
    box.close()
    again = opened(disk)
    assert again.pending() == raws(1, 3)
    assert not again.recovery


def test_the_same_bytes_are_written_once() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1))
    size = len(disk.files()[file_in_use(disk)])
    box.append(raws(1, 1))
    assert len(disk.files()[file_in_use(disk)]) == size
    assert box.pending() == raws(1)


def test_a_decision_that_was_not_written_yet_is_forgotten_without_harm() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1, 2))
    box.decided(raws(1))
    disk.kill()
    assert opened(disk).pending() == raws(1, 2)


def test_decisions_are_written_with_what_comes_next() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1, 2))
    box.decided(raws(1))
    box.append(raws(3))
    disk.restart()
    assert opened(disk).pending() == raws(2, 3)


def test_more_than_may_wait_is_not_taken() -> None:
    box = opened(SimulatedDisk(), kept_max=3, bytes_max=1_000)
    box.append(raws(1, 2))
    with pytest.raises(OutboxFull):
        box.append(raws(3, 4))
    with pytest.raises(OutboxFull):
        box.append(raws(3, size=900))
    assert box.pending() == raws(1, 2)
    box.append(raws(1, 2))
    box.decided(raws(1))
    box.append(raws(3, 4))
    assert box.pending() == raws(2, 3, 4)


class Counting(OsDisk):
    """The real disk, its flushes slow and counted."""

    def __init__(self) -> None:
        self.flushes = 0
        self.pause = threading.Event()

    def open(self, path: str, *, create: bool = False, write: bool = False) -> OsFile:
        disk = self
        file = super().open(path, create=create, write=write)

        class Slow(OsFile):
            """A file whose flush takes a while."""

            def sync(self) -> None:
                """Flush, count, wait."""
                disk.flushes += 1
                disk.pause.wait(0.03)
                super().sync()

        slow = Slow(file._open())
        file._descriptor = None
        return slow


def test_callers_at_the_same_time_share_a_flush(tmp_path: Path) -> None:
    disk = Counting()
    box = Outbox(disk, str(tmp_path / "outbox"))
    before = disk.flushes
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(lambda number: box.append(raws(number)), range(160)))
    assert disk.flushes - before < 80
    assert sorted(box.pending()) == sorted(raws(*range(160)))
    box.close()
    assert sorted(Outbox(OsDisk(), str(tmp_path / "outbox")).pending()) == sorted(raws(*range(160)))


# --- written anew


def test_a_file_mostly_decided_is_written_anew() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    kept = raws(*range(5))
    box.append(kept)
    for first in range(10, 2_000, 100):
        many = raws(*range(first, first + 100), size=6_000)
        box.append(many)
        box.decided(many)
    assert box.pending() == kept
    sizes = sorted(len(data) for data in disk.files().values())
    assert sizes[0] == 0
    assert sizes[1] < outbox_module.COMPACT_BYTES
    box.append(raws(9_999))
    disk.kill()
    again = opened(disk)
    assert set(kept) | set(raws(9_999)) <= set(again.pending())
    assert not again.recovery


# --- crashes

Steps = Callable[[Outbox, list[bytes], list[bytes]], None]


def life(box: Outbox, promised: list[bytes], done: list[bytes]) -> None:
    """Keep and decide; what was promised and what was decided is noted as it happens."""
    for number in range(4):
        added = raws(number * 2, number * 2 + 1, size=60)
        box.append(added)
        promised += added
        if number:
            box.decided(raws(number * 2 - 1, size=60))
            done += raws(number * 2 - 1, size=60)


def check(disk: SimulatedDisk, promised: list[bytes], done: list[bytes]) -> None:
    """Nothing that was promised and not decided is missing, twice over; it can go on."""
    for _ in range(2):
        box = opened(disk)
        pending = box.pending()
        assert set(promised) - set(done) <= set(pending)
        assert len(set(pending)) == len(pending)
        assert set(pending) <= set(raws(*range(8), 70, size=60))
        box.append(raws(70, size=60))
        assert raws(70, size=60)[0] in box.pending()
        disk.kill()


@pytest.mark.parametrize("seed", range(3))
def test_a_power_cut_at_every_operation_loses_nothing_promised(seed: int) -> None:
    whole = SimulatedDisk(seed)
    life(opened(whole), [], [])
    for operation in range(1, whole.operations + 1):
        disk = SimulatedDisk(seed + 100 * operation)
        promised: list[bytes] = []
        done: list[bytes] = []
        disk.cut_power_at(operation)
        with pytest.raises(PowerCut):
            life(opened(disk), promised, done)
        for is_shuffled in (False, True):
            twin = disk.clone()
            twin.restart(is_shuffled=is_shuffled)
            check(twin, promised, done)


def test_a_power_cut_while_a_file_is_written_anew_loses_nothing() -> None:
    def grown(disk: SimulatedDisk) -> Outbox:
        box = opened(disk, bytes_max=10**9)
        box.append(raws(1, 2, 3))
        many = raws(*range(100, 106), size=1_500_000)
        for each in many:
            box.append([each])
        box.decided(many)
        return box

    whole = SimulatedDisk()
    box = grown(whole)
    before = whole.operations
    box.append(raws(4))
    for operation in range(1, whole.operations - before + 1):
        disk = SimulatedDisk(operation)
        box = grown(disk)
        disk.cut_power_at(operation)
        with pytest.raises(PowerCut):
            box.append(raws(4))
        for _ in range(3):
            twin = disk.clone()
            twin.restart()
            assert set(raws(1, 2, 3)) <= set(opened(twin).pending())


# --- a disk that fails


def test_a_full_disk_takes_nothing_and_harms_nothing() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1))
    disk.set_capacity(600)
    with pytest.raises(DiskFull):
        box.append(raws(2, 3))
    assert box.pending() == raws(1)
    disk.set_capacity(None)
    box.append(raws(3))
    disk.kill()
    assert opened(disk).pending() == raws(1, 3)


def test_after_a_flush_that_failed_only_opening_tells() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1))
    disk.fail("sync", errno.EIO)
    for _ in range(2):
        with pytest.raises(DiskFailed):
            box.append(raws(2))
    assert box.pending() == raws(1)
    disk.restart()
    assert set(raws(1)) <= set(opened(disk).pending())


def test_a_write_and_a_cut_that_fail_break_it() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1))
    disk.fail("write", errno.EIO)
    disk.fail("cut", errno.EIO)
    for _ in range(2):
        with pytest.raises(DiskFailed):
            box.append(raws(2))
    disk.kill()
    assert opened(disk).pending() == raws(1)


def test_writing_anew_that_fails_leaves_the_file_in_use() -> None:
    disk = SimulatedDisk()
    box = opened(disk, bytes_max=10**9)
    many = raws(*range(100, 106), size=1_500_000)
    box.append(many)
    box.decided(many)
    disk.fail("cut", errno.EIO)
    box.append(raws(1))
    assert "anew" in box.recovery
    box.append(raws(2))
    disk.kill()
    assert opened(disk).pending() == raws(1, 2)


@pytest.mark.parametrize("action", ("open", "read", "write"))
def test_an_outbox_that_cannot_be_read_is_an_error(action: str) -> None:
    disk = SimulatedDisk()
    disk.fail(action, errno.EIO)
    with pytest.raises(DiskFailed):
        opened(disk)


# --- damage


def test_damage_in_the_middle_costs_one_record_at_most() -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    for number in range(10):
        box.append(raws(number))
    path = file_in_use(disk)
    data = bytearray(disk.files()[path])
    data[len(data) // 2] ^= 1
    disk.kill()
    disk.put(path, bytes(data))
    again = opened(disk)
    assert len(again.pending()) == 9
    assert "damaged bytes" in again.recovery
    again.close()
    assert not opened(disk).recovery


@pytest.mark.parametrize("place", (0, 9, 20))
def test_a_damaged_head_costs_nothing(place: int) -> None:
    disk = SimulatedDisk()
    box = opened(disk)
    box.append(raws(1, 2))
    path = file_in_use(disk)
    data = bytearray(disk.files()[path])
    data[place] ^= 1
    disk.kill()
    disk.put(path, bytes(data))
    again = opened(disk)
    assert again.pending() == raws(1, 2)
    assert "head" in again.recovery
    again.append(raws(3))
    disk.kill()
    assert opened(disk).pending() == raws(1, 2, 3)


def test_any_bytes_are_read_without_an_error() -> None:
    disk = SimulatedDisk()
    opened(disk).append(raws(1))
    good = disk.files()[file_in_use(disk)]
    for cut in range(0, len(good), 7):
        disk.kill()
        for name in FILES:
            disk.put(f"{FOLDER}/{name}", good[:cut] + good[cut + 3 :])
        opened(disk)
