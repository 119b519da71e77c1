"""A member's own signing rules, and who stands in for whom."""

from tallystick.apps.members.admission import in_order
from tallystick.apps.members.messages import Delegate, DropPolicy, EndDelegation, SetPolicy
from tallystick.apps.members.naming import spec_in_force
from tallystick.apps.members.parts import DELEGATIONS_MAX, POLICIES_MAX, Delegation, Size
from tallystick.apps.members.people import active_officer, check_once, in_role_order
from tallystick.apps.members.records import Member, Policy
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import need, require
from tallystick.values.codec import replace


def set_policy(ctx: Context, msg: SetPolicy) -> None:
    """Say how the member signs a message. What it may loosen is asked again when it is used."""
    asked = need(spec_in_force(ctx, msg.message), Refusal.NO_SUCH_MESSAGE, message=msg.message)
    allowed = asked.one_person or not msg.one_person
    require(allowed, Refusal.NEVER_ALONE, message=msg.message)
    member = ctx.get(Member, ctx.party)
    small = member.size is Size.SMALL or not msg.one_person
    require(small, Refusal.NOT_SMALL, member=ctx.party)
    check_once(tuple(ceiling.currency for ceiling in msg.ceilings))
    policies = in_order((*member.policies, msg.message))
    require(len(policies) <= POLICIES_MAX, Refusal.TOO_MANY, what="policies", most=POLICIES_MAX)
    policy = Policy(
        member=ctx.party,
        message=msg.message,
        needs=msg.needs,
        tiers=msg.tiers,
        one_person=msg.one_person,
        ceilings=msg.ceilings,
    )
    if msg.message in member.policies:
        ctx.save(policy)
    else:
        ctx.add(policy)
        ctx.save(replace(member, policies=policies))


def drop_policy(ctx: Context, msg: DropPolicy) -> None:
    """Return to the message's own rule."""
    policy = ctx.get(Policy, ctx.party, msg.message)
    member = ctx.get(Member, ctx.party)
    left = tuple(name for name in member.policies if name != policy.message)
    ctx.delete(Policy, ctx.party, msg.message)
    ctx.save(replace(member, policies=left))


def delegate(ctx: Context, msg: Delegate) -> None:
    """Hand an officer's roles over to a colleague until a day."""
    require(msg.from_officer != msg.to_officer, Refusal.SAME_PERSON, member=ctx.party)
    giver = active_officer(ctx, ctx.party, msg.from_officer)
    taker = active_officer(ctx, ctx.party, msg.to_officer)
    require(not taker.system, Refusal.ONLY_MAKES, officer=msg.to_officer)
    require(msg.until_ms > ctx.now_ms, Refusal.IN_THE_PAST, at_ms=msg.until_ms)
    for role in msg.roles:
        require(role in giver.roles, Refusal.ROLE_NOT_HELD, role=role.value)
    others = tuple(
        each
        for each in taker.delegations
        if each.from_officer != msg.from_officer and each.until_ms > ctx.now_ms
    )
    room = len(others) < DELEGATIONS_MAX
    require(room, Refusal.TOO_MANY, what="delegations", most=DELEGATIONS_MAX)
    handed = Delegation(
        from_officer=msg.from_officer, roles=in_role_order(msg.roles), until_ms=msg.until_ms
    )
    ctx.save(replace(taker, delegations=(*others, handed)))


def end_delegation(ctx: Context, msg: EndDelegation) -> None:
    """End a delegation before its day."""
    taker = active_officer(ctx, ctx.party, msg.to_officer)
    others = tuple(each for each in taker.delegations if each.from_officer != msg.from_officer)
    ended = len(others) < len(taker.delegations)
    require(ended, Refusal.NO_SUCH_DELEGATION, officer=msg.from_officer)
    ctx.save(replace(taker, delegations=others))
