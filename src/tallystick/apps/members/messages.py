"""What can be asked about members: admission, orders, and a member's own people, keys and rules."""

from typing import Annotated

from msgspec import Meta

from tallystick.apps.members.parts import (
    KEYS_MAX,
    Ceiling,
    Kind,
    LegalNumber,
    Limit,
    MemberId,
    Need,
    NewKey,
    NewMember,
    Roles,
    Scope,
    Size,
    Subject,
    Tier,
    Verbs,
)
from tallystick.ledger.app import (
    ADMIN_CHECKER,
    COMPLIANCE,
    Message,
    Role,
    message,
    timer,
)
from tallystick.values.units import (
    AtMs,
    Hash32,
    Label,
    Name,
    OfficerId,
    OutletId,
    PublicKey,
    Reference,
    ShortText,
)

ADMIT = "members.admit"
"""Verb of those who admit members and say what they may do."""
ORDER = "members.order"
"""Verb of those who enter orders to suspend and freeze."""
SEE_ALL = "members.see_all"
"""Verb of those, besides supervisors, who may read every record."""

ADMIN = ((Role.ADMIN, 1),)
COMPLIANCE_CHECKER = ((Role.COMPLIANCE, 1), (Role.CHECKER, 1))


# --- Admission and licences


@message(verb=ADMIT)
class Admit(Message, tag="members.admit.1"):
    """Admit an institution, with its first people and keys."""

    newcomer: NewMember
    """The institution."""


@message(verb=ADMIT)
class Expel(Message, tag="members.expel.1"):
    """Expel a member: it starts nothing new, still pays and is paid."""

    member: MemberId
    """Who is expelled, e.g. `factor-b`."""
    reason: ShortText
    """Why, e.g. `licence withdrawn`."""


@message(verb=ADMIT)
class ChangeMember(Message, tag="members.change_member.1"):
    """Record a member's changed name, size or register numbers."""

    member: MemberId
    """Whose entry changes, e.g. `supplier-1`."""
    legal_name: Name
    """Name in the company register from now on."""
    size: Size
    """How large it is from now on."""
    numbers: Annotated[tuple[LegalNumber, ...], Meta(max_length=8)] = ()
    """Its numbers in public registers from now on."""


@message(verb=ADMIT)
class GrantLicence(Message, tag="members.grant_licence.1"):
    """Let a member use verbs that its kind does not have, or give back what was taken."""

    member: MemberId
    """Who may use them, e.g. `fintech-1`."""
    verbs: Annotated[Verbs, Meta(min_length=1)]
    """The verbs, e.g. `receivables.finance`."""


@message(verb=ADMIT)
class RevokeLicence(Message, tag="members.revoke_licence.1"):
    """Take verbs from a member, whether granted or of its kind."""

    member: MemberId
    """Who may no longer use them, e.g. `factor-b`."""
    verbs: Annotated[Verbs, Meta(min_length=1)]
    """The verbs, e.g. `receivables.finance`."""
    reason: ShortText
    """Why, e.g. `licence lapsed`."""


@message(verb=ADMIT)
class SetKindLicence(Message, tag="members.set_kind_licence.1"):
    """Say which verbs a kind of institution has by default."""

    kind: Kind
    """The kind."""
    verbs: Annotated[tuple[Label, ...], Meta(max_length=500)]
    """All its verbs from now on."""


# --- Orders of authorities


@message(verb=ORDER, officers=COMPLIANCE)
class Suspend(Message, tag="members.suspend.1"):
    """Suspend a member, or some of its verbs: it starts nothing new, still pays and is paid."""

    member: MemberId
    """Who is suspended, e.g. `supplier-1`."""
    verbs: Verbs = ()
    """Verbs that are suspended; empty: the whole member."""
    order_id: Reference
    """The authority's number of the order, e.g. `CBIRC 2026/41`."""
    expires_at_ms: AtMs
    """Ledger time at which the order ends by itself, in milliseconds."""
    reason: ShortText
    """Why, e.g. `books not filed`."""


@message(verb=ORDER, officers=COMPLIANCE)
class Reinstate(Message, tag="members.reinstate.1"):
    """Lift a suspension before it ends by itself."""

    member: MemberId
    """Who may start new business again, e.g. `supplier-1`."""
    verbs: Verbs = ()
    """Verbs that are free again; empty: the whole member."""
    order_id: Reference
    """Number of the order that is lifted, e.g. `CBIRC 2026/41`."""
    reason: ShortText
    """Why, e.g. `books filed`."""


@message(verb=ORDER, officers=COMPLIANCE)
class Freeze(Message, tag="members.freeze.1"):
    """Freeze one cash account or one whole piece under an authority's order."""

    scope: Scope
    """What is frozen: `cash_account` or `piece`."""
    subject: Subject
    """Account as `money/owner`, e.g. `CNY@central-bank/S1`, or the id of a piece."""
    member: MemberId
    """Whom the order is against, e.g. `supplier-1`."""
    order_id: Reference
    """The authority's number of the order, e.g. `SPC 2026/118`."""
    expires_at_ms: AtMs
    """Ledger time at which the order ends by itself, in milliseconds."""
    reason: ShortText
    """Why, e.g. `court ruling`."""


