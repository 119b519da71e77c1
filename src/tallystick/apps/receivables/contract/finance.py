"""Money on pieces: asked for, offered, accepted, paid against the piece, bought back."""

from msgspec.structs import replace

from tallystick.apps.cash import interface as cash
from tallystick.apps.governance.interface import Banking
from tallystick.apps.members.interface import require_active, require_known, require_licensed
from tallystick.apps.receivables import parameters
from tallystick.apps.receivables.alerts import tell
from tallystick.apps.receivables.dates import end_of_day
from tallystick.apps.receivables.deals import (
    buy_back_price,
    close,
    end_sold,
    offer_of,
    with_recourse,
)
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.locks import (
    OFFERS,
    is_dead,
    lay,
    lift,
    own_piece,
    require_free,
    standing_locks,
    without,
    without_dead_offers,
)
from tallystick.apps.receivables.messages import (
    FINANCE,
    AcceptOffer,
    Apply,
    BuyBack,
    Decline,
    Disburse,
    LapseDeal,
    Offer,
    Withdraw,
)
from tallystick.apps.receivables.papers import note_financed, rely_on, require_fingerprints
from tallystick.apps.receivables.pricing import Quote, fee_amount, quote
from tallystick.apps.receivables.records import Deal, Piece, Undertaking
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.standing import (
    banking_of,
    current_of,
    require_money,
    require_transferable,
    today_of,
)
from tallystick.apps.receivables.terms import (
    FORMER_HOLDERS_MAX,
    AlertKind,
    DealStatus,
    Fee,
    FeeBasis,
    FeeTime,
    InterestMethod,
    Lock,
    LockKind,
    OfferTerms,
    PieceStatus,
    WarningKind,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.money import currency_of
from tallystick.values.time import MINUTES_PER_DAY, add_days, is_day
from tallystick.values.units import PPM

REGISTERED_AFTER_DUE_DAYS = 90
"""A public registration that ends earlier after the payment date is warned of."""


def apply(ctx: Context, msg: Apply) -> None:
    """Ask one or several financiers for money on a whole piece; none learns of the others."""
    piece = own_piece(ctx, msg.piece_id)
    undertaking = current_of(ctx, piece)

    require_transferable(ctx, undertaking)
    require_free(ctx, piece, beside=OFFERS)
    told = {"piece_id": piece.piece_id}
    require(with_recourse(ctx, piece) is None, Refusal.FINANCED_WITH_RECOURSE, **told)
    require(len(piece.former_holders) < FORMER_HOLDERS_MAX, Refusal.TOO_MANY_HOPS, **told)
    _require_financiers(ctx, piece, msg.financiers)

    days = parameters.value(ctx, "apply_banking_days")
    ends_at_ms = min(
        end_of_day(banking_of(ctx, undertaking), ctx.now_ms, days),
        undertaking.transfer_cutoff_at_ms,
    )
    for financier in msg.financiers:
        deal = _applied(ctx, piece, undertaking, financier, ends_at_ms)
        ctx.add(deal)
        piece = lay(piece, _lock(deal, LockKind.OFFERED), now_ms=ctx.now_ms)
        ctx.at(ends_at_ms, LapseDeal(deal_id=deal.deal_id))
    ctx.save(piece)


def offer(ctx: Context, msg: Offer) -> None:
    """Offer money on a piece; it binds until the day it is valid."""
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.financier == ctx.party, Refusal.NOT_FINANCIER, party=ctx.party)
    _require_step(ctx, deal, DealStatus.APPLIED)
    undertaking = current_of(ctx, deal)
    require_transferable(ctx, undertaking)
    piece = known(ctx, Piece, deal.piece_id)
    require_free(ctx, piece, beside=OFFERS)
    banking = banking_of(ctx, undertaking)
    terms = _terms(msg, banking.day_of(ctx.now_ms))
    _require_terms(ctx, deal, terms, banking)
    require_fingerprints(ctx, deal.registrations, msg.fingerprints)
    told = _quote(deal, terms, undertaking, terms.value_day)
    require(told.net_cash_minor > 0, Refusal.NOTHING_LEFT)

    offered = replace(
        deal,
        **_figures(told),
        status=DealStatus.OFFERED,
        outlet=ctx.outlet,
        offer=terms,
        offered_at_ms=ctx.now_ms,
        payment_day=undertaking.payment_day,
        grace_end_day=undertaking.grace_end_day,
        ends_at_ms=_end(banking, terms.valid_until, undertaking),
    )
    ctx.save(offered)
    held = without(piece, deal.deal_id)
    ctx.save(lay(held, _lock(offered, LockKind.OFFERED), now_ms=ctx.now_ms))
    _lapse_by(ctx, deal, offered.ends_at_ms)


