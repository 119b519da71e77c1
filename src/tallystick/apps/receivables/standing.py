"""How an undertaking stands at this moment. Nothing relies on a timer having run.

Every rule finds its undertaking through `current`, which first lets everything happen that ledger
time has made due; the timers do no more than call it.
"""

from msgspec.structs import replace

from tallystick.apps.governance.interface import Banking, calendar
from tallystick.apps.receivables.cascade import decide
from tallystick.apps.receivables.dates import Dates, dates_of
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.messages import (
    CutOffPayment,
    MarkDefaulted,
    MarkOverdue,
    ReachDue,
    ReviewDates,
    TellHolders,
)
from tallystick.apps.receivables.papers import Reason, note_paid, set_free
from tallystick.apps.receivables.records import Deal, Payable, Piece, Transfer, Undertaking
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import AlertKind, UndertakingStatus
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.view import Reader
from tallystick.values.money import currency_of
from tallystick.values.time import MINUTES_PER_DAY, MS_PER_DAY

REVIEW_DAYS = 7
"""How often dates beyond the published calendar are looked at again."""

ENDED = (UndertakingStatus.PAID, UndertakingStatus.WRITTEN_OFF)
"""Nothing is owed any more."""
OWING = (
    UndertakingStatus.OPEN,
    UndertakingStatus.DUE,
    UndertakingStatus.PART_PAID,
    UndertakingStatus.OVERDUE,
    UndertakingStatus.DEFAULTED,
)
"""Something may be owed."""
MOVING = (
    UndertakingStatus.OPEN,
    UndertakingStatus.DUE,
    UndertakingStatus.PART_PAID,
    UndertakingStatus.OVERDUE,
)
"""A date of it may still move."""


def banking_of(reader: Reader, undertaking: Undertaking) -> Banking:
    """The calendar of an undertaking."""
    return calendar(reader, undertaking.calendar_id)


def today_of(reader: Reader, undertaking: Undertaking) -> str:
    """The day it is where the undertaking is paid."""
    return banking_of(reader, undertaking).day_of(reader.now_ms)


def current(ctx: Context, undertaking_id: str) -> Undertaking:
    """The undertaking, brought up to ledger time."""
    return advance(ctx, ctx.get(Undertaking, undertaking_id))


def current_of(ctx: Context, kept: Piece | Transfer | Deal) -> Undertaking:
    """The undertaking of a piece, transfer or deal, brought up to ledger time."""
    return advance(ctx, known(ctx, Undertaking, kept.undertaking_id))