@message(verb=ORDER, officers=COMPLIANCE)
class Unfreeze(Message, tag="members.unfreeze.1"):
    """Lift a freeze before it ends by itself."""

    scope: Scope
    """What is freed: `cash_account` or `piece`."""
    subject: Subject
    """Account as `money/owner`, e.g. `CNY@central-bank/S1`, or the id of a piece."""
    order_id: Reference
    """Number of the order that is lifted, e.g. `SPC 2026/118`."""
    reason: ShortText
    """Why, e.g. `ruling annulled`."""


@timer()
class EndOrder(Message, tag="members.end_order.1"):
    """An order's date has come."""

    order_id: Reference
    """Number of the order, e.g. `SPC 2026/118`."""
    scope: Scope
    """What sort of thing it is on."""
    subject: Subject
    """What it is on, e.g. `CNY@central-bank/S1`."""


# --- A member's own outlets and people


@message(verb=None, officers=ADMIN_CHECKER)
class AddOutlet(Message, tag="members.add_outlet.1"):
    """Open a branch."""

    outlet_id: OutletId
    """Id within the member, e.g. `shanghai`."""
    name: Name
    """Its name, e.g. `Shanghai branch`."""


@message(verb=None, officers=ADMIN_CHECKER)
class CloseOutlet(Message, tag="members.close_outlet.1"):
    """Close a branch at which nobody works any more."""

    outlet_id: OutletId
    """Id within the member, e.g. `shanghai`."""


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class AddOfficer(Message, tag="members.add_officer.1"):
    """Register a person, or a system, that acts for the member."""

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


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class ChangeOfficer(Message, tag="members.change_officer.1"):
    """Say anew which roles, limits and branch an officer has."""

    officer_id: OfficerId
    """Who changes, e.g. `li-wei`."""
    roles: Roles
    """All roles from now on."""
    limits: Annotated[tuple[Limit, ...], Meta(max_length=20)] = ()
    """All limits from now on; empty: unlimited."""
    outlet: OutletId | None = None
    """Branch from now on; None when the person belongs to none."""


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class RemoveOfficer(Message, tag="members.remove_officer.1"):
    """End a person's work for the member; the keys are revoked with it."""

    officer_id: OfficerId
    """Who leaves, e.g. `li-wei`."""
    reason: ShortText
    """Why, e.g. `left the bank`."""


# --- Keys


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class RegisterKey(Message, tag="members.register_key.1"):
    """Register a further key of an officer."""

    officer_id: OfficerId
    """Who holds it, e.g. `li-wei`."""
    key: NewKey
    """The key."""


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class RotateKey(Message, tag="members.rotate_key.1"):
    """Replace a key by a new one of the same officer."""

    old_key: PublicKey
    """Key that is revoked."""
    key: NewKey
    """Key that takes its place."""


@message(verb=None, officers=ADMIN, duty=True)
class RevokeKey(Message, tag="members.revoke_key.1"):
    """Revoke a key at once; one admin is enough, for a lost key cannot wait for two."""

    public_key: PublicKey
    """Key that is revoked."""
    reason: ShortText
    """Why, e.g. `token lost`."""


@message(verb=ORDER, officers=COMPLIANCE_CHECKER)
class RecoverKey(Message, tag="members.recover_key.1"):
    """Give an officer of a member that can no longer sign a new key instead of all old ones."""

    member: MemberId
    """Member that asked for it, e.g. `supplier-1`."""
    officer_id: OfficerId
    """Officer who gets the key, e.g. `li-wei`."""
    key: NewKey
    """The key."""
    reason: ShortText
    """Why, e.g. `both tokens lost in the fire; board minutes seen`."""


# --- Rules of a member's own


@message(verb=None, officers=ADMIN_CHECKER)
class SetPolicy(Message, tag="members.set_policy.1"):
    """Say how the member signs a message, where that differs from the message's own rule."""

    message: Label
    """Message it is for, without version, e.g. `receivables.pass`."""
    needs: Annotated[tuple[Need, ...], Meta(max_length=6)] = ()
    """Persons needed of each role; adds to the message's own, never takes away."""
    tiers: Annotated[tuple[Tier, ...], Meta(max_length=20)] = ()
    """Persons needed besides, from an amount on."""
    one_person: bool = False
    """Whether one person may sign alone, where the message allows it, for a small member."""
    ceilings: Annotated[tuple[Ceiling, ...], Meta(max_length=20)] = ()
    """Lower amounts than governance's below which that holds; empty: governance's."""


@message(verb=None, officers=ADMIN_CHECKER)
class DropPolicy(Message, tag="members.drop_policy.1"):
    """Return to the message's own rule."""

    message: Label
    """Message it is for, without version, e.g. `receivables.pass`."""


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class Delegate(Message, tag="members.delegate.1"):
    """Hand an officer's roles over to a colleague until a day."""

    from_officer: OfficerId
    """Who hands over, e.g. `li-wei`."""
    to_officer: OfficerId
    """Who stands in, e.g. `chen-bo`."""
    roles: Roles
    """Roles handed over."""
    until_ms: AtMs
    """Ledger time at which it ends, in milliseconds."""


@message(verb=None, officers=ADMIN_CHECKER, duty=True)
class EndDelegation(Message, tag="members.end_delegation.1"):
    """End a delegation before its day."""

    from_officer: OfficerId
    """Who handed over, e.g. `li-wei`."""
    to_officer: OfficerId
    """Who stood in, e.g. `chen-bo`."""
