"""The desk passes on what it is asked."""

from tallystick.apps.cash import interface as cash
from tallystick.apps.cash.tests.desk.messages import (
    SUBJECT,
    Attach,
    Drop,
    Finance,
    Fund,
    GiveBack,
    Paid,
    Pay,
    Spend,
    SpendLater,
    SpendNow,
    Stand,
    TopUp,
    Watch,
)
from tallystick.apps.documents import interface as documents
from tallystick.ledger.context import Context


def pay(ctx: Context, msg: Pay) -> None:
    cash.transfer(
        ctx,
        source=msg.source,
        target=msg.target,
        money=msg.money,
        amount_minor=msg.amount_minor,
    )


def fund(ctx: Context, msg: Fund) -> None:
    cash.hold(ctx, owner=msg.owner, money=msg.money, amount_minor=msg.amount_minor, subject=SUBJECT)


def top_up(ctx: Context, msg: TopUp) -> None:
    cash.top_up(ctx, msg.hold_id, msg.amount_minor)


def spend(ctx: Context, msg: Spend) -> None:
    cash.capture(ctx, msg.hold_id, target=msg.target, amount_minor=msg.amount_minor)


def give_back(ctx: Context, msg: GiveBack) -> None:
    cash.release(ctx, msg.hold_id, msg.amount_minor)


def spend_later(ctx: Context, msg: SpendLater) -> None:
    later = SpendNow(hold_id=msg.hold_id, target=msg.target, amount_minor=msg.amount_minor)
    ctx.at(msg.due_at_ms, later)


def spend_now(ctx: Context, msg: SpendNow) -> None:
    cash.capture(ctx, msg.hold_id, target=msg.target, amount_minor=msg.amount_minor)


def stand(ctx: Context, msg: Stand) -> None:
    documents.require_usable(
        ctx,
        msg.registration_id,
        member=msg.member,
        purpose=msg.purpose,
        currency=msg.currency,
    )
    documents.require_same_fingerprint(
        ctx, msg.registration_id, strict=msg.strict, relaxed=msg.relaxed
    )
    documents.attach(ctx, msg.registration_id, subject=SUBJECT)


def attach(ctx: Context, msg: Attach) -> None:
    documents.attach(ctx, msg.registration_id, subject=SUBJECT)


def finance(ctx: Context, msg: Finance) -> None:
    documents.mark_financed(ctx, msg.registration_id, subject=SUBJECT, financier=ctx.party)


def paid(ctx: Context, msg: Paid) -> None:
    documents.mark_paid(ctx, msg.registration_id, subject=SUBJECT)


def watch(ctx: Context, msg: Watch) -> None:
    for party in msg.parties:
        documents.watch(ctx, msg.registration_id, party)


def drop(ctx: Context, msg: Drop) -> None:
    documents.cancel(ctx, msg.registration_id, subject=msg.subject or SUBJECT, reason=msg.reason)
