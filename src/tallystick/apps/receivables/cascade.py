"""A payment shared out over all pieces: decided once, paid in bounded steps, each share once."""

from collections.abc import Sequence
from typing import cast

from msgspec.structs import replace

from tallystick.apps.cash import interface as cash
from tallystick.apps.members.interface import Frozen, Scope, frozen
from tallystick.apps.receivables.deals import close, credit, is_met, with_recourse
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.locks import is_frozen
from tallystick.apps.receivables.messages import PayLegs, PayWithheld
from tallystick.apps.receivables.records import (
    Cascade,
    Deal,
    Funding,
    Leaf,
    Leg,
    Piece,
    Shares,
    Undertaking,
    Withheld,
)
from tallystick.apps.receivables.shares import Owing, late_interest, share_out
from tallystick.apps.receivables.terms import (
    CascadeStatus,
    DealStatus,
    PieceStatus,
    Retired,
    Share,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import ensure
from tallystick.ledger.view import Reader
from tallystick.values.time import MS_PER_DAY

LEGS_PER_STEP = 50
"""Shares paid in one transaction or timer; the rest follow in later blocks."""


def owing_on(reader: Reader, undertaking: Undertaking, day: str) -> tuple[Owing, ...]:
    """What each piece is owed on a day, in order of the cents; within grace no late interest."""
    found = []
    for leaf in reader.scan(Leaf, undertaking.undertaking_id):
        if leaf.left_minor == 0 and leaf.late_owed_minor == 0:
            continue
        accrued = leaf.late_owed_minor + late_interest(
            leaf.left_minor,
            undertaking.late_ppm_per_day,
            since=leaf.late_from_day or undertaking.payment_day,
            until=day,
        )
        found.append(
            Owing(
                start_minor=leaf.start_minor,
                principal_minor=leaf.left_minor,
                accrued_minor=accrued,
                late_minor=accrued if day > undertaking.grace_end_day else 0,
            )
        )
    return tuple(found)


def put_in(ctx: Context, undertaking: Undertaking, money: str, amount_minor: int) -> Undertaking:
    """Have cash of the debtor held for an undertaking; the undertaking with it counted."""
    key = (undertaking.undertaking_id, money)
    before = ctx.peek(Funding, *key)
    if before is None:
        hold_id = cash.hold(
            ctx,
            owner=undertaking.debtor,
            money=money,
            amount_minor=amount_minor,
            subject=undertaking.undertaking_id,
        )
        ctx.add(
            Funding(
                undertaking_id=undertaking.undertaking_id,
                debtor=undertaking.debtor,
                money=money,
                hold_id=hold_id,
                left_minor=amount_minor,
            )
        )
    else:
        cash.top_up(ctx, before.hold_id, amount_minor)
        ctx.save(replace(before, left_minor=before.left_minor + amount_minor))
    funded = replace(undertaking, held_minor=undertaking.held_minor + amount_minor)
    ctx.save(funded)
    return funded


def decide(ctx: Context, undertaking: Undertaking, amount_minor: int, day: str) -> Undertaking:
    """Fix the shares of a payment and pay the first of them."""
    owing = owing_on(ctx, undertaking, day)
    in_grace = day <= undertaking.grace_end_day
    shares = share_out(amount_minor, owing, in_grace=in_grace)
    number = undertaking.cascades + 1
    ctx.add(Shares(undertaking_id=undertaking.undertaking_id, number=number, shares=shares))
    ctx.add(
        Cascade(
            undertaking_id=undertaking.undertaking_id,
            number=number,
            debtor=undertaking.debtor,
            currency=undertaking.currency,
            value_day=day,
            amount_minor=amount_minor,
            late_minor=sum(share.late_minor for share in shares),
            legs_count=len(shares),
            status=CascadeStatus.DECIDED,
        )
    )
    decided = replace(
        undertaking,
        cascades=undertaking.cascades + 1,
        is_running=True,
        late_owed_minor=sum(share.late_owed_minor for share in shares),
    )
    ctx.save(decided)
    return pay_next(ctx, decided)


def pay_next(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """Pay the next shares of the payment being shared out; the undertaking after them."""
    number = undertaking.cascades
    cascade = known(ctx, Cascade, undertaking.undertaking_id, number)
    shares = known(ctx, Shares, undertaking.undertaking_id, number).shares
    last = min(cascade.legs_paid + LEGS_PER_STEP, len(shares))
    step = shares[cascade.legs_paid : last]
    for share in step:
        _pay_leg(ctx, undertaking, cascade, share)
    is_done = last == len(shares)
    ctx.save(
        replace(
            cascade,
            legs_paid=last,
            status=CascadeStatus.PAID if is_done else CascadeStatus.DECIDED,
        )
    )
    paid = _counted(ctx, undertaking, step, is_running=not is_done)
    ctx.save(paid)
    if not is_done:
        ctx.at(ctx.now_ms, PayLegs(undertaking_id=paid.undertaking_id, number=number))
    return paid


def _counted(
    ctx: Context, undertaking: Undertaking, step: Sequence[Share], *, is_running: bool
) -> Undertaking:
    """The undertaking with a step's shares counted."""
    held = sum(each.left_minor for each in ctx.scan(Funding, undertaking.undertaking_id))
    return replace(
        undertaking,
        is_running=is_running,
        held_minor=held,
        paid_minor=undertaking.paid_minor + sum(share.principal_minor for share in step),
        late_paid_minor=undertaking.late_paid_minor + sum(share.late_minor for share in step),
    )


def _pay_leg(ctx: Context, undertaking: Undertaking, cascade: Cascade, share: Share) -> None:
    """Pay one share: to the holder, what is above a claim with recourse to the assignor."""
    leaf = known(ctx, Leaf, undertaking.undertaking_id, share.start_minor)
    day = max(cascade.value_day, leaf.late_from_day or undertaking.payment_day)
    before = known(ctx, Piece, leaf.piece_id)
    after = replace(
        before,
        paid_minor=before.paid_minor + share.principal_minor,
        late_paid_minor=before.late_paid_minor + share.late_minor,
        late_owed_minor=share.late_owed_minor,
        late_from_day=day,
    )
    ctx.save(
        replace(
            leaf,
            paid_minor=after.paid_minor,
            late_owed_minor=after.late_owed_minor,
            late_from_day=day,
        )
    )
    is_whole = after.left_minor == 0 and after.late_owed_minor == 0
    if is_whole:
        after = replace(after, status=PieceStatus.RETIRED, retired=Retired.PAID)
    amount = share.late_minor + share.principal_minor
    deal = with_recourse(ctx, before)
    released = 0
    if deal is not None and amount:
        after, released = _repay(ctx, deal, after, amount, cascade.value_day)
    ctx.save(after)
    if deal is None and is_whole and before.deal_id is not None:
        close(ctx, known(ctx, Deal, before.deal_id), DealStatus.REPAID, cascade.value_day)
    if amount:
        leg = Leg(
            undertaking_id=undertaking.undertaking_id,
            number=cascade.number,
            start_minor=share.start_minor,
            piece_id=before.piece_id,
            holder=before.holder,
            assignor=None if deal is None else deal.assignor,
            currency=undertaking.currency,
            value_day=cascade.value_day,
            late_minor=share.late_minor,
            principal_minor=share.principal_minor,
            released_minor=released,
            is_withheld=is_frozen(ctx, before.piece_id),
        )
        ctx.add(leg)
        _send(ctx, leg)


def _repay(
    ctx: Context, deal: Deal, piece: Piece, amount_minor: int, day: str
) -> tuple[Piece, int]:
    """Count money on a deal with recourse. Once its claim is met the piece is the assignor's."""
    paid, above = credit(deal, amount_minor, day)
    if not is_met(paid):
        ctx.save(paid)
        return piece, above
    close(ctx, paid, DealStatus.REPAID, day)
    if piece.status is PieceStatus.RETIRED:
        return piece, above
    return replace(piece, holder=deal.assignor, deal_id=None), above


def _send(ctx: Context, leg: Leg) -> None:
    """Move the money of a leg; while an order stands on the piece it is kept back."""
    amount = leg.late_minor + leg.principal_minor
    if not leg.is_withheld:
        _draw(ctx, leg.undertaking_id, leg.holder, amount - leg.released_minor)
        if leg.assignor is not None:
            _draw(ctx, leg.undertaking_id, leg.assignor, leg.released_minor)
        return
    ctx.add(
        Withheld(
            undertaking_id=leg.undertaking_id,
            number=leg.number,
            start_minor=leg.start_minor,
            piece_id=leg.piece_id,
            holder=leg.holder,
            amount_minor=amount,
            assignor=leg.assignor,
            released_minor=leg.released_minor,
        )
    )
    ask = PayWithheld(
        undertaking_id=leg.undertaking_id, number=leg.number, start_minor=leg.start_minor
    )
    ask_later(ctx, ask, leg.piece_id)


def ask_later(ctx: Context, ask: PayWithheld, piece_id: str) -> None:
    """Ask again when the order on the piece ends; within a day, for it may be lifted before."""
    order = frozen(ctx, Scope.PIECE, piece_id)
    ensure(order is not None, "money is kept back without an order")
    end_at_ms = cast("Frozen", order).until_ms
    ctx.at(min(end_at_ms, ctx.now_ms + MS_PER_DAY), ask)


def pay_kept_back(ctx: Context, kept: Withheld) -> None:
    """Pay what was kept back for an order that has ended."""
    _draw(ctx, kept.undertaking_id, kept.holder, kept.amount_minor - kept.released_minor)
    if kept.assignor is not None:
        _draw(ctx, kept.undertaking_id, kept.assignor, kept.released_minor)
    ctx.delete(Withheld, kept.undertaking_id, kept.number, kept.start_minor)
    undertaking = known(ctx, Undertaking, kept.undertaking_id)
    ctx.save(replace(undertaking, held_minor=undertaking.held_minor - kept.amount_minor))


def _draw(ctx: Context, undertaking_id: str, target: str, amount_minor: int) -> None:
    """Pay from what is held for an undertaking, one money after the other."""
    left = amount_minor
    for funding in tuple(ctx.scan(Funding, undertaking_id)) if left else ():
        part = min(left, funding.left_minor)
        if not part:
            break
        cash.capture(ctx, funding.hold_id, target=target, amount_minor=part)
        left -= part
        if part == funding.left_minor:
            ctx.delete(Funding, undertaking_id, funding.money)
        else:
            ctx.save(replace(funding, left_minor=funding.left_minor - part))
    ensure(left == 0, "less is held than was shared out")
