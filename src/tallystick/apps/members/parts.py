"""The words that messages and records of members share: kinds, statuses, and what both carry."""

import enum
from typing import Annotated

from msgspec import Meta

from tallystick.ledger.app import Role
from tallystick.values.codec import Struct
from tallystick.values.units import (
    AtMs,
    Currency,
    Hash32,
    KeyOf,
    Label,
    Minor,
    Name,
    OfficerId,
    OutletId,
    PartyId,
    PublicKey,
    Reference,
)

KEYS_MAX = 8
"""Most active keys of one officer."""
ORDERS_MAX = 32
"""Most orders in force on one subject."""
DELEGATIONS_MAX = 20
"""Most colleagues for whom an officer stands in."""
POLICIES_MAX = 200
"""Most messages for which a member has a policy of its own."""

MemberId = Annotated[PartyId, KeyOf("Member")]
"""Id of an admitted institution."""
LegalNumberText = Annotated[
    str, Meta(max_length=32, pattern=r"^[A-Z0-9]{1,32}(?!\n)$", description="A register's number.")
]
"""A number in a public register: capital letters and digits alone."""
Subject = Annotated[
    str, Meta(max_length=140, pattern=r"^[!-~]{1,140}(?!\n)$", description="What an order is on.")
]
"""What an order is on: `S1`, `S1/receivables.trade`, `CNY@central-bank/S1` or a piece's id."""
Roles = Annotated[tuple[Role, ...], Meta(min_length=1, max_length=6)]
"""One or more roles."""
VERBS_MAX = 100
"""Most verbs granted, taken or frozen."""
Verbs = Annotated[tuple[Label, ...], Meta(max_length=VERBS_MAX)]
"""Licence verbs."""


class Kind(enum.Enum):
    """What sort of institution a member is; it decides which verbs it has by default."""

    BANK = "bank"
    INSURER = "insurer"
    FUND = "fund"
    FACTORING = "factoring"
    MICROFINANCE = "microfinance"
    FINTECH = "fintech"
    CORE_ENTERPRISE = "core_enterprise"
    SUPPLIER = "supplier"
    TRUST_COMPANY = "trust_company"
    CARRIER = "carrier"
    CENTRAL_BANK = "central_bank"
    SUPERVISOR = "supervisor"
    CUSTOMS = "customs"
    TAX = "tax"
    ORACLE = "oracle"
    AUDITOR = "auditor"


class Size(enum.Enum):
    """How large an enterprise is, as the statistics office classes it."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


class MemberStatus(enum.Enum):
    """Whether a member may start new business."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    EXPELLED = "expelled"


class OutletStatus(enum.Enum):
    """Whether business is done at an outlet."""

    OPEN = "open"
    CLOSED = "closed"


class OfficerStatus(enum.Enum):
    """Whether a person still acts for the member."""

    ACTIVE = "active"
    REMOVED = "removed"


class KeyStatus(enum.Enum):
    """Whether a key's signatures count."""

    ACTIVE = "active"
    REVOKED = "revoked"


class OrderStatus(enum.Enum):
    """Where an authority's order stands."""

    IN_FORCE = "in_force"
    LIFTED = "lifted"
    EXPIRED = "expired"


class Scope(enum.Enum):
    """What an order is on."""

    MEMBER = "member"
    VERB = "verb"
    CASH_ACCOUNT = "cash_account"
    PIECE = "piece"

    __hash__ = object.__hash__  # as quick as can be: it is part of what is recalled


class Suite(enum.Enum):
    """Signature scheme of a key."""

    ED25519 = "ed25519"


class NumberScheme(enum.Enum):
    """Public register that gave a number."""

    USCC = "uscc"
    VAT = "vat"
    LEI = "lei"
    COMPANY = "company"


class LegalNumber(Struct):
    """A member's number in a public register, by which its invoices are recognised."""

    scheme: NumberScheme
    """Register that gave it, e.g. the unified social credit code."""
    number: LegalNumberText
    """The number, e.g. `91310000MA1FL0001X`."""


