"""What can be asked of the registry of documents."""

import enum

from tallystick.apps.documents.records import (
    DocumentId,
    Kind,
    Particulars,
    Purpose,
    RegistrationId,
)
from tallystick.ledger.app import Message, message
from tallystick.values.units import Currency, Hash32, Minor, ShortText

REGISTER = "documents.register"
"""Licence verb of who may register what invoices are used for."""


class Decision(enum.Enum):
    """What the registrar finds of a registration in doubt."""

    SAME_INVOICE = "same_invoice"
    OTHER_INVOICE = "other_invoice"
    REJECT = "reject"


@message(verb=None, one_person=True)
class Commit(Message, tag="documents.commit.1"):
    """Commit to a document that stays with its owner."""

    kind: Kind
    """What sort of document it is."""
    root: Hash32
    """Root over its salted fields."""
    particulars: Particulars | None = None
    """Of an invoice or a credit note: what the registry must know; None: of any other kind."""


@message(verb=None, one_person=True)
class NewVersion(Message, tag="documents.new_version.1"):
    """Replace a document by a corrected version, which inherits what it is used for."""

    document_id: DocumentId
    """The current version, e.g. `doc-0123456789abcdef`."""
    root: Hash32
    """Root over the salted fields of the corrected version."""
    particulars: Particulars | None = None
    """Of an invoice or a credit note: what the registry must know; None: of any other kind."""


@message(verb=None)
class VoidDocument(Message, tag="documents.void_document.1"):
    """Declare a document void. What its invoice is registered for is disputed from then on."""

    document_id: DocumentId
    """The current version, e.g. `doc-0123456789abcdef`."""
    reason: ShortText
    """Why, e.g. `issued in error`; never empty."""


@message(verb=REGISTER, one_person=True)
class Register(Message, tag="documents.register.1"):
    """Register what an amount of one's invoice is used for, so that nobody uses it twice."""

    document_id: DocumentId
    """The invoice, e.g. `doc-0123456789abcdef`."""
    purpose: Purpose
    """What for."""
    amount_minor: Minor
    """How much of it, in minor units of the invoice's currency."""
    currency: Currency
    """The invoice's currency, e.g. `CNY`."""
    strict: Hash32
    """Strict fingerprint that the signer computed from the document."""
    relaxed: Hash32
    """Relaxed fingerprint that the signer computed from the document."""


@message(verb=None)
class DecidePending(Message, tag="documents.decide_pending.1"):
    """Decide a registration that waits, as the registrar or a supervisor."""

    registration_id: RegistrationId
    """The registration in doubt, e.g. `reg-0123456789abcdef`."""
    decision: Decision
    """Whether it is of an invoice in the registry, of another invoice, or refused."""
    reason: ShortText
    """Why; never empty."""
    same_as: RegistrationId | None = None
    """A registration of the invoice that it is the same as; None unless it is the same."""


@message(verb=None, duty=True, one_person=True)
class CancelRegistration(Message, tag="documents.cancel_registration.1"):
    """Withdraw a registration that is not used yet (CANC, WITH)."""

    registration_id: RegistrationId
    """The registration, e.g. `reg-0123456789abcdef`."""


@message(verb=REGISTER)
class ReportFinanced(Message, tag="documents.report_financed.1"):
    """Report that an invoice pledged or financed outside the ledger is financed now (FNCD)."""

    registration_id: RegistrationId
    """One's registration for pledge or direct finance."""


@message(verb=None, duty=True)
class ReportRepaid(Message, tag="documents.report_repaid.1"):
    """Report that the supplier repaid what was financed outside the ledger (CANC, OBSA).

    It frees the amount, because the claim lives; the debtor's payment frees nothing.
    """

    registration_id: RegistrationId
    """One's registration for pledge or direct finance."""


@message(verb=None, duty=True)
class ApplyCreditNote(Message, tag="documents.apply_credit_note.1"):
    """Reduce what an invoice is worth by a credit note."""

    document_id: DocumentId
    """The invoice, e.g. `doc-0123456789abcdef`."""
    credit_note_id: DocumentId
    """The credit note, committed by the same owner."""
