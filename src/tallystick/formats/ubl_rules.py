"""What an invoice must satisfy, and what about it deserves a second look.

Document totals refuse (EN 16931 BR-CO-10 to BR-CO-16): the face of a claim is the payable amount,
and nobody confirms a sum that does not add up. Line arithmetic only warns: whoever wrote the
invoice may have rounded, netted a return or priced per thousand.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from tallystick.formats.codes import Reason, WarningCode
from tallystick.formats.fingerprint import reduced
from tallystick.formats.ubl_document import Document, Invoice, Kind, Line, Party
from tallystick.formats.ubl_xml import InvoiceRefused
from tallystick.values.codec import Struct
from tallystick.values.money import exponent, format_minor
from tallystick.values.units import Text

LINE_WARNINGS_MAX: Final = 20
"""Lines that are named one by one; beyond it the rest is counted."""

_USUAL_TYPES: Final = ("380", "381")
_TEXT_CHARS_MAX: Final = 300
_USCC_CHARACTERS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class InvoiceWarning(Struct):
    """One thing about a file that deserves a second look."""

    code: WarningCode
    """Stable code, by which an officer clears it."""

    text: Text
    """One sentence with the particulars, e.g. `line 20: 6 x 18.33 is not -109.98`."""


def check(document: Document) -> None:
    """Refuse a document whose totals are wrong or from which no claim can arise."""
    _check_totals(document)
    _check_parties(document.invoice)
    payable = document.invoice.payable_minor
    if payable < 0:
        raise InvoiceRefused(Reason.NEGATIVE_PAYABLE, "the payable amount is below zero")
    if payable == 0:
        raise InvoiceRefused(Reason.ZERO_PAYABLE, "the payable amount is zero")


def warnings(document: Document) -> tuple[InvoiceWarning, ...]:
    """What deserves a second look in the document alone."""
    invoice = document.invoice
    found = [
        *_date_warnings(invoice),
        *_party_warnings(invoice),
        *_line_warnings(document.lines, invoice.currency),
    ]
    if invoice.type_code not in _USUAL_TYPES:
        text = f"type code {invoice.type_code} is neither 380 nor 381"
        found.append(InvoiceWarning(code=WarningCode.UNUSUAL_TYPE, text=text))
    return tuple(found)


def _check_totals(document: Document) -> None:
    """BR-CO-10 to BR-CO-16 in their order, exact in minor units."""
    totals = document.totals
    stated_and_due = (
        (Reason.BR_CO_10, totals.lines, sum(line.net_minor for line in document.lines)),
        (Reason.BR_CO_11, totals.allowances, sum(document.allowances)),
        (Reason.BR_CO_12, totals.charges, sum(document.charges)),
        (Reason.BR_CO_13, totals.without_tax, totals.lines - totals.allowances + totals.charges),
        (Reason.BR_CO_14, totals.tax, sum(document.tax_parts or (totals.tax,))),
        (Reason.BR_CO_15, totals.with_tax, totals.without_tax + totals.tax),
        (Reason.BR_CO_16, totals.payable, totals.with_tax - totals.prepaid + totals.rounding),
    )
    currency = document.invoice.currency
    for rule, stated, due in stated_and_due:
        if stated != due:
            text = f"states {format_minor(stated, currency)}, adds up to {_money(due, currency)}"
            raise InvoiceRefused(rule, text)


def _money(minor: int, currency: str) -> str:
    return format_minor(minor, currency)[:_TEXT_CHARS_MAX]


def _check_parties(invoice: Invoice) -> None:
    """Seller and buyer are two: no number of one is a number of the other."""
    seller, buyer = invoice.seller, invoice.buyer
    shared = seller.numbers & buyer.numbers
    if shared and not _only_other_register(seller, buyer, shared):
        text = f"seller and buyer share the number {min(shared)}"
        raise InvoiceRefused(Reason.SAME_PARTY, text)


def _only_other_register(seller: Party, buyer: Party, shared: frozenset[str]) -> bool:
    """The one shared number is that of two registers which number for themselves."""
    schemes = {seller.register_scheme, buyer.register_scheme}
    if None in schemes or len(schemes) == 1:
        return False
    registers = frozenset(reduced(party.register_number or "") for party in (seller, buyer))
    return registers == shared and reduced(seller.vat_number or "") not in shared


def _date_warnings(invoice: Invoice) -> Iterator[InvoiceWarning]:
    if invoice.kind is Kind.CREDIT_NOTE:
        return
    due, issued = invoice.due_date, invoice.issue_date
    if due is None:
        yield InvoiceWarning(code=WarningCode.NO_DUE_DATE, text="it states no due date")
    elif due == issued:
        text = f"the due date {due} is the issue date"
        yield InvoiceWarning(code=WarningCode.DUE_ON_ISSUE_DATE, text=text)
    elif due < issued:
        text = f"the due date {due} is before the issue date {issued}"
        yield InvoiceWarning(code=WarningCode.DUE_BEFORE_ISSUE_DATE, text=text)


def _party_warnings(invoice: Invoice) -> Iterator[InvoiceWarning]:
    if invoice.buyer.register_number is None:
        text = f"the buyer {invoice.buyer.name} has no register number (BT-47)"
        yield InvoiceWarning(code=WarningCode.BUYER_WITHOUT_REGISTER_NUMBER, text=text)
    if invoice.payee is not None and not _is_same(invoice.payee, invoice.seller):
        text = f"the payee {invoice.payee.name} is not the seller {invoice.seller.name}"
        yield InvoiceWarning(code=WarningCode.PAYEE_NOT_SELLER, text=text)
    for role, party in (("seller", invoice.seller), ("buyer", invoice.buyer)):
        if not _has_right_check_digit(party):
            text = f"the {role}'s number {party.register_number} fails its check digit"
            yield InvoiceWarning(code=WarningCode.CHECK_DIGIT, text=text)


def _is_same(payee: Party, seller: Party) -> bool:
    """A payee with a number is known by it, one without by its name."""
    if payee.numbers:
        return bool(payee.numbers & seller.numbers)
    return payee.name == seller.name


def _has_right_check_digit(party: Party) -> bool:
    """False only for a Chinese unified social credit code that is none.

    GB 32100-2015: weights are powers of 3 modulo 31, the last character makes the sum 0.
    """
    code = reduced(party.register_number or "")
    if party.country != "CN" or len(code) != 18:
        return True
    if not set(code) <= set(_USCC_CHARACTERS):
        return False
    values = [_USCC_CHARACTERS.index(character) for character in code]
    weighted = sum(value * pow(3, place, 31) for place, value in enumerate(values[:-1]))
    return (weighted + values[-1]) % 31 == 0


def _line_warnings(lines: tuple[Line, ...], currency: str) -> Iterator[InvoiceWarning]:
    wrong = [text for text in (_wrong_line(line, currency) for line in lines) if text]
    for text in wrong[:LINE_WARNINGS_MAX]:
        yield InvoiceWarning(code=WarningCode.LINE_ARITHMETIC, text=text[:_TEXT_CHARS_MAX])
    if len(wrong) > LINE_WARNINGS_MAX:
        text = f"and {len(wrong) - LINE_WARNINGS_MAX} more lines"
        yield InvoiceWarning(code=WarningCode.LINE_ARITHMETIC, text=text)


def _wrong_line(line: Line, currency: str) -> str | None:
    """What is wrong with a line's arithmetic; None if its amount is exact or rightly rounded."""
    quantity, price, base, charges = line.quantity, line.price, line.base_quantity, line.charges
    if quantity is None or price is None or base is None or base <= 0 or charges is None:
        return f"line {line.line_id}: a quantity, price or allowance is missing or no number"
    digits = exponent(currency)
    exact_minor = (quantity * price / base + charges) * 10**digits
    if abs(exact_minor - line.net_minor) < 1:
        return None
    per = "" if base == 1 else f" / {_shown(base, 0)}"
    sign = "-" if charges < 0 else "+"
    more = f" {sign} {_shown(abs(charges), digits)}" if charges else ""
    told = f"{_shown(quantity, 0)} x {_shown(price, digits)}{per}{more}"
    return f"line {line.line_id}: {told} is not {format_minor(line.net_minor, currency)}"


def _shown(value: Fraction, digits: int) -> str:
    """A decimal number with at least so many decimals: 1273 with 2 is `1,273.00`."""
    while (value * 10**digits).denominator != 1:
        digits += 1
    whole, part = divmod(int(abs(value) * 10**digits), 10**digits)
    sign = "-" if value < 0 else ""
    return f"{sign}{whole:,}.{part:0{digits}}" if digits else f"{sign}{whole:,}"


__all__ = ["LINE_WARNINGS_MAX", "InvoiceWarning", "check", "warnings"]
