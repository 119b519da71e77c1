"""Finance deals as other rules meet them: what a financier is owed, and how a deal ends."""

from msgspec.structs import replace

from tallystick.apps.governance.interface import calendar
from tallystick.apps.receivables.alerts import tell
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.locks import standing_locks
from tallystick.apps.receivables.pricing import Claim, buy_back_rebate, claim_on, pay_claim
from tallystick.apps.receivables.records import Deal, Piece, RecourseClaim
from tallystick.apps.receivables.terms import (
    AlertKind,
    ClaimStatus,
    DealStatus,
    InterestMethod,
    LockKind,
    OfferTerms,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import Fault
from tallystick.ledger.view import Reader

DEREGISTRATION_BANKING_DAYS = 10
"""Within so many banking days of the end of a debt its public registration is taken off."""


def offer_of(deal: Deal) -> OfferTerms:
    """The terms of a deal that has been offered."""
    if deal.offer is None:
        raise Fault("the deal has no offer")
    return deal.offer


def with_recourse(reader: Reader, piece: Piece) -> Deal | None:
    """The deal with recourse under which the holder has the piece; None: it is the holder's own."""
    deal = None if piece.deal_id is None else known(reader, Deal, piece.deal_id)
    return deal if deal is not None and offer_of(deal).recourse else None


def deals_in_step(reader: Reader, piece: Piece) -> tuple[Deal, ...]:
    """Deals on a piece whose dates follow its undertaking's: that of its holder, and applications.

    An offer keeps the dates for which it was made; the disbursement takes those of its day.
    """
    asked = (lock for lock in standing_locks(piece, reader.now_ms) if lock.kind is LockKind.OFFERED)
    deals = tuple(known(reader, Deal, lock.subject) for lock in asked)
    applied = tuple(deal for deal in deals if deal.status is DealStatus.APPLIED)
    return applied if piece.deal_id is None else (known(reader, Deal, piece.deal_id), *applied)


def claim_of(deal: Deal, day: str) -> Claim:
    """What the financier of a deal with recourse is owed on a day; never the face."""
    owed = Claim(
        fees_minor=deal.fees_owed_minor,
        interest_minor=deal.interest_owed_minor,
        advance_minor=deal.advance_owed_minor,
    )
    since = day if deal.interest_from_day is None else deal.interest_from_day
    return claim_on(owed, offer_of(deal), since=since, until=day)


def buy_back_price(deal: Deal, left_minor: int, *, day: str, payment_day: str) -> int:
    """What the assignor pays for a piece before maturity, at the deal's own rate.

    `left_minor` is the unpaid face of the piece.
    """
    offer = offer_of(deal)
    owed = claim_of(deal, day).total_minor if offer.recourse else left_minor
    if offer.method is InterestMethod.ARREARS_ON_ADVANCE:
        return owed
    return owed - buy_back_rebate(deal.amount_minor, offer, day=day, payment_day=payment_day)


def credit(deal: Deal, amount_minor: int, day: str) -> tuple[Deal, int]:
    """The deal after money came in on its piece, and how much of it is above the claim."""
    left, above = pay_claim(claim_of(deal, day), amount_minor)
    since = day if deal.interest_from_day is None else max(day, deal.interest_from_day)
    paid = replace(
        deal,
        fees_owed_minor=left.fees_minor,
        interest_owed_minor=left.interest_minor,
        advance_owed_minor=left.advance_minor,
        interest_from_day=since,
        received_minor=deal.received_minor + amount_minor - above,
        released_minor=deal.released_minor + above,
    )
    return paid, above


def is_met(deal: Deal) -> bool:
    """Is nothing of the claim left?"""
    return deal.fees_owed_minor + deal.interest_owed_minor + deal.advance_owed_minor == 0


def end_sold(ctx: Context, piece: Piece, day: str) -> None:
    """A piece leaves its financier, who bought it whole: the sale meets that one's claim."""
    if piece.deal_id is not None:
        close(ctx, known(ctx, Deal, piece.deal_id), DealStatus.REPAID, day)


def close(ctx: Context, deal: Deal, status: DealStatus, day: str) -> None:
    """End a deal: its recourse claim is met with it, and the public registration is to go."""
    ctx.save(
        replace(deal, status=status, fees_owed_minor=0, interest_owed_minor=0, advance_owed_minor=0)
    )
    if deal.claim_id is not None:
        claim = known(ctx, RecourseClaim, deal.claim_id)
        ctx.save(replace(claim, status=ClaimStatus.REPAID))
    banking = calendar(ctx, deal.calendar_id)
    by_day, _ = banking.shift(day, DEREGISTRATION_BANKING_DAYS)
    tell(ctx, AlertKind.DEREGISTER, to=deal.financier, subject=deal.deal_id, day=by_day)
