"""A sound invoice, and files made of it by one change each."""

from dataclasses import replace
from pathlib import Path

from tallystick.formats.ubl import Decision, import_file
from tools.make_invoices import InvoiceText, LineText, PartyText, render

SELLER = PartyText(
    name="Seller Ltd",
    country="DK",
    city="Odense",
    register_number="DK11111111",
    vat_number="DK91111111",
)
BUYER = PartyText(
    name="Buyer Ltd",
    country="DK",
    city="Aarhus",
    register_number="DK22222222",
    vat_number="DK92222222",
)
SOUND = InvoiceText(
    file="sound.xml",
    number="INV-001",
    issued="2026-06-30",
    due="2026-10-01",
    currency="DKK",
    seller=SELLER,
    buyer=BUYER,
    lines=(LineText(name="Goods", quantity="2", price="40.00", percent="25"),),
    adjustments=((False, "10.00", "25"), (True, "30.00", "25")),
    prepaid="25.00",
)
"""Lines 80.00, less 10.00, plus 30.00, VAT 25.00, prepaid 25.00: payable 100.00."""

CREDIT = replace(
    SOUND, kind="CreditNote", number="CN-1", due="", names_invoice="inv 001", prepaid=""
)
"""Credits 125.00 of the sound invoice."""


def edited(*changes: tuple[str, str], invoice: InvoiceText = SOUND) -> bytes:
    """The invoice with pieces of its text changed, each at its first place."""
    text = render(invoice).decode("utf-8")
    for old, new in changes:
        if old not in text:
            raise ValueError(f"{old} is not in the invoice")
        text = text.replace(old, new, 1)
    return text.encode("utf-8")


def decided(folder: Path, data: bytes) -> Decision:
    """Decision about one file."""
    path = folder / "file.xml"
    path.write_bytes(data)
    return import_file(path)


def write_all(folder: Path, **files: bytes) -> None:
    """Write files named by the keywords, `a` as `a.xml`."""
    for name, data in files.items():
        (folder / f"{name}.xml").write_bytes(data)
