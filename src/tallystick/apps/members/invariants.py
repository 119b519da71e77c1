"""What must always hold of members."""

from collections.abc import Iterator

from tallystick.apps.members.needs import can_fill
from tallystick.apps.members.parts import (
    KeyStatus,
    MemberStatus,
    OfficerStatus,
    OrderStatus,
    OutletStatus,
    Scope,
)
from tallystick.apps.members.records import (
    Frozen,
    Key,
    LastOrder,
    Member,
    NumberHolder,
    Officer,
    Order,
    Outlet,
    Policy,
)
from tallystick.apps.members.standing import verb_subject
from tallystick.ledger.app import ADMIN_CHECKER, Role
from tallystick.ledger.view import View


def keys_belong_to_one_officer(view: View) -> Iterator[str]:
    """An active key is listed by the officer it names, and by nobody else."""
    listed: dict[bytes, tuple[str, str]] = {}
    for officer in view.scan(Officer):
        for public_key in officer.keys:
            if public_key in listed:
                yield f"key {public_key.hex()} is held by two officers"
            listed[public_key] = (officer.member, officer.officer_id)
    for key in view.scan(Key):
        holder = (key.member, key.officer) if key.status is KeyStatus.ACTIVE else None
        if listed.pop(key.public_key, None) != holder:
            yield f"key {key.public_key.hex()} is not held by the officer it names"
    for public_key in listed:
        yield f"key {public_key.hex()} is held and not registered"


def officers_belong_to_members(view: View) -> Iterator[str]:
    """Every officer has a member and, while active, an open branch or none; a system only makes."""
    for officer in view.scan(Officer):
        name = f"officer {officer.officer_id} of {officer.member}"
        if view.peek(Member, officer.member) is None:
            yield f"{name} has no member"
        if officer.system and officer.roles != (Role.MAKER,):
            yield f"{name} is a system and may do more than make"
        if officer.status is OfficerStatus.REMOVED and officer.keys:
            yield f"{name} was removed and still holds a key"
        if officer.status is OfficerStatus.ACTIVE and officer.outlet is not None:
            outlet = view.peek(Outlet, officer.member, officer.outlet)
            if outlet is None or outlet.status is OutletStatus.CLOSED:
                yield f"{name} works at no open branch"


def persons_are_different(view: View) -> Iterator[str]:
    """No person is two active officers of one member."""
    seen: dict[tuple[str, bytes], str] = {}
    for officer in view.scan(Officer):
        if officer.identity is None or officer.status is OfficerStatus.REMOVED:
            continue
        other = seen.setdefault((officer.member, officer.identity), officer.officer_id)
        if other != officer.officer_id:
            yield f"{other} and {officer.officer_id} of {officer.member} are one person"


def members_can_sign(view: View) -> Iterator[str]:
    """Every member has an admin and another person who checks, both with keys."""
    for member in view.scan(Member):
        able = tuple(
            officer.roles
            for officer in view.scan(Officer, member.member_id)
            if officer.status is OfficerStatus.ACTIVE and officer.keys
        )
        if not can_fill(ADMIN_CHECKER, able):
            yield f"nobody can sign for {member.member_id} any more"


def numbers_belong_to_members(view: View) -> Iterator[str]:
    """A register number is held by the member that lists it, and by no other."""
    held = {(each.scheme, each.number): each.member for each in view.scan(NumberHolder)}
    for member in view.scan(Member):
        for each in dict.fromkeys(member.numbers):
            if held.pop((each.scheme, each.number), None) != member.member_id:
                yield f"number {each.number} is not noted as {member.member_id}'s"
    for _, number in held:
        yield f"number {number} is listed by nobody"


def policies_are_listed(view: View) -> Iterator[str]:
    """A member lists exactly the messages for which it has a policy."""
    for member in view.scan(Member):
        kept = tuple(policy.message for policy in view.scan(Policy, member.member_id))
        if kept != member.policies:
            yield f"{member.member_id} lists other policies than it has"


def orders_bind_their_subjects(view: View) -> Iterator[str]:
    """A subject is under exactly the orders in force on it, and its member says so."""
    standing: dict[tuple[Scope, str], list[str]] = {}
    for order in view.scan(Order):
        if order.status is OrderStatus.IN_FORCE:
            standing.setdefault((order.scope, order.subject), []).append(order.order_id)
    for frozen in view.scan(Frozen):
        orders = standing.pop((frozen.scope, frozen.subject), [])
        if sorted(each.order_id for each in frozen.orders) != orders:
            yield f"{frozen.subject} is under other orders than those in force on it"
        if frozen.until_ms != max(each.expires_at_ms for each in frozen.orders):
            yield f"{frozen.subject} is frozen to another time than its orders say"
    for _, subject in standing:
        yield f"{subject} is under an order and not frozen"


def members_say_how_they_stand(view: View) -> Iterator[str]:
    """A member is suspended, and its verbs frozen, exactly while an order stands."""
    for member in view.scan(Member):
        party = member.member_id
        ordered = view.peek(Frozen, Scope.MEMBER, party) is not None
        suspended = member.status is MemberStatus.SUSPENDED
        if suspended != ordered and member.status is not MemberStatus.EXPELLED:
            yield f"{party} is suspended without an order, or not suspended under one"
        for verb in member.frozen_verbs:
            if view.peek(Frozen, Scope.VERB, verb_subject(party, verb)) is None:
                yield f"{party} has verb {verb} frozen without an order"


def last_orders_are_remembered(view: View) -> Iterator[str]:
    """Of every subject that was ever under an order the time of the latest is kept."""
    latest: dict[tuple[Scope, str], int] = {}
    for order in view.scan(Order):
        subject = (order.scope, order.subject)
        latest[subject] = max(latest.get(subject, 0), order.entered_at_ms)
    for last in view.scan(LastOrder):
        if latest.pop((last.scope, last.subject), None) != last.entered_at_ms:
            yield f"the last order on {last.subject} was entered at another time"
    for _, name in latest:
        yield f"when {name} was last put under an order is not kept"
