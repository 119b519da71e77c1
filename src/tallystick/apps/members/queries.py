"""Named reads of members."""

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from tallystick.apps.members.licences import verbs_of
from tallystick.apps.members.parts import (
    Delegation,
    KeyStatus,
    Kind,
    LegalNumberText,
    MemberId,
    MemberStatus,
    NumberScheme,
    OfficerStatus,
    OrderStatus,
)
from tallystick.apps.members.records import (
    DailyUse,
    Key,
    KindLicence,
    Member,
    NumberHolder,
    Officer,
    Order,
    Outlet,
    Policy,
)
from tallystick.ledger.view import View
from tallystick.values.codec import Struct
from tallystick.values.units import Label, OfficerId


class Licences(Struct):
    """What a member may do."""

    member: MemberId
    """The member, e.g. `bank-a`."""
    verbs: Annotated[tuple[Label, ...], Meta(max_length=1000)]
    """Verbs that its licences cover, in order; orders may forbid some for a time."""


class Handed(Struct):
    """Roles that stand in other hands."""

    to_officer: OfficerId
    """Who stands in, e.g. `chen-bo`."""
    delegation: Delegation
    """What was handed over, by whom and until when."""


def members(view: View, status: MemberStatus = MemberStatus.ACTIVE) -> Iterable[Member]:
    """Members, those in good standing unless another status is asked for."""
    return view.find(Member, status=status)


def members_of_kind(view: View, kind: Kind) -> Iterable[Member]:
    """Members of a kind, whatever their status."""
    return view.find(Member, kind=kind)


def holder_of_number(
    view: View, scheme: NumberScheme, number: LegalNumberText
) -> Iterable[NumberHolder]:
    """Member that holds a number of a public register; nothing if none does."""
    return view.find(NumberHolder, scheme=scheme, number=number)


def licences(view: View, member: MemberId) -> Licences:
    """Verbs that a member's licences cover."""
    return Licences(member=member, verbs=verbs_of(view, view.get(Member, member)))


def kind_licences(view: View) -> Iterable[KindLicence]:
    """Verbs that each kind of institution has by default."""
    return view.find(KindLicence)


def outlets(view: View, member: MemberId) -> Iterable[Outlet]:
    """Branches of a member."""
    return view.find(Outlet, member=member)


def officers(
    view: View, member: MemberId, status: OfficerStatus = OfficerStatus.ACTIVE
) -> Iterable[Officer]:
    """People who act for a member; limits and identities are shown to that member alone."""
    return view.find(Officer, member=member, status=status)


def keys(view: View, member: MemberId, status: KeyStatus = KeyStatus.ACTIVE) -> Iterable[Key]:
    """Keys of a member's officers."""
    return view.find(Key, member=member, status=status)


def policies(view: View, member: MemberId) -> Iterable[Policy]:
    """How a member signs, where that differs from the messages' own rules."""
    return view.find(Policy, member=member)


def delegations(view: View, member: MemberId) -> Iterable[Handed]:
    """Who stands in for whom now."""
    for officer in view.scan(Officer, member):
        for each in officer.delegations:
            if view.now_ms < each.until_ms:
                yield Handed(to_officer=officer.officer_id, delegation=each)


def daily_use(view: View, member: MemberId) -> Iterable[DailyUse]:
    """What officers with a daily limit have signed, for the member itself."""
    return view.find(DailyUse, member=member)


def orders(view: View, status: OrderStatus = OrderStatus.IN_FORCE) -> Iterable[Order]:
    """Orders of authorities; each is shown to who entered it and whom it is against."""
    return view.find(Order, status=status)


def orders_against(view: View, member: MemberId) -> Iterable[Order]:
    """All orders against a member, past ones too."""
    return view.find(Order, member=member)