def decline(ctx: Context, msg: Decline) -> None:
    """As financier, decline an application."""
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.financier == ctx.party, Refusal.NOT_FINANCIER, party=ctx.party)
    _require_step(ctx, deal, DealStatus.APPLIED)

    _drop(ctx, deal, DealStatus.DECLINED)


def accept_offer(ctx: Context, msg: AcceptOffer) -> None:
    """Accept one offer; other applications and offers on the piece lapse.

    The reserve lock is the mandate by which the financier takes the piece against the money.
    """
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.assignor == ctx.party, Refusal.NOT_ASSIGNOR, party=ctx.party)
    _require_step(ctx, deal, DealStatus.OFFERED)
    undertaking = current_of(ctx, deal)
    require_transferable(ctx, undertaking)
    piece = known(ctx, Piece, deal.piece_id)
    require_free(ctx, piece, beside=OFFERS)
    require(not is_dead(ctx, deal), Refusal.DEAL_CLOSED, deal_id=deal.deal_id)

    for lock in standing_locks(piece, ctx.now_ms):
        if lock.subject != deal.deal_id:
            ctx.save(replace(known(ctx, Deal, lock.subject), status=DealStatus.LAPSED))
    ends_at_ms = _end(banking_of(ctx, undertaking), offer_of(deal).disburse_by, undertaking)
    accepted = replace(deal, status=DealStatus.ACCEPTED, ends_at_ms=ends_at_ms)
    ctx.save(accepted)
    ctx.save(replace(piece, locks=(_lock(accepted, LockKind.RESERVED),)))
    _lapse_by(ctx, deal, ends_at_ms)


def withdraw(ctx: Context, msg: Withdraw) -> None:
    """Withdraw an application, answered or not, before an offer is accepted."""
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.assignor == ctx.party, Refusal.NOT_ASSIGNOR, party=ctx.party)
    _require_step(ctx, deal, DealStatus.APPLIED, DealStatus.OFFERED)

    _drop(ctx, deal, DealStatus.LAPSED if is_dead(ctx, deal) else DealStatus.WITHDRAWN)


def disburse(ctx: Context, msg: Disburse) -> None:
    """As financier, pay and take the piece, in one step."""
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.financier == ctx.party, Refusal.NOT_FINANCIER, party=ctx.party)
    _require_step(ctx, deal, DealStatus.ACCEPTED)
    undertaking = current_of(ctx, deal)
    require_transferable(ctx, undertaking)
    piece = known(ctx, Piece, deal.piece_id)
    require_free(ctx, piece, beside=(LockKind.RESERVED,))
    terms = offer_of(deal)
    today = today_of(ctx, undertaking)
    require(today >= terms.value_day, Refusal.TOO_EARLY, day=terms.value_day)
    warnings = _require_attested(msg, undertaking, today)
    told = _quote(deal, terms, undertaking, today)
    require(msg.money == terms.money, Refusal.MONEY_NOT_ACCEPTED, money=msg.money)
    _require_amount(msg, told.net_cash_minor)

    _pay_out(ctx, deal, told)
    end_sold(ctx, piece, today)
    ctx.save(
        replace(
            piece,
            holder=deal.financier,
            former_holders=(*piece.former_holders, deal.assignor),
            locks=(),
            deal_id=deal.deal_id,
        )
    )
    financed = replace(
        deal,
        **_figures(told),
        status=DealStatus.FINANCED,
        value_day=today,
        payment_day=undertaking.payment_day,
        grace_end_day=undertaking.grace_end_day,
        attestation=msg.attestation,
        cleared=warnings,
    )
    ctx.save(_with_claim(financed, told) if terms.recourse else financed)
    note_financed(ctx, deal.registrations, deal.undertaking_id, deal.financier)
    rely_on(ctx, deal.registrations, deal.financier)


def buy_back(ctx: Context, msg: BuyBack) -> None:
    """As assignor, buy the piece back before the transfer cut-off, at the deal's own rate."""
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.assignor == ctx.party, Refusal.NOT_ASSIGNOR, party=ctx.party)
    told = {"deal_id": deal.deal_id}
    require(deal.status is DealStatus.FINANCED, Refusal.DEAL_CLOSED, **told)
    require(offer_of(deal).buy_back, Refusal.BUY_BACK_NOT_AGREED, **told)
    undertaking = current_of(ctx, deal)
    require_transferable(ctx, undertaking)
    piece = known(ctx, Piece, deal.piece_id)
    is_theirs = piece.status is PieceStatus.HELD and piece.deal_id == deal.deal_id
    require(is_theirs, Refusal.DEAL_CLOSED, **told)
    piece = without_dead_offers(ctx, piece)
    require_free(ctx, piece)
    require_money(undertaking, msg.money)
    today = today_of(ctx, undertaking)
    price = buy_back_price(deal, piece.left_minor, day=today, payment_day=undertaking.payment_day)
    _require_amount(msg, price)

    cash.transfer(ctx, source=ctx.party, target=deal.financier, money=msg.money, amount_minor=price)
    ctx.save(
        replace(
            piece,
            holder=ctx.party,
            former_holders=piece.former_holders[:-1],
            locks=(),
            deal_id=None,
        )
    )
    paid = replace(deal, received_minor=deal.received_minor + price)
    close(ctx, paid, DealStatus.BOUGHT_BACK, today)


