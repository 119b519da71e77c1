"""`tally invoices import`: one JSON array, decided without a node, or with its registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Tally

TWINS = Path(__file__).parents[1] / "formats" / "twins"
EXAMPLES = Path(__file__).parents[2] / "examples" / "invoices"
KEYS = ["name", "outcome", "code", "currency", "payable_minor", "warnings", "unknown_parties"]


def test_one_array_an_entry_for_each_file(tally: Tally) -> None:
    found = tally("invoices", "import", str(TWINS), "--json").json
    assert [each["name"] for each in found] == sorted(path.name for path in TWINS.iterdir())
    assert [list(each) for each in found] == [KEYS] * 10
    by_name = {each["name"]: each for each in found}
    assert by_name["BIS3_Invoice_negativ.XML"]["payable_minor"] == "-78217943"
    assert [each["outcome"] for each in found].count("draft") == 5


def test_people_read_a_table(tally: Tally) -> None:
    told = tally("invoices", "import", str(TWINS)).out
    assert "784,516.93 DKK" in told
    assert "unknown parties:" in told
    assert "10 files, 5 drafts" in told


def test_a_folder_of_nothing(tally: Tally, tmp_path: Path) -> None:
    assert tally("invoices", "import", str(tmp_path), "--json").json == []
    assert "0 files, 0 drafts" in tally("invoices", "import", str(tmp_path)).out


def test_bad_files_are_decided_too(tally: Tally, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<not", encoding="utf-8")
    (tmp_path / "b.XML").write_text("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", encoding="utf-8")
    (tmp_path / "c.txt").write_text("not looked at", encoding="utf-8")
    found = tally("invoices", "import", str(tmp_path), "--json").json
    assert [(each["name"], each["outcome"]) for each in found] == [
        ("a.xml", "refused"),
        ("b.XML", "refused"),
    ]
    assert [each["payable_minor"] for each in found] == [None, None]


def test_a_folder_that_is_none(tally: Tally, tmp_path: Path) -> None:
    told = tally("invoices", "import", str(tmp_path / "no"), code=60).err
    assert "is no folder to read" in told
    tally("invoices", "import", code=2)


def test_the_environment_alone_asks_no_node(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLY_NODE", "unix:/nowhere/api.sock")
    tally("invoices", "import", str(TWINS), "--json")
    told = tally("invoices", "import", str(TWINS), "--node", "unix:/nowhere/api.sock", code=41)
    assert "no node answers" in told.err


def test_the_registry_of_a_node_is_asked(desk: Tally, tmp_path: Path) -> None:
    name = "05-hongyuan-to-ruifeng.xml"
    copy = tmp_path / name
    copy.write_bytes((EXAMPLES / name).read_bytes())
    before = desk("invoices", "import", str(tmp_path), "--json").json
    assert before[0]["outcome"] == "draft"
    made = desk("--as", "S4.maker+checker", "documents", "commit", str(copy), "--json").json
    words = f"documents register --document {made['ids'][0]} --purpose opening --amount 1.00"
    disclosure = f"{copy}.disclosure.json"
    desk("--as", "S4.maker+checker", *words.split(), "--disclosure", disclosure)
    after = desk("invoices", "import", str(tmp_path), "--json").json
    assert (after[0]["outcome"], after[0]["code"]) == ("refused", "TAKEN")
    asked = desk("documents", "is-taken", "--disclosure", disclosure, "--json").json
    assert asked["is_taken"] is True
