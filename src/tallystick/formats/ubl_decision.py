"""What became of one file, and how it is shown."""

from enum import StrEnum

from msgspec.structs import replace

from tallystick.formats.codes import CreditCode, Reason
from tallystick.formats.ubl_document import Invoice
from tallystick.formats.ubl_rules import InvoiceWarning
from tallystick.formats.ubl_xml import InvoiceRefused
from tallystick.values.codec import Struct
from tallystick.values.units import Currency, Name, SignedMinor, Text


class Outcome(StrEnum):
    """What became of a file."""

    DRAFT = "draft"
    """An invoice that may be proposed to the ledger."""

    DOCUMENT = "document"
    """A credit note, kept beside the invoices."""

    REFUSED = "refused"
    """Neither; the code says why."""


class UnknownParty(Struct):
    """A seller or buyer that is no known party: listed, never created silently."""

    role: str
    """`seller` or `buyer`."""

    number: str
    """Register number, else VAT number, else another; empty when the document gives none."""

    name: Name
    """Name as the document gives it."""


class Decision(Struct):
    """What became of one file, and why."""

    name: str
    """Name of the file, e.g. `guide-example1.xml`."""

    outcome: Outcome
    """Draft, document or refused."""

    code: Reason | CreditCode | None
    """Why it was refused, or whether a credit note found its invoice; None for a draft."""

    text: Text
    """The code in one sentence, e.g. `the same document as 01.xml`; empty for a draft."""

    currency: Currency | None
    """Currency of the document; None when unreadable."""

    payable_minor: SignedMinor | None
    """Payable amount in minor units, also of a refused file; None when unreadable."""

    warnings: tuple[InvoiceWarning, ...]
    """What deserves a second look; empty for a refused file."""

    unknown_parties: tuple[UnknownParty, ...]
    """Seller and buyer as far as no party is known for them; empty for a refused file."""

    invoice: Invoice | None
    """The invoice itself, also of a file that a rule refused; None when it could not be read."""

    credits: tuple[str, ...]
    """Names of the drafts' files that a credit note reduces; empty for all others."""


def refuse(decision: Decision, refusal: InvoiceRefused) -> Decision:
    """The same file, refused after all."""
    return replace(
        decision,
        outcome=Outcome.REFUSED,
        code=refusal.code,
        text=refusal.text,
        warnings=(),
        unknown_parties=(),
    )


def decision_to_json(decision: Decision) -> dict[str, object]:
    """A decision as `tally invoices import --json` shows it: seven keys, in this order.

    `payable_minor` is a string of digits, as every amount in JSON.
    """
    code, payable = decision.code, decision.payable_minor
    return {
        "name": decision.name,
        "outcome": decision.outcome.value,
        "code": None if code is None else code.value,
        "currency": decision.currency,
        "payable_minor": None if payable is None else str(payable),
        "warnings": [{"code": each.code.value, "text": each.text} for each in decision.warnings],
        "unknown_parties": [
            {"role": each.role, "number": each.number, "name": each.name}
            for each in decision.unknown_parties
        ],
    }


__all__ = ["Decision", "Outcome", "UnknownParty", "decision_to_json", "refuse"]
