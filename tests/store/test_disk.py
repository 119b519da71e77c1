"""The real disk does what the log needs; the simulated one is at least as bad as a real one."""

import errno
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.errors import DataFolderInUse, DiskFailed, DiskFull
from tallystick.store.base import Disk
from tallystick.store.disk import OsDisk, explain
from tallystick.testing.disk import PowerCut, SimulatedDisk, Write


@pytest.fixture(params=("os", "simulated"))
def disk(request: pytest.FixtureRequest) -> Disk:
    return OsDisk() if request.param == "os" else SimulatedDisk()


@pytest.fixture
def folder(disk: Disk, tmp_path: Path) -> str:
    made = str(tmp_path / "a" / "b")
    disk.mkdir(made)
    disk.mkdir(made)
    return made


def test_files_are_written_read_and_cut(disk: Disk, folder: str) -> None:
    file = disk.open(f"{folder}/f", create=True, write=True)
    disk.sync_folder(folder)
    file.write(0, b"hello")
    file.write(3, b"p me")
    file.write(9, b"!")
    file.sync()
    assert (file.size(), file.read(0, 100)) == (10, b"help me\x00\x00!")
    assert (file.read(5, 2), file.read(9, 5), file.read(50, 1)) == (b"me", b"!", b"")
    file.truncate(4)
    assert disk.open(f"{folder}/f").read(0, 9) == b"help"
    file.close()
    file.close()
    with pytest.raises(OSError, match=r"closed|Bad file"):
        file.size()
    assert disk.list(folder) == ("f",)


def test_what_is_not_there(disk: Disk, folder: str) -> None:
    assert disk.list(folder) == ()
    assert disk.list(f"{folder}/none") == ()
    with pytest.raises(FileNotFoundError):
        disk.open(f"{folder}/none", write=True)


def test_a_file_opened_for_reading_cannot_be_written(disk: Disk, folder: str) -> None:
    disk.open(f"{folder}/f", create=True, write=True).close()
    file = disk.open(f"{folder}/f")
    with pytest.raises(OSError, match="Bad file"):
        file.write(0, b"x")


def test_a_folder_is_locked_once(disk: Disk, folder: str) -> None:
    lock = disk.lock(f"{folder}/lock")
    with pytest.raises(DataFolderInUse, match="is in use"):
        disk.lock(f"{folder}/lock")
    lock.release()
    lock.release()
    disk.lock(f"{folder}/lock").release()


