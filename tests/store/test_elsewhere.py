"""What the system does for a block is done off the core of a thread that is kept on one."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.store.disk import OsDisk
from tallystick.store.elsewhere import WORTH_BYTES, available, elsewhere
from tallystick.store.log import FileLog

CORES = sorted(os.sched_getaffinity(0))
ALL = set(CORES)
NOT_THERE = 4_000


@pytest.fixture(autouse=True)
def one_core() -> Iterator[None]:
    """Keep this thread on one core, as a node does, and let it go afterwards."""
    os.sched_setaffinity(0, CORES[:1])
    yield
    os.sched_setaffinity(0, ALL)


def place_of(cores: set[int], size_bytes: int) -> set[int]:
    """Where so much work is done; afterwards the thread is back."""
    before = available()
    with elsewhere(cores, size_bytes):
        there = available()
    assert available() == before
    return there


def test_much_is_done_on_another_core() -> None:
    others = ALL - available()
    assert place_of(ALL, WORTH_BYTES) == (others or available())


def test_little_is_done_on_the_spot() -> None:
    assert place_of(ALL, WORTH_BYTES - 1) == available()


def test_a_thread_that_may_run_anywhere_stays_as_it_is() -> None:
    os.sched_setaffinity(0, ALL)
    assert place_of(ALL, WORTH_BYTES) == ALL


def test_where_no_other_core_is_to_be_had_it_is_done_on_the_spot() -> None:
    assert place_of({NOT_THERE}, WORTH_BYTES) == available()
    assert place_of(set(), WORTH_BYTES) == available()


def test_the_thread_is_back_when_the_work_failed() -> None:
    before = available()
    with pytest.raises(OSError, match="full"), elsewhere(ALL, WORTH_BYTES):
        raise OSError("full")
    assert available() == before


def test_a_large_block_is_appended_and_the_thread_is_back(tmp_path: Path) -> None:
    os.sched_setaffinity(0, ALL)
    log = FileLog.open(OsDisk(), str(tmp_path / "blocks"), bytes(32))
    os.sched_setaffinity(0, CORES[:1])
    body = bytes(range(256)) * 1_000
    assert log.append(body) == 1
    assert available() == set(CORES[:1])
    assert log.read(1) == body
    log.close()
