"""How an undertaking comes to be: drafted by one, answered by the other."""

from msgspec.structs import replace

from tallystick.apps.governance.interface import Banking, calendar, default_calendar
from tallystick.apps.members.interface import require_active, require_licensed, size_of
from tallystick.apps.receivables import parameters
from tallystick.apps.receivables.dates import (
    BLOCK_MONTHS,
    WARN_MONTHS,
    dates_of,
    end_of_day,
    is_over,
)
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.messages import (
    TRADE,
    UNDERTAKE,
    Accept,
    Cancel,
    Confirm,
    Draft,
    LapseDraft,
    Reject,
    ReviewDates,
)
from tallystick.apps.receivables.papers import (
    Purpose,
    Reason,
    put_under,
    require_distinct,
    require_fingerprints,
    require_papers,
    still_covered,
)
from tallystick.apps.receivables.records import Leaf, Piece, Undertaking
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.standing import (
    advance,
    banking_of,
    current,
    dates_now,
    end_draft,
    review_later,
    schedule,
    with_dates,
)
from tallystick.apps.receivables.terms import (
    PIECES_MAX,
    PieceStatus,
    UndertakingStatus,
    WarningKind,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.money import CURRENCIES, currency_of
from tallystick.values.time import is_day


def draft(ctx: Context, msg: Draft) -> None:
    """Draft an undertaking, as its supplier or its debtor; the other answers."""
    calendar_id = msg.calendar_id or default_calendar(ctx)
    banking = calendar(ctx, calendar_id)
    today = banking.day_of(ctx.now_ms)

    require(ctx.party in (msg.debtor, msg.supplier), Refusal.NOT_A_PARTY, party=ctx.party)
    require(msg.debtor != msg.supplier, Refusal.SAME_PARTY, party=ctx.party)
    _require_parties(ctx, msg.debtor, msg.supplier)
    _require_sums(msg)
    _require_days(msg, today)
    undertaking = _drafted(ctx, msg, banking, calendar_id)
    fits = undertaking.min_piece_minor <= undertaking.amount_minor
    require(fits, Refusal.MIN_PIECE_TOO_LARGE)
    _require_late_rate(ctx, undertaking)
    require_distinct(msg.registrations)
    covered = require_papers(
        ctx,
        msg.registrations,
        member=msg.supplier,
        purpose=Purpose.OPENING,
        currency=msg.currency,
    )
    require(covered >= msg.amount_minor, Refusal.REGISTRATIONS_SHORT)
    if ctx.party == msg.debtor:
        require_fingerprints(ctx, msg.registrations, msg.fingerprints)

    ctx.add(replace(undertaking, warnings=_warnings(undertaking, today)))
    if ctx.party == msg.supplier:
        put_under(ctx, msg.registrations, undertaking.undertaking_id)
    ctx.at(undertaking.lapses_at_ms, LapseDraft(undertaking_id=undertaking.undertaking_id))


def confirm(ctx: Context, msg: Confirm) -> None:
    """As its debtor, promise to pay what the supplier drafted."""
    undertaking = current(ctx, msg.undertaking_id)

    require(undertaking.debtor == ctx.party, Refusal.NOT_DEBTOR, party=ctx.party)
    require(undertaking.drafted_by != ctx.party, Refusal.NOT_ASKED, party=ctx.party)
    _require_proposed(undertaking)
    require_fingerprints(ctx, undertaking.registrations, msg.fingerprints)

    _open(ctx, undertaking, msg.clears)


def accept(ctx: Context, msg: Accept) -> None:
    """As its supplier, accept what the debtor drafted."""
    undertaking = current(ctx, msg.undertaking_id)

    is_asked = undertaking.supplier == ctx.party != undertaking.drafted_by
    require(is_asked, Refusal.NOT_ASKED, party=ctx.party)
    _require_proposed(undertaking)
    require_papers(
        ctx,
        undertaking.registrations,
        member=ctx.party,
        purpose=Purpose.OPENING,
        currency=undertaking.currency,
    )

    put_under(ctx, undertaking.registrations, undertaking.undertaking_id)
    _open(ctx, undertaking, msg.clears)


def reject(ctx: Context, msg: Reject) -> None:
    """Refuse what the other drafted."""
    undertaking = current(ctx, msg.undertaking_id)

    parties = (undertaking.debtor, undertaking.supplier)
    is_asked = ctx.party in parties and ctx.party != undertaking.drafted_by
    require(is_asked, Refusal.NOT_ASKED, party=ctx.party)
    _require_proposed(undertaking)

    answered = replace(undertaking, answer=msg.reason)
    end_draft(ctx, answered, UndertakingStatus.REJECTED, Reason.RJCT)


def cancel(ctx: Context, msg: Cancel) -> None:
    """Take back a draft of one's own before it is answered."""
    undertaking = current(ctx, msg.undertaking_id)

    require(undertaking.drafted_by == ctx.party, Refusal.NOT_DRAFTER, party=ctx.party)
    _require_proposed(undertaking)

    end_draft(ctx, undertaking, UndertakingStatus.CANCELLED, Reason.WITH)


def lapse_draft(ctx: Context, msg: LapseDraft) -> None:
    """A draft was not answered in time: silence lapses, it never accepts."""
    advance(ctx, known(ctx, Undertaking, msg.undertaking_id))


def review_dates(ctx: Context, msg: ReviewDates) -> None:
    """Look again at dates that lay beyond the published calendar."""
    review_later(ctx, advance(ctx, known(ctx, Undertaking, msg.undertaking_id)))


# --- What a draft must be


def _require_parties(ctx: Context, debtor: str, supplier: str) -> None:
    """Refuse unless both may do new business of this kind."""
    require_active(ctx, debtor)
    require_active(ctx, supplier)
    require_licensed(ctx, debtor, UNDERTAKE)
    require_licensed(ctx, supplier, TRADE)


def _require_sums(msg: Draft) -> None:
    """Refuse a face of nothing, in no currency, or to be paid in other money."""
    require(msg.amount_minor > 0, Refusal.ZERO_AMOUNT)
    require(msg.currency in CURRENCIES, Refusal.UNKNOWN_CURRENCY, currency=msg.currency)
    for money in msg.moneys:
        fits = currency_of(money) == msg.currency
        require(fits, Refusal.MONEY_NOT_ACCEPTED, money=money)
    require(msg.registrations != (), Refusal.NO_REGISTRATION)


def _require_days(msg: Draft, today: str) -> None:
    """Refuse days that are none, a due date in the past, or one that the supplier did not grant."""
    require(is_day(msg.due_day), Refusal.NO_SUCH_DAY, day=msg.due_day)
    if msg.invoice_due_day is not None:
        require(is_day(msg.invoice_due_day), Refusal.NO_SUCH_DAY, day=msg.invoice_due_day)
    require(msg.due_day > today, Refusal.DUE_PASSED, due_day=msg.due_day)
    too_long = is_over(BLOCK_MONTHS, opened_day=today, due_day=msg.due_day)
    require(not too_long, Refusal.TERM_TOO_LONG, due_day=msg.due_day)
    require(
        msg.supplier_consent or not _is_extended(msg),
        Refusal.CONSENT_MISSING,
        due_day=msg.due_day,
    )


def _is_extended(msg: Draft) -> bool:
    """Is the due date later than what the invoices state?"""
    return msg.invoice_due_day is not None and msg.due_day > msg.invoice_due_day


def _drafted(ctx: Context, msg: Draft, banking: Banking, calendar_id: str) -> Undertaking:
    """The draft with everything that was left out taken from the parameters."""
    cutoff_days = parameters.agreed(ctx, "transfer_cutoff_days", msg.transfer_cutoff_days)
    grace_days = parameters.agreed(ctx, "grace_banking_days", msg.grace_banking_days)
    dates = dates_of(banking, msg.due_day, cutoff_days=cutoff_days, grace_days=grace_days)
    pieces_max = parameters.agreed(ctx, "pieces_max", msg.pieces_max)
    return Undertaking(
        undertaking_id=ctx.new_id("und"),
        debtor=msg.debtor,
        supplier=msg.supplier,
        drafted_by=ctx.party,
        amount_minor=msg.amount_minor,
        currency=msg.currency,
        moneys=msg.moneys,
        due_day=msg.due_day,
        payment_day=dates.payment_day,
        provisional=dates.provisional,
        grace_end_day=dates.grace_end_day,
        calendar_id=calendar_id,
        invoice_due_day=msg.invoice_due_day,
        registrations=msg.registrations,
        late_ppm_per_day=parameters.late_rate(
            ctx, size_of(ctx, msg.supplier), msg.late_ppm_per_day
        ),
        lpr_ppm=parameters.value(ctx, "lpr_ppm"),
        grace_banking_days=grace_days,
        transfer_cutoff_days=cutoff_days,
        min_piece_minor=parameters.agreed(ctx, "min_piece_minor", msg.min_piece_minor),
        hops_max=parameters.agreed(ctx, "hops_max", msg.hops_max),
        pieces_max=min(pieces_max, PIECES_MAX),
        no_assignment=msg.no_assignment,
        supplier_consent=msg.supplier_consent,
        is_extended=_is_extended(msg),
        status=UndertakingStatus.PROPOSED,
        lapses_at_ms=end_of_day(banking, ctx.now_ms, parameters.value(ctx, "draft_banking_days")),
        due_at_ms=dates.due_at_ms,
        transfer_cutoff_at_ms=dates.transfer_cutoff_at_ms,
        payment_cutoff_at_ms=dates.payment_cutoff_at_ms,
        overdue_at_ms=dates.overdue_at_ms,
        default_at_ms=dates.default_at_ms,
    )


def _require_late_rate(ctx: Context, undertaking: Undertaking) -> None:
    """Refuse late interest below the one-year LPR of today; asked again at opening."""
    lpr_ppm = parameters.value(ctx, "lpr_ppm")
    enough = undertaking.late_ppm_per_day * 365 >= lpr_ppm
    require(enough, Refusal.LATE_RATE_TOO_LOW, lpr_ppm=lpr_ppm)


def _warnings(undertaking: Undertaking, today: str) -> tuple[WarningKind, ...]:
    """What whoever answers must have seen."""
    found = []
    if is_over(WARN_MONTHS, opened_day=today, due_day=undertaking.due_day):
        found.append(WarningKind.TERM_OVER_SIX_MONTHS)
    if undertaking.no_assignment:
        found.append(WarningKind.NO_ASSIGNMENT)
    return tuple(found)


# --- The answer


def _require_proposed(undertaking: Undertaking) -> None:
    """Refuse an answer that comes twice or too late."""
    require(
        undertaking.status is UndertakingStatus.PROPOSED,
        Refusal.NOT_PROPOSED,
        undertaking_id=undertaking.undertaking_id,
    )


def _open(ctx: Context, undertaking: Undertaking, clears: tuple[WarningKind, ...]) -> None:
    """Open it: the first supplier holds all of it as one piece."""
    banking = banking_of(ctx, undertaking)
    today = banking.day_of(ctx.now_ms)

    require(undertaking.due_day > today, Refusal.DUE_PASSED, due_day=undertaking.due_day)
    _require_parties(ctx, undertaking.debtor, undertaking.supplier)
    _require_late_rate(ctx, undertaking)
    covered = still_covered(ctx, undertaking.registrations)
    require(covered >= undertaking.amount_minor, Refusal.REGISTRATIONS_SHORT)
    warnings = _warnings(undertaking, today)
    for warning in warnings:
        require(warning in clears, Refusal.WARNING_STANDS, warning=warning.value)

    piece_id = ctx.new_id("piece")
    opened = replace(
        with_dates(undertaking, dates_now(banking, undertaking)),
        status=UndertakingStatus.OPEN,
        opened_day=today,
        lpr_ppm=parameters.value(ctx, "lpr_ppm"),
        warnings=(),
        cleared=warnings,
        pieces_count=1,
    )
    ctx.save(opened)
    ctx.add(
        Piece(
            piece_id=piece_id,
            undertaking_id=opened.undertaking_id,
            start_minor=0,
            end_minor=opened.amount_minor,
            holder=opened.supplier,
            debtor=opened.debtor,
            currency=opened.currency,
            due_day=opened.due_day,
            payment_day=opened.payment_day,
            grace_end_day=opened.grace_end_day,
            transfer_cutoff_at_ms=opened.transfer_cutoff_at_ms,
            late_ppm_per_day=opened.late_ppm_per_day,
            moneys=opened.moneys,
            min_piece_minor=opened.min_piece_minor,
            hops_max=opened.hops_max,
            status=PieceStatus.HELD,
        )
    )
    ctx.add(
        Leaf(
            undertaking_id=opened.undertaking_id,
            start_minor=0,
            end_minor=opened.amount_minor,
            debtor=opened.debtor,
            piece_id=piece_id,
        )
    )
    schedule(ctx, opened)
    review_later(ctx, opened)
