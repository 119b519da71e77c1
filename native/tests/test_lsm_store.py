"""The LSM store: after any crash at an earlier height, whole; damage is said, never served."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.errors import (
    DataFolderInUse,
    DiskFailed,
    DiskFull,
    StateDamaged,
    StoreClosed,
    StoreError,
)
from tallystick.operations.backup.folder import stage_state
from tallystick.store.kinds import kind_of, open_state, read_state
from tallystick.store.lsm import LsmStore
from tallystick.store.rocks import RocksStore
from tests.store.conformance import StateStoreConformance

BLOCK = 3_000
"""Changes of a block in the tests of large stores."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LsmStore]:
    opened = LsmStore(str(tmp_path / "state"))
    yield opened
    opened.close()


class TestLsmStore(StateStoreConformance):
    """The conformance suite."""


def test_opens_where_it_was_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    for height in range(1, 6):
        store = LsmStore(path)
        assert store.height() == height - 1
        store.apply(height, {b"k": b"%d" % height}, {b"s": b"%d" % height})
        store.close()
    store = LsmStore(path)
    assert (store.height(), store.get(b"k"), store.side_get(b"s")) == (5, b"5", b"5")
    store.close()


def test_is_open_once(store: LsmStore, tmp_path: Path) -> None:
    with pytest.raises(DataFolderInUse):
        LsmStore(str(tmp_path / "state"))


def test_closing_the_store_ends_its_readers_and_scans(store: LsmStore, tmp_path: Path) -> None:
    store.apply(1, dict.fromkeys((b"%04d" % number for number in range(600)), b"1"), {})
    reader, scan = store.snapshot(), store.scan(b"")
    next(scan)
    store.close()
    with pytest.raises(StoreClosed):
        reader.get(b"0000")
    with pytest.raises(StoreClosed):
        list(scan)
    LsmStore(str(tmp_path / "state")).close()


WRITER = """
import sys
from tallystick.store.lsm import LsmStore
store = LsmStore(sys.argv[1])
height = store.height()
while True:
    height += 1
    value = b"%d" % height
    store.apply(height, {b"%03d" % n: value for n in range(200)}, {b"s": value})
    if height % 7 == 0:
        store.checkpoint()
        print(height, flush=True)
    elif height % 3 == 0:
        store.checkpoint_soon()
"""


def test_a_killed_process_leaves_a_whole_earlier_height(tmp_path: Path) -> None:
    path, last = str(tmp_path / "state"), 0
    for turn in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, env={**os.environ}
        )
        with writer:
            assert writer.stdout is not None
            flushed = int(writer.stdout.readline())
            time.sleep(0.013 * turn)
            writer.send_signal(signal.SIGKILL)
            lines = writer.stdout.read().split()
            flushed = int(lines[-1]) if lines else flushed
        store = LsmStore(path)
        height, values = store.height(), {value for _, value in store.scan(b"")}
        assert height >= flushed > last
        assert values == {b"%d" % height}
        assert store.side_get(b"s") == b"%d" % height
        last = height
        store.close()


