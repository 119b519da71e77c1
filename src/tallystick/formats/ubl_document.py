"""Which field of UBL 2.1 is which term of EN 16931, and an invoice made of them.

Terms are cited as the standard numbers them: BT-115 is the payable amount, BG-4 the seller.
"""

import enum
import hashlib
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Final, TypeVar

from lxml import etree
from msgspec import Meta

from tallystick.formats import ubl_xml as xml
from tallystick.formats.codes import Reason
from tallystick.formats.fingerprint import Fingerprint, fingerprint, particulars_hash, reduced
from tallystick.formats.ubl_xml import Element, InvoiceRefused
from tallystick.values.codec import Struct
from tallystick.values.money import CURRENCIES
from tallystick.values.units import Currency, Day, Hash32, Name, SignedMinor

T = TypeVar("T")

_ROOT: Final = "urn:oasis:names:specification:ubl:schema:xsd:{0}-2"
_PAYABLE: Final = "cac:LegalMonetaryTotal/cbc:PayableAmount"

CREDIT_TYPES: Final = frozenset(
    ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "532")
)
"""Type codes of credit notes: UNTDID 1001 as EN 16931 BR-CL-01 allows them."""

Number = Annotated[str, Meta(min_length=1, max_length=xml.NUMBER_CHARS_MAX)]
"""A number or code that others gave, in any script."""


class Kind(enum.Enum):
    """What a file is."""

    INVOICE = "Invoice"
    """A claim of the seller."""

    CREDIT_NOTE = "CreditNote"
    """A reduction of an earlier claim."""


class Party(Struct):
    """A seller, buyer or payee as the document describes it."""

    name: Name
    """Registered name (BT-27, BT-44, BT-59), else the trading name."""

    register_number: Number | None = None
    """Register number (BT-30, BT-47, BT-61), in China the unified social credit code."""

    register_scheme: Number | None = None
    """Which register it is of, e.g. `0082`; None when not said."""

    vat_number: Number | None = None
    """VAT number (BT-31, BT-48)."""

    other_number: Number | None = None
    """A number that the other side gave it (BT-29, BT-46, BT-60), such as a customer number."""

    country: Number | None = None
    """Country of its address, e.g. `CN`."""

    @property
    def number(self) -> str:
        """What it is known by: register number, else VAT number, else the other, else empty."""
        return self.register_number or self.vat_number or self.other_number or ""

    @property
    def numbers(self) -> frozenset[str]:
        """Register and VAT number in the reduced spelling."""
        both = (self.register_number, self.vat_number)
        return frozenset(reduced(each) for each in both if each and reduced(each))