def advance(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """Let everything happen to an undertaking that its deadlines have made due, in their order."""
    now_ms, status = ctx.now_ms, UndertakingStatus
    if _is_quiet(undertaking, now_ms):
        return undertaking
    if undertaking.status is status.PROPOSED and now_ms >= undertaking.lapses_at_ms:
        return end_draft(ctx, undertaking, status.EXPIRED, Reason.NTFD)
    if undertaking.provisional:
        undertaking = _review(ctx, undertaking)
    if undertaking.status is status.OPEN and now_ms >= undertaking.due_at_ms:
        undertaking = moved(ctx, undertaking, status.DUE)
    if undertaking.status is status.DUE and not undertaking.cut_off:
        if now_ms >= undertaking.payment_cutoff_at_ms:
            undertaking = _cut_off(ctx, undertaking)
    if undertaking.is_running:
        return undertaking
    undertaking = count_payment(ctx, undertaking)
    if undertaking.status in (status.DUE, status.PART_PAID):
        if now_ms >= undertaking.overdue_at_ms:
            undertaking = moved(ctx, undertaking, status.OVERDUE)
            _tell_holders(ctx, undertaking, AlertKind.OVERDUE)
    if undertaking.status is status.OVERDUE and now_ms >= undertaking.default_at_ms:
        undertaking = moved(ctx, undertaking, status.DEFAULTED)
        _tell_holders(ctx, undertaking, AlertKind.DEFAULTED)
    return undertaking


def _is_quiet(undertaking: Undertaking, now_ms: int) -> bool:
    """Is it open, with dates that are certain and all ahead, and nothing paid? Mostly it is."""
    is_open = undertaking.status is UndertakingStatus.OPEN and now_ms < undertaking.due_at_ms
    return is_open and not undertaking.provisional and undertaking.cascades == 0


def moved(ctx: Context, undertaking: Undertaking, status: UndertakingStatus) -> Undertaking:
    """The undertaking saved with another status."""
    after = replace(undertaking, status=status)
    ctx.save(after)
    return after


def end_draft(
    ctx: Context, undertaking: Undertaking, status: UndertakingStatus, reason: Reason
) -> Undertaking:
    """End a draft before it was opened; the papers put under it are free again."""
    set_free(ctx, undertaking.registrations, undertaking.undertaking_id, reason)
    return moved(ctx, undertaking, status)


def count_payment(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """After a payment: paid in part, or paid whole and closed."""
    if undertaking.cascades == 0 or undertaking.status not in OWING:
        return undertaking
    if undertaking.left_minor == 0 and undertaking.late_owed_minor == 0:
        return close(ctx, undertaking, UndertakingStatus.PAID)
    if undertaking.status is UndertakingStatus.DUE:
        return moved(ctx, undertaking, UndertakingStatus.PART_PAID)
    return undertaking


def close(ctx: Context, undertaking: Undertaking, status: UndertakingStatus) -> Undertaking:
    """End an undertaking on which nothing is owed any more."""
    ctx.delete(Payable, *_payable_key(undertaking))
    if status is UndertakingStatus.PAID:
        note_paid(ctx, undertaking.registrations, undertaking.undertaking_id)
    return moved(ctx, undertaking, status)


def schedule(ctx: Context, undertaking: Undertaking) -> None:
    """Set the timers of an open undertaking and enter it in the debtor's book."""
    undertaking_id = undertaking.undertaking_id
    ctx.at(undertaking.due_at_ms, ReachDue(undertaking_id=undertaking_id))
    ctx.at(undertaking.payment_cutoff_at_ms, CutOffPayment(undertaking_id=undertaking_id))
    ctx.at(undertaking.overdue_at_ms, MarkOverdue(undertaking_id=undertaking_id))
    ctx.at(undertaking.default_at_ms, MarkDefaulted(undertaking_id=undertaking_id))
    ctx.add(
        Payable(
            debtor=undertaking.debtor,
            currency=undertaking.currency,
            payment_day=undertaking.payment_day,
            undertaking_id=undertaking_id,
        )
    )


def review_later(ctx: Context, undertaking: Undertaking) -> None:
    """Have dates beyond the published calendar looked at again."""
    if undertaking.provisional and undertaking.status in MOVING:
        later_ms = ctx.now_ms + REVIEW_DAYS * MS_PER_DAY
        ctx.at(later_ms, ReviewDates(undertaking_id=undertaking.undertaking_id))


def with_dates(undertaking: Undertaking, dates: Dates) -> Undertaking:
    """The undertaking with its dates worked out."""
    return replace(
        undertaking,
        payment_day=dates.payment_day,
        provisional=dates.provisional,
        grace_end_day=dates.grace_end_day,
        due_at_ms=dates.due_at_ms,
        transfer_cutoff_at_ms=dates.transfer_cutoff_at_ms,
        payment_cutoff_at_ms=dates.payment_cutoff_at_ms,
        overdue_at_ms=dates.overdue_at_ms,
        default_at_ms=dates.default_at_ms,
    )


def dates_now(banking: Banking, undertaking: Undertaking) -> Dates:
    """The dates of an undertaking by the calendar as published now."""
    return dates_of(
        banking,
        undertaking.due_day,
        cutoff_days=undertaking.transfer_cutoff_days,
        grace_days=undertaking.grace_banking_days,
    )


def require_transferable(ctx: Context, undertaking: Undertaking) -> None:
    """Refuse once the transfer cut-off has passed: pieces no longer change hands."""
    if ctx.now_ms >= undertaking.transfer_cutoff_at_ms:
        raise Refused(Refusal.TRANSFERS_ENDED, {"undertaking_id": undertaking.undertaking_id})


def require_settled(undertaking: Undertaking) -> None:
    """Refuse while a payment is being shared out: holders and sums are moving."""
    require(
        not undertaking.is_running,
        Refusal.CASCADE_RUNNING,
        undertaking_id=undertaking.undertaking_id,
    )


def require_money(undertaking: Undertaking, money: str) -> None:
    """Refuse money of another currency, or of an issuer that the terms leave out."""
    fits = currency_of(money) == undertaking.currency
    accepted = not undertaking.moneys or money in undertaking.moneys
    require(fits and accepted, Refusal.MONEY_NOT_ACCEPTED, money=money)


def _cut_off(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """Fix the shares of what is held at the payment cut-off; they count for the payment date."""
    undertaking = replace(undertaking, cut_off=True)
    ctx.save(undertaking)
    if undertaking.held_minor == 0:
        return undertaking
    return decide(ctx, undertaking, undertaking.held_minor, undertaking.payment_day)


def _review(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """Work the dates out again; once the payment date is there, only the end of grace."""
    if undertaking.status is UndertakingStatus.OPEN:
        return _review_all(ctx, undertaking)
    if undertaking.status in MOVING:
        return _review_grace(ctx, undertaking)
    return undertaking


def _review_all(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """All dates by the calendar of now; when one moves, the pieces take it over."""
    after = with_dates(undertaking, dates_now(banking_of(ctx, undertaking), undertaking))
    ctx.save(after)
    if after == replace(undertaking, provisional=after.provisional):
        return after
    ctx.delete(Payable, *_payable_key(undertaking))
    schedule(ctx, after)
    return _tell_moved(ctx, after)


def _review_grace(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """The end of grace by the calendar of now."""
    banking = banking_of(ctx, undertaking)
    grace_days = undertaking.grace_banking_days
    end_day, is_open = banking.shift(undertaking.payment_day, grace_days)
    after = replace(
        undertaking,
        grace_end_day=end_day,
        default_at_ms=banking.at(end_day, MINUTES_PER_DAY),
        provisional=is_open,
    )
    ctx.save(after)
    if end_day == undertaking.grace_end_day:
        return after
    ctx.at(after.default_at_ms, MarkDefaulted(undertaking_id=after.undertaking_id))
    return _tell_moved(ctx, after)


def _tell_moved(ctx: Context, undertaking: Undertaking) -> Undertaking:
    """Have a moved date entered in all pieces; until that is done the undertaking says so."""
    after = replace(undertaking, tellings=undertaking.tellings + 1)
    ctx.save(after)
    _tell_holders(ctx, after, AlertKind.DATE_MOVED)
    return after


def _tell_holders(ctx: Context, undertaking: Undertaking, kind: AlertKind) -> None:
    """Have all holders told, in bounded steps."""
    first = TellHolders(undertaking_id=undertaking.undertaking_id, kind=kind, start_minor=0)
    ctx.at(ctx.now_ms, first)


def _payable_key(undertaking: Undertaking) -> tuple[str, str, str, str]:
    """Key of the undertaking in the debtor's book."""
    return (
        undertaking.debtor,
        undertaking.currency,
        undertaking.payment_day,
        undertaking.undertaking_id,
    )
