"""What is kept: commitments to documents, and the registry of what their invoices are used for."""

import enum
from typing import Annotated

from msgspec import Meta

from tallystick.apps.documents.refusals import Refusal
from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.ledger.view import SeenBy
from tallystick.values.codec import Struct
from tallystick.values.units import (
    AtMs,
    Count,
    Currency,
    Hash32,
    Id,
    KeyOf,
    Minor,
    PartyId,
    ShortText,
)

SCHEMES = (1,)
"""Fingerprint schemes that the registry knows."""
USES_MAX = 100
"""Most registrations of one invoice that are alive at the same time."""
FINANCIERS_MAX = 16
"""Most financiers that are noted at one registration; further ones are not."""
WATCHERS_MAX = 500
"""Most parties that watch one registration; further ones are not noted."""
READINGS_MAX = 8
"""Most invoices that bear one number, and most numbers that read alike."""

DocumentId = Annotated[Id, KeyOf("Document")]
"""Id of a document: `doc-0123456789abcdef`."""
RegistrationId = Annotated[Id, KeyOf("Registration")]
"""Id of a registration: `reg-0123456789abcdef`."""
EntryId = Annotated[Id, KeyOf("Entry")]
"""Id of an invoice in the registry: `inv-0123456789abcdef`."""


class Kind(enum.Enum):
    """What sort of document it is."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    CONTRACT = "contract"
    PURCHASE_ORDER = "purchase_order"
    DELIVERY_NOTE = "delivery_note"
    ASSIGNMENT_NOTICE = "assignment_notice"
    FINANCING_AGREEMENT = "financing_agreement"
    REGISTRATION_CERTIFICATE = "registration_certificate"
    COURT_ORDER = "court_order"
    OTHER = "other"


class DocumentStatus(enum.Enum):
    """Where a document stands."""

    CURRENT = "current"
    REPLACED = "replaced"
    VOID = "void"


class Purpose(enum.Enum):
    """What an invoice is registered for."""

    OPENING = "opening"
    PLEDGE = "pledge"
    DIRECT_FINANCE = "direct_finance"
    SETTLEMENT = "settlement"


class RegistrationStatus(enum.Enum):
    """Where a registration stands, in the vocabulary of trade finance registries."""

    PNDG = "PNDG"
    REGU = "REGU"
    FNCD = "FNCD"
    CANC = "CANC"


class Reason(enum.Enum):
    """Why a registration was cancelled. The codes are the registries'; their readings are ours."""

    EXNB = "EXNB"
    EBNA = "EBNA"
    EXND = "EXND"
    LG1F = "LG1F"
    NTFD = "NTFD"
    RJCT = "RJCT"
    WITH = "WITH"
    OBSA = "OBSA"


class Doubt(enum.Enum):
    """Why a registration waits for the registrar."""

    SAME_NUMBER = "same_number"
    NEAR_SPELLING = "near_spelling"


class Form(enum.Enum):
    """Which of the two spellings a key is of."""

    STRICT = "strict"
    RELAXED = "relaxed"


class AlertKind(enum.Enum):
    """What a party is told."""

    DISPUTED = "disputed"


class Particulars(Struct):
    """What the registry must know of an invoice or a credit note. The rest stays committed."""

    scheme: Count
    """Scheme that made the fingerprints, e.g. 1."""
    strict: Hash32
    """Fingerprint of seller number, document number and code, in the strict spelling."""
    relaxed: Hash32
    """The same in the relaxed spelling: near spellings have it in common."""
    currency: Currency
    """Currency of the document, e.g. `CNY`."""
    payable_minor: Minor
    """Amount payable, in minor units of the currency; positive on a credit note too."""
    particulars: Hash32
    """Hash of buyer number and date."""


DOCUMENT_MOVES = {
    None: (DocumentStatus.CURRENT,),
    DocumentStatus.CURRENT: (DocumentStatus.REPLACED, DocumentStatus.VOID),
}


