"""How the debtor pays, and what time does to an undertaking."""

from msgspec.structs import replace

from tallystick.apps.receivables.alerts import tell
from tallystick.apps.receivables.cascade import (
    ask_later,
    decide,
    owing_on,
    pay_kept_back,
    pay_next,
    put_in,
)
from tallystick.apps.receivables.deals import deals_in_step
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.locks import is_frozen
from tallystick.apps.receivables.messages import (
    CutOffPayment,
    Fund,
    MarkDefaulted,
    MarkOverdue,
    Pay,
    PayLegs,
    PayWithheld,
    ReachDue,
    TellHolders,
)
from tallystick.apps.receivables.records import Leaf, Payable, Piece, Undertaking, Withheld
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.shares import share_unnamed, total_owed
from tallystick.apps.receivables.standing import (
    OWING,
    advance,
    current,
    require_money,
    require_settled,
    today_of,
)
from tallystick.apps.receivables.terms import AlertKind, PieceStatus
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.money import currency_of

TOLD_PER_STEP = 100
"""Holders told in one timer; the rest follow in later blocks."""
UNNAMED_MAX = 20
"""Most undertakings among which a payment that names none is shared."""


def fund(ctx: Context, msg: Fund) -> None:
    """As debtor, have cash held for one undertaking, any time before its payment cut-off."""
    undertaking = current(ctx, msg.undertaking_id)

    _require_debtor(ctx, undertaking)
    told = {"undertaking_id": undertaking.undertaking_id}
    require(ctx.now_ms < undertaking.payment_cutoff_at_ms, Refusal.CUT_OFF_PASSED, **told)
    require_money(undertaking, msg.money)
    require(msg.amount_minor > 0, Refusal.ZERO_AMOUNT)
    owed = undertaking.left_minor - undertaking.held_minor
    _require_no_more(msg, owed)

    put_in(ctx, undertaking, msg.money, msg.amount_minor)


def pay(ctx: Context, msg: Pay) -> None:
    """As debtor, pay after the payment cut-off; what is paid is shared out at once."""
    if msg.undertaking_id is None:
        _pay_earliest(ctx, msg)
        return
    undertaking = current(ctx, msg.undertaking_id)

    _require_debtor(ctx, undertaking)
    told = {"undertaking_id": undertaking.undertaking_id}
    require(ctx.now_ms >= undertaking.payment_cutoff_at_ms, Refusal.BEFORE_CUT_OFF, **told)
    require_settled(undertaking)
    require_money(undertaking, msg.money)
    require(msg.amount_minor > 0, Refusal.ZERO_AMOUNT)
    owed = _owed(ctx, undertaking)
    _require_no_more(msg, owed)

    _pay_now(ctx, undertaking, msg.money, msg.amount_minor)


def reach_due(ctx: Context, msg: ReachDue) -> None:
    """The payment date has come."""
    advance(ctx, known(ctx, Undertaking, msg.undertaking_id))


def cut_off_payment(ctx: Context, msg: CutOffPayment) -> None:
    """The payment cut-off has come: the shares of what is held are fixed."""
    advance(ctx, known(ctx, Undertaking, msg.undertaking_id))


def pay_legs(ctx: Context, msg: PayLegs) -> None:
    """Pay the next shares of a payment, in order of the cents."""
    advance(ctx, pay_next(ctx, known(ctx, Undertaking, msg.undertaking_id)))


def pay_withheld(ctx: Context, msg: PayWithheld) -> None:
    """Pay what an order on a piece kept back, if the order has ended."""
    kept = known(ctx, Withheld, msg.undertaking_id, msg.number, msg.start_minor)
    if is_frozen(ctx, kept.piece_id):
        ask_later(ctx, msg, kept.piece_id)
    else:
        pay_kept_back(ctx, kept)


def mark_overdue(ctx: Context, msg: MarkOverdue) -> None:
    """The payment date has ended."""
    advance(ctx, known(ctx, Undertaking, msg.undertaking_id))


def mark_defaulted(ctx: Context, msg: MarkDefaulted) -> None:
    """Grace has ended."""
    advance(ctx, known(ctx, Undertaking, msg.undertaking_id))


