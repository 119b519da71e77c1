"""Suspensions and freezes, by order of an authority."""

import re

from tallystick.apps.members.admission import in_order
from tallystick.apps.members.messages import EndOrder, Freeze, Reinstate, Suspend, Unfreeze
from tallystick.apps.members.orders import (
    end,
    enter,
    freeze_verbs,
    own_order,
    suspend_member,
)
from tallystick.apps.members.parts import MemberStatus, OrderStatus, Scope
from tallystick.apps.members.records import Member, Order
from tallystick.apps.members.refusals import Refusal
from tallystick.apps.members.standing import verb_subject
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require

MONEY = r"[A-Z]{3}@[A-Za-z0-9-]{1,32}"
PIECE = r"[a-z][a-z0-9]{0,14}-[0-9a-f]{16}"


def suspend(ctx: Context, msg: Suspend) -> None:
    """Suspend a member, or some of its verbs."""
    member = ctx.get(Member, msg.member)
    require(msg.member != ctx.party, Refusal.OWN_MEMBER, member=msg.member)
    expelled = member.status is MemberStatus.EXPELLED
    require(not expelled, Refusal.EXPELLED, member=msg.member)
    if msg.verbs:
        for verb in in_order(msg.verbs):
            _order(ctx, msg, Scope.VERB, verb_subject(msg.member, verb))
        freeze_verbs(ctx, msg.member, msg.verbs)
    else:
        _order(ctx, msg, Scope.MEMBER, msg.member)
        suspend_member(ctx, msg.member)


def reinstate(ctx: Context, msg: Reinstate) -> None:
    """Lift a suspension before it ends by itself."""
    if msg.verbs:
        for verb in in_order(msg.verbs):
            _lift(ctx, msg, Scope.VERB, verb_subject(msg.member, verb))
    else:
        _lift(ctx, msg, Scope.MEMBER, msg.member)


def freeze(ctx: Context, msg: Freeze) -> None:
    """Freeze one cash account or one whole piece."""
    ctx.get(Member, msg.member)
    form = {Scope.CASH_ACCOUNT: f"{MONEY}/{re.escape(msg.member)}", Scope.PIECE: PIECE}
    fits = msg.scope in form and re.fullmatch(form[msg.scope], msg.subject) is not None
    require(fits, Refusal.WRONG_SUBJECT, scope=msg.scope.value, subject=msg.subject)
    _order(ctx, msg, msg.scope, msg.subject)


def unfreeze(ctx: Context, msg: Unfreeze) -> None:
    """Lift a freeze before it ends by itself."""
    frozen_only = msg.scope in (Scope.CASH_ACCOUNT, Scope.PIECE)
    require(frozen_only, Refusal.WRONG_SUBJECT, scope=msg.scope.value, subject=msg.subject)
    _lift(ctx, msg, msg.scope, msg.subject)


def end_order(ctx: Context, msg: EndOrder) -> None:
    """End an order whose date has come."""
    end(ctx, ctx.get(Order, msg.order_id, msg.scope, msg.subject), OrderStatus.EXPIRED)


def _order(ctx: Context, msg: Suspend | Freeze, scope: Scope, subject: str) -> None:
    """Enter an order and the timer that ends it."""
    require(msg.expires_at_ms > ctx.now_ms, Refusal.IN_THE_PAST, at_ms=msg.expires_at_ms)
    ending = EndOrder(order_id=msg.order_id, scope=scope, subject=subject)
    order = Order(
        order_id=msg.order_id,
        scope=scope,
        subject=subject,
        member=msg.member,
        ordered_by=ctx.party,
        officer=ctx.officers[0],
        reason=msg.reason,
        entered_at_ms=ctx.now_ms,
        expires_at_ms=msg.expires_at_ms,
        timer_id=ctx.at(msg.expires_at_ms, ending),
    )
    enter(ctx, order)


def _lift(ctx: Context, msg: Reinstate | Unfreeze, scope: Scope, subject: str) -> None:
    """Lift an order and cancel the timer that would have ended it."""
    order = own_order(ctx, msg.order_id, scope, subject)
    ctx.cancel(order.expires_at_ms, order.timer_id)
    end(ctx, order, OrderStatus.LIFTED, msg.reason)
