"""What is kept of institutions, their people and keys, and the orders of authorities."""

from typing import Annotated

from msgspec import Meta

from tallystick.apps.members.parts import (
    DELEGATIONS_MAX,
    KEYS_MAX,
    ORDERS_MAX,
    POLICIES_MAX,
    Ceiling,
    Delegation,
    KeyStatus,
    Kind,
    LegalNumber,
    LegalNumberText,
    Limit,
    MemberId,
    MemberStatus,
    Need,
    NumberScheme,
    OfficerStatus,
    OrderStatus,
    OutletStatus,
    Scope,
    Size,
    Standing,
    Subject,
    Suite,
    Tier,
    Verbs,
)
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.app import PUBLIC, Record, Role, record
from tallystick.ledger.view import SeenBy
from tallystick.values.units import (
    AtMs,
    Currency,
    Day,
    Hash32,
    Id,
    Label,
    Minor,
    Name,
    OfficerId,
    OutletId,
    PartyId,
    PublicKey,
    Reference,
    ShortText,
)

MEMBER_MOVES = {
    None: (MemberStatus.ACTIVE,),
    MemberStatus.ACTIVE: (MemberStatus.SUSPENDED, MemberStatus.EXPELLED),
    MemberStatus.SUSPENDED: (MemberStatus.ACTIVE, MemberStatus.EXPELLED),
}


@record(
    key=("member_id",),
    missing=Refusal.NOT_A_MEMBER,
    moves=MEMBER_MOVES,
    lists=(("kind", "status"), ("status",)),
    seen_by=PUBLIC,
)
class Member(Record, tag="members.member.1"):
    """An institution admitted to the network."""

    member_id: PartyId
    """Id in the network, e.g. `bank-a`."""
    legal_name: Name
    """Name in the company register, e.g. `Bank A Co., Ltd.`."""
    kind: Kind
    """What sort of institution it is."""
    size: Size
    """How large it is."""
    numbers: Annotated[tuple[LegalNumber, ...], Meta(max_length=8)] = ()
    """Its numbers in public registers."""
    licences: Verbs = ()
    """Verbs granted to it beyond those of its kind."""
    withheld: Verbs = ()
    """Verbs of its kind that were taken from it."""
    frozen_verbs: Annotated[Verbs, SeenBy("member_id")] = ()
    """Verbs that an order forbids it; each order's end is asked again when the verb is used."""
    policies: Annotated[tuple[Label, ...], Meta(max_length=POLICIES_MAX)] = ()
    """Messages for which it has a policy of its own, e.g. `receivables.pass`."""
    admitted_at_ms: AtMs
    """Ledger time of admission, in milliseconds."""
    status: MemberStatus = MemberStatus.ACTIVE
    """Whether it may start new business."""


@record(key=("scheme", "number"), seen_by=PUBLIC, lists=(("member",),))
class NumberHolder(Record, tag="members.number_holder.1"):
    """Which member holds a number of a public register."""

    scheme: NumberScheme
    """Register that gave the number."""
    number: LegalNumberText
    """The number, e.g. `91310000MA1FL0001X`."""
    member: MemberId
    """Whose number it is, e.g. `bank-a`."""


@record(key=("kind",), seen_by=PUBLIC)
class KindLicence(Record, tag="members.kind_licence.1"):
    """Which verbs a kind of institution has by default; first set in genesis."""

    kind: Kind
    """The kind."""
    verbs: Annotated[tuple[Label, ...], Meta(max_length=500)] = ()
    """Its verbs, e.g. `receivables.hold`."""


@record(
    key=("member", "outlet_id"),
    missing=Refusal.NO_SUCH_OUTLET,
    moves={None: (OutletStatus.OPEN,), OutletStatus.OPEN: (OutletStatus.CLOSED,)},
    lists=(("member", "status"),),
    seen_by=PUBLIC,
)
class Outlet(Record, tag="members.outlet.1"):
    """A branch of a member."""

    member: MemberId
    """Whose branch it is, e.g. `bank-a`."""
    outlet_id: OutletId
    """Id within the member, e.g. `shanghai`."""
    name: Name
    """Its name, e.g. `Shanghai branch`."""
    status: OutletStatus = OutletStatus.OPEN
    """Whether business is done there."""


@record(
    key=("member", "officer_id"),
    missing=Refusal.NO_SUCH_OFFICER,
    moves={None: (OfficerStatus.ACTIVE,), OfficerStatus.ACTIVE: (OfficerStatus.REMOVED,)},
    lists=(("member", "status"),),
    seen_by=PUBLIC,
)
class Officer(Record, tag="members.officer.1"):
    """A person, or a system, that acts for a member."""

    member: MemberId
    """For whom the person acts, e.g. `bank-a`."""
    officer_id: OfficerId
    """Id within the member, e.g. `li-wei`."""
    identity: Annotated[Hash32 | None, SeenBy("member")] = None
    """Salted commitment to the person's identity number; None when none is given, or to others."""
    roles: Annotated[tuple[Role, ...], Meta(max_length=6)]
    """What the person may do."""
    limits: Annotated[tuple[Limit, ...], Meta(max_length=20), SeenBy("member")] = ()
    """Amount limits by currency; empty: unlimited. A currency not listed is not allowed at all."""
    outlet: OutletId | None = None
    """Branch where the person works; None when the member has no branches."""
    system: bool = False
    """Whether it is a system, which may make and never check."""
    keys: Annotated[tuple[PublicKey, ...], Meta(max_length=KEYS_MAX)] = ()
    """Active keys."""
    delegations: Annotated[tuple[Delegation, ...], Meta(max_length=DELEGATIONS_MAX)] = ()
    """Roles that colleagues handed over; ended ones are dropped when the next is added."""
    status: OfficerStatus = OfficerStatus.ACTIVE
    """Whether the person still acts for the member."""


