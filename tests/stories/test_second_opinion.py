"""Stories drawn at random come out as a second, independent bookkeeping says."""

from types import ModuleType

import pytest

from tallystick.testing.cases import CaseRun, read_case
from tests.stories import second_book, second_registry

SEEDS = range(16)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("opinion", (second_book, second_registry), ids=("book", "registry"))
def test_the_ledger_agrees(opinion: ModuleType, seed: int) -> None:
    told = CaseRun(read_case(f"seed {seed}", opinion.case_of(seed))).run()
    assert told
