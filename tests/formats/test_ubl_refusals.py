"""What a file of others may try: each is refused with its code, and the others go on."""

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tallystick.errors import FormatError
from tallystick.formats.codes import Reason
from tallystick.formats.ubl import Outcome, import_file, import_folder
from tallystick.formats.ubl_xml import FILE_BYTES_MAX
from tests.formats.builder import BUYER, CREDIT, SELLER, SOUND, decided, edited, write_all
from tools.make_invoices import render

PAYABLE = '<cbc:PayableAmount currencyID="DKK">100.00</cbc:PayableAmount>'


def ids(table: Sequence[tuple[object, ...]]) -> list[str]:
    """Short names: the files themselves are long."""
    return [f"{row[0]}-{place}" for place, row in enumerate(table)]


def bomb(depth: int = 10) -> str:
    """Billion laughs: every entity is ten of the one before."""
    entities = ['<!ENTITY e0 "ha">']
    entities += [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, depth)]
    return f"<!DOCTYPE Invoice [{''.join(entities)}]>"


def with_doctype(doctype: str) -> bytes:
    return edited(("<Invoice ", f"{doctype}<Invoice "))


def stated(**totals: str) -> bytes:
    return render(replace(SOUND, stated=totals))


def without(element: str) -> bytes:
    """The invoice without the first element of that name, whatever stands in it."""
    text = render(SOUND).decode("utf-8")
    start, end = text.index(f"<{element}"), text.index(f"</{element}>")
    return (text[:start] + text[end + len(f"</{element}>") :]).encode("utf-8")


def repeated(element: str) -> bytes:
    text = render(SOUND).decode("utf-8")
    start, end = text.index(f"<{element}"), text.index(f"</{element}>") + len(f"</{element}>")
    return edited((text[start:end], text[start:end] * 2))


def payable(text: str) -> bytes:
    return edited((">100.00</cbc:PayableAmount>", f">{text}</cbc:PayableAmount>"))


UNREADABLE = (
    (Reason.EMPTY_FILE, b""),
    (Reason.NOT_WELL_FORMED, bytes(1000)),
    (Reason.NOT_WELL_FORMED, b"GIF89a\x01\x00"),
    (Reason.NOT_WELL_FORMED, b"PK\x03\x04"),
    (Reason.NOT_WELL_FORMED, b"{}"),
    (Reason.NOT_WELL_FORMED, render(SOUND)[:-20]),
    (Reason.NOT_WELL_FORMED, render(SOUND) * 2),
    (Reason.NOT_WELL_FORMED, edited(("INV-001", "&undeclared;"))),
    (Reason.NOT_WELL_FORMED, edited(("INV-001", "\x00"))),
    (Reason.NOT_WELL_FORMED, edited(("UTF-8", "no-such-encoding"))),
    (Reason.NOT_WELL_FORMED, edited(("UTF-8", "UTF-16"))),
    (Reason.NOT_WELL_FORMED, edited(("xmlns:cbc=", "xmlns:xyz="))),
    (Reason.NOT_WELL_FORMED, b"<" + b"x" * 40_000 + b"></y>"),
    (Reason.NOT_WELL_FORMED, b"<a>" * 300 + b"</a>" * 300),
    (Reason.NOT_WELL_FORMED, b"<a>" * 1_000_000),
    (Reason.DTD_FORBIDDEN, with_doctype(bomb())),
    (Reason.DTD_FORBIDDEN, with_doctype('<!DOCTYPE Invoice SYSTEM "file:///etc/passwd">')),
    (Reason.DTD_FORBIDDEN, with_doctype('<!DOCTYPE Invoice SYSTEM "http://127.0.0.1:9/x">')),
    (
        Reason.DTD_FORBIDDEN,
        with_doctype('<!DOCTYPE Invoice [<!ENTITY x SYSTEM "file:///etc/passwd">]>').replace(
            b"INV-001", b"&x;"
        ),
    ),
    (
        Reason.DTD_FORBIDDEN,
        with_doctype('<!DOCTYPE Invoice [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'),
    ),
    (Reason.DTD_FORBIDDEN, with_doctype("<!DOCTYPE Invoice>")),
    (
        Reason.DTD_FORBIDDEN,
        with_doctype(bomb()).decode("utf-8").replace("UTF-8", "UTF-16").encode("utf-16"),
    ),
    (Reason.WRONG_NAMESPACE, b"<Invoice/>"),
    (Reason.WRONG_NAMESPACE, b"<html><body/></html>"),
    (Reason.WRONG_NAMESPACE, edited(("xsd:Invoice-2", "xsd:Invoice-3"))),
    (Reason.WRONG_NAMESPACE, edited(("xsd:Invoice-2", "xsd:CreditNote-2"))),
    (Reason.WRONG_NAMESPACE, edited(("xsd:CreditNote-2", "xsd:Invoice-2"), invoice=CREDIT)),
)
"""Files of which not even the currency is known."""