class Limit(Struct):
    """Up to which amounts an officer may sign in one currency."""

    currency: Currency
    """Currency of the limit, e.g. `CNY`."""
    single_minor: Minor | None = None
    """Most in one transaction, in minor units, e.g. 50000000; None when only the day is limited."""
    daily_minor: Minor | None = None
    """Most in one banking day, in minor units; None when only the transaction is limited."""


class Need(Struct):
    """How many different persons of a role must sign."""

    role: Role
    """The role, e.g. checker."""
    persons: Annotated[int, Meta(ge=1, le=20, description="A count.", extra={"unit": "count"})]
    """How many persons, e.g. 2."""


class Tier(Struct):
    """Who must sign besides, from an amount on."""

    currency: Currency
    """Currency of the amount, e.g. `CNY`."""
    from_minor: Minor
    """Lowest amount that the tier applies to, in minor units, e.g. 100000000."""
    needs: Annotated[tuple[Need, ...], Meta(min_length=1, max_length=6)]
    """Persons needed of each role, e.g. one approver."""


class Ceiling(Struct):
    """Amount below which one person is enough."""

    currency: Currency
    """Currency of the amount, e.g. `CNY`."""
    below_minor: Minor
    """First amount that needs the usual officers again, in minor units, e.g. 5000000."""


class Delegation(Struct):
    """Roles that another officer handed over until a day; it never raises an amount limit."""

    from_officer: OfficerId
    """Who handed them over, e.g. `li-wei`."""
    roles: Roles
    """Roles handed over; they count only while that officer holds them."""
    until_ms: AtMs
    """Ledger time at which it ends, in milliseconds."""


class Standing(Struct):
    """An order that is in force on a subject."""

    order_id: Reference
    """The authority's number of the order, e.g. `SPC 2026/118`."""
    expires_at_ms: AtMs
    """Ledger time at which it ends by itself, in milliseconds."""


class NewKey(Struct):
    """A key to be registered."""

    public_key: PublicKey
    """The public key, 32 bytes."""
    suite: Suite = Suite.ED25519
    """Its signature scheme."""
    certificate: Hash32 | None = None
    """SHA-256 of a certificate that an authority gave for it; None when there is none."""


class NewOutlet(Struct):
    """A branch to be opened."""

    outlet_id: OutletId
    """Id within the member, e.g. `shanghai`."""
    name: Name
    """Its name, e.g. `Shanghai branch`."""


class NewOfficer(Struct):
    """A person to be registered, with first keys."""

    officer_id: OfficerId
    """Id within the member, e.g. `li-wei`; the name stays in the member's office."""
    identity: Hash32 | None = None
    """Salted commitment to the person's identity number; None when none is given."""
    roles: Roles
    """What the person may do."""
    limits: Annotated[tuple[Limit, ...], Meta(max_length=20)] = ()
    """Amount limits by currency; empty: unlimited. A currency not listed is not allowed at all."""
    outlet: OutletId | None = None
    """Branch where the person works; None when the member has no branches."""
    system: bool = False
    """Whether it is a system, which may make and never check."""
    keys: Annotated[tuple[NewKey, ...], Meta(max_length=KEYS_MAX)] = ()
    """First keys."""


class NewMember(Struct):
    """An institution to be admitted, with the people who will register all others."""

    member_id: PartyId
    """Id in the network, e.g. `bank-a`."""
    legal_name: Name
    """Name in the company register, e.g. `Bank A Co., Ltd.`."""
    kind: Kind
    """What sort of institution it is."""
    size: Size = Size.LARGE
    """How large it is."""
    numbers: Annotated[tuple[LegalNumber, ...], Meta(max_length=8)] = ()
    """Its numbers in public registers."""
    licences: Verbs = ()
    """Verbs beyond those of its kind."""
    outlets: Annotated[tuple[NewOutlet, ...], Meta(max_length=50)] = ()
    """Its first branches."""
    officers: Annotated[tuple[NewOfficer, ...], Meta(min_length=1, max_length=20)]
    """Its first people: at least an admin and another person who checks, both with keys."""
