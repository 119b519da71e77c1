"""A few random transactions of every application on two chains; one wrong byte of a body is found.

Both chains have the Python body here; `make test-native` compares the native one, `make parity`
many more.
"""

from __future__ import annotations

import json

import pytest

from tallystick.accel import load
from tests.parity.__main__ import main
from tests.parity.bends import PARTS, bent_body
from tests.parity.plays import PLAYS
from tests.parity.runs import Run

PYTHON = load("python")


def test_every_application_comes_out_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--transactions", "40", "--bodies", "python", "python"]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["ok"]
    assert list(told["apps"]) == list(PLAYS)
    for app in told["apps"].values():
        assert app["transactions"] == 40
        assert app["outcomes"]["accepted"] > 5
        assert app["outcomes"]["refused"] > 5


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("is_first", (True, False))
def test_a_wrong_byte_of_either_body_is_found(part: str, is_first: bool) -> None:
    """One byte, once in a whole run, in any part of a body that a chain asks for anything."""
    wrong = bent_body(PYTHON, part, turn=4)
    bodies = (wrong, PYTHON) if is_first else (PYTHON, wrong)
    played = Run("cash", 1, 0, bodies).play(100)
    assert len(played.differences) == 1, played
