"""A network whose nodes are stand-ins: quick, and never left running."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tallystick.apps.founding import DEFAULT_CONSENSUS
from tallystick.ledger.system import Validator
from tallystick.network.network import Network
from tallystick.network.plan import read_run, supervisor_of
from tallystick.network.processes import kill_family
from tallystick.node import Beginning

STAND_IN = (sys.executable, "-m", "tests.network.stand_in")


def begin(validators: tuple[Validator, ...]) -> Beginning:
    """A chain with nothing but its validators."""
    return Beginning(name="net", records=(DEFAULT_CONSENSUS, *validators))


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def start(network: Network) -> None:
    """Start stand-ins instead of nodes."""
    network.start(bound=True, wait=False, command=STAND_IN)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """Two nodes that are not started yet."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    made = Network.make(tmp_path / "n", ("bank-a", "bank-b"), begin, validators=2)
    try:
        yield made
    finally:
        supervisor = supervisor_of(made.folder)
        runs = [read_run(made.folder, f"node{number}") for number in range(1, 5)]
        for each in (supervisor, *(run.process for run in runs if run)):
            if each is not None:
                kill_family(each)
