"""Parameters that governance sets, and the bounds within which rules take them."""

import pytest

from tallystick.apps.receivables.parameters import BOUNDS, DEFAULTS
from tallystick.apps.receivables.tests.market import Market


@pytest.fixture
def market() -> Market:
    return Market()


def test_every_parameter_has_bounds_and_its_default_lies_within() -> None:
    assert list(BOUNDS) == list(DEFAULTS)
    for name, (least, most) in BOUNDS.items():
        assert least <= DEFAULTS[name] <= most


@pytest.mark.parametrize("far", (-(2**63), 2**63 - 1))
def test_a_parameter_far_out_of_bounds_stops_nobody_from_drafting(market: Market, far: int) -> None:
    for name in DEFAULTS:
        if name.rpartition(".")[2] not in ("lpr_ppm", "min_piece_minor"):
            market.set_parameter(name.rpartition(".")[2], far)
    made, _ = market.drafted(100000, late_ppm_per_day=500)
    undertaking = market.undertaking(made)
    expected = (0, 0, 0, 1) if far < 0 else (60, 60, 50, 500)
    assert expected == (
        undertaking.grace_banking_days,
        undertaking.transfer_cutoff_days,
        undertaking.hops_max,
        undertaking.pieces_max,
    )
