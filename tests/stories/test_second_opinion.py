"""Stories drawn at random come out as a second, independent bookkeeping says."""

import pytest

from tallystick.testing.cases import CaseRun, read_case
from tests.stories.second_opinion import case_of

SEEDS = range(24)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_ledger_agrees(seed: int) -> None:
    told = CaseRun(read_case(f"seed {seed}", case_of(seed))).run()
    assert told
