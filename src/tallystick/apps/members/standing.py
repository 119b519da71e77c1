"""How a member or a thing stands: suspended, frozen, and since which order."""

from tallystick.apps.members.parts import MemberStatus, Scope
from tallystick.apps.members.records import Frozen, LastOrder, Member
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.refusal import Refused
from tallystick.ledger.view import Reader


def frozen(reader: Reader, scope: Scope, subject: str) -> Frozen | None:
    """The orders on a subject; None when none binds at this moment."""
    found = reader.peek(Frozen, scope, subject)
    return found if found is not None and reader.now_ms < found.until_ms else None


def require_not_frozen(reader: Reader, scope: Scope, subject: str) -> None:
    """Refuse while an order stands on an account or a piece; the refusal names neither.

    Not remembered: where nothing is frozen at all, as mostly, it is found out without a look.
    """
    if frozen(reader, scope, subject) is not None:
        raise Refused(Refusal.FROZEN, {"scope": scope.value})


def frozen_since(reader: Reader, scope: Scope, subject: str, since_ms: int) -> bool:
    """Has an order been entered on a subject at this moment or later, ended or not?"""
    last = reader.peek(LastOrder, scope, subject)
    return last is not None and last.entered_at_ms >= since_ms


def is_suspended(reader: Reader, member: Member) -> bool:
    """Does an order on the whole member bind? The status may lag behind the order's end."""
    if member.status is not MemberStatus.SUSPENDED:
        return False
    return frozen(reader, Scope.MEMBER, member.member_id) is not None


def verb_frozen(reader: Reader, member: Member, verb: str) -> bool:
    """Does an order forbid the member this verb?"""
    if verb not in member.frozen_verbs:
        return False
    return frozen(reader, Scope.VERB, verb_subject(member.member_id, verb)) is not None


def verb_subject(member_id: str, verb: str) -> str:
    """What an order on a verb names: `S1/receivables.trade`."""
    return f"{member_id}/{verb}"