def lapse_deal(ctx: Context, msg: LapseDeal) -> None:
    """An application, an offer or an accepted deal has come to its last moment.

    The timer may be that of an earlier step: then the present one gets its own.
    """
    deal = known(ctx, Deal, msg.deal_id)
    if deal.status not in (DealStatus.APPLIED, DealStatus.OFFERED, DealStatus.ACCEPTED):
        return
    if ctx.now_ms < deal.ends_at_ms:
        ctx.at(deal.ends_at_ms, msg)
    elif deal.status is not DealStatus.ACCEPTED:
        _drop(ctx, deal, DealStatus.LAPSED)
    else:
        _drop(ctx, deal, DealStatus.UNWOUND)
        for party in (deal.assignor, deal.financier):
            tell(ctx, AlertKind.UNWOUND, to=party, subject=deal.deal_id)


# --- The application


def _require_financiers(ctx: Context, piece: Piece, financiers: tuple[str, ...]) -> None:
    """Refuse financiers asked twice, or who may not finance."""
    asked = {lock.owner for lock in standing_locks(piece, ctx.now_ms)}
    asked |= {ctx.party, piece.debtor}
    for financier in financiers:
        require(financier not in asked, Refusal.FINANCIER_TWICE, financier=financier)
        require_active(ctx, financier)
        require_licensed(ctx, financier, FINANCE)
        asked.add(financier)


def _applied(
    ctx: Context, piece: Piece, undertaking: Undertaking, financier: str, ends_at_ms: int
) -> Deal:
    """A new application to one financier."""
    return Deal(
        deal_id=ctx.new_id("deal"),
        piece_id=piece.piece_id,
        undertaking_id=piece.undertaking_id,
        assignor=ctx.party,
        financier=financier,
        debtor=piece.debtor,
        amount_minor=piece.amount_minor,
        currency=piece.currency,
        payment_day=undertaking.payment_day,
        grace_end_day=undertaking.grace_end_day,
        late_ppm_per_day=undertaking.late_ppm_per_day,
        moneys=undertaking.moneys,
        calendar_id=undertaking.calendar_id,
        registrations=undertaking.registrations,
        status=DealStatus.APPLIED,
        ends_at_ms=ends_at_ms,
    )


def _lock(deal: Deal, kind: LockKind) -> Lock:
    """The lock of a deal at its present step."""
    return Lock(kind=kind, owner=deal.financier, subject=deal.deal_id, end_at_ms=deal.ends_at_ms)


def _require_step(ctx: Context, deal: Deal, *steps: DealStatus) -> None:
    """Refuse what does not belong to the deal's step, or comes too late."""
    stands = deal.status in steps and ctx.now_ms < deal.ends_at_ms
    require(stands, Refusal.DEAL_CLOSED, deal_id=deal.deal_id)


def _lapse_by(ctx: Context, deal: Deal, ends_at_ms: int) -> None:
    """Have the next step of a deal lapse in time: the timer of the step before may do for both."""
    if ends_at_ms < deal.ends_at_ms:
        ctx.at(ends_at_ms, LapseDeal(deal_id=deal.deal_id))


def _drop(ctx: Context, deal: Deal, status: DealStatus) -> None:
    """End a deal before any money moved; the piece is free of it."""
    ctx.save(replace(deal, status=status))
    lift(ctx, deal.piece_id, deal.deal_id)


# --- The offer


def _terms(msg: Offer, today: str) -> OfferTerms:
    """What is offered, as it is kept."""
    return OfferTerms(
        recourse=msg.recourse,
        advance_ppm=msg.advance_ppm,
        method=msg.method,
        rate_ppm=msg.rate_ppm,
        day_count=msg.day_count,
        fees=msg.fees,
        money=msg.money,
        valid_until=msg.valid_until,
        disburse_by=msg.disburse_by,
        value_day=today if msg.value_day is None else msg.value_day,
        buy_back=msg.buy_back,
    )


