"""Write the example invoices and the twins of the published ones: `python -m tools.make_invoices`.

All of it is our own writing. A test writes them again and compares, so edit here, not there.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from lxml import etree
from lxml.etree import _Element as Element

UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
CAC = UBL + "CommonAggregateComponents-2"
CBC = UBL + "CommonBasicComponents-2"
CENT = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class PartyText:
    """A party as an invoice describes it."""

    name: str
    country: str
    city: str
    register_number: str = ""
    vat_number: str = ""
    other_number: str = ""
    trading_name: str = ""


@dataclass(frozen=True, kw_only=True)
class LineText:
    """A line; its amount is quantity times price per base quantity unless `net` says another."""

    name: str
    quantity: str
    price: str
    percent: str
    base: str = ""
    net: str = ""
    unit: str = "EA"
    adjustments: tuple[tuple[bool, str], ...] = ()

    @property
    def amount(self) -> Decimal:
        """What the line states."""
        if self.net:
            return Decimal(self.net)
        exact = Decimal(self.quantity) * Decimal(self.price) / Decimal(self.base or "1")
        return exact.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True, kw_only=True)
class InvoiceText:
    """An invoice or, of kind `CreditNote`, a credit note."""

    file: str
    number: str
    issued: str
    seller: PartyText
    buyer: PartyText
    lines: Sequence[LineText]
    due: str = ""
    kind: str = "Invoice"
    currency: str = "CNY"
    note: str = ""
    payee: PartyText | None = None
    names_invoice: str = ""
    adjustments: tuple[tuple[bool, str, str], ...] = ()
    """Charge or allowance of the whole document, its amount, its VAT rate."""

    prepaid: str = ""
    rounding: str = ""
    tax_elsewhere: tuple[str, str] | None = None
    """VAT total in the tax currency: currency and amount."""

    stated: Mapping[str, str] = field(default_factory=dict)
    """Totals that are stated wrongly, by element name."""


def write(folder: Path, invoices: Sequence[InvoiceText]) -> None:
    """Write each invoice as a file of the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for invoice in invoices:
        (folder / invoice.file).write_bytes(render(invoice))


def render(invoice: InvoiceText) -> bytes:
    """The invoice as UBL 2.1, in the order of its schema."""
    main = f"{UBL}{invoice.kind}-2"
    prefixes: dict[Any, str] = {None: main, "cac": CAC, "cbc": CBC}
    root = etree.Element(f"{{{main}}}{invoice.kind}", nsmap=prefixes)
    _basic(root, "CustomizationID", "urn:cen.eu:en16931:2017")
    _basic(root, "ID", invoice.number)
    _basic(root, "IssueDate", invoice.issued)
    if invoice.due:
        _basic(root, "DueDate", invoice.due)
    _basic(root, f"{invoice.kind}TypeCode", "380" if invoice.kind == "Invoice" else "381")
    if invoice.note:
        _basic(root, "Note", invoice.note)
    _basic(root, "DocumentCurrencyCode", invoice.currency)
    if invoice.tax_elsewhere:
        _basic(root, "TaxCurrencyCode", invoice.tax_elsewhere[0])
    if invoice.names_invoice:
        reference = _group(root, "BillingReference/InvoiceDocumentReference")
        _basic(reference, "ID", invoice.names_invoice)
    _party(_group(root, "AccountingSupplierParty/Party"), invoice.seller)
    _party(_group(root, "AccountingCustomerParty/Party"), invoice.buyer)
    if invoice.payee:
        _payee(_group(root, "PayeeParty"), invoice.payee)
    for is_charge, amount, percent in invoice.adjustments:
        _tax_category(_adjustment(root, is_charge, amount, invoice.currency), percent)
    _totals(root, invoice)
    for number, line in enumerate(invoice.lines, start=1):
        _line(root, invoice, number, line)
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)


def _group(parent: Element, path: str) -> Element:
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{CAC}}}{name}")
    return parent


def _basic(parent: Element, name: str, text: str, **attributes: str) -> None:
    etree.SubElement(parent, f"{{{CBC}}}{name}", attributes).text = text


def _money(parent: Element, name: str, amount: Decimal, currency: str) -> None:
    _basic(parent, name, str(amount.quantize(CENT)), currencyID=currency)


def _party(parent: Element, party: PartyText) -> None:
    if party.other_number:
        _basic(_group(parent, "PartyIdentification"), "ID", party.other_number)
    if party.trading_name:
        _basic(_group(parent, "PartyName"), "Name", party.trading_name)
    address = _group(parent, "PostalAddress")
    _basic(address, "CityName", party.city)
    _basic(_group(address, "Country"), "IdentificationCode", party.country)
    if party.vat_number:
        scheme = _group(parent, "PartyTaxScheme")
        _basic(scheme, "CompanyID", party.vat_number)
        _basic(_group(scheme, "TaxScheme"), "ID", "VAT")
    legal = _group(parent, "PartyLegalEntity")
    _basic(legal, "RegistrationName", party.name)
    if party.register_number:
        _basic(legal, "CompanyID", party.register_number)


