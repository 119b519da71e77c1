"""Admission, expulsion and licences."""

from tallystick.apps.governance.interface import Admits, admission, unseat
from tallystick.apps.members import admission as membership
from tallystick.apps.members.admission import check_expulsion, check_numbers, hold_numbers, in_order
from tallystick.apps.members.licences import holds_licence
from tallystick.apps.members.messages import (
    Admit,
    ChangeMember,
    Expel,
    GrantLicence,
    RevokeLicence,
    SetKindLicence,
)
from tallystick.apps.members.parts import VERBS_MAX
from tallystick.apps.members.records import KindLicence, Member
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.codec import replace


def admit(ctx: Context, msg: Admit) -> None:
    """Admit an institution, where the constitution leaves that to a supervisor."""
    require(admission(ctx) is Admits.SUPERVISOR, Refusal.ADMITTED_BY_VOTE)
    membership.admit(ctx, msg.newcomer)


def expel(ctx: Context, msg: Expel) -> None:
    """Expel a member and its validators, where the constitution leaves that to a supervisor."""
    require(admission(ctx) is Admits.SUPERVISOR, Refusal.ADMITTED_BY_VOTE)
    require(msg.member != ctx.party, Refusal.OWN_MEMBER, member=msg.member)
    check_expulsion(ctx, msg.member)
    unseat(ctx, msg.member)
    membership.expel(ctx, msg.member)


def change_member(ctx: Context, msg: ChangeMember) -> None:
    """Record a member's changed name, size or register numbers."""
    before = ctx.get(Member, msg.member)
    after = replace(before, legal_name=msg.legal_name, size=msg.size, numbers=msg.numbers)
    require(after != before, Refusal.NOTHING_TO_CHANGE, what=msg.member)
    check_numbers(ctx, msg.member, msg.numbers)
    hold_numbers(ctx, msg.member, before=before.numbers, after=msg.numbers)
    ctx.save(after)


def grant_licence(ctx: Context, msg: GrantLicence) -> None:
    """Add verbs to a member's own, or give back what was taken from it."""
    before = ctx.get(Member, msg.member)
    licences = in_order((*before.licences, *msg.verbs))
    withheld = tuple(verb for verb in before.withheld if verb not in msg.verbs)
    after = replace(before, licences=licences, withheld=withheld)
    require(after != before, Refusal.NOTHING_TO_CHANGE, what=msg.member)
    require(len(licences) <= VERBS_MAX, Refusal.TOO_MANY, what="licences", most=VERBS_MAX)
    ctx.save(after)


def revoke_licence(ctx: Context, msg: RevokeLicence) -> None:
    """Take verbs from a member, whether granted or of its kind."""
    before = ctx.get(Member, msg.member)
    for verb in msg.verbs:
        held = holds_licence(ctx, before, verb)
        require(held, Refusal.UNLICENSED, member=msg.member, verb=verb)
    licences = tuple(verb for verb in before.licences if verb not in msg.verbs)
    withheld = in_order((*before.withheld, *msg.verbs))
    require(len(withheld) <= VERBS_MAX, Refusal.TOO_MANY, what="licences", most=VERBS_MAX)
    ctx.save(replace(before, licences=licences, withheld=withheld))


def set_kind_licence(ctx: Context, msg: SetKindLicence) -> None:
    """Say which verbs a kind of institution has by default."""
    before = ctx.peek(KindLicence, msg.kind)
    after = KindLicence(kind=msg.kind, verbs=in_order(msg.verbs))
    require(after != before, Refusal.NOTHING_TO_CHANGE, what=msg.kind.value)
    if before is None:
        ctx.add(after)
    else:
        ctx.save(after)
