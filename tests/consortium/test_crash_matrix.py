"""A few fields of the crash matrix on every run; `make crash-matrix` plays all of them."""

from __future__ import annotations

from pathlib import Path

from tests.consortium.matrix import Case, Matrix
from tests.consortium.till_net import running

SHORT = (
    Case("block stored", "validators"),
    Case("results saved", "transactions"),
    Case("committed", "timers"),
    Case("Commit answered", "validators"),
)
"""One for each way in which CometBFT brings an application up to its store."""


def test_a_validator_that_stops_between_two_writes_comes_back(tmp_path: Path) -> None:
    with running(tmp_path, heartbeat_seconds=600) as net:
        matrix = Matrix(net)
        for case in SHORT:
            matrix.play(case)
        net.stop()
        assert len({len(log) for log in net.histories()}) == 1
