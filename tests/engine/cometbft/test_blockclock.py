"""What time it is on the chain, as blocks tell it."""

from __future__ import annotations

from tallystick.engine.cometbft.blockclock import BlockClock

DAY_MS = 86_400_000
MINUTE_MS = 60_000


class Times:
    """A machine's two clocks."""

    def __init__(self) -> None:
        self.wall_ms = 10 * DAY_MS
        self.boot_ms = 5_000

    def clock(self, block_ms: int) -> BlockClock:
        """A clock that goes by them."""
        return BlockClock(block_ms, wall=lambda: self.wall_ms, boot=lambda: self.boot_ms)

    def pass_by(self, ms: int) -> None:
        """Let time pass."""
        self.wall_ms += ms
        self.boot_ms += ms


def test_before_blocks_come_the_machine_is_believed_but_not_before_the_last_block() -> None:
    times = Times()
    assert times.clock(times.wall_ms - DAY_MS)() == times.wall_ms
    assert times.clock(times.wall_ms + DAY_MS)() == times.wall_ms + DAY_MS
    behind = times.clock(times.wall_ms - DAY_MS)
    assert behind.chain_ms() == times.wall_ms - DAY_MS
    assert not behind.is_known
    assert behind.silent_seconds == 0.0


def test_a_block_tells_when_the_one_before_it_came() -> None:
    times = Times()
    clock = times.clock(0)
    chain_ms = 7 * DAY_MS
    clock.seen(chain_ms - 300)
    known = [clock.is_known]
    times.pass_by(400)
    clock.seen(chain_ms)
    assert [*known, clock.is_known] == [False, True]
    assert clock.chain_ms() == chain_ms + 400
    times.pass_by(1_600)
    assert clock.chain_ms() == chain_ms + 2_000
    assert clock.silent_seconds == 1.6


def test_a_wrong_machine_is_told_and_not_followed() -> None:
    times = Times()
    clock = times.clock(0)
    for _ in range(2):
        times.pass_by(100)
        clock.seen(times.wall_ms - 100)
    assert clock.trouble() == ""
    right_ms = clock()
    times.wall_ms += 10 * MINUTE_MS
    assert clock() == right_ms
    assert clock.trouble() == "this machine's clock is 600 s ahead of the time of the chain"
    times.wall_ms -= 20 * MINUTE_MS
    assert clock() == right_ms
    assert clock.trouble() == "this machine's clock is 600 s behind the time of the chain"


def test_it_never_goes_back() -> None:
    times = Times()
    clock = times.clock(0)
    first_ms = clock()
    for _ in range(2):
        times.pass_by(100)
        clock.seen(3 * DAY_MS)
    assert clock() == first_ms
    assert clock.chain_ms() == 3 * DAY_MS + 100


def test_after_a_restart_of_the_engine_two_blocks_are_needed_again() -> None:
    times = Times()
    clock = times.clock(0)
    clock.seen(100)
    clock.seen(200)
    clock.restart()
    assert not clock.is_known
    assert clock.trouble() == ""
    assert clock.chain_ms() == 200
