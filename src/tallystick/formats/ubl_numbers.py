"""What the files of a folder are to each other: duplicates, reversals, near spellings, credits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec.structs import replace

from tallystick.formats.codes import CreditCode, Reason, WarningCode
from tallystick.formats.fingerprint import Fingerprint, fingerprint, reduced
from tallystick.formats.ubl_decision import Decision, Outcome, refuse
from tallystick.formats.ubl_document import Invoice, Kind
from tallystick.formats.ubl_rules import InvoiceWarning
from tallystick.formats.ubl_xml import InvoiceRefused
from tallystick.values.money import format_minor

_TEXT_CHARS_MAX = 500


class Registry(Protocol):
    """Asks a ledger whether a document is taken. It never says by whom."""

    def __call__(self, document: Fingerprint, /) -> bool:
        """Is a document of that fingerprint registered?"""
        ...


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Which numbers the folder has given so far, and to which files."""

    negatives: dict[bytes, str]
    """Strict fingerprint of an invoice refused for a negative amount, to its file."""

    given: dict[tuple[Kind, bytes], list[Decision]] = field(default_factory=dict)
    """Kind and strict fingerprint to the files that carry the number."""

    near: dict[tuple[Kind, bytes], str] = field(default_factory=dict)
    """Kind and relaxed fingerprint to the first file of a near spelling."""


def compare(decisions: Sequence[Decision], registry: Registry | None) -> list[Decision]:
    """Compare files decided by themselves with each other, in their order."""
    numbers = _Numbers(_negatives(decisions))
    compared = []
    for decision in decisions:
        try:
            compared.append(_give(decision, numbers, registry))
        except InvoiceRefused as refusal:
            compared.append(refuse(decision, refusal))
    return _match_credit_notes(compared)


def _negatives(decisions: Sequence[Decision]) -> dict[bytes, str]:
    return {
        decision.invoice.fingerprint.strict: decision.name
        for decision in decisions
        if decision.code is Reason.NEGATIVE_PAYABLE
        and decision.invoice is not None
        and decision.invoice.kind is Kind.INVOICE
    }


def _give(decision: Decision, numbers: _Numbers, registry: Registry | None) -> Decision:
    """Give the number to this file unless it is given; what is near or contrary warns.

    Only a file that may go on takes a number, so that a corrected invoice follows a refused one.
    """
    invoice = decision.invoice
    if decision.outcome is Outcome.REFUSED or invoice is None:
        return decision
    earlier = numbers.given.setdefault((invoice.kind, invoice.fingerprint.strict), [])
    for other in earlier:
        if other.invoice is not None and _particulars(invoice) == _particulars(other.invoice):
            raise InvoiceRefused(Reason.DUPLICATE, f"the same document as {other.name}")
    if invoice.kind is Kind.INVOICE and registry is not None and registry(invoice.fingerprint):
        raise InvoiceRefused(Reason.TAKEN, "the registry has the document already")
    found = _number_warnings(invoice, numbers, earlier)
    earlier.append(decision)
    numbers.near.setdefault((invoice.kind, invoice.fingerprint.relaxed), decision.name)
    return replace(decision, warnings=(*decision.warnings, *found))


def _particulars(invoice: Invoice) -> tuple[bytes, str, int]:
    """What makes two files of one number the same document: buyer and date, and the amount."""
    return invoice.particulars, invoice.currency, invoice.payable_minor


def _number_warnings(
    invoice: Invoice, numbers: _Numbers, earlier: Sequence[Decision]
) -> list[InvoiceWarning]:
    found = []
    negative = numbers.negatives.get(invoice.fingerprint.strict)
    near = numbers.near.get((invoice.kind, invoice.fingerprint.relaxed))
    if negative is not None and invoice.kind is Kind.INVOICE:
        text = f"{negative} carries the number {invoice.number} with a negative amount"
        found.append(InvoiceWarning(code=WarningCode.SAME_NUMBER_NEGATIVE, text=text))
    if earlier:
        text = f"{earlier[0].name} has the number with another buyer, date or amount"
        found.append(InvoiceWarning(code=WarningCode.SAME_NUMBER_DIFFERS, text=text))
    elif near is not None:
        text = f"{near} has nearly the same number"
        found.append(InvoiceWarning(code=WarningCode.NEAR_SPELLING, text=text))
    return found


def _match_credit_notes(decisions: Sequence[Decision]) -> list[Decision]:
    """Tell each credit note which drafts it reduces, and each draft that it is reduced."""
    drafts: dict[tuple[bytes, str], list[int]] = {}
    for place, decision in enumerate(decisions):
        if decision.outcome is Outcome.DRAFT and decision.invoice is not None:
            key = (decision.invoice.fingerprint.strict, decision.invoice.currency)
            drafts.setdefault(key, []).append(place)
    matched = list(decisions)
    for place, decision in enumerate(decisions):
        if decision.outcome is Outcome.DOCUMENT and decision.invoice is not None:
            credited = [each for key in _named(decision.invoice) for each in drafts.get(key, ())]
            matched[place] = _matched(decision, tuple(decisions[each].name for each in credited))
            for each in credited:
                matched[each] = _credited(matched[each], decision.name, decision.invoice)
    return matched


def _named(credit: Invoice) -> list[tuple[bytes, str]]:
    """Fingerprint and currency of the invoices that a credit note names, each once."""
    numbers = [number for number in credit.names_invoices if reduced(number)]
    keys = [(fingerprint(credit.seller_number, each).strict, credit.currency) for each in numbers]
    return list(dict.fromkeys(keys))


def _matched(decision: Decision, names: tuple[str, ...]) -> Decision:
    if not names:
        return replace(decision, code=CreditCode.UNMATCHED, text="its invoice is not here")
    text = f"credits {', '.join(names)}"[:_TEXT_CHARS_MAX]
    return replace(decision, code=CreditCode.MATCHED, text=text, credits=names)


def _credited(draft: Decision, name: str, credit: Invoice) -> Decision:
    text = f"{name} credits {format_minor(credit.payable_minor, credit.currency)} of it"
    warning = InvoiceWarning(code=WarningCode.CREDITED, text=text)
    return replace(draft, warnings=(*draft.warnings, warning))


__all__ = ["Registry", "compare"]