def _require_terms(ctx: Context, deal: Deal, terms: OfferTerms, banking: Banking) -> None:
    """Refuse an offer that could not be carried out."""
    today = banking.day_of(ctx.now_ms)
    for day in (terms.valid_until, terms.disburse_by, terms.value_day):
        require(is_day(day), Refusal.NO_SUCH_DAY, day=day)
    in_order = today <= terms.valid_until <= terms.disburse_by
    in_time = today <= terms.value_day <= terms.disburse_by
    require(in_order and in_time, Refusal.OFFER_DATES)
    fits = currency_of(terms.money) == deal.currency
    require(fits, Refusal.MONEY_NOT_ACCEPTED, money=terms.money)
    is_sale = terms.advance_ppm == PPM and terms.method is InterestMethod.UPFRONT_ON_FACE
    require(terms.recourse or is_sale, Refusal.OFFER_NOT_WHOLE)
    for fee in terms.fees:
        require(_is_possible(deal, terms, fee), Refusal.FEE_NOT_POSSIBLE, name=fee.name)
        require_known(ctx, fee.payee)


def _is_possible(deal: Deal, terms: OfferTerms, fee: Fee) -> bool:
    """Can the fee be worked out, and taken at its time from its payer?

    At maturity only a financier with recourse can take a fee, out of what the debtor pays.
    """
    if fee.basis is FeeBasis.FIXED:
        has_amount = fee.fixed_minor > 0 and fee.rate_ppm == 0
    else:
        has_amount = fee.rate_ppm > 0 and fee.fixed_minor == 0
    parties_fit = fee.payer in (deal.assignor, deal.financier) and fee.payer != fee.payee
    if fee.when is FeeTime.MATURITY:
        in_claim = (fee.payer, fee.payee) == (deal.assignor, deal.financier)
        return has_amount and terms.recourse and in_claim
    return has_amount and parties_fit


def _end(banking: Banking, day: str, undertaking: Undertaking) -> int:
    """The end of a day, or the transfer cut-off if that comes first."""
    return min(banking.at(day, MINUTES_PER_DAY), undertaking.transfer_cutoff_at_ms)


def _quote(deal: Deal, terms: OfferTerms, undertaking: Undertaking, day: str) -> Quote:
    """What the offer comes to if the money moves on a day."""
    return quote(
        deal.amount_minor,
        terms,
        assignor=deal.assignor,
        value_day=day,
        payment_day=undertaking.payment_day,
    )


def _figures(told: Quote) -> dict[str, int]:
    """Cash and cost as a deal shows them."""
    return {
        "days": told.days,
        "advance_minor": told.advance_minor,
        "interest_minor": told.interest_minor,
        "fees_minor": told.fees_minor,
        "net_cash_minor": told.net_cash_minor,
        "yearly_cost_ppm": told.yearly_cost_ppm,
    }


# --- The money


def _require_amount(msg: Disburse | BuyBack, expected_minor: int) -> None:
    """Refuse any amount but the one that was worked out; it is shown."""
    fits = msg.amount_minor == expected_minor
    require(fits, Refusal.AMOUNT_DIFFERS, expected_minor=expected_minor, money=msg.money)


def _require_attested(
    msg: Disburse, undertaking: Undertaking, today: str
) -> tuple[WarningKind, ...]:
    """Refuse a registration that does not cover today; the warnings that were cleared."""
    attested = msg.attestation
    for day in (attested.start_day, attested.end_day):
        require(is_day(day), Refusal.NO_SUCH_DAY, day=day)
    covers = attested.start_day <= today <= attested.end_day
    require(covers, Refusal.ATTESTATION_WRONG, day=today)
    if attested.end_day >= add_days(undertaking.payment_day, REGISTERED_AFTER_DUE_DAYS):
        return ()
    warning = WarningKind.REGISTRATION_ENDS_EARLY
    require(warning in msg.clears, Refusal.WARNING_STANDS, warning=warning.value)
    return (warning,)


def _pay_out(ctx: Context, deal: Deal, told: Quote) -> None:
    """Pay the assignor, and every fee that is due now to somebody else than the financier."""
    terms = offer_of(deal)
    payments = [(deal.assignor, told.net_cash_minor)]
    payments += [
        (fee.payee, fee_amount(fee, deal.amount_minor, told.advance_minor))
        for fee in terms.fees
        if fee.when is FeeTime.UPFRONT and fee.payee != deal.financier
    ]
    for target, amount in payments:
        if amount:
            cash.transfer(
                ctx, source=deal.financier, target=target, money=terms.money, amount_minor=amount
            )


def _with_claim(deal: Deal, told: Quote) -> Deal:
    """The deal with what its financier may claim: advance, interest from a day on, fees."""
    upfront = offer_of(deal).method is InterestMethod.UPFRONT_ON_FACE
    return replace(
        deal,
        advance_owed_minor=told.advance_minor,
        interest_from_day=deal.payment_day if upfront else deal.value_day,
        fees_owed_minor=told.maturity_fees_minor,
    )
