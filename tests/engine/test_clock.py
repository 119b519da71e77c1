"""The machine's clock: what is believed of it."""

from __future__ import annotations

import pytest

from tallystick.engine.clock import AHEAD_MS_MAX, JUMP_MS, MachineClock, check_start
from tallystick.errors import ClockWrong
from tests.till.desk import OPENS_MS, ManualClock


class Machine:
    """A wall clock and the time since boot."""

    def __init__(self) -> None:
        self.wall = ManualClock(OPENS_MS)
        self.boot = ManualClock(1_000)

    def passes(self, ms: int) -> None:
        self.wall.now_ms += ms
        self.boot.now_ms += ms


def test_it_follows_time_and_small_corrections() -> None:
    machine = Machine()
    clock = MachineClock(machine.wall, machine.boot)
    machine.passes(5_000)
    assert clock() == OPENS_MS + 5_000
    machine.wall.now_ms += 1_000
    assert clock() == OPENS_MS + 6_000
    assert clock.trouble == ""


def test_a_small_step_back_makes_it_wait() -> None:
    machine = Machine()
    clock = MachineClock(machine.wall, machine.boot)
    machine.passes(5_000)
    assert clock() == OPENS_MS + 5_000
    machine.wall.now_ms -= 2_000
    assert clock() == OPENS_MS + 5_000
    machine.passes(3_000)
    assert clock() == OPENS_MS + 6_000


@pytest.mark.parametrize(("step", "way"), ((JUMP_MS + 1, "ahead"), (-JUMP_MS - 1, "back")))
def test_a_jump_is_reported_and_not_followed(step: int, way: str) -> None:
    machine = Machine()
    clock = MachineClock(machine.wall, machine.boot)
    machine.passes(1_000)
    machine.wall.now_ms += step
    assert clock() == OPENS_MS + 1_000
    assert f"jumped {way} by 60 s" in clock.trouble
    machine.passes(1_000)
    assert clock() == OPENS_MS + 2_000
    machine.wall.now_ms -= step
    assert clock() == OPENS_MS + 2_000
    assert clock.trouble == ""


def test_a_clock_years_ahead_is_refused_before_it_spoils_block_time() -> None:
    with pytest.raises(ClockWrong, match="clock says 2099") as caught:
        check_start(4_080_000_000_000, OPENS_MS)
    assert caught.value.exit_code == 34
    assert check_start(OPENS_MS + AHEAD_MS_MAX, OPENS_MS) == ""


def test_a_clock_that_is_behind_is_reported() -> None:
    assert "stands still" in check_start(OPENS_MS - 1, OPENS_MS)
    assert check_start(OPENS_MS, OPENS_MS) == ""


def test_the_real_clock_is_near_the_wall_clock() -> None:
    clock = MachineClock()
    assert clock() <= clock()
    assert clock.trouble == ""