@pytest.mark.parametrize(("code", "data"), UNREADABLE, ids=ids(UNREADABLE))
def test_unreadable_files(tmp_path: Path, code: Reason, data: bytes) -> None:
    began = time.monotonic()
    decision = decided(tmp_path, data)
    assert (decision.outcome, decision.code) == (Outcome.REFUSED, code)
    assert (decision.currency, decision.payable_minor, decision.invoice) == (None, None, None)
    assert decision.text.isprintable()
    assert 0 < len(decision.text) <= 500
    assert "root:" not in decision.text
    assert time.monotonic() - began < 5


FIELDS = (
    (Reason.WRONG_TYPE_CODE, edited((">380<", ">381<"))),
    (Reason.WRONG_TYPE_CODE, edited((">381<", ">380<"), invoice=CREDIT)),
    (Reason.MISSING_FIELD, without("cbc:ID")),
    (Reason.MISSING_FIELD, edited((">INV-001<", "> \n <"))),
    (Reason.MISSING_FIELD, without("cbc:IssueDate")),
    (Reason.MISSING_FIELD, without("cbc:InvoiceTypeCode")),
    (Reason.MISSING_FIELD, without("cac:AccountingSupplierParty")),
    (Reason.MISSING_FIELD, without("cac:AccountingCustomerParty")),
    (Reason.MISSING_FIELD, without("cbc:RegistrationName")),
    (Reason.MISSING_FIELD, without("cbc:TaxExclusiveAmount")),
    (Reason.MISSING_FIELD, without("cbc:TaxAmount")),
    (Reason.MISSING_FIELD, without("cac:InvoiceLine")),
    (Reason.REPEATED_FIELD, repeated("cbc:ID")),
    (Reason.REPEATED_FIELD, repeated("cac:PartyTaxScheme")),
    (Reason.REPEATED_FIELD, repeated("cac:TaxTotal")),
    (Reason.REPEATED_FIELD, repeated("cbc:RegistrationName")),
    (Reason.UNREADABLE_FIELD, edited((">2026-06-30<", ">2026-02-30<"))),
    (Reason.UNREADABLE_FIELD, edited((">2026-06-30<", ">30 June 2026<"))),
    (Reason.UNREADABLE_FIELD, edited((">2026-10-01<", ">" + "2" * 100 + "<"))),
    (Reason.UNREADABLE_FIELD, edited((">80.00<", ">8e1<"))),
    (Reason.UNREADABLE_FIELD, edited((">80.00<", ">80,00<"))),
    (Reason.UNREADABLE_FIELD, edited((">80.00<", "><"))),
    (Reason.UNREADABLE_FIELD, edited((">80.00<", ">NaN<"))),
    (Reason.UNREADABLE_FIELD, edited((">80.00<", ">٨٠.00<"))),
    (Reason.UNREADABLE_FIELD, edited((">false<", ">no<"))),
    (Reason.UNREADABLE_FIELD, edited((">false<", "><"))),
    (Reason.UNREADABLE_FIELD, edited((">INV-001<", "><cbc:X>INV</cbc:X>001<"))),
    (Reason.FIELD_TOO_LONG, edited((">INV-001<", f">{'1' * 65}<"))),
    (Reason.MIXED_CURRENCY, edited(('"DKK">80.00<', '"EUR">80.00<'))),
    (Reason.MIXED_CURRENCY, edited((' currencyID="DKK">80.00<', ">80.00<"))),
    (Reason.TOO_MANY_DECIMALS, edited((">80.00<", ">80.001<"))),
    (Reason.TOO_MANY_DECIMALS, edited((">80.00<", ">80.000<"))),
    (Reason.AMOUNT_TOO_LARGE, edited((">80.00<", ">92233720368547758.08<"))),
    (
        Reason.MISSING_SELLER_NUMBER,
        render(replace(SOUND, seller=replace(SELLER, register_number="", vat_number=""))),
    ),
    (Reason.UNUSABLE_NUMBER, render(replace(SOUND, number="发票"))),
    (
        Reason.UNUSABLE_NUMBER,
        render(replace(SOUND, seller=replace(SELLER, register_number="公司"))),
    ),
    (Reason.BR_CO_10, stated(LineExtensionAmount="80.01")),
    (Reason.BR_CO_11, stated(AllowanceTotalAmount="10.01")),
    (Reason.BR_CO_11, without("cbc:AllowanceTotalAmount")),
    (Reason.BR_CO_12, stated(ChargeTotalAmount="29.99")),
    (Reason.BR_CO_13, stated(TaxExclusiveAmount="100.01")),
    (Reason.BR_CO_14, stated(TaxAmount="25.01", TaxInclusiveAmount="125.01")),
    (Reason.BR_CO_15, stated(TaxInclusiveAmount="124.99")),
    (Reason.BR_CO_15, without("cac:TaxTotal")),
    (Reason.SAME_PARTY, render(replace(SOUND, buyer=replace(BUYER, vat_number="dk 91111111")))),
    (Reason.SAME_PARTY, render(replace(SOUND, buyer=replace(BUYER, register_number="DK11111111")))),
    (Reason.SAME_PARTY, render(replace(SOUND, buyer=replace(BUYER, register_number="DK91111111")))),
)
"""Files of which currency and payable amount are known all the same."""


