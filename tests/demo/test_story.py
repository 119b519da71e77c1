"""The story comes out to the cent, on our own invoices and on others'."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.founding import first_records, supervised
from tallystick.demo.cast import INSTITUTIONS, founder
from tallystick.demo.opening import CALENDAR
from tallystick.demo.spelling import full_width, retyped
from tallystick.demo.story import tell
from tallystick.demo.tell import Teller
from tallystick.formats.fingerprint import fingerprint
from tallystick.testing.world import OPENS, ZONE_MINUTES, World, public_key
from tallystick.values.time import at
from tests.demo.worldstage import WorldStage

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "invoices"
TWINS = ROOT / "tests" / "formats" / "twins"


class Keys:
    """Makes keys from names: for genesis, before there is a world."""

    def public_key(self, officer: str) -> bytes:
        """Key derived from the name."""
        return public_key(officer)


def told(folder: Path) -> str:
    """The story over a folder of invoices, in a world that the two founders open."""
    founders = [founder(player, Keys()) for player in INSTITUTIONS[:2]]
    founding = supervised(founders, replace(CALENDAR, years={}))
    records = first_records(APPS, founding, at(OPENS[0], OPENS[1], ZONE_MINUTES))
    world = World(APPS, AUTHORITY, records, trial=True)
    paper = io.StringIO()
    console = Console(width=140, file=paper)
    tell(WorldStage(world), Teller(console), folder)
    return paper.getvalue()


@pytest.fixture(scope="module")
def ours() -> str:
    """The story over our own examples."""
    return told(EXAMPLES)


@pytest.mark.parametrize(
    "sentence",
    (
        "net 222,219.37 CNY, all-in 4.8588 % a year, 94 days",
        "net 79,999.96 CNY",
        "documents 15 DFIN",
        "receivables 60 NO_RECOURSE",
        "Ruifeng Motors repays 21,481.92 CNY",
        "OVERDUE, 120,000.00 CNY unpaid",
        "DEFAULTED, 71,080.00 CNY unpaid",
        "refuses the voucher",
        "INV-O01, which reads like it: PNDG",
    ),
)
def test_the_figures_of_the_worked_cases(ours: str, sentence: str) -> None:
    """Worked cases 4 to 7 come out in the story."""
    assert sentence in ours


def test_the_cascade_is_shared_by_largest_remainder(ours: str) -> None:
    """60 % of 300,000.00 over three holders, and later 50,000.00 with late interest first."""
    for amount in ("72,000.01", "59,999.97", "48,000.02", "432.00", "360.00", "288.00"):
        assert amount in ours


def test_every_column_adds_up(ours: str) -> None:
    """The last row of the last table is the sum of the rows above it."""
    table = ours[ours.index("Everybody's cash") :]
    rows = [line for line in table.splitlines() if "│" in line]
    sums = [0] * 5
    for line in rows[:-1]:
        cells = [cell.strip() for cell in line.split("│")[2:-1]]
        for place, cell in enumerate(cells):
            sums[place] += _minor(cell)
    last = [_minor(cell.strip()) for cell in rows[-1].split("│")[2:-1]]
    assert sums == last
    assert last[0] == last[1] > 0


def _minor(cell: str) -> int:
    """Minor units of a cell; a dash is nothing."""
    return 0 if cell == "-" else int(cell.replace(",", "").replace(".", ""))


def test_others_invoices_are_played_as_far_as_they_go() -> None:
    """Twins of the published invoices: three currencies, and nothing can be passed on."""
    text = told(TWINS)
    assert "Not played: no invoice of a sub-supplier" in text
    assert "784,516.93" in text
    assert "documents 15 DFIN" in text


def test_a_folder_without_a_draft(tmp_path: Path) -> None:
    """Nothing to play is said, not failed."""
    (tmp_path / "bad.xml").write_text("<Invoice/>")
    assert "not one invoice could become a claim" in told(tmp_path)


def test_a_folder_with_one_invoice(tmp_path: Path) -> None:
    """One claim is opened, financed and paid; nobody pays 60 %."""
    name = "01-hengtong-to-huayue.xml"
    (tmp_path / name).write_bytes((EXAMPLES / name).read_bytes())
    text = told(tmp_path)
    assert "only one debtor, so nobody pays 60 %" in text
    assert "documents 15 DFIN" in text


def test_spellings() -> None:
    """Full width is the same invoice; retyped reads alike and is not the same."""
    number = "91310115MA1TT0011J"
    plain = fingerprint(number, "INV-001")
    assert fingerprint(number, full_width("INV-001")) == plain
    typed = retyped("INV-001")
    assert typed == "INV-O01"
    near = fingerprint(number, typed)
    assert (near.strict == plain.strict, near.relaxed == plain.relaxed) == (False, True)
    assert retyped("A-23") == "A-023"
    assert retyped("ABC") is None