class Invoice(Struct):
    """An invoice or credit note that could be read, whatever the rules then say of it."""

    kind: Kind
    """Invoice or credit note."""

    type_code: Number
    """UNTDID 1001 code (BT-3), e.g. `380`."""

    number: Number
    """Number that the seller gave it (BT-1), e.g. `INV-001`."""

    issue_date: Day
    """Issue date (BT-2)."""

    due_date: Day | None
    """Due date (BT-9) as written, also on a Sunday; None when not stated."""

    currency: Currency
    """Currency (BT-5) of all its amounts."""

    payable_minor: SignedMinor
    """Payable amount (BT-115) in minor units: the face of a claim, or what is credited."""

    seller: Party
    """Who is owed (BG-4)."""

    buyer: Party
    """Who owes (BG-7)."""

    payee: Party | None
    """Who is to be paid instead of the seller (BG-10); None when it is the seller."""

    names_invoices: tuple[Number, ...]
    """Numbers of earlier invoices that it names (BT-25), e.g. those a credit note reduces."""

    fingerprint: Fingerprint
    """What the registry knows it by."""

    file_hash: Hash32
    """SHA-256 of the file."""

    @property
    def seller_number(self) -> str:
        """Number of the seller that goes into the fingerprint: BT-30, else BT-31."""
        return self.seller.register_number or self.seller.vat_number or ""

    @property
    def particulars(self) -> bytes:
        """Hash of buyer and date, for the registry."""
        return particulars_hash(buyer_number=self.buyer.number, date=self.issue_date)

    @property
    def fields(self) -> dict[str, str]:
        """What `documents commit` hides field by field, and can show one by one."""
        return {
            "buyer_name": self.buyer.name,
            "buyer_number": self.buyer.number,
            "currency": self.currency,
            "due_date": self.due_date or "",
            "file_sha256": self.file_hash.hex(),
            "invoice_number": self.number,
            "issue_date": self.issue_date,
            "kind": self.kind.value,
            "payable_minor": str(self.payable_minor),
            "seller_name": self.seller.name,
            "seller_number": self.seller_number,
            "type_code": self.type_code,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, as far as its arithmetic goes."""

    line_id: str
    """Its number (BT-126), e.g. `20`; `?` when absent."""

    net_minor: int
    """Its amount (BT-131) in minor units."""

    quantity: Fraction | None
    """Quantity (BT-129); None when absent or no number."""

    price: Fraction | None
    """Net price (BT-146) per base quantity, in the currency; None when absent or no number."""

    base_quantity: Fraction | None
    """How many the price is for (BT-149), 1 when not said; None when no number."""

    charges: Fraction | None
    """Its charges (BT-141) less its allowances (BT-136); None when one is no number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The totals of a document in minor units (BG-22)."""

    lines: int
    """Sum of the lines (BT-106)."""

    allowances: int
    """Sum of the document's allowances (BT-107), 0 when absent."""

    charges: int
    """Sum of the document's charges (BT-108), 0 when absent."""

    without_tax: int
    """Total without VAT (BT-109)."""

    tax: int
    """Total VAT (BT-110), 0 when absent."""

    with_tax: int
    """Total with VAT (BT-112)."""

    prepaid: int
    """Paid before (BT-113), 0 when absent."""

    rounding: int
    """Rounding (BT-114), 0 when absent."""

    payable: int
    """Payable (BT-115)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """An invoice with everything its rules look at."""

    invoice: Invoice
    """What goes on."""

    totals: Totals
    """What it says it adds up to."""

    lines: tuple[Line, ...]
    """Its lines, at least one."""

    allowances: tuple[int, ...]
    """Allowances of the whole document (BT-92), minor units."""

    charges: tuple[int, ...]
    """Charges of the whole document (BT-99), minor units."""

    tax_parts: tuple[int, ...] | None
    """VAT of each category (BT-117), minor units; None when it is not broken down."""


def peek(root: Element) -> tuple[str | None, int | None]:
    """Currency and payable amount as far as they can be read, to report a refused file."""
    currency: str | None = None
    try:
        currency = _currency(root)
        return currency, xml.minor(xml.at(root, _PAYABLE), "BT-115", currency)
    except InvoiceRefused:
        return currency, None


def read(root: Element, kind: Kind, data: bytes) -> Document:
    """The document under a root element of that kind; `data` is the file, for its hash."""
    currency = _currency(root)
    totals = _totals(root, currency)
    return Document(
        invoice=_invoice(root, kind, totals.payable, hashlib.sha256(data).digest()),
        totals=totals,
        lines=_lines(root, kind, currency),
        allowances=_adjustments(root, currency, charge=False),
        charges=_adjustments(root, currency, charge=True),
        tax_parts=_tax_parts(root, currency),
    )


def kind_of(root: Element) -> Kind:
    """Invoice or credit note, by name and namespace of the root."""
    for kind in Kind:
        if root.tag == etree.QName(_ROOT.format(kind.value), kind.value).text:
            return kind
    text = "its root is no Invoice or CreditNote of UBL 2"
    raise InvoiceRefused(Reason.WRONG_NAMESPACE, text)


def _invoice(root: Element, kind: Kind, payable_minor: int, file_hash: bytes) -> Invoice:
    seller = _party(xml.at(root, "cac:AccountingSupplierParty/cac:Party"), "seller (BG-4)")
    buyer = _party(xml.at(root, "cac:AccountingCustomerParty/cac:Party"), "buyer (BG-7)")
    number = _given(xml.number(xml.child(root, "cbc:ID")), "BT-1 number")
    issued = _given(xml.day(xml.child(root, "cbc:IssueDate"), "BT-2 issue date"), "BT-2 issue date")
    return Invoice(
        kind=kind,
        type_code=_type_code(root, kind),
        number=number,
        issue_date=issued,
        due_date=xml.day(xml.child(root, "cbc:DueDate"), "BT-9 due date"),
        currency=_currency(root),
        payable_minor=payable_minor,
        seller=seller,
        buyer=buyer,
        payee=_payee(root),
        names_invoices=_names_invoices(root),
        fingerprint=_fingerprint(seller, number),
        file_hash=file_hash,
    )


def _fingerprint(seller: Party, number: str) -> Fingerprint:
    seller_number = seller.register_number or seller.vat_number
    if seller_number is None:
        text = "the seller has no register number (BT-30) and no VAT number (BT-31)"
        raise InvoiceRefused(Reason.MISSING_SELLER_NUMBER, text)
    if not reduced(seller_number) or not reduced(number):
        text = "a number without a character of A to Z or 0 to 9 identifies nothing"
        raise InvoiceRefused(Reason.UNUSABLE_NUMBER, text)
    return fingerprint(seller_number, number)


def _type_code(root: Element, kind: Kind) -> str:
    field = f"cbc:{kind.value}TypeCode"
    code = _given(xml.number(xml.child(root, field)), "BT-3 type code")
    if (code in CREDIT_TYPES) != (kind is Kind.CREDIT_NOTE):
        text = f"type code {code} in a file that says it is of kind {kind.value}"
        raise InvoiceRefused(Reason.WRONG_TYPE_CODE, text)
    return code


def _currency(root: Element) -> str:
    term = "BT-5 currency"
    code = _given(xml.number(xml.child(root, "cbc:DocumentCurrencyCode")), term)
    if code not in CURRENCIES:
        text = f"`{code}` is no ISO 4217 currency with minor units"
        raise InvoiceRefused(Reason.UNKNOWN_CURRENCY, text)
    return code


def _party(party: Element | None, term: str) -> Party:
    if party is None:
        raise InvoiceRefused(Reason.MISSING_FIELD, f"{term} is missing")
    legal = xml.at(party, "cac:PartyLegalEntity/cbc:CompanyID")
    registered = xml.name(xml.at(party, "cac:PartyLegalEntity/cbc:RegistrationName"))
    trading = xml.name(xml.at(party, "cac:PartyName/cbc:Name"))
    return Party(
        name=_given(registered or trading, f"name of the {term}"),
        register_number=xml.number(legal),
        register_scheme=None if legal is None else (legal.get("schemeID") or "")[:8] or None,
        vat_number=_vat_number(party),
        other_number=_first_identification(party),
        country=xml.number(xml.at(party, "cac:PostalAddress/cac:Country/cbc:IdentificationCode")),
    )


def _vat_number(party: Element) -> str | None:
    found = [
        xml.number(xml.child(scheme, "cbc:CompanyID"))
        for scheme in xml.children(party, "cac:PartyTaxScheme")
        if xml.number(xml.at(scheme, "cac:TaxScheme/cbc:ID")) == "VAT"
    ]
    if len(found) > 1:
        raise InvoiceRefused(Reason.REPEATED_FIELD, "a party has two VAT numbers")
    return found[0] if found else None


def _first_identification(party: Element) -> str | None:
    """The party's first identifier; it may have several (BT-29)."""
    found = xml.children(party, "cac:PartyIdentification")
    return xml.number(xml.child(found[0], "cbc:ID")) if found else None


def _payee(root: Element) -> Party | None:
    party = xml.child(root, "cac:PayeeParty")
    return None if party is None else _party(party, "payee (BG-10)")


def _names_invoices(root: Element) -> tuple[str, ...]:
    found = (
        xml.number(xml.at(reference, "cac:InvoiceDocumentReference/cbc:ID"))
        for reference in xml.children(root, "cac:BillingReference")
    )
    return tuple(number for number in found if number)


def _totals(root: Element, currency: str) -> Totals:
    group = xml.child(root, "cac:LegalMonetaryTotal")
    if group is None:
        raise InvoiceRefused(Reason.MISSING_FIELD, "BG-22 document totals are missing")

    def optional(field: str, term: str) -> int | None:
        return xml.minor(xml.child(group, f"cbc:{field}"), term, currency)

    def given(field: str, term: str) -> int:
        return _given(optional(field, term), term)

    return Totals(
        lines=given("LineExtensionAmount", "BT-106 sum of lines"),
        allowances=optional("AllowanceTotalAmount", "BT-107 sum of allowances") or 0,
        charges=optional("ChargeTotalAmount", "BT-108 sum of charges") or 0,
        without_tax=given("TaxExclusiveAmount", "BT-109 total without VAT"),
        tax=_tax(root, currency),
        with_tax=given("TaxInclusiveAmount", "BT-112 total with VAT"),
        prepaid=optional("PrepaidAmount", "BT-113 prepaid") or 0,
        rounding=optional("PayableRoundingAmount", "BT-114 rounding") or 0,
        payable=given("PayableAmount", "BT-115 payable"),
    )


def _tax_total(root: Element, currency: str) -> Element | None:
    """The VAT total in the document's currency; another may repeat it in the tax currency."""
    found = [
        total
        for total in xml.children(root, "cac:TaxTotal")
        if _stated_currency(total) in (currency, None)
    ]
    if len(found) > 1:
        raise InvoiceRefused(Reason.REPEATED_FIELD, "there are two VAT totals (BT-110)")
    return found[0] if found else None


def _stated_currency(tax_total: Element) -> str | None:
    amount = xml.child(tax_total, "cbc:TaxAmount")
    return None if amount is None else amount.get("currencyID")


def _tax(root: Element, currency: str) -> int:
    total = _tax_total(root, currency)
    if total is None:
        return 0
    term = "BT-110 total VAT"
    return _given(xml.minor(xml.child(total, "cbc:TaxAmount"), term, currency), term)


def _tax_parts(root: Element, currency: str) -> tuple[int, ...] | None:
    total = _tax_total(root, currency)
    parts = [] if total is None else xml.children(total, "cac:TaxSubtotal")
    term = "BT-117 VAT of a category"
    amounts = (xml.minor(xml.child(part, "cbc:TaxAmount"), term, currency) for part in parts)
    return tuple(_given(amount, term) for amount in amounts) or None


def _adjustments(root: Element, currency: str, *, charge: bool) -> tuple[int, ...]:
    """The allowances or the charges of the whole document."""
    term = "BT-99 charge" if charge else "BT-92 allowance"
    return tuple(
        _given(xml.minor(xml.child(each, "cbc:Amount"), term, currency), term)
        for each in xml.children(root, "cac:AllowanceCharge")
        if xml.boolean(xml.child(each, "cbc:ChargeIndicator"), "ChargeIndicator") is charge
    )


def _lines(root: Element, kind: Kind, currency: str) -> tuple[Line, ...]:
    found = xml.children(root, f"cac:{kind.value}Line")
    if not found:
        raise InvoiceRefused(Reason.MISSING_FIELD, "BG-25 there is no line")
    return tuple(_line(line, kind, currency) for line in found)


def _line(line: Element, kind: Kind, currency: str) -> Line:
    quantity = "InvoicedQuantity" if kind is Kind.INVOICE else "CreditedQuantity"
    base = xml.at(line, "cac:Price/cbc:BaseQuantity")
    term = "BT-131 amount of a line"
    return Line(
        line_id=xml.number(xml.child(line, "cbc:ID")) or "?",
        net_minor=_given(
            xml.minor(xml.child(line, "cbc:LineExtensionAmount"), term, currency), term
        ),
        quantity=xml.decimal(xml.child(line, f"cbc:{quantity}")),
        price=xml.decimal(xml.at(line, "cac:Price/cbc:PriceAmount")),
        base_quantity=Fraction(1) if base is None else xml.decimal(base),
        charges=_line_charges(line),
    )


def _line_charges(line: Element) -> Fraction | None:
    sum_ = Fraction(0)
    for each in xml.children(line, "cac:AllowanceCharge"):
        amount = xml.decimal(xml.child(each, "cbc:Amount"))
        if amount is None:
            return None
        is_charge = xml.boolean(xml.child(each, "cbc:ChargeIndicator"), "ChargeIndicator")
        sum_ += amount if is_charge else -amount
    return sum_


def _given(value: T | None, term: str) -> T:
    """The value, or a refusal that names the missing term."""
    if value is None:
        raise InvoiceRefused(Reason.MISSING_FIELD, f"{term} is missing")
    return value