@record(
    key=("public_key",),
    missing=Refusal.NO_SUCH_KEY,
    moves={None: (KeyStatus.ACTIVE,), KeyStatus.ACTIVE: (KeyStatus.REVOKED,)},
    lists=(("member", "officer", "status"),),
    seen_by=PUBLIC,
)
class Key(Record, tag="members.key.1"):
    """A public key, registered once in the whole network and never again."""

    public_key: PublicKey
    """The public key, 32 bytes."""
    suite: Suite = Suite.ED25519
    """Its signature scheme."""
    member: MemberId
    """Member whose officer holds it, e.g. `bank-a`."""
    officer: OfficerId
    """Officer who holds it, e.g. `li-wei`."""
    certificate: Hash32 | None = None
    """SHA-256 of a certificate that an authority gave for it; None when there is none."""
    registered_at_ms: AtMs
    """Ledger time of registration, in milliseconds."""
    revoked_at_ms: AtMs | None = None
    """Ledger time of revocation, in milliseconds; None while it is active."""
    reason: ShortText = ""
    """Why it was revoked, e.g. `token lost`; empty while it is active."""
    status: KeyStatus = KeyStatus.ACTIVE
    """Whether its signatures count."""


@record(
    key=("member", "message"),
    missing=Refusal.NO_SUCH_POLICY,
    lists=(("member",),),
    seen_by=PUBLIC,
)
class Policy(Record, tag="members.policy.1"):
    """How a member signs one message, where that differs from the message's own rule.

    Needs and tiers only add to the message's own; one person is enough only where the message
    allows it, for a small member, below what governance sets.
    """

    member: MemberId
    """Whose policy it is, e.g. `bank-a`."""
    message: Label
    """Message it is for, without version, e.g. `receivables.pass`."""
    needs: Annotated[tuple[Need, ...], Meta(max_length=6)] = ()
    """Persons needed of each role, whatever the amount."""
    tiers: Annotated[tuple[Tier, ...], Meta(max_length=20)] = ()
    """Persons needed besides, from an amount on."""
    one_person: bool = False
    """Whether one person may sign alone."""
    ceilings: Annotated[tuple[Ceiling, ...], Meta(max_length=20)] = ()
    """Lower amounts than governance's below which that holds; empty: governance's."""


@record(key=("member", "officer", "currency"), seen_by=("member",))
class DailyUse(Record, tag="members.daily_use.1"):
    """What an officer with a daily limit has signed in a banking day."""

    member: MemberId
    """For whom it was signed, e.g. `bank-a`."""
    officer: OfficerId
    """Who signed, e.g. `li-wei`."""
    currency: Currency
    """Currency of the amounts, e.g. `CNY`."""
    day: Day
    """Banking day that is counted, e.g. `2026-07-06`; an earlier day's count is dropped."""
    used_minor: Minor
    """Sum of the day so far, in minor units."""


@record(
    key=("order_id", "scope", "subject"),
    missing=Refusal.NO_SUCH_ORDER,
    moves={
        None: (OrderStatus.IN_FORCE,),
        OrderStatus.IN_FORCE: (OrderStatus.LIFTED, OrderStatus.EXPIRED),
    },
    lists=(("status",), ("member", "status")),
    seen_by=("ordered_by", "member"),
)
class Order(Record, tag="members.order.1"):
    """An authority's order to suspend or freeze."""

    order_id: Reference
    """The authority's number of the order, e.g. `SPC 2026/118`."""
    scope: Scope
    """What sort of thing it is on."""
    subject: Subject
    """What it is on: a member, `member/verb`, `money/owner` or a piece's id."""
    member: MemberId
    """Whom it is against, e.g. `supplier-1`."""
    ordered_by: MemberId
    """Supervisor that entered it, e.g. `supervisor`."""
    officer: OfficerId
    """Compliance officer who signed it, e.g. `wang-min`."""
    reason: ShortText
    """Why, e.g. `court ruling`."""
    entered_at_ms: AtMs
    """Ledger time at which it came into force, in milliseconds."""
    expires_at_ms: AtMs
    """Ledger time at which it ends by itself, in milliseconds."""
    timer_id: Id
    """Timer that ends it then, e.g. `tmr-0123456789abcdef`."""
    lift_reason: ShortText = ""
    """Why it was lifted; empty while it is in force or when it ran out."""
    status: OrderStatus = OrderStatus.IN_FORCE
    """Where it stands; after `expires_at_ms` it binds nobody, even before this says so."""


@record(key=("scope", "subject"))
class Frozen(Record, tag="members.frozen.1"):
    """That a subject is under orders; kept only while one stands, so that asking is one read."""

    scope: Scope
    """What sort of thing it is."""
    subject: Subject
    """What is frozen, e.g. `CNY@central-bank/S1`."""
    orders: Annotated[tuple[Standing, ...], Meta(min_length=1, max_length=ORDERS_MAX)]
    """Orders in force on it."""
    until_ms: AtMs
    """Ledger time at which the last of them ends, in milliseconds."""


@record(key=("scope", "subject"), seen_by=("member",))
class LastOrder(Record, tag="members.last_order.1"):
    """When the last order on a subject was entered; kept when all its orders have ended.

    What an order kills stays dead when the order ends, such as an offer on a piece.
    """

    scope: Scope
    """What sort of thing it is."""
    subject: Subject
    """What the order is or was on, e.g. `piece-0123456789abcdef`."""
    member: MemberId
    """Whom that order is against, e.g. `supplier-1`."""
    entered_at_ms: AtMs
    """Ledger time at which it came into force, in milliseconds."""