@pytest.mark.parametrize(("code", "data"), FIELDS, ids=ids(FIELDS))
def test_wrong_fields(tmp_path: Path, code: Reason, data: bytes) -> None:
    decision = decided(tmp_path, data)
    assert (decision.outcome, decision.code) == (Outcome.REFUSED, code)
    assert decision.currency == "DKK"
    assert decision.payable_minor in (10_000, 12_500)
    assert (decision.warnings, decision.unknown_parties) == ((), ())
    assert decision.text.isprintable()


PAYABLES = (
    (Reason.BR_CO_16, "DKK", 10_001, payable("100.01")),
    (Reason.TOO_MANY_DECIMALS, "DKK", None, payable("100.001")),
    (Reason.AMOUNT_TOO_LARGE, "DKK", None, payable("92233720368547758.08")),
    (Reason.AMOUNT_TOO_LARGE, "DKK", None, payable("-92233720368547758.09")),
    (Reason.AMOUNT_TOO_LARGE, "DKK", None, payable("9" * 900)),
    (Reason.UNREADABLE_FIELD, "DKK", None, payable("9" * 5000)),
    (Reason.FIELD_TOO_LONG, "DKK", None, payable(" " * 20_000)),
    (Reason.MISSING_FIELD, "DKK", None, edited((PAYABLE, ""))),
    (Reason.REPEATED_FIELD, "DKK", None, edited((PAYABLE, PAYABLE * 2))),
    (Reason.REPEATED_FIELD, "DKK", None, repeated("cac:LegalMonetaryTotal")),
    (Reason.MISSING_FIELD, "DKK", None, without("cac:LegalMonetaryTotal")),
    (Reason.MISSING_FIELD, None, None, without("cbc:DocumentCurrencyCode")),
    (Reason.UNKNOWN_CURRENCY, None, None, render(replace(SOUND, currency="XXX"))),
    (Reason.UNKNOWN_CURRENCY, None, None, render(replace(SOUND, currency="dkk"))),
    (Reason.UNKNOWN_CURRENCY, None, None, render(replace(SOUND, currency="XAU"))),
    (
        Reason.TOO_MANY_DECIMALS,
        "JPY",
        100,
        edited((">80.00<", ">80.50<"), invoice=replace(SOUND, currency="JPY")),
    ),
    (Reason.NEGATIVE_PAYABLE, "DKK", -1, render(replace(SOUND, prepaid="125.01"))),
    (Reason.ZERO_PAYABLE, "DKK", 0, render(replace(SOUND, prepaid="125.00"))),
    (Reason.NEGATIVE_PAYABLE, "DKK", -1, render(replace(CREDIT, prepaid="125.01"))),
)


