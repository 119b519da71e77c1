"""A few kills on every run; `make consortium-crash N=100` for many."""

from __future__ import annotations

from pathlib import Path

from tests.consortium.kills import run


def test_killed_validators_catch_up_and_nothing_is_lost(tmp_path: Path) -> None:
    """Kills under load, then two of four at once: no progress without them, and no fork."""
    tally = run(tmp_path, 4, seed=3, audits=1)
    assert tally.problems == []
    assert (tally.lost, tally.twice, tally.audits) == (0, 0, 1)
    assert tally.answers > 0
    assert tally.committed >= tally.answers
