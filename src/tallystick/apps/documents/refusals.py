"""Why the registry of documents says no.

No code names another party, or an amount that another registered: who asks learns that a document
is taken, never by whom nor for how much.
"""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="documents"):
    """Codes of documents. Numbers are permanent."""

    NO_SUCH_DOCUMENT = 1
    """No document with that id, or none that the asker may see."""
    NO_SUCH_REGISTRATION = 2
    """No registration with that id, or none that the asker may see."""
    NOT_OWNER = 3
    """The document or the registration is another member's."""
    NOT_CURRENT = 4
    """The document was replaced by a newer version or is void."""
    PARTICULARS_MISSING = 5
    """An invoice or a credit note comes with its particulars."""
    PARTICULARS_UNWANTED = 6
    """Only invoices and credit notes have particulars."""
    UNKNOWN_SCHEME = 7
    """The fingerprint is of a scheme that the registry does not know."""
    UNKNOWN_CURRENCY = 8, "ISO 4217"
    """Not a currency that has minor units."""
    ZERO_AMOUNT = 9
    """An amount of nothing was given."""
    NOT_AN_INVOICE = 10
    """Only invoices are registered and reduced by credit notes."""
    NOT_A_CREDIT_NOTE = 11
    """The document named is not a credit note."""
    OTHER_CURRENCY = 12
    """The amount is not in the invoice's currency."""
    OTHER_FINGERPRINT = 13
    """The signer computed another fingerprint from the document it was shown."""
    REDU = 14, "registration vocabulary of trade finance registries"
    """Above capacity, and nothing of the document is financed."""
    DFIN = 15, "registration vocabulary of trade finance registries"
    """Above capacity, and some of the document is financed already: double financing."""
    TOO_MANY_USES = 16
    """The invoice is registered in as many parts as the registry keeps."""
    NOT_REGISTRAR = 17
    """Only the registrar named in the constitution or a supervisor decides."""
    NOT_PENDING = 18
    """The registration was decided already."""
    REASON_MISSING = 19
    """A decision and a voiding give a reason."""
    SAME_AS_MISPLACED = 20
    """Which registration it is the same as is named when, and only when, it is the same."""
    STILL_PENDING = 21, "", True
    """The registration waits for the registrar."""
    CANCELLED = 22
    """The registration was cancelled."""
    ALREADY_FINANCED = 23
    """The registration is of something that is financed already."""
    NOT_FINANCED = 24
    """The registration is of something that nobody reported as financed."""
    IN_USE = 25
    """The registration carries another record already, e.g. an undertaking."""
    OTHER_PURPOSE = 26
    """The registration was made for another purpose."""
    DISPUTED = 27
    """Credit notes took what the registration stood on."""
    NUMBER_TAKEN = 28
    """The corrected invoice bears a number that is registered, or one that reads like it."""
    ALREADY_APPLIED = 29
    """The credit note was applied already."""
    ABOVE_INVOICE = 30
    """Credit notes cannot be more than the invoice."""
    NOT_SHOWN = 31
    """What is left of an invoice is shown to who registered it first, and to supervisors."""
