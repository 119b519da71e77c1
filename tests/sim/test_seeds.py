"""Some seeds on every run; `make sim SEEDS=1000` for many, `make sim SEED=7` for one."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

import pytest

from tests.house.tree import ROOT
from tests.sim.runs import Outcome, run

pytestmark = pytest.mark.timeout(600)
SEEDS = 60
AT_ONCE = 10


@cache
def played(seed: int) -> Outcome:
    """A run; it is played once."""
    return run(seed)


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_nothing_breaks(first: int) -> None:
    """Crashes, lies, partitions: one history, nothing lost, nothing twice, and all come to rest."""
    for seed in range(first, first + AT_ONCE):
        outcome = played(seed)
        assert outcome.problem == "", f"make sim SEED={seed}\n{outcome.trace.tail()}"


def test_all_that_is_to_happen_happens() -> None:
    """A run in which nothing goes wrong proves little."""
    lines = [line for seed in range(SEEDS) for line in played(seed).trace.lines]
    told = "\n".join(lines)
    for what in (
        "loses power",
        "is killed",
        "stops within commit",
        "stops while it starts",
        "stops before finalize_block",
        "stops after commit",
        "stops after process_proposal",
        "loses its data",
        "finalized again",
        "proposes twice",
        "proposes rubbish",
        "proposes a bad signature",
        "proposes another chain's",
        "proposes too many transactions",
        "proposes duplicates",
        "proposes expired",
        "are lost",
        "cut off",
        "the proposer does not speak",
    ):
        assert what in told, what


@pytest.mark.parametrize("hash_seed", ("0", "4242"))
def test_a_seed_is_a_run(hash_seed: str) -> None:
    """Another process, another hash seed: the same steps."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    other = subprocess.run(
        [sys.executable, "-m", "tests.sim", "--seed", "7"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=environment,
        text=True,
        timeout=300,
    )
    assert f"trace {played(7).trace.digest()[:16]}" in other.stdout