@pytest.mark.parametrize("place", ("start", "quarter", "middle", "end"))
def test_damaged_files_are_said_and_never_served(tmp_path: Path, place: str) -> None:
    """Every file is broken in turn: the store raises, or what it answers is right."""
    path = tmp_path / "state"
    state = {b"%04d" % number: os.urandom(64) for number in range(400)}
    store = LsmStore(str(path))
    store.apply(1, state, {})
    store.close()
    said = 0
    files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != "LOCK"]
    for number, file in enumerate(files):
        good = file.read_bytes()
        twin = tmp_path / f"twin-{number}"
        shutil.copytree(path, twin)
        parts = {"start": 0, "quarter": 1, "middle": 2, "end": 4}
        at = min(len(good) * parts[place] // 4, len(good) - 1)
        broken_file = twin / file.relative_to(path)
        broken_file.write_bytes(good[:at] + bytes((good[at] ^ 0x55,)) + good[at + 1 :])
        try:
            broken = LsmStore(str(twin))
            try:
                assert dict(broken.scan(b"")) == state
                assert broken.get(b"0200") == state[b"0200"]
                assert broken.height() == 1
            finally:
                broken.close()
        except StoreError:
            said += 1
    assert said >= 1


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store = LsmStore(str(path))
    store.apply(1, {b"a": b"1"}, {})
    store.close()
    for name in ("current", next(path.glob("v*")).name, "tables"):
        twin = tmp_path / f"without-{name}"
        shutil.copytree(path, twin, ignore=shutil.ignore_patterns(name))
        if name == "tables":
            (twin / name).mkdir()
        with pytest.raises(StateDamaged):
            LsmStore(str(twin))


def test_is_read_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "state"
    store = LsmStore(str(path))
    store.apply(1, {b"a": b"1"}, {b"b": b"2"})
    store.close()
    (path / "tables" / "999").touch()
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    first, second = (LsmStore(str(path), read_only=True) for _ in range(2))
    assert (first.height(), first.get(b"a"), second.side_get(b"b")) == (1, b"1", b"2")
    with pytest.raises(DiskFailed, match="only read"):
        first.apply(2, {}, {})
    first.close()
    second.close()
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    with pytest.raises(StateDamaged, match="there is none"):
        LsmStore(str(tmp_path / "none"), read_only=True)


FILLER = """
import os, sys
from tallystick.store.lsm import LsmStore
store = LsmStore(sys.argv[1])
last = int(sys.argv[2])
store.apply(0, {b"genesis": b"1"}, {b"side": b"1"})

def batches():
    for number in range(3):
        yield {b"%d-%d" % (number, at): b"new" for at in range(1000)}, {}
        store.checkpoint()
        if number == last:
            os._exit(9)

store.refill(70, batches(), lambda: os._exit(9))
"""


@pytest.mark.parametrize("last", (0, 2, 3))
def test_a_filling_that_was_cut_short_leaves_nothing(tmp_path: Path, last: int) -> None:
    """Killed between two batches, and when all is written and does not count yet."""
    path = str(tmp_path / "state")
    ended = subprocess.run([sys.executable, "-c", FILLER, path, str(last)], check=False)
    assert ended.returncode == 9
    with pytest.raises(StateDamaged, match="being filled"):
        LsmStore(path, read_only=True)
    store = LsmStore(path)
    assert (store.height(), list(store.scan(b"")), list(store.side_scan(b""))) == (0, [], [])
    store.apply(0, {b"genesis": b"1"}, {})
    store.close()
    store = LsmStore(path)
    assert list(store.scan(b"")) == [(b"genesis", b"1")]
    store.close()


def test_a_filling_that_fails_leaves_nothing_after_a_restart(tmp_path: Path) -> None:
    store = LsmStore(str(tmp_path / "state"))
    store.apply(0, {b"genesis": b"1"}, {})

    def settled() -> None:
        raise DiskFull("blocks")

    with pytest.raises(DiskFull):
        store.refill(70, [({b"a": b"1"}, {})], settled)
    store.close()
    store = LsmStore(str(tmp_path / "state"))
    assert (store.height(), store.get(b"a"), store.get(b"genesis")) == (0, None, None)
    store.close()


LIMITED = """
import resource, sys
from tallystick.errors import DiskFull
from tallystick.store.lsm import LsmStore
store = LsmStore(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import os
try:
    for height in range(1, 9):
        store.apply(height, {os.urandom(30): os.urandom(200) for _ in range(1000)}, {})
        store.checkpoint_soon() if sys.argv[2] == "soon" else store.checkpoint()
    store.checkpoint()
except DiskFull:
    os._exit(7)
"""


@pytest.mark.parametrize("when", ("soon", "now"))
def test_a_full_disk_is_said(tmp_path: Path, when: str) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "state"), when]
    assert subprocess.run(command, check=False, timeout=60).returncode == 7
    store = LsmStore(str(tmp_path / "state"))
    assert (store.height(), list(store.scan(b""))) == (0, [])
    store.close()


def test_what_is_written_over_and_over_is_merged_and_right(tmp_path: Path) -> None:
    """Many flushes and merges, while others read at heights of their own."""
    store, done = LsmStore(str(tmp_path / "state")), threading.Event()
    keys = [b"%08d" % (number * 7919 % 100_000) for number in range(20_000)]
    wrong: list[object] = []

    def look() -> None:
        while not done.is_set():
            reader = store.snapshot()
            height = reader.height()
            for _ in range(20):
                got = {reader.get(keys[0]), reader.side_get(b"last")}
                if got != {b"%d" % height}:
                    wrong.append((height, got))
            found = [value for _, value in reader.scan(keys[0], limit=1)]
            if found != [b"%d" % height]:
                wrong.append((height, found))
            reader.close()

    store.apply(1, {keys[0]: b"1"}, {b"last": b"1"})
    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    expected: dict[bytes, bytes | None] = {}
    try:
        for height in range(2, 120):
            value = b"%d" % height
            first = height * 997 % (len(keys) - BLOCK)
            changes: dict[bytes, bytes | None] = dict.fromkeys(
                keys[first : first + BLOCK], value * 50
            )
            changes |= dict.fromkeys(keys[first : first + BLOCK : 10]) | {keys[0]: value}
            expected |= changes
            store.apply(height, changes, {b"last": value, b"at-%d" % height: value})
            if height % 5 == 0:
                store.checkpoint_soon()
    finally:
        done.set()
        for thread in threads:
            thread.join()
    kept = {key: value for key, value in expected.items() if value is not None}
    assert not wrong
    assert dict(store.scan(b"")) == kept
    assert store.get_many(keys) == [kept.get(key) for key in keys]
    store.close()
    store = LsmStore(str(tmp_path / "state"))
    assert dict(store.scan(b"")) == kept
    assert len(list(store.side_scan(b"at-"))) == 118
    store.close()


def test_takes_over_from_another_kind_and_is_backed_up(tmp_path: Path) -> None:
    rocks = RocksStore(str(tmp_path / "state"))
    rocks.apply(1, {b"a": b"1"}, {})
    rocks.close()
    told: list[str] = []
    store = open_state(tmp_path / "state", "lsm", begins=0, tell=told.append)
    assert (store.height(), kind_of(tmp_path / "state"), len(told)) == (0, "lsm", 1)
    store.apply(1, {b"a": b"2"}, {})
    store.close()
    stage_state(tmp_path, tmp_path / "stage")
    store = LsmStore(str(tmp_path / "state"))
    store.apply(2, {b"a": b"3"}, {})
    store.close()
    taken = read_state(tmp_path / "stage" / "state")
    assert (taken.height(), taken.get(b"a")) == (1, b"2")
    taken.close()
