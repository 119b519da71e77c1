"""What money on a piece costs, and what a financier with recourse is owed: arithmetic alone."""

from typing import NamedTuple

from tallystick.apps.receivables.terms import Fee, FeeBasis, FeeTime, InterestMethod, OfferTerms
from tallystick.values.rates import (
    Rounding,
    basis,
    day_count,
    interest,
    mul_div,
    yearly_cost_ppm,
)
from tallystick.values.time import days_between
from tallystick.values.units import PPM


class Quote(NamedTuple):
    """What an offer comes to if the money moves on one day."""

    days: int
    """Days of interest to the payment date."""
    calendar_days: int
    """Days that really pass, for the yearly cost."""
    advance_minor: int
    """What is advanced, in minor units."""
    interest_minor: int
    """Interest to the payment date, in minor units."""
    fees_minor: int
    """Fees that the assignor pays, in minor units, now or at maturity."""
    net_cash_minor: int
    """What the assignor receives, in minor units; below 1 the offer makes no sense."""
    maturity_fees_minor: int
    """Part of the fees that is due at maturity, in minor units."""

    @property
    def yearly_cost_ppm(self) -> int:
        """(Interest + fees) / cash received x 365 / days, in parts per million."""
        cost = self.interest_minor + self.fees_minor
        return yearly_cost_ppm(cost, self.net_cash_minor, max(1, self.calendar_days))


def quote(
    face_minor: int, terms: OfferTerms, *, assignor: str, value_day: str, payment_day: str
) -> Quote:
    """Work an offer out for a value day. Advances round down, all else half-up."""
    days = max(0, day_count(value_day, payment_day, terms.day_count))
    advance = advance_of(face_minor, terms)
    upfront = terms.method is InterestMethod.UPFRONT_ON_FACE
    base = face_minor if upfront else advance
    cost = interest(base, terms.rate_ppm, days, basis(terms.day_count))
    at_once, at_maturity = 0, 0
    for fee in terms.fees:
        if fee.payer == assignor:
            amount = fee_amount(fee, face_minor, advance)
            if fee.when is FeeTime.UPFRONT:
                at_once += amount
            else:
                at_maturity += amount
    return Quote(
        days=days,
        calendar_days=days_between(value_day, payment_day),
        advance_minor=advance,
        interest_minor=cost,
        fees_minor=at_once + at_maturity,
        net_cash_minor=advance - at_once - (cost if upfront else 0),
        maturity_fees_minor=at_maturity,
    )


def advance_of(face_minor: int, terms: OfferTerms) -> int:
    """What is advanced on a face, rounded down."""
    return mul_div(face_minor, terms.advance_ppm, PPM, Rounding.FLOOR)


def fee_amount(fee: Fee, face_minor: int, advance_minor: int) -> int:
    """One fee, half-up."""
    if fee.basis is FeeBasis.FIXED:
        return fee.fixed_minor
    base = face_minor if fee.basis is FeeBasis.FACE else advance_minor
    return mul_div(base, fee.rate_ppm, PPM, Rounding.HALF_UP)


def buy_back_rebate(face_minor: int, terms: OfferTerms, *, day: str, payment_day: str) -> int:
    """Interest taken upfront for days that a buy-back leaves out: F x r x days left / basis."""
    days = max(0, day_count(day, payment_day, terms.day_count))
    return interest(face_minor, terms.rate_ppm, days, basis(terms.day_count))


class Claim(NamedTuple):
    """What a financier with recourse is owed on a day."""

    fees_minor: int
    """Agreed fees, in minor units."""
    interest_minor: int
    """Interest to that day, in minor units."""
    advance_minor: int
    """Advance not yet got back, in minor units."""

    @property
    def total_minor(self) -> int:
        """All of it; never the face."""
        return self.fees_minor + self.interest_minor + self.advance_minor


def claim_on(claim: Claim, terms: OfferTerms, *, since: str, until: str) -> Claim:
    """The claim with interest from a day (inclusive) to a day (exclusive) added, half-up."""
    days = max(0, day_count(since, until, terms.day_count))
    more = interest(claim.advance_minor, terms.rate_ppm, days, basis(terms.day_count))
    return Claim(
        fees_minor=claim.fees_minor,
        interest_minor=claim.interest_minor + more,
        advance_minor=claim.advance_minor,
    )


def pay_claim(claim: Claim, amount_minor: int) -> tuple[Claim, int]:
    """Pay on a claim: fees, interest, advance in this order (Civil Code 561); and what is above."""
    fees = min(amount_minor, claim.fees_minor)
    cost = min(amount_minor - fees, claim.interest_minor)
    advance = min(amount_minor - fees - cost, claim.advance_minor)
    left = Claim(
        fees_minor=claim.fees_minor - fees,
        interest_minor=claim.interest_minor - cost,
        advance_minor=claim.advance_minor - advance,
    )
    return left, amount_minor - fees - cost - advance