@record(
    key=("document_id",),
    missing=Refusal.NO_SUCH_DOCUMENT,
    moves=DOCUMENT_MOVES,
    lists=(("owner", "kind"), ("owner", "status")),
    seen_by=("owner",),
)
class Document(Record, tag="documents.document.1"):
    """A salted commitment to a document that stays with its owner."""

    document_id: DocumentId
    """Id of this version, e.g. `doc-0123456789abcdef`."""
    owner: PartyId
    """Who committed to it, e.g. `S1`."""
    kind: Kind
    """What sort of document it is."""
    root: Hash32
    """Root over its salted fields: any one field can be shown alone against it."""
    committed_at_ms: AtMs
    """Ledger time of the commitment."""
    version: Count
    """1 for the first version, and one more for each that follows."""
    status: DocumentStatus = DocumentStatus.CURRENT
    """Whether it is the current version."""
    replaces: DocumentId | None = None
    """Version before this; None: it is the first."""
    replaced_by: DocumentId | None = None
    """Version after this; None: there is none."""
    void_reason: ShortText = ""
    """Why it was declared void; empty while it is not."""


@record(key=("document_id",), missing=Refusal.NOT_AN_INVOICE, seen_by=("owner",))
class Invoice(Record, tag="documents.invoice.1"):
    """What the registry knows of a document that is an invoice or a credit note."""

    document_id: DocumentId
    """The document, e.g. `doc-0123456789abcdef`."""
    owner: PartyId
    """Who committed to the document."""
    particulars: Particulars
    """Fingerprint, amount and hash of buyer and date."""
    credited_minor: Minor = 0
    """Of an invoice that is not in the registry yet: sum of its credit notes, in minor units."""
    entry_id: EntryId | None = None
    """Invoice of the registry that it is a copy of; None: not registered yet, or a credit note."""
    applied_to: DocumentId | None = None
    """Of a credit note: invoice whose capacity it reduced; None: not applied, or an invoice."""


@record(key=("entry_id",), lists=(("owner",),), seen_by=("owner",))
class Entry(Record, tag="documents.entry.1"):
    """One real invoice in the registry, however many members committed to a copy of it."""

    entry_id: EntryId
    """Id within the registry, e.g. `inv-0123456789abcdef`."""
    owner: PartyId
    """Who registered it first; its credit notes, new versions and voiding count."""
    document_id: DocumentId
    """That member's document, in its current version."""
    currency: Currency
    """Currency of the invoice."""
    payable_minor: Minor
    """Amount payable of the current version, in minor units."""
    credited_minor: Minor
    """Sum of its credit notes, in minor units."""
    used_minor: Minor
    """Sum of its live registrations (REGU and FNCD), in minor units."""
    financed_minor: Minor
    """Sum of those that are FNCD, in minor units."""
    uses: Annotated[tuple[RegistrationId, ...], Meta(max_length=USES_MAX)]
    """Its live registrations, oldest first."""
    numbers: Annotated[tuple[Hash32, ...], Meta(max_length=READINGS_MAX)]
    """Strict fingerprints that it is known by."""
    is_void: bool = False
    """Whether its owner declared the invoice void: its capacity is then nothing."""

    @property
    def capacity_minor(self) -> int:
        """What may be registered in all, in minor units."""
        return 0 if self.is_void else self.payable_minor - self.credited_minor

    @property
    def free_minor(self) -> int:
        """What may still be registered, in minor units."""
        return max(0, self.capacity_minor - self.used_minor)

    @property
    def excess_minor(self) -> int:
        """What is registered above capacity, in minor units: it is disputed."""
        return max(0, self.used_minor - self.capacity_minor)


class Reading(Struct):
    """An invoice as somebody who was let in read it."""

    particulars: Particulars
    """Fingerprint, amount and hash of buyer and date; all equal means the same invoice."""
    entry_id: EntryId
    """Invoice of the registry that it is."""


@record(key=("strict",))
class Number(Record, tag="documents.number.1"):
    """Which invoices of the registry bear a number. Supervisors alone may read it."""

    strict: Hash32
    """Strict fingerprint of the number."""
    relaxed: Hash32
    """Relaxed fingerprint of the number."""
    readings: Annotated[tuple[Reading, ...], Meta(max_length=READINGS_MAX)]
    """Invoices that bear it."""


@record(key=("relaxed",))
class Likeness(Record, tag="documents.likeness.1"):
    """Which numbers of the registry read alike. Supervisors alone may read it."""

    relaxed: Hash32
    """Relaxed fingerprint that they have in common."""
    numbers: Annotated[tuple[Hash32, ...], Meta(max_length=READINGS_MAX)]
    """Their strict fingerprints."""


