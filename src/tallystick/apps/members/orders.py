"""Orders of authorities: entering one, ending one, and what follows for the member."""

from tallystick.apps.members.admission import in_order
from tallystick.apps.members.parts import (
    ORDERS_MAX,
    VERBS_MAX,
    MemberStatus,
    OrderStatus,
    Scope,
    Standing,
)
from tallystick.apps.members.records import Frozen, LastOrder, Member, Order
from tallystick.apps.members.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.codec import replace


def enter(ctx: Context, order: Order) -> None:
    """Put an order in force on its subject."""
    known = ctx.peek(Order, order.order_id, order.scope, order.subject) is not None
    require(not known, Refusal.ORDER_EXISTS, order_id=order.order_id)
    before = ctx.peek(Frozen, order.scope, order.subject)
    others = () if before is None else before.orders
    require(len(others) < ORDERS_MAX, Refusal.TOO_MANY, what="orders", most=ORDERS_MAX)
    ctx.add(order)
    standing = Standing(order_id=order.order_id, expires_at_ms=order.expires_at_ms)
    after = _frozen(order, (*others, standing))
    if before is None:
        ctx.add(after)
    else:
        ctx.save(after)
    _remember(ctx, order)


def end(ctx: Context, order: Order, status: OrderStatus, lift_reason: str = "") -> None:
    """End an order; the subject is free once no other order stands on it."""
    ctx.save(replace(order, status=status, lift_reason=lift_reason))
    before = ctx.get(Frozen, order.scope, order.subject)
    others = tuple(each for each in before.orders if each.order_id != order.order_id)
    if others:
        ctx.save(_frozen(order, others))
        return
    ctx.delete(Frozen, order.scope, order.subject)
    if order.scope is Scope.MEMBER:
        _reinstate(ctx, order.member)
    elif order.scope is Scope.VERB:
        _free_verb(ctx, order.member, order.subject.rpartition("/")[2])


def own_order(ctx: Context, order_id: str, scope: Scope, subject: str) -> Order:
    """An order in force that the acting party entered."""
    order = ctx.get(Order, order_id, scope, subject)
    in_force = order.status is OrderStatus.IN_FORCE and ctx.now_ms < order.expires_at_ms
    require(order.ordered_by == ctx.party, Refusal.NOT_YOUR_ORDER, order_id=order_id)
    require(in_force, Refusal.ORDER_ENDED, order_id=order_id)
    return order


def suspend_member(ctx: Context, party: str) -> None:
    """Note at the member that an order on the whole of it stands."""
    member = ctx.get(Member, party)
    if member.status is MemberStatus.ACTIVE:
        ctx.save(replace(member, status=MemberStatus.SUSPENDED))


def freeze_verbs(ctx: Context, party: str, verbs: tuple[str, ...]) -> None:
    """Note at the member that orders on these verbs stand."""
    member = ctx.get(Member, party)
    frozen = in_order((*member.frozen_verbs, *verbs))
    require(len(frozen) <= VERBS_MAX, Refusal.TOO_MANY, what="verbs", most=VERBS_MAX)
    ctx.save(replace(member, frozen_verbs=frozen))


def _frozen(order: Order, orders: tuple[Standing, ...]) -> Frozen:
    """That the subject of an order is under these orders."""
    until = max(each.expires_at_ms for each in orders)
    return Frozen(scope=order.scope, subject=order.subject, orders=orders, until_ms=until)


def _remember(ctx: Context, order: Order) -> None:
    """Keep when the last order on the subject was entered."""
    last = LastOrder(
        scope=order.scope,
        subject=order.subject,
        member=order.member,
        entered_at_ms=order.entered_at_ms,
    )
    if ctx.peek(LastOrder, order.scope, order.subject) is None:
        ctx.add(last)
    else:
        ctx.save(last)


def _reinstate(ctx: Context, party: str) -> None:
    """Let a member start new business again, unless it was expelled meanwhile."""
    member = ctx.get(Member, party)
    if member.status is MemberStatus.SUSPENDED:
        ctx.save(replace(member, status=MemberStatus.ACTIVE))


def _free_verb(ctx: Context, party: str, verb: str) -> None:
    """Let a member use a verb again."""
    member = ctx.get(Member, party)
    left = tuple(each for each in member.frozen_verbs if each != verb)
    ctx.save(replace(member, frozen_verbs=left))
