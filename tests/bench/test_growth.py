"""What a larger state costs: a state is filled in, loaded, and found again after a restart."""

from __future__ import annotations

import pytest

from tallystick.bench.cast import payer
from tallystick.bench.growth import idle_members, measure, sizes_up_to, slower


@pytest.mark.timeout(300)
def test_a_small_state() -> None:
    """Members that sign and members that do not; the restart's root is compared in there."""
    figures = measure(largest=1_200, seconds=0.3)
    sizes = figures["sizes"]
    assert isinstance(sizes, list)
    [size] = sizes
    assert 1_200 <= size["records"] <= 1_250
    assert size["hot_tps"] > 0
    assert size["uniform_tps"] > 0
    assert size["commit_p999_ms"] > 0
    assert size["commit_p999_ms"] == max(size["hot_commit_p999_ms"], size["uniform_commit_p999_ms"])
    assert 500 < size["log_bytes"] < 1_500
    assert size["state_bytes"] > 0
    assert size["hot_kernel_us"] > 0
    assert figures["hot_slower"] == figures["hot_slower_alike"] == 0.0
    assert size["start_s"] > 0


def test_how_much_slower_the_slowest_size_is() -> None:
    """Beside the first, whichever comes last."""
    of_kernel = [(40.0, 20.0), (50.0, 20.0), (60.0, 30.0)]
    assert slower([{"hot_us": us, "hot_kernel_us": alone} for us, alone in of_kernel]) == 0.25
    assert slower([]) == 0.0


def test_sizes_grow_tenfold_and_one_is_the_smallest_in_which_all_sign() -> None:
    assert sizes_up_to(1_200) == [1_200]
    assert sizes_up_to(100_000) == [10_000, 100_000]
    assert sizes_up_to(1_000_000) == [10_000, 100_000, 200_000, 1_000_000]


def test_members_that_never_sign() -> None:
    """An entry and an account each, after those that sign."""
    made = list(idle_members(2, 4))
    assert [type(each).__name__ for each in made] == ["Member", "Balance"] * 2
    assert {getattr(each, "party", payer(2)) for each in made} == {payer(2), payer(3)}
