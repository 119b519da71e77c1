"""A simulator that finds nothing proves nothing: it is given nodes that are wrong."""

from __future__ import annotations

import re

import pytest

from tests.sim.broken import APPLICATIONS, MACHINES
from tests.sim.machine import SimulatedMachine
from tests.sim.runs import Make, run

pytestmark = pytest.mark.timeout(600)
SEEDS_MAX = 60
"""After so many seeds each mistake must have shown."""


@pytest.mark.parametrize(
    ("make", "found"), [each[1:] for each in APPLICATIONS], ids=[each[0] for each in APPLICATIONS]
)
def test_a_wrong_application_is_found(make: Make, found: str) -> None:
    problems = (run(seed, make=make).problem for seed in range(SEEDS_MAX))
    assert re.search(found, next(filter(None, problems), "nothing"))


@pytest.mark.parametrize(
    ("machine", "found"), [each[1:] for each in MACHINES], ids=[each[0] for each in MACHINES]
)
def test_a_wrong_machine_is_found(machine: type[SimulatedMachine], found: str) -> None:
    problems = (run(seed, machine=machine).problem for seed in range(SEEDS_MAX))
    assert re.search(found, next(filter(None, problems), "nothing"))
