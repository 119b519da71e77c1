"""A few kills on every run; `make crash N=200` for many."""

from __future__ import annotations

from pathlib import Path

from tests.crash.harness import crash


def test_a_killed_node_loses_nothing_and_keeps_its_answers(tmp_path: Path) -> None:
    tally = crash(4, tmp_path, seed=7)
    assert tally.problems == []
    assert (tally.kills, tally.lost, tally.twice, tally.unsound) == (4, 0, 0, 0)
    assert tally.answers > 0
    assert tally.committed >= tally.answers
