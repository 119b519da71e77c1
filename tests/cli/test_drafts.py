"""Transactions in files: several calls, several members' signatures, one answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Tally

PAY = "--as D1.maker+checker cash transfer --money CNY@CB --to S1 --amount 1.00"
BACK = "--as S1.maker+checker cash transfer --money CNY@CB --to D1 --amount 2.00"


@pytest.fixture
def draft(desk: Tally, tmp_path: Path) -> Path:
    """D1 pays S1 and S1 pays D1, both or neither; nobody has signed."""
    for party in ("D1", "S1"):
        desk.line(f"--as CB.maker+checker cash mint --money CNY@CB --to {party} --amount 5.00")
    path = tmp_path / "swap.tx"
    told = desk(*PAY.split(), "--out", str(path)).out
    assert "1 call, to be signed by D1.maker, D1.checker" in told
    told = desk(*BACK.split(), "--add-to", str(path)).out
    assert "2 calls, to be signed by D1.maker, D1.checker, S1.maker, S1.checker" in told
    return path


def test_it_is_shown_before_it_is_signed(desk: Tally, draft: Path) -> None:
    told = desk("sign", str(draft), "--show").out
    assert "D1 pays S1 1.00 CNY@CB" in told
    assert "S1 pays D1 2.00 CNY@CB" in told
    assert "signed by" not in told
    data = desk("sign", str(draft), "--show", "--json").json
    assert [call["party"] for call in data["calls"]] == ["D1", "S1"]
    assert data["signatures"] == []


def test_everybody_signs_then_it_is_sent(desk: Tally, draft: Path) -> None:
    told = desk("--as", "D1.maker+checker", "sign", str(draft)).out
    assert "2 signatures" in told
    assert "not signed yet, as far as the keys here tell: S1.maker, S1.checker" in told
    assert "NOT_ENOUGH_OFFICERS" in desk("send", str(draft), code=3).out
    data = desk("--as", "S1.maker", "sign", str(draft), "--yes", "--json").json
    assert len(data["signatures"]) == 3
    told = desk("--as", "S1.checker", "sign", str(draft)).out
    assert "signed by D1.maker" in told
    told = desk("send", str(draft)).out
    assert "D1 pays S1 1.00 CNY@CB" in told
    assert "accepted at height" in told
    assert desk("send", str(draft)).out == told


def test_a_signed_one_takes_no_more_calls(desk: Tally, draft: Path) -> None:
    desk("--as", "D1.maker", "sign", str(draft))
    told = desk(*PAY.split(), "--add-to", str(draft), code=60).err
    assert "it is signed already" in told


def test_the_other_copy_may_be_written_elsewhere(desk: Tally, draft: Path, tmp_path: Path) -> None:
    before, other = draft.read_bytes(), tmp_path / "other.tx"
    desk(*PAY.split(), "--add-to", str(draft), "--out", str(other), "--json")
    assert draft.read_bytes() == before
    assert len(desk("sign", str(other), "--show", "--json").json["calls"]) == 3


def test_nobody_has_signed(desk: Tally, draft: Path) -> None:
    assert "nobody has signed" in desk("send", str(draft), code=2).err
    assert "say who signs" in desk("sign", str(draft), code=2).err
    assert "there is no key" in desk("--as", "X1.maker", "sign", str(draft), code=50).err


def test_it_can_be_shown_without_the_node(tally: Tally, draft: Path) -> None:
    told = tally("sign", str(draft), "--show", "--node", "unix:/nowhere/api.sock").out
    assert "D1 pays S1 1.00 CNY@CB" in told


@pytest.mark.parametrize("text", ("", "{}", "not json", '{"format": 1, "body": "c1"}'))
def test_files_that_are_none(tally: Tally, tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.tx"
    path.write_text(text, encoding="utf-8")
    assert str(path) in tally("sign", str(path), "--show", code=60).err
    tally("send", str(path), code=2 if "body" in text else 60)


def test_a_file_that_cannot_be_read_or_written(desk: Tally, tmp_path: Path) -> None:
    said = desk("send", str(tmp_path / "no.tx"), code=60).err
    assert "cannot be read: No such file or directory" in said
    assert "Errno" not in said
    told = desk(*PAY.split(), "--out", str(tmp_path / "no" / "a.tx"), code=60).err
    assert "cannot be written" in told