def tell_holders(ctx: Context, msg: TellHolders) -> None:
    """Tell the next holders of an undertaking's pieces what has happened to it."""
    undertaking = known(ctx, Undertaking, msg.undertaking_id)
    if msg.start_minor == 0:
        told = ctx.scan(Leaf, msg.undertaking_id, limit=TOLD_PER_STEP + 1)
    else:
        after = (msg.undertaking_id, msg.start_minor - 1)
        told = ctx.scan(Leaf, msg.undertaking_id, after=after, limit=TOLD_PER_STEP + 1)
    leaves = tuple(told)
    for leaf in leaves[:TOLD_PER_STEP]:
        _tell_holder(ctx, undertaking, known(ctx, Piece, leaf.piece_id), msg.kind)
    if len(leaves) > TOLD_PER_STEP:
        ctx.at(ctx.now_ms, replace(msg, start_minor=leaves[TOLD_PER_STEP].start_minor))
    elif msg.kind is AlertKind.DATE_MOVED:
        ctx.save(replace(undertaking, tellings=undertaking.tellings - 1))


# --- Paying


def _require_debtor(ctx: Context, undertaking: Undertaking) -> None:
    """Refuse unless the acting party owes this undertaking."""
    require(undertaking.debtor == ctx.party, Refusal.NOT_DEBTOR, party=ctx.party)
    require(
        undertaking.status in OWING,
        Refusal.NOT_OPEN,
        undertaking_id=undertaking.undertaking_id,
    )


def _require_no_more(msg: Fund | Pay, owed_minor: int) -> None:
    """Refuse more than is owed; what is owed is shown."""
    fits = msg.amount_minor <= owed_minor
    require(fits, Refusal.MORE_THAN_OWED, owed_minor=owed_minor, money=msg.money)


def _owed(ctx: Context, undertaking: Undertaking) -> int:
    """What the debtor owes today on all pieces."""
    return total_owed(owing_on(ctx, undertaking, today_of(ctx, undertaking)))


def _pay_now(ctx: Context, undertaking: Undertaking, money: str, amount_minor: int) -> None:
    """Share a payment of today out."""
    funded = put_in(ctx, undertaking, money, amount_minor)
    advance(ctx, decide(ctx, funded, amount_minor, today_of(ctx, undertaking)))


def _pay_earliest(ctx: Context, msg: Pay) -> None:
    """Share a payment that names no undertaking: earliest due first, of one day pro rata."""
    due = _due_undertakings(ctx, currency_of(msg.money), msg.money)
    owed = [(each.payment_day, _owed(ctx, each)) for each in due]
    together = sum(amount for _, amount in owed)

    require(msg.amount_minor > 0, Refusal.ZERO_AMOUNT)
    _require_no_more(msg, together)
    for undertaking in due:
        require_settled(undertaking)

    for undertaking, amount in zip(due, share_unnamed(msg.amount_minor, owed), strict=True):
        if amount:
            _pay_now(ctx, undertaking, msg.money, amount)


def _due_undertakings(ctx: Context, currency: str, money: str) -> list[Undertaking]:
    """What the acting party owes past the cut-off and may pay in this money, earliest first."""
    due: list[Undertaking] = []
    for payable in tuple(ctx.scan(Payable, ctx.party, currency, limit=UNNAMED_MAX)):
        undertaking = advance(ctx, known(ctx, Undertaking, payable.undertaking_id))
        accepted = not undertaking.moneys or money in undertaking.moneys
        if undertaking.cut_off and accepted and undertaking.status in OWING:
            due.append(undertaking)
    return due


def _tell_holder(ctx: Context, undertaking: Undertaking, piece: Piece, kind: AlertKind) -> None:
    """Tell one holder; moved dates are entered in the piece, an alert is of the payment date."""
    if piece.status is not PieceStatus.HELD:
        return
    day = undertaking.payment_day
    if kind is AlertKind.DATE_MOVED:
        _enter_dates(ctx, undertaking, piece)
        if piece.payment_day == day:
            return
    tell(ctx, kind, to=piece.holder, subject=piece.piece_id, day=day)


def _enter_dates(ctx: Context, undertaking: Undertaking, piece: Piece) -> None:
    """Enter the dates of an undertaking in a piece and in the deals that follow it."""
    days = {
        "payment_day": undertaking.payment_day,
        "grace_end_day": undertaking.grace_end_day,
    }
    cutoff_at_ms = undertaking.transfer_cutoff_at_ms
    ctx.save(replace(piece, transfer_cutoff_at_ms=cutoff_at_ms, **days))
    for deal in deals_in_step(ctx, piece):
        ctx.save(replace(deal, **days))
