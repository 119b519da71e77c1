"""What is agreed: kinds, reasons and the terms of offers, shared by messages and records."""

import enum
from typing import Annotated

from msgspec import Meta

from tallystick.values.codec import Struct
from tallystick.values.rates import DayCount
from tallystick.values.units import (
    PPM,
    AtMs,
    Day,
    Hash32,
    Id,
    KeyOf,
    Minor,
    MoneyId,
    PartyId,
    Ppm,
    Reference,
    ShortText,
)

DAYS_MAX = 60
"""Most banking days of any deadline of an undertaking."""
PIECES_MAX = 500
"""Most pieces of one undertaking, whatever its terms."""
HOPS_MAX = 50
"""Most times a piece is passed on, whatever its terms."""
FORMER_HOLDERS_MAX = 128
"""Most holders that a piece has had, by transfers and finance."""
LOCKS_MAX = 32
"""Most locks on one piece."""

UndertakingId = Annotated[Id, KeyOf("Undertaking")]
"""Id of an undertaking: `und-0123456789abcdef`."""
PieceId = Annotated[Id, KeyOf("Piece")]
"""Id of a piece: `piece-0123456789abcdef`."""
TransferId = Annotated[Id, KeyOf("Transfer")]
"""Id of a transfer: `pass-0123456789abcdef`."""
DealId = Annotated[Id, KeyOf("Deal")]
"""Id of a finance deal: `deal-0123456789abcdef`."""
ClaimId = Annotated[Id, KeyOf("RecourseClaim")]
"""Id of a recourse claim: `claim-0123456789abcdef`."""
RegistrationId = Annotated[Id, KeyOf("Registration")]
"""Id of a registered invoice, kept by `documents`."""

PpmPerDay = Annotated[
    int,
    Meta(ge=0, le=1_000_000, description="Parts per million a day.", extra={"unit": "ppm a day"}),
]
"""A rate per day: 500 is 0.05 % a day."""
Part = Annotated[
    int, Meta(ge=0, le=PPM, description="Part of a whole, in ppm.", extra={"unit": "ppm"})
]
"""A part of a whole in parts per million: 800000 is 80 %."""
BankingDays = Annotated[
    int, Meta(ge=0, le=DAYS_MAX, description="Banking days.", extra={"unit": "banking days"})
]
"""A number of banking days."""
Hops = Annotated[int, Meta(ge=0, le=HOPS_MAX, description="Times passed on.")]
"""How often a piece was, or may be, passed on."""
Pieces = Annotated[int, Meta(ge=1, le=PIECES_MAX, description="Pieces.")]
"""How many pieces an undertaking is, or may be, in."""
Moneys = Annotated[tuple[MoneyId, ...], Meta(max_length=16)]
"""Moneys of one currency by issuer."""
FormerHolders = Annotated[tuple[PartyId, ...], Meta(max_length=FORMER_HOLDERS_MAX)]
"""Who has held a piece, oldest first."""
Registrations = Annotated[tuple[RegistrationId, ...], Meta(max_length=50)]
"""Registered invoices."""


class UndertakingStatus(enum.Enum):
    """Where an undertaking stands."""

    PROPOSED = "proposed"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    OPEN = "open"
    DUE = "due"
    PART_PAID = "part_paid"
    PAID = "paid"
    OVERDUE = "overdue"
    DEFAULTED = "defaulted"
    WRITTEN_OFF = "written_off"


class PieceStatus(enum.Enum):
    """Whether a piece is somebody's claim."""

    HELD = "held"
    RETIRED = "retired"

    __hash__ = object.__hash__  # as quick as can be: each change looks its move up


class Retired(enum.Enum):
    """Why a piece is no more."""

    SPLIT = "split"
    PAID = "paid"
    WRITTEN_OFF = "written_off"


class LockKind(enum.Enum):
    """Why a piece cannot be disposed of."""

    TRANSFER_PENDING = "transfer_pending"
    OFFERED = "offered"
    RESERVED = "reserved"
    PLEDGED = "pledged"
    PRESENTED = "presented"
    DISPUTED = "disputed"
    FROZEN = "frozen"