@pytest.mark.parametrize(("code", "currency", "minor", "data"), PAYABLES, ids=ids(PAYABLES))
def test_wrong_payables(
    tmp_path: Path, code: Reason, currency: str | None, minor: int | None, data: bytes
) -> None:
    decision = decided(tmp_path, data)
    assert (decision.outcome, decision.code) == (Outcome.REFUSED, code)
    assert (decision.currency, decision.payable_minor) == (currency, minor)


def test_a_hundred_megabytes_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    began = time.process_time()
    assert import_file(path).code is Reason.FILE_TOO_LARGE
    assert time.process_time() - began < 0.5


def test_the_largest_file_that_is_read(tmp_path: Path) -> None:
    data = edited(("</Invoice>", f"{' ' * FILE_BYTES_MAX}"))
    assert decided(tmp_path, data[:FILE_BYTES_MAX]).code is Reason.NOT_WELL_FORMED
    assert decided(tmp_path, data[: FILE_BYTES_MAX + 1]).code is Reason.FILE_TOO_LARGE


def test_a_file_that_says_it_is_empty_and_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "zero.xml").symlink_to("/proc/self/mem")
    (tmp_path / "endless.xml").symlink_to("/dev/zero")
    assert import_file(tmp_path / "endless.xml").code is Reason.UNREADABLE_FILE
    assert import_file(tmp_path / "zero.xml").code is Reason.UNREADABLE_FILE


def test_what_is_no_file_is_refused_and_the_others_go_on(tmp_path: Path) -> None:
    write_all(tmp_path, a=b"no xml", z=render(SOUND))
    (tmp_path / "folder.xml").mkdir()
    (tmp_path / "nowhere.xml").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe.xml")
    (tmp_path / os.fsdecode(b"\xff.xml")).write_bytes(b"")
    (tmp_path / "note.txt").write_text("not looked at", "utf-8")
    decisions = import_folder(tmp_path)
    assert [(each.name, each.code) for each in decisions] == [
        ("a.xml", Reason.NOT_WELL_FORMED),
        ("folder.xml", Reason.UNREADABLE_FILE),
        ("nowhere.xml", Reason.UNREADABLE_FILE),
        ("pipe.xml", Reason.UNREADABLE_FILE),
        ("z.xml", None),
        ("\\xff.xml", Reason.EMPTY_FILE),
    ]
    assert decisions[4].outcome is Outcome.DRAFT


@pytest.mark.parametrize("name", ("no such folder", "file.xml"))
def test_a_folder_that_is_none(tmp_path: Path, name: str) -> None:
    write_all(tmp_path, file=render(SOUND))
    with pytest.raises(FormatError, match="is no folder to read"):
        import_folder(tmp_path / name)


def test_every_reason_is_raised_by_a_test() -> None:
    raised = {code for code, _ in UNREADABLE} | {code for code, _ in FIELDS}
    raised |= {each[0] for each in PAYABLES}
    elsewhere = {Reason.UNREADABLE_FILE, Reason.FILE_TOO_LARGE, Reason.DUPLICATE, Reason.TAKEN}
    assert raised | elsewhere == set(Reason)
