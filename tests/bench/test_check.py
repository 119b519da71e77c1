"""The check of ratios: slower is found, a busy machine is not taken for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tallystick.bench.check import ATTEMPTS, ATTEMPTS_MOST, Attempt, best, compare
from tallystick.bench.machine import busy_seconds, own_seconds

STORED = {"embedded_to_kernel": 0.8, "kernel_to_verify": 1.0}


def measuring(
    *found: tuple[float, float], others: float = 0.0
) -> tuple[Callable[[], Attempt], list[int]]:
    """One pair of ratios after the other, and how often they were asked for."""
    asked: list[int] = []
    waiting: Iterator[tuple[float, float]] = iter(found)

    def measure() -> Attempt:
        asked.append(1)
        end_to_end, kernel = next(waiting)
        ratios = {"embedded_to_kernel": end_to_end, "kernel_to_verify": kernel}
        return Attempt(ratios, others)

    return measure, asked


def test_what_is_fast_enough_is_measured_once() -> None:
    measure, asked = measuring((0.61, 0.76))
    assert compare(measure, STORED) == []
    assert len(asked) == 1


def test_a_busy_moment_is_forgiven() -> None:
    """Each ratio must come near once; they need not do so together."""
    measure, asked = measuring((0.3, 0.9), (0.7, 0.2))
    assert compare(measure, STORED) == []
    assert len(asked) == 2


def test_what_stays_slow_is_found() -> None:
    """More than a quarter below the stored ratio, every time."""
    measure, asked = measuring(*[(0.59, 0.9)] * ATTEMPTS)
    assert compare(measure, STORED) == ["embedded_to_kernel"]
    assert len(asked) == ATTEMPTS


def test_a_busy_machine_is_not_taken_for_a_slow_node() -> None:
    """Low while others work means nothing; high means fast enough all the same."""
    measure, asked = measuring(*[(0.1, 0.1)] * ATTEMPTS_MOST, others=1.0)
    assert compare(measure, STORED) == []
    assert len(asked) == ATTEMPTS_MOST
    measure, asked = measuring((0.8, 1.0), others=1.0)
    assert compare(measure, STORED) == []
    assert len(asked) == 1


def test_what_this_process_uses_is_among_what_the_machine_uses() -> None:
    """Both grow; on systems that do not tell, the machine counts as quiet."""
    busy, own = busy_seconds(), own_seconds()
    sum(range(3_000_000))
    assert own_seconds() > own
    after = busy_seconds()
    assert (busy is None) == (after is None)
    assert busy is None or (after or 0.0) > busy


def test_nothing_stored_asks_for_nothing() -> None:
    """A body whose ratios nobody has written down."""
    measure, _ = measuring((0.1, 0.1))
    assert compare(measure, {}) == []


def test_the_best_of_several() -> None:
    assert best([{"a": 0.5, "b": 0.2}, {"a": 0.1, "b": 0.30004}]) == {"a": 0.5, "b": 0.3}
