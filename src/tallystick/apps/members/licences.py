"""Which verbs a member may use."""

from tallystick.apps.members.records import KindLicence, Member
from tallystick.ledger.view import Reader


def holds_licence(reader: Reader, member: Member, verb: str) -> bool:
    """Do the licences of its kind, or its own, cover a verb?"""
    if verb in member.licences:
        return True
    if verb in member.withheld:
        return False
    of_kind = reader.peek(KindLicence, member.kind)
    return of_kind is not None and verb in of_kind.verbs


def verbs_of(reader: Reader, member: Member) -> tuple[str, ...]:
    """All verbs that a member's licences cover, in order."""
    of_kind = reader.peek(KindLicence, member.kind)
    by_kind = () if of_kind is None else of_kind.verbs
    return tuple(sorted({*by_kind, *member.licences} - {*member.withheld}))
