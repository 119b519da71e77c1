"""The least that other applications may ask of members."""

from tallystick.apps.members.admission import admit, check_admission, check_expulsion, expel
from tallystick.apps.members.licences import holds_licence
from tallystick.apps.members.parts import (
    Kind,
    LegalNumber,
    Limit,
    MemberId,
    MemberStatus,
    NewKey,
    NewMember,
    NewOfficer,
    NewOutlet,
    NumberScheme,
    OfficerStatus,
    Scope,
    Size,
)
from tallystick.apps.members.records import Frozen, Key, KindLicence, Member, NumberHolder, Officer
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.standing import (
    frozen,
    frozen_since,
    is_suspended,
    require_not_frozen,
    verb_frozen,
)
from tallystick.ledger.app import Role
from tallystick.ledger.refusal import require
from tallystick.ledger.view import Reader

__all__ = [
    "Frozen",
    "Kind",
    "KindLicence",
    "LegalNumber",
    "Limit",
    "Member",
    "MemberId",
    "NewKey",
    "NewMember",
    "NewOfficer",
    "NewOutlet",
    "NumberScheme",
    "Scope",
    "Size",
    "admit",
    "check_admission",
    "check_expulsion",
    "expel",
    "frozen",
    "frozen_since",
    "is_admitted",
    "is_officers_key",
    "is_supervisor",
    "kind_of",
    "licensed",
    "member",
    "member_by_number",
    "officer_role",
    "require_active",
    "require_known",
    "require_licensed",
    "require_not_frozen",
    "size_of",
]


def member(reader: Reader, party: str) -> Member:
    """The member that a party is; NOT_A_MEMBER if it is none."""
    return reader.get(Member, party)


def kind_of(reader: Reader, party: str) -> Kind:
    """What sort of institution a party is."""
    return member(reader, party).kind


def size_of(reader: Reader, party: str) -> Size:
    """How large a party is."""
    return member(reader, party).size


def is_supervisor(reader: Reader, party: str) -> bool:
    """Is this party a supervisor?"""
    found = reader.peek(Member, party)
    return found is not None and found.kind is Kind.SUPERVISOR


def member_by_number(reader: Reader, scheme: NumberScheme, number: str) -> str | None:
    """Member that holds a number of a public register; None if none does."""
    found = reader.peek(NumberHolder, scheme, number)
    return None if found is None else found.member


def is_admitted(reader: Reader, party: str) -> bool:
    """Is this party a member that was not expelled?"""
    found = reader.peek(Member, party)
    return found is not None and found.status is not MemberStatus.EXPELLED


def is_officers_key(reader: Reader, public_key: bytes) -> bool:
    """Is or was this the key of an officer of any member?"""
    return reader.peek(Key, public_key) is not None


def officer_role(reader: Reader, party: str, officer: str) -> frozenset[Role]:
    """Roles of an officer's own, delegated ones left out; none when there is no such officer."""
    found = reader.peek(Officer, party, officer)
    if found is None or found.status is OfficerStatus.REMOVED:
        return frozenset()
    return frozenset(found.roles)


def licensed(reader: Reader, party: str, verb: str) -> bool:
    """Do a party's licences cover a verb that no order forbids it?"""
    found = member(reader, party)
    return holds_licence(reader, found, verb) and not verb_frozen(reader, found, verb)


def require_known(reader: Reader, party: str) -> None:
    """Refuse unless the party is or was a member."""
    reader.recall(member, party)


def require_active(reader: Reader, party: str) -> None:
    """Refuse unless the party may start new business: not suspended, not expelled."""
    reader.recall(_check_active, party)


def require_licensed(reader: Reader, party: str, verb: str) -> None:
    """Refuse unless the party's licences cover a verb and no order forbids it."""
    reader.recall(_check_licensed, party, verb)


# --- what is remembered: each follows from records alone


def _check_active(reader: Reader, party: str) -> None:
    """Refuse unless the party may start new business."""
    found = member(reader, party)
    require(found.status is not MemberStatus.EXPELLED, Refusal.EXPELLED, member=party)
    require(not is_suspended(reader, found), Refusal.SUSPENDED, member=party)


def _check_licensed(reader: Reader, party: str, verb: str) -> None:
    """Refuse unless the party's licences cover a verb and no order forbids it."""
    found = member(reader, party)
    require(holds_licence(reader, found, verb), Refusal.UNLICENSED, member=party, verb=verb)
    require(not verb_frozen(reader, found, verb), Refusal.FROZEN, scope=Scope.VERB.value)
