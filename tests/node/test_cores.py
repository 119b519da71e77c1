"""Python's threads of a node stay on one core; what works beside them does not."""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.accel import Body, load
from tallystick.errors import SettingsError
from tallystick.node.cores import settle

CORES = sorted(os.sched_getaffinity(0))
PYTHON = load("python")


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Let this process run where it could before."""
    yield
    for thread in Path("/proc/self/task").iterdir():
        with suppress(ProcessLookupError):  # it has ended meanwhile
            os.sched_setaffinity(int(thread.name), CORES)


def with_workers(asked: list[int]) -> Body:
    """A body with threads of its own, that says how many it was asked for."""

    def start(count: int) -> bool:
        asked.append(count)
        return True

    return replace(PYTHON, start_workers=start)


def seen_of_a_new_thread() -> list[int]:
    """Cores on which a thread that is started now may run."""
    seen: list[int] = []
    thread = threading.Thread(target=lambda: seen.extend(os.sched_getaffinity(0)))
    thread.start()
    thread.join()
    return seen


def test_python_stays_on_one_core_and_new_threads_with_it() -> None:
    asked: list[int] = []
    core = settle(with_workers(asked), "auto")
    if len(CORES) == 1:
        assert (core, asked) == (None, [])
    else:
        assert core == CORES[os.getpid() % len(CORES)]
        assert asked == [min(len(CORES) - 1, 4)]
        assert seen_of_a_new_thread() == [core]


def test_a_thread_that_is_none_of_pythons_is_kept_off_its_core() -> None:
    stop, started = threading.Event(), threading.Event()
    numbers: list[int] = []

    def wait() -> None:
        """Stand by; Python's list of threads does not know of it."""
        numbers.append(threading.get_native_id())
        started.set()
        stop.wait()

    _thread.start_new_thread(wait, ())
    started.wait()
    try:
        core = settle(with_workers([]), "auto")
        others = set(CORES) - {core} if len(CORES) > 1 else set(CORES)
        assert os.sched_getaffinity(numbers[0]) == others
    finally:
        stop.set()


@pytest.mark.parametrize(
    ("name", "policy"), (("store-flush", os.SCHED_IDLE), ("native-0", os.SCHED_OTHER))
)
def test_who_writes_a_stores_files_stands_back(name: str, policy: int) -> None:
    stop, started = threading.Event(), threading.Event()
    numbers: list[int] = []

    def wait() -> None:
        """Stand by under this name."""
        numbers.append(threading.get_native_id())
        Path(f"/proc/self/task/{numbers[0]}/comm").write_text(name)
        started.set()
        stop.wait()

    _thread.start_new_thread(wait, ())
    started.wait()
    before = os.sched_getscheduler(numbers[0])
    try:
        is_settled = settle(with_workers([]), "auto") is not None
        assert os.sched_getscheduler(numbers[0]) == (policy if is_settled else before)
    finally:
        stop.set()


def test_a_core_by_its_number() -> None:
    core = settle(with_workers([]), CORES[-1])
    assert core == (CORES[-1] if len(CORES) > 1 else None)


def test_a_core_that_is_not_there_is_an_error_of_the_settings() -> None:
    with pytest.raises(SettingsError, match="none of this node's"):
        settle(PYTHON, CORES[-1] + 1)


@pytest.mark.parametrize("body", (PYTHON, with_workers([])), ids=("no threads", "left open"))
def test_else_all_is_left_to_the_system(body: Body) -> None:
    assert settle(body, "auto" if body is PYTHON else "any") is None
    assert seen_of_a_new_thread() == CORES
