"""The RocksDB store: after any crash at an earlier height, whole; damage is said, never served."""

import os
import shutil
import signal
import subprocess
import sys
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
from tallystick.store.rocks import RocksStore, explain
from tests.store.conformance import StateStoreConformance


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RocksStore]:
    opened = RocksStore(str(tmp_path / "state"))
    yield opened
    opened.close()


class TestRocksStore(StateStoreConformance):
    """The conformance suite."""


def test_opens_where_it_was_closed(tmp_path: Path) -> None:
    path = str(tmp_path / "state")
    for height in range(1, 6):
        store = RocksStore(path)
        assert store.height() == height - 1
        store.apply(height, {b"k": b"%d" % height}, {b"s": b"%d" % height})
        store.close()
    store = RocksStore(path)
    assert (store.height(), store.get(b"k"), store.side_get(b"s")) == (5, b"5", b"5")
    store.close()


def test_is_open_once(store: RocksStore, tmp_path: Path) -> None:
    with pytest.raises(DataFolderInUse):
        RocksStore(str(tmp_path / "state"))


def test_closing_the_store_ends_its_readers_and_scans(store: RocksStore) -> None:
    store.apply(1, dict.fromkeys((b"%04d" % number for number in range(600)), b"1"), {})
    reader, scan = store.snapshot(), store.scan(b"")
    next(scan)
    store.close()
    with pytest.raises(StoreClosed):
        reader.get(b"0000")
    with pytest.raises(StoreClosed):
        list(scan)


def test_says_when_the_database_was_closed_beneath_it(store: RocksStore) -> None:
    store.apply(1, {b"a": b"1"}, {})
    store._opened().close()
    with pytest.raises(StoreClosed):
        store.get(b"a")
    store._database = None


WRITER = """
import sys
from tallystick.store.rocks import RocksStore
store = RocksStore(sys.argv[1])
height = store.height()
while True:
    height += 1
    value = b"%d" % height
    store.apply(height, {b"%03d" % n: value for n in range(200)}, {b"s": value})
    if height % 7 == 0:
        store.checkpoint()
        print(height, flush=True)
"""


def test_a_killed_process_leaves_a_whole_earlier_height(tmp_path: Path) -> None:
    path, last = str(tmp_path / "state"), 0
    for turn in range(4):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE, env={**os.environ}
        )
        with writer:
            assert writer.stdout is not None
            flushed = int(writer.stdout.readline())
            time.sleep(0.01 * turn)
            writer.send_signal(signal.SIGKILL)
            lines = writer.stdout.read().split()
            flushed = int(lines[-1]) if lines else flushed
        store = RocksStore(path)
        height, values = store.height(), {value for _, value in store.scan(b"")}
        assert height >= flushed > last
        assert values == {b"%d" % height}
        assert store.side_get(b"s") == b"%d" % height
        last = height
        store.close()


@pytest.mark.parametrize("place", ("start", "middle", "end"))
def test_damaged_files_are_said_and_never_served(tmp_path: Path, place: str) -> None:
    """Every file is broken in turn: the store raises, or what it answers is right."""
    path = tmp_path / "state"
    state = {b"%04d" % number: os.urandom(64) for number in range(400)}
    store = RocksStore(str(path))
    store.apply(1, state, {})
    store.close()
    said = 0
    for number, file in enumerate(sorted(path.iterdir())):
        good = file.read_bytes()
        if not good:
            continue
        twin = tmp_path / f"twin-{number}"
        shutil.copytree(path, twin)
        at = {"start": 0, "middle": len(good) // 2, "end": len(good) - 1}[place]
        (twin / file.name).write_bytes(good[:at] + bytes((good[at] ^ 0x55,)) + good[at + 1 :])
        try:
            broken = RocksStore(str(twin))
            try:
                assert dict(broken.scan(b"")) == state
                assert broken.get(b"0200") == state[b"0200"]
                assert broken.height() == 1
            finally:
                broken.close()
        except StoreError:
            said += 1
    assert said >= 1


@pytest.mark.parametrize(
    ("words", "error"),
    (
        ("IO error: No space left on device: While appending to file: 000012.sst", DiskFull),
        (
            "IO error: While lock file: state/LOCK: Resource temporarily unavailable",
            DataFolderInUse,
        ),
        ("Corruption: block checksum mismatch", StateDamaged),
        ("Invalid argument: state: does not exist", StateDamaged),
        ("IO error: Input/output error", DiskFailed),
    ),
)
def test_words_become_errors(words: str, error: type[StoreError]) -> None:
    assert type(explain(words, "state")) is error


FILLER = """
import os, sys
from tallystick.store.rocks import RocksStore
store = RocksStore(sys.argv[1])
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
        RocksStore(path, read_only=True)
    store = RocksStore(path)
    assert (store.height(), list(store.scan(b"")), list(store.side_scan(b""))) == (0, [], [])
    store.apply(0, {b"genesis": b"1"}, {})
    store.close()


def test_a_filling_that_fails_leaves_nothing_after_a_restart(tmp_path: Path) -> None:
    store = RocksStore(str(tmp_path / "state"))
    store.apply(0, {b"genesis": b"1"}, {})

    def settled() -> None:
        raise DiskFull("blocks")

    with pytest.raises(DiskFull):
        store.refill(70, [({b"a": b"1"}, {})], settled)
    store.close()
    store = RocksStore(str(tmp_path / "state"))
    assert (store.height(), store.get(b"a"), store.get(b"genesis")) == (0, None, None)
    store.close()