@record(key=("form", "fingerprint"), seen_by=PUBLIC)
class Taken(Record, tag="documents.taken.1"):
    """The public mark of a document that is taken. Where there is none, nobody registered it.

    Its key follows from the fingerprint alone, so that its absence can be proved.
    """

    form: Form
    """Whether the fingerprint is of the strict spelling or of the relaxed one."""
    fingerprint: Hash32
    """Fingerprint of an invoice that has a live registration."""
    is_financed: bool = False
    """Whether some of it is financed."""


REGISTRATION_MOVES = {
    None: (RegistrationStatus.PNDG, RegistrationStatus.REGU),
    RegistrationStatus.PNDG: (RegistrationStatus.REGU, RegistrationStatus.CANC),
    RegistrationStatus.REGU: (RegistrationStatus.FNCD, RegistrationStatus.CANC),
    RegistrationStatus.FNCD: (RegistrationStatus.CANC,),
}


@record(
    key=("registration_id",),
    missing=Refusal.NO_SUCH_REGISTRATION,
    moves=REGISTRATION_MOVES,
    lists=(("owner", "status"), ("document_id",), ("status",)),
    seen_by=("owner", "financiers", "registrar"),
)
class Registration(Record, tag="documents.registration.1"):
    """A member's use of an amount of an invoice."""

    registration_id: RegistrationId
    """Id of the registration, e.g. `reg-0123456789abcdef`."""
    owner: PartyId
    """Who registered, e.g. `S1`."""
    document_id: DocumentId
    """The owner's document."""
    purpose: Purpose
    """What for."""
    currency: Currency
    """Currency of the invoice."""
    amount_minor: Minor
    """How much of the invoice, in minor units of the currency."""
    strict: Hash32
    """Strict fingerprint of the document when it was registered."""
    relaxed: Hash32
    """Relaxed fingerprint of the document when it was registered."""
    registered_at_ms: AtMs
    """Ledger time of the registration."""
    status: RegistrationStatus
    """Where it stands."""
    entry_id: EntryId | None = None
    """Invoice of the registry that it uses; None while PNDG or when it was never let in."""
    doubt: Doubt | None = None
    """Why it waited for the registrar; None: it did not."""
    registrar: PartyId | None = None
    """Who besides supervisors decides and may read it; None: nobody or nothing to decide."""
    decided: ShortText = ""
    """Reason that the registrar gave; empty: there was nothing to decide, or it is not decided."""
    subject: Id | None = None
    """Record that stands on it, e.g. an undertaking; None: it is not used yet."""
    financiers: Annotated[tuple[PartyId, ...], Meta(max_length=FINANCIERS_MAX)] = ()
    """Who financed what stands on it, and so may read it; empty: it is not financed."""
    disputed_minor: Minor = 0
    """How much of it credit notes took away, in minor units."""
    is_paid: bool = False
    """Whether the debtor paid what stood on it; that frees nothing."""
    reason: Reason | None = None
    """Why it was cancelled; None while it is not."""


@record(key=("registration_id",))
class Watchers(Record, tag="documents.watchers.1"):
    """Who besides its owner relies on a registration and is told when it is disputed.

    Supervisors alone may read it: no watcher learns of another.
    """

    registration_id: RegistrationId
    """Registration that they rely on."""
    parties: Annotated[tuple[PartyId, ...], Meta(max_length=WATCHERS_MAX)]
    """Who holds or held a claim that stands on it, in the order in which they came."""


@record(key=("alert_id",), lists=(("registration_id",),), seen_by=("seen_by",))
class Alert(Record, tag="documents.alert.1"):
    """What a party is told without having asked. Supervisors read all."""

    alert_id: Id
    """Id of the alert, e.g. `alert-0123456789abcdef`."""
    kind: AlertKind
    """What it is about."""
    registration_id: RegistrationId
    """Registration concerned."""
    subject: Id | None
    """Record that stands on the registration, e.g. an undertaking; None: nothing does."""
    seen_by: Annotated[
        tuple[PartyId, ...], Meta(max_length=WATCHERS_MAX + FINANCIERS_MAX + 1), SeenBy()
    ] = ()
    """Who is told: owner, financiers and watchers; empty to them, for none learns of another."""
    currency: Currency
    """Currency of the amount."""
    amount_minor: Minor
    """How much of the registration is disputed now, in minor units."""
    raised_at_ms: AtMs
    """Ledger time of the alert."""
