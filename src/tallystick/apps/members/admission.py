"""How an institution becomes a member and ceases to be one, whoever decides it."""

from tallystick.apps.members.parts import LegalNumber, MemberStatus, NewMember
from tallystick.apps.members.people import enrol, ensure_can_sign
from tallystick.apps.members.records import Member, NumberHolder, Outlet
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace


def check_admission(reader: Reader, new: NewMember) -> None:
    """Refuse a newcomer whose id or numbers are taken."""
    taken = reader.peek(Member, new.member_id) is not None
    require(not taken, Refusal.ALREADY_A_MEMBER, member=new.member_id)
    check_numbers(reader, new.member_id, new.numbers)


def admit(ctx: Context, new: NewMember) -> None:
    """Make an institution a member: its entry, numbers, branches, people and keys."""
    check_admission(ctx, new)
    ctx.add(
        Member(
            member_id=new.member_id,
            legal_name=new.legal_name,
            kind=new.kind,
            size=new.size,
            numbers=new.numbers,
            licences=in_order(new.licences),
            admitted_at_ms=ctx.now_ms,
        )
    )
    hold_numbers(ctx, new.member_id, before=(), after=new.numbers)
    for branch in new.outlets:
        known = ctx.peek(Outlet, new.member_id, branch.outlet_id) is not None
        require(not known, Refusal.OUTLET_EXISTS, outlet_id=branch.outlet_id)
        ctx.add(Outlet(member=new.member_id, outlet_id=branch.outlet_id, name=branch.name))
    for officer in new.officers:
        enrol(ctx, new.member_id, officer)
    ensure_can_sign(ctx, new.member_id)


def check_expulsion(reader: Reader, party: str) -> None:
    """Refuse to expel who is no member, or no longer."""
    found = reader.get(Member, party)
    gone = found.status is MemberStatus.EXPELLED
    require(not gone, Refusal.EXPELLED, member=party)


def expel(ctx: Context, party: str) -> None:
    """End a membership: the member starts nothing new, still pays and is paid."""
    check_expulsion(ctx, party)
    ctx.save(replace(ctx.get(Member, party), status=MemberStatus.EXPELLED))


def check_numbers(reader: Reader, party: str, numbers: tuple[LegalNumber, ...]) -> None:
    """Refuse register numbers that belong to another member."""
    for each in numbers:
        holder = reader.peek(NumberHolder, each.scheme, each.number)
        free = holder is None or holder.member == party
        require(free, Refusal.NUMBER_TAKEN, scheme=each.scheme.value, number=each.number)


def hold_numbers(
    ctx: Context,
    party: str,
    *,
    before: tuple[LegalNumber, ...],
    after: tuple[LegalNumber, ...],
) -> None:
    """Note whose the register numbers are; those left out are free again."""
    for old in before:
        if old not in after:
            ctx.delete(NumberHolder, old.scheme, old.number)
    for new in after:
        if ctx.peek(NumberHolder, new.scheme, new.number) is None:
            ctx.add(NumberHolder(scheme=new.scheme, number=new.number, member=party))


def in_order(verbs: tuple[str, ...]) -> tuple[str, ...]:
    """Verbs, each once, in the order of their names."""
    return tuple(sorted(set(verbs)))