class TransferStatus(enum.Enum):
    """Where a transfer stands."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    RETURNED = "returned"

    __hash__ = object.__hash__  # as quick as can be: each change looks its move up


class DealStatus(enum.Enum):
    """Where a finance deal stands."""

    APPLIED = "applied"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    FINANCED = "financed"
    REPAID = "repaid"
    BOUGHT_BACK = "bought_back"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    UNWOUND = "unwound"

    __hash__ = object.__hash__  # as quick as can be: each change looks its move up


class ClaimStatus(enum.Enum):
    """Where a recourse claim stands."""

    NOTIFIED = "notified"
    REPAID = "repaid"
    FAILED = "failed"


class CascadeStatus(enum.Enum):
    """Whether all shares of a payment have been paid out."""

    DECIDED = "decided"
    PAID = "paid"


class WarningKind(enum.Enum):
    """What somebody must have seen: cleared by naming it in the next message signed."""

    TERM_OVER_SIX_MONTHS = "term_over_six_months"
    NO_ASSIGNMENT = "no_assignment"
    REGISTRATION_ENDS_EARLY = "registration_ends_early"


class AlertKind(enum.Enum):
    """What somebody is told."""

    LOOP = "loop"
    DATE_MOVED = "date_moved"
    OVERDUE = "overdue"
    DEFAULTED = "defaulted"
    UNWOUND = "unwound"
    DEREGISTER = "deregister"


class InterestMethod(enum.Enum):
    """When interest is paid, and on what."""

    UPFRONT_ON_FACE = "upfront_on_face"
    ARREARS_ON_ADVANCE = "arrears_on_advance"


class FeeBasis(enum.Enum):
    """What a fee is a part of."""

    FACE = "face"
    ADVANCE = "advance"
    FIXED = "fixed"


class FeeTime(enum.Enum):
    """When a fee is paid."""

    UPFRONT = "upfront"
    MATURITY = "maturity"


class AttestedKind(enum.Enum):
    """What was registered with the public registry."""

    ASSIGNMENT = "assignment"
    PLEDGE = "pledge"


Warnings = Annotated[tuple[WarningKind, ...], Meta(max_length=8)]
"""Warnings, each once."""


class Fingerprint(Struct):
    """An invoice's number as the signer computed it from the disclosed document."""

    strict: Hash32
    """Fingerprint of the strict spelling."""
    relaxed: Hash32
    """Fingerprint of the relaxed spelling."""


Fingerprints = Annotated[tuple[Fingerprint, ...], Meta(max_length=50)]
"""Fingerprints of invoices, one for each registration in the same order."""


class Lock(Struct):
    """One reason why a piece cannot be disposed of; several may lie on one piece."""

    kind: LockKind
    """Which reason it is, e.g. `reserved`."""
    owner: PartyId
    """Who may use or lift it, e.g. the financier `bank-a`."""
    subject: Id
    """Record that explains it: a transfer, a deal, an order."""
    reason: ShortText = ""
    """Why, in words; empty when the record says it all."""
    end_at_ms: AtMs | None = None
    """Ledger time from which it no longer binds; None: until it is lifted."""


class Fee(Struct):
    """One fee of an offer."""

    name: ShortText
    """What it is for, e.g. `handling`."""
    payer: PartyId
    """Who pays it: the holder who asks, or the financier."""
    payee: PartyId
    """Who gets it, e.g. `bank-a`."""
    basis: FeeBasis
    """What it is a part of."""
    rate_ppm: Ppm = 0
    """Part of the basis, in parts per million, e.g. 1000 for 0.1 %; 0 when fixed."""
    fixed_minor: Minor = 0
    """A fixed fee, in minor units of the piece's currency; 0 when a part of something."""
    when: FeeTime
    """When it is paid."""


Fees = Annotated[tuple[Fee, ...], Meta(max_length=8)]
"""Fees of one offer."""


class OfferTerms(Struct):
    """What a financier offers; it is bound until the day the offer is valid."""

    recourse: bool
    """Whether the assignor answers for the debtor's default."""
    advance_ppm: Part
    """Part of the face that is advanced, e.g. 800000 for 80 %."""
    method: InterestMethod
    """When interest is paid, and on what."""
    rate_ppm: Ppm
    """Interest a year, e.g. 43500 for 4.35 %."""
    day_count: DayCount
    """How days are counted, e.g. `act/360`."""
    fees: Fees = ()
    """Every fee; empty: none."""
    money: MoneyId
    """Money that is paid, e.g. `CNY@bank-a`."""
    valid_until: Day
    """Last day on which it can be accepted."""
    disburse_by: Day
    """Last day on which the money moves; after it the deal is unwound."""
    value_day: Day
    """Day for which cash and cost are shown; no money moves before it."""
    buy_back: bool = True
    """Whether the assignor may buy the piece back, at the deal's own rate."""


class Attestation(Struct):
    """What an officer of the financier saw in the public registry of movables and rights."""

    search_number: Reference
    """Number of the search, e.g. `CX-2026-0706-1`."""
    number: Reference
    """Number of the registration."""
    kind: AttestedKind
    """What was registered."""
    start_day: Day
    """First day of the registration."""
    end_day: Day
    """Last day of the registration."""


class Share(Struct):
    """What one piece gets of one payment."""

    start_minor: Minor
    """First cent of the piece, by which it is found."""
    late_minor: Minor
    """Part that pays late interest, in minor units."""
    principal_minor: Minor
    """Part that pays principal, in minor units."""
    late_owed_minor: Minor
    """Late interest owed after it, in minor units."""
