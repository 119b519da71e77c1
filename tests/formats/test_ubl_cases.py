"""The worked case: ten published invoices, and twins of our own writing that must do the same.

Where the published files are absent the twins stand in for them, and the run says so.
"""

from pathlib import Path

import pytest

from tallystick.formats.ubl import Decision, decision_to_json, import_folder
from tools.invoice_examples import EXAMPLES
from tools.invoice_twins import TWINS
from tools.make_invoices import main

ROOT = Path(__file__).parents[2]
TWIN_FOLDER = ROOT / "tests" / "formats" / "twins"
PUBLISHED = ROOT.parent / "shared" / "data" / "invoices"
FOLDERS = {"twins": TWIN_FOLDER} | ({"published": PUBLISHED} if PUBLISHED.is_dir() else {})

CASE = (
    ("BIS3_Invoice_negativ.XML", "refused", "NEGATIVE_PAYABLE", "DKK", "-78217943", ()),
    ("BIS3_Invoice_positive.XML", "draft", None, "DKK", "78217943", ("SAME_NUMBER_NEGATIVE",)),
    (
        "guide-example1.xml",
        "draft",
        None,
        "EUR",
        "25033",
        ("DUE_ON_ISSUE_DATE", "BUYER_WITHOUT_REGISTER_NUMBER", "LINE_ARITHMETIC"),
    ),
    (
        "guide-example2.xml",
        "draft",
        None,
        "NOK",
        "80178",
        ("PAYEE_NOT_SELLER", "LINE_ARITHMETIC"),
    ),
    ("sample-discount-price.xml", "refused", "SAME_PARTY", "EUR", "1515", ()),
    ("ubl-tc434-creditnote1.xml", "document", "UNMATCHED", "EUR", "10011", ()),
    ("ubl-tc434-example1.xml", "refused", "DUPLICATE", "EUR", "25033", ()),
    ("ubl-tc434-example2.xml", "refused", "DUPLICATE", "NOK", "80178", ()),
    ("ubl-tc434-example5.xml", "draft", None, "DKK", "233750", ("PAYEE_NOT_SELLER",)),
    (
        "ubl-tc434-example8.xml",
        "draft",
        None,
        "EUR",
        "109978",
        ("BUYER_WITHOUT_REGISTER_NUMBER",),
    ),
)
KEYS = [
    "name",
    "outcome",
    "code",
    "currency",
    "payable_minor",
    "warnings",
    "unknown_parties",
]


def test_it_says_which_files_it_ran_on(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        if "published" not in FOLDERS:
            print("\nthe published invoices are absent: twins of our own writing stand in")
    assert "twins" in FOLDERS


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS.keys())
def test_ten_invoices(folder: Path) -> None:
    shown = [decision_to_json(decision) for decision in import_folder(folder)]
    assert [list(each) for each in shown] == [KEYS] * 10
    told = [[each[key] for key in KEYS[:5]] for each in shown]
    assert told == [list(row[:5]) for row in CASE]
    codes = [tuple(each.code.value for each in d.warnings) for d in import_folder(folder)]
    assert codes == [row[5] for row in CASE]


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS.keys())
def test_what_is_said_of_the_ten(folder: Path) -> None:
    decisions = {decision.name: decision for decision in import_folder(folder)}
    texts = {name: [each.text for each in d.warnings] for name, d in decisions.items()}
    assert texts["guide-example1.xml"][2] == "line 20: 6 x 18.33 is not -109.98"
    assert texts["guide-example2.xml"][1] == "line 1: 2 x 1,273.00 is not 1,273.00"
    assert texts["BIS3_Invoice_positive.XML"][0].startswith("BIS3_Invoice_negativ.XML carries")
    assert decisions["ubl-tc434-example1.xml"].text == "the same document as guide-example1.xml"
    assert decisions["ubl-tc434-example2.xml"].text == "the same document as guide-example2.xml"
    due = {d.name: d.invoice.due_date for d in decisions.values() if d.invoice}
    assert due["BIS3_Invoice_positive.XML"] == "2019-02-24"
    assert due["guide-example2.xml"] == "2013-07-20"
    for decision in decisions.values():
        roles = [each.role for each in decision.unknown_parties]
        assert roles == ([] if decision.outcome.value == "refused" else ["seller", "buyer"])


@pytest.mark.parametrize("folder", FOLDERS.values(), ids=FOLDERS.keys())
def test_drafts_add_up(folder: Path) -> None:
    assert drafts(import_folder(folder)) == {"DKK": 78_451_693, "EUR": 135_011, "NOK": 80_178}


def drafts(decisions: list[Decision]) -> dict[str, int]:
    """Payable amounts of the drafts by currency."""
    sums: dict[str, int] = {}
    for decision in decisions:
        if decision.outcome.value == "draft" and decision.currency and decision.payable_minor:
            sums[decision.currency] = sums.get(decision.currency, 0) + decision.payable_minor
    return sums


def test_the_examples_of_the_repository() -> None:
    decisions = import_folder(ROOT / "examples" / "invoices")
    told = {d.name[:2]: (d.outcome.value, d.code, d.payable_minor) for d in decisions}
    assert told == {
        "01": ("draft", None, 100_000_000),
        "02": ("draft", None, 30_000_000),
        "03": ("draft", None, 25_000_000),
        "04": ("draft", None, 22_500_000),
        "05": ("draft", None, 12_000_000),
        "06": ("draft", None, 10_000_000),
        "07": ("draft", None, 6_000_000),
        "08": ("draft", None, 8_800_000),
        "09": ("draft", None, 40_000_000),
        "10": ("refused", "DUPLICATE", 30_000_000),
        "11": ("document", "MATCHED", 2_000_000),
        "12": ("refused", "BR-CO-16", 15_500_000),
    }
    warned = {d.name[:2]: [each.code.value for each in d.warnings] for d in decisions if d.warnings}
    assert warned == {"08": ["LINE_ARITHMETIC"], "09": ["CREDITED"]}
    assert drafts(decisions) == {"CNY": 254_300_000}


def test_examples_and_twins_are_what_the_tool_writes(tmp_path: Path) -> None:
    main(tmp_path)
    written = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(written) == len(EXAMPLES) + len(TWINS)
    for path in written:
        assert path.read_bytes() == (ROOT / path.relative_to(tmp_path)).read_bytes()
