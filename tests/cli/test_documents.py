"""`tally documents commit FILE`: a disclosure beside the file, and the commitment sent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Tally

EXAMPLES = Path(__file__).parents[2] / "examples" / "invoices"


@pytest.fixture
def invoice(tmp_path: Path) -> Path:
    """A copy of an example."""
    path = tmp_path / "invoice.xml"
    path.write_bytes((EXAMPLES / "07-hengtong-to-linhai.xml").read_bytes())
    return path


def test_only_the_file(tally: Tally, invoice: Path) -> None:
    data = tally("documents", "commit", str(invoice), "--local", "--json").json
    path = invoice.with_name("invoice.xml.disclosure.json")
    assert (data["file"], len(data["root"])) == (str(path), 64)
    assert data["fields"]["payable_minor"] == "6000000"
    assert path.stat().st_mode & 0o777 == 0o600
    # Salts are kept: the same file gives the same root again.
    assert data["root"] in tally("documents", "commit", str(invoice), "--local").out


def test_a_disclosure_of_another_content_is_kept(tally: Tally, invoice: Path) -> None:
    tally("documents", "commit", str(invoice), "--local")
    invoice.write_bytes((EXAMPLES / "04-anda-to-hongyuan.xml").read_bytes())
    told = tally("documents", "commit", str(invoice), "--local", code=60).err
    assert "is of another content" in told


def test_it_is_sent(desk: Tally, invoice: Path) -> None:
    made = desk("--as", "S1.maker+checker", "documents", "commit", str(invoice), "--json").json
    document = made["ids"][0]
    told = desk("--as", "S1", "documents", "document", "--document", document, "--json").json
    disclosed = json.loads((invoice.parent / "invoice.xml.disclosure.json").read_text("utf-8"))
    assert len(disclosed["fields"]) == 12
    assert told["kind"] == "invoice"
    told = desk("--as", "S1", "documents", "particulars", "--document", document).out
    assert "payable=60,000.00" in told


def test_any_other_file(desk: Tally, tmp_path: Path) -> None:
    path = tmp_path / "contract.pdf"
    path.write_bytes(b"%PDF")
    words = ("documents", "commit", str(path), "--kind", "contract", "--json")
    made = desk("--as", "S1.maker+checker", *words).json
    told = desk("--as", "S1", "documents", "document", "--document", made["ids"][0], "--json")
    assert told.json["kind"] == "contract"


def test_without_a_file_the_options_are_the_message_s(desk: Tally) -> None:
    words = f"documents commit --kind contract --root {'ab' * 32}"
    assert "accepted" in desk.line(f"--as S1.maker+checker {words}").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    (
        (("no.xml", "--local"), 60, "no.xml"),
        (("no.pdf", "--local"), 60, "cannot be read"),
        (("--local",), 2, "--local needs a FILE"),
        (("x.xml", "--disclosure", "y"), 2, "not both"),
        (("--kind", "contract"), 2, "--root is missing"),
        (("--disclosure", "nothing.json"), 2, "there is no file nothing.json"),
    ),
)
def test_what_cannot_be_committed(
    desk: Tally, words: tuple[str, ...], code: int, said: str
) -> None:
    told = desk("--as", "S1.maker+checker", "documents", "commit", *words, code=code)
    assert said in told.err


def test_an_invoice_that_is_refused_is_not_committed(tally: Tally, tmp_path: Path) -> None:
    path = tmp_path / "wrong.xml"
    path.write_bytes((EXAMPLES / "12-hengtong-to-huayue-wrong-total.xml").read_bytes())
    told = tally("documents", "commit", str(path), "--local", code=60).err
    assert "adds up to" in told
    path.write_text("<not xml", encoding="utf-8")
    tally("documents", "commit", str(path), "--local", code=60)
    assert not path.with_name("wrong.xml.disclosure.json").exists()


def test_a_broken_disclosure(desk: Tally, tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text("{}", encoding="utf-8")
    words = ("documents", "commit", "--disclosure", str(path))
    assert "is not a disclosure" in desk("--as", "S1.maker+checker", *words, code=60).err
