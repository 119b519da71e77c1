"""Progress: a bar for what takes over a second, none for programs."""

from __future__ import annotations

import pytest

from tallystick.cli.output import _Bar, print_json, progress


def test_a_bar_appears_after_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    bar = _Bar("invoices")
    appeared = []
    for done in (1, 2, 10):
        bar.step(done, 10)
        appeared.append(bar._bar is not None)
        bar._begun -= 2
    bar.close()
    assert appeared == [False, True, True]
    assert capsys.readouterr().out == ""


def test_programs_see_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    for wanted in (True, False):
        with progress("audit", wanted=wanted) as step:
            step(1, 2)
    told = capsys.readouterr()
    assert told.out + told.err == ""


def test_json_is_one_value_in_any_script(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "恒通", "amount_minor": "1"})
    assert capsys.readouterr().out == '{\n  "name": "恒通",\n  "amount_minor": "1"\n}\n'
