"""Random transactions of every application on a chain under each body; `make parity` plays more."""

import pytest

from tallystick.accel import load
from tests.parity.bends import PARTS, bent_body
from tests.parity.plays import PLAYS
from tests.parity.runs import Run

PYTHON = load("python")
NATIVE = load("native")


@pytest.mark.parametrize("app", PLAYS)
def test_receipts_and_roots_are_the_same(app: str) -> None:
    played = Run(app, 1, 0, (PYTHON, NATIVE)).play(300)
    assert played.differences == []
    assert played.transactions == 300
    assert played.blocks > 50


def test_the_other_way_round() -> None:
    """Played under the native body, told again to the Python one."""
    assert Run("cash", 2, 0, (NATIVE, PYTHON)).play(300).differences == []


@pytest.mark.parametrize("part", PARTS)
def test_a_wrong_byte_of_the_native_body_is_found(part: str) -> None:
    bent = bent_body(NATIVE, part, turn=4)
    assert len(Run("cash", 3, 0, (PYTHON, bent)).play(100).differences) == 1
