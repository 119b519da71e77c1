"""`tally cases`: a line for each case, a place for each failure, golden receipts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Tally

GOOD = """# Money is minted and paid.
$ tally --as CB.maker+checker cash mint --money CNY@CB --to D1 --amount 1,000.00
fork D1 pays too much
  $ tally --as D1.maker+checker cash transfer --money CNY@CB --to S1 --amount 1,000.01
    ! cash 6 INSUFFICIENT
end
$ tally --as D1.maker+checker cash transfer --money CNY@CB --to S1 --amount 333.33
$ tally --as D1 cash balances --party D1
  = available 666.67
"""
BAD = GOOD.replace("= available 666.67", "= available 666.66")


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "good.case"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.case"
    path.write_text(BAD, encoding="utf-8")
    return path


def test_a_case_that_comes_out(tally: Tally, good: Path) -> None:
    told = tally("cases", str(good)).out
    assert f"ok      {good}  3 transactions" in told
    assert "1 cases, 0 failed" in told


def test_a_case_that_does_not(tally: Tally, good: Path, bad: Path) -> None:
    told = tally("cases", str(bad.parent), code=1).out
    assert f"{bad}:9: = available 666.66" in told
    assert "expected 666.66, it is 666.67" in told
    assert f"ok      {good}" in told
    assert "2 cases, 1 failed" in told


def test_cases_for_programs(tally: Tally, good: Path, bad: Path) -> None:
    first, second = tally("cases", str(bad), str(good), "--json", code=1).json
    assert (first["ok"], first["place"]) == (False, f"{bad}:9")
    assert (second["ok"], second["transactions"], second["reason"]) == (True, 3, None)


@pytest.mark.parametrize(
    "text",
    (
        "$ tally cash nothing\n",
        "$ tally --as D1 cash balances\n",
        "$ ledger cash mint\n",
        "fork x\n",
        "nonsense\n",
        "opens yesterday\n",
        '$ tally "cash\n',
    ),
)
def test_what_cannot_be_read_names_its_line(tally: Tally, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.case"
    path.write_text(f"# first\n{text}", encoding="utf-8")
    assert f"{path}:2: " in tally("cases", str(path), code=1).out


def test_files_that_are_no_text(tally: Tally, tmp_path: Path) -> None:
    path = tmp_path / "odd.case"
    path.write_bytes(b"\xff\xfe")
    assert "is not UTF-8 text" in tally("cases", str(path), code=1).out
    assert "cannot be read: " in tally("cases", str(tmp_path / "no.case"), code=1).out


def test_which_invoices_a_case_ran_on_is_always_told(tally: Tally, tmp_path: Path) -> None:
    path = tmp_path / "import.case"
    path.write_text("$ tally invoices import .\n  = rows 0\n", encoding="utf-8")
    assert "0 files of ." in tally("cases", str(path)).out


def test_a_folder_without_cases_is_a_mistake(tally: Tally, tmp_path: Path) -> None:
    assert "no *.case in" in tally("cases", str(tmp_path), code=2).err
    tally("cases", code=2)


def test_golden_receipts_are_written_and_compared(tally: Tally, good: Path) -> None:
    golden = good.with_name("good.case.golden")
    assert "there is none" in tally("cases", "--check-golden", str(good), code=1).out
    tally("cases", "--golden", str(good))
    text = golden.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0].startswith("accepted cash mint ")
    assert lines[1].startswith("  refused cash transfer cash 6 party=D1 ")
    assert lines[-1].startswith("state ")
    tally("cases", "--check-golden", str(good))
    tally("cases", "--golden", str(good))
    assert golden.read_text(encoding="utf-8") == text


def test_a_changed_receipt_is_named(tally: Tally, good: Path) -> None:
    tally("cases", "--golden", str(good))
    good.write_text(GOOD.replace("333.33", "333.34").replace("666.67", "666.66"), encoding="utf-8")
    told = tally("cases", "--check-golden", str(good), code=1).out
    assert "good.case.golden:3: was: accepted cash transfer" in told
    tally("cases", str(good))