def test_another_process_is_named_and_its_lock_ends_with_it(tmp_path: Path) -> None:
    script = (
        "import sys; from tallystick.store.disk import OsDisk\n"
        "lock = OsDisk().lock(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )
    path = str(tmp_path / "lock")
    holder = subprocess.Popen(
        [sys.executable, "-c", script, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(DataFolderInUse, match=f"in use by process {holder.pid}") as held:
            OsDisk().lock(path)
        assert held.value.path == str(tmp_path)
        holder.kill()
    OsDisk().lock(path).release()


def test_a_short_write_is_an_error(tmp_path: Path) -> None:
    """The system takes a part, then says why: here the process may write 1,000 bytes to a file."""
    file = OsDisk().open(str(tmp_path / "f"), create=True, write=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large") as problem:
            file.write(0, bytes(1500))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.size() == 1000
    assert isinstance(explain(problem.value, "write", "f"), DiskFull)


def test_a_full_device_is_disk_full() -> None:
    file = OsDisk().open("/dev/full", write=True)
    with pytest.raises(OSError, match="No space left") as problem:
        file.write(0, b"x")
    file.close()
    assert isinstance(explain(problem.value, "write", "/dev/full"), DiskFull)
    assert isinstance(explain(OSError("odd"), "read", "f"), DiskFailed)


def test_a_read_that_the_system_splits_is_put_together(tmp_path: Path) -> None:
    """`/proc` answers a page at a time."""
    file = OsDisk().open("/proc/self/maps")
    whole = file.read(0, 1 << 20)
    assert whole.count(b"\n") > 40
    assert len(whole) > 4096
    file.close()


def test_fates_of_pending_writes() -> None:
    disk = SimulatedDisk()
    file = disk.open("d/f", create=True, write=True)
    disk.sync_folder("d")
    file.write(0, b"durable")
    file.sync()
    file.write(0, b"DURABLE")
    file.write(9, b"more")
    file.truncate(3)
    assert disk.files() == {"d/f": b"DUR"}
    assert disk.pending() == (
        Write("d/f", 0, b"DURABLE"),
        Write("d/f", 9, b"more"),
        Write("d/f", 3, None),
    )
    outcomes = {
        ((0, 0), (0, 0), (0, 0)): b"durable",
        ((0, 7), (0, 4), (0, 1)): b"DUR",
        ((0, 2), (0, 0), (0, 0)): b"DUrable",
        ((5, 7), (2, 4), (0, 0)): b"durabLE\x00\x00\x00\x00re",
    }
    for fates, content in outcomes.items():
        after = disk.clone()
        after.restart(fates)
        assert after.files() == {"d/f": content}
        assert after.pending() == ()


def test_drawn_fates_come_from_the_seed() -> None:
    def life(seed: int) -> dict[str, bytes]:
        disk = SimulatedDisk(seed)
        for name in "abcd":
            file = disk.open(f"d/{name}", create=True, write=True)
            file.write(0, bytes(range(50)))
            file.write(10, bytes(30))
        disk.restart(is_shuffled=True)
        return disk.files()

    assert life(3) == life(3)
    assert len({str(life(seed)) for seed in range(30)}) > 10


def test_nothing_works_without_power() -> None:
    disk = SimulatedDisk()
    file = disk.open("d/f", create=True, write=True)
    disk.lock("d/lock")
    disk.cut_power_at(2)
    file.write(0, b"a")
    with pytest.raises(PowerCut):
        file.truncate(0)
    for call in (file.size, file.sync, lambda: disk.list("d"), lambda: disk.lock("d/l2")):
        with pytest.raises(PowerCut):
            call()
    disk.restart([(0, 1), (0, 0)])
    disk.lock("d/lock")
    assert disk.files() == {"d/f": b"a"}
    with pytest.raises(OSError, match="Bad file"):
        file.read(0, 1)


def test_a_failed_flush_forgets() -> None:
    disk = SimulatedDisk(5)
    file = disk.open("d/f", create=True, write=True)
    disk.sync_folder("d")
    file.write(0, b"seen")
    disk.fail("sync", errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        file.sync()
    file.sync()
    assert (disk.files(), disk.pending()) == ({"d/f": b"seen"}, ())
    disk.restart([])
    assert disk.files() != {"d/f": b"seen"}


def test_names_that_were_not_flushed_can_go() -> None:
    disk = SimulatedDisk()
    disk.open("d/old", create=True)
    disk.sync_folder("d")
    disk.open("d/new", create=True)
    disk.forget_names()
    assert disk.list("d") == ("old",)
    disk.lose("d/old")
    assert disk.list("d") == ()


def test_removals_that_were_not_flushed_can_be_undone(tmp_path: Path) -> None:
    disk = SimulatedDisk()
    for name in ("kept", "gone"):
        disk.open(f"d/{name}", create=True).close()
    disk.sync_folder("d")
    disk.open("d/new", create=True).close()
    for path in ("d/new", "d/gone", "d/never there"):
        disk.remove(path)
    assert disk.list("d") == ("kept",)
    disk.recall_names()
    assert disk.list("d") == ("gone", "kept")
    disk.remove("d/gone")
    disk.sync_folder("d")
    disk.recall_names()
    assert disk.list("d") == ("kept",)
    real = OsDisk()
    real.open(str(tmp_path / "f"), create=True).close()
    for _ in range(2):
        real.remove(str(tmp_path / "f"))
    assert real.list(str(tmp_path)) == ()
