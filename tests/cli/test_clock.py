"""`tally clock`: a trial's clock moves forward, and what falls due has run when it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.cli.main import run
from tallystick.node import Node
from tests.cli.conftest import Tally


@pytest.fixture
def other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Tally]:
    """A node whose clock these tests may move."""
    assert run(["init", str(tmp_path / "d"), "--name", "clock", "--opens", "2026-07-06 10:00"]) == 0
    with Node.open(tmp_path / "d") as node:
        yield Tally(capsys, "--node", node.address)


def test_a_hold_that_falls_due_on_the_way_is_released(other: Tally) -> None:
    assert "2026-07-06 10:00 (trial)" in other("clock", "show").out
    other.line("--as CB.maker+checker cash mint --money CNY@CB --to S1 --amount 5.00")
    hold = "--as S1.maker+checker cash hold --money CNY@CB --amount 5.00 --expires"
    other(*hold.split(), "2026-07-08 12:00")
    assert "5.00   0.00" not in other.line("--as S1 cash balances --party S1").out
    told = other.line("--as SUP.maker+checker clock advance 3d").out
    assert "SUP moves the trial's clock forward by 3d" in told
    assert "it is 2026-07-09 10:00" in told
    assert other.line("--as S1 cash balances --party S1 --json").json[0]["held_minor"] == "0"
    other("--as", "SUP.maker+checker", "clock", "advance", "--to", "2026-10-08 17:00")
    assert "2026-10-08 17:00" in other("clock", "show").out
    told = other("--as", "SUP.maker+checker", "clock", "advance", "--to", "2026-10-01", code=2).err
    assert "the clock only moves forward" in told


def test_only_its_keepers_move_it(other: Tally, tmp_path: Path) -> None:
    told = other.line("--as S1.maker+checker clock advance 1d", code=3).out
    assert "governance " in told
    assert "say how far (97d) or --to when" in other("clock", "advance", code=2).err
    assert "no whole number" in other.line("clock advance 1y --as SUP.maker", code=2).err
    path = tmp_path / "clock.tx"
    other(*["--as", "SUP.maker+checker", "clock", "advance", "1d"], code=0)
    assert not path.exists()
    assert other("clock", "show", "--json").json["trial"] is True
