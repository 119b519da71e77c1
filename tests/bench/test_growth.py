"""What a larger state costs: a state is filled in, loaded, and found again after a restart."""

from __future__ import annotations

import pytest

from tallystick.bench.cast import payer
from tallystick.bench.growth import idle_members, measure


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
    assert 500 < size["log_bytes"] < 1_500
    assert size["start_s"] > 0


def test_members_that_never_sign() -> None:
    """An entry and an account each, after those that sign."""
    made = list(idle_members(2, 4))
    assert [type(each).__name__ for each in made] == ["Member", "Balance"] * 2
    assert {getattr(each, "party", payer(2)) for each in made} == {payer(2), payer(3)}