def _payee(parent: Element, payee: PartyText) -> None:
    _basic(_group(parent, "PartyName"), "Name", payee.name)
    _basic(_group(parent, "PartyLegalEntity"), "CompanyID", payee.register_number)


def _adjustment(parent: Element, is_charge: bool, amount: str, currency: str) -> Element:
    group = _group(parent, "AllowanceCharge")
    _basic(group, "ChargeIndicator", "true" if is_charge else "false")
    _basic(group, "AllowanceChargeReason", "Freight" if is_charge else "Discount")
    _money(group, "Amount", Decimal(amount), currency)
    return group


def _tax_category(parent: Element, percent: str, name: str = "TaxCategory") -> None:
    group = _group(parent, name)
    _basic(group, "ID", "E" if Decimal(percent) == 0 else "S")
    _basic(group, "Percent", percent)
    _basic(_group(group, "TaxScheme"), "ID", "VAT")


def _taxable(invoice: InvoiceText) -> dict[str, Decimal]:
    """Amount before VAT by rate, in the order of first use."""
    by_rate: dict[str, Decimal] = {}
    for line in invoice.lines:
        by_rate[line.percent] = by_rate.get(line.percent, Decimal(0)) + line.amount
    for is_charge, amount, percent in invoice.adjustments:
        by_rate[percent] += Decimal(amount) if is_charge else -Decimal(amount)
    return by_rate


def _tax(taxable: Decimal, percent: str) -> Decimal:
    return (taxable * Decimal(percent) / 100).quantize(CENT, ROUND_HALF_UP)


def _totals(root: Element, invoice: InvoiceText) -> None:
    currency, by_rate = invoice.currency, _taxable(invoice)
    tax = sum((_tax(amount, percent) for percent, amount in by_rate.items()), Decimal(0))
    group = _group(root, "TaxTotal")
    _money(group, "TaxAmount", Decimal(invoice.stated.get("TaxAmount", tax)), currency)
    for percent, amount in by_rate.items():
        part = _group(group, "TaxSubtotal")
        _money(part, "TaxableAmount", amount, currency)
        _money(part, "TaxAmount", _tax(amount, percent), currency)
        _tax_category(part, percent)
    if invoice.tax_elsewhere:
        other, amount_text = invoice.tax_elsewhere
        _money(_group(root, "TaxTotal"), "TaxAmount", Decimal(amount_text), other)
    amounts = _monetary_total(invoice, tax)
    total = _group(root, "LegalMonetaryTotal")
    for name, amount in amounts.items():
        _money(total, name, Decimal(invoice.stated.get(name, amount)), currency)


def _monetary_total(invoice: InvoiceText, tax: Decimal) -> dict[str, Decimal]:
    """The document totals in the order of the schema, those of nothing left out."""
    lines = sum((line.amount for line in invoice.lines), Decimal(0))
    charges = sum((Decimal(each[1]) for each in invoice.adjustments if each[0]), Decimal(0))
    allowances = sum((Decimal(each[1]) for each in invoice.adjustments if not each[0]), Decimal(0))
    without_tax = lines - allowances + charges
    prepaid = Decimal(invoice.prepaid or "0")
    rounding = Decimal(invoice.rounding or "0")
    amounts = {
        "LineExtensionAmount": lines,
        "TaxExclusiveAmount": without_tax,
        "TaxInclusiveAmount": without_tax + tax,
        "AllowanceTotalAmount": allowances,
        "ChargeTotalAmount": charges,
        "PrepaidAmount": prepaid,
        "PayableRoundingAmount": rounding,
        "PayableAmount": without_tax + tax - prepaid + rounding,
    }
    always = ("LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "PayableAmount")
    return {name: amount for name, amount in amounts.items() if amount or name in always}


def _line(root: Element, invoice: InvoiceText, number: int, line: LineText) -> None:
    quantity = "InvoicedQuantity" if invoice.kind == "Invoice" else "CreditedQuantity"
    group = _group(root, f"{invoice.kind}Line")
    _basic(group, "ID", str(number))
    _basic(group, quantity, line.quantity, unitCode=line.unit)
    _money(group, "LineExtensionAmount", line.amount, invoice.currency)
    for is_charge, amount in line.adjustments:
        _adjustment(group, is_charge, amount, invoice.currency)
    item = _group(group, "Item")
    _basic(item, "Name", line.name)
    _tax_category(item, line.percent, "ClassifiedTaxCategory")
    price = _group(group, "Price")
    _basic(price, "PriceAmount", line.price, currencyID=invoice.currency)
    if line.base:
        _basic(price, "BaseQuantity", line.base, unitCode=line.unit)


def main(folder: Path) -> None:
    """Write the examples and the twins under the folder of the repository."""
    from tools.invoice_examples import EXAMPLES
    from tools.invoice_twins import TWINS

    write(folder / "examples" / "invoices", EXAMPLES)
    write(folder / "tests" / "formats" / "twins", TWINS)


if __name__ == "__main__":
    main(Path(*sys.argv[1:]))
