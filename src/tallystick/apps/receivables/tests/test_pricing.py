"""What money costs and what recourse comes to: worked cases 4 and 7, to the cent."""

from msgspec.structs import replace

from tallystick.apps.receivables.pricing import (
    Claim,
    buy_back_rebate,
    claim_on,
    fee_amount,
    pay_claim,
    quote,
)
from tallystick.apps.receivables.terms import Fee, FeeBasis, FeeTime, InterestMethod, OfferTerms
from tallystick.values.rates import DayCount

HANDLING = Fee(
    name="handling",
    payer="S1",
    payee="bank-a",
    basis=FeeBasis.FACE,
    rate_ppm=1000,
    when=FeeTime.UPFRONT,
)

DISCOUNT = OfferTerms(
    recourse=False,
    advance_ppm=1_000_000,
    method=InterestMethod.UPFRONT_ON_FACE,
    rate_ppm=43_500,
    day_count=DayCount.ACT_360,
    fees=(HANDLING,),
    money="CNY@central-bank",
    valid_until="2026-07-10",
    disburse_by="2026-07-10",
    value_day="2026-07-06",
)

FACTORING = OfferTerms(
    recourse=True,
    advance_ppm=800_000,
    method=InterestMethod.ARREARS_ON_ADVANCE,
    rate_ppm=60_000,
    day_count=DayCount.ACT_360,
    fees=(replace(HANDLING, payee="factor-f", rate_ppm=2000, when=FeeTime.MATURITY),),
    money="CNY@central-bank",
    valid_until="2026-07-10",
    disburse_by="2026-07-10",
    value_day="2026-07-06",
)


def test_case_4_discount_without_recourse() -> None:
    got = quote(22500000, DISCOUNT, assignor="S1", value_day="2026-07-06", payment_day="2026-10-08")
    assert got.days == 94
    assert got.interest_minor == 255563
    assert got.fees_minor == 22500
    assert got.net_cash_minor == 22221937
    assert got.yearly_cost_ppm == 48588


def test_case_4_buy_back() -> None:
    rebate = buy_back_rebate(22500000, DISCOUNT, day="2026-08-03", payment_day="2026-10-08")
    assert rebate == 179438
    assert 22500000 - rebate == 22320562


def test_case_7_advance_interest_in_arrears_and_fee_at_maturity() -> None:
    got = quote(9999996, FACTORING, assignor="S1", value_day="2026-07-06", payment_day="2026-10-08")
    assert (got.advance_minor, got.interest_minor, got.fees_minor) == (7999996, 125333, 20000)
    assert got.net_cash_minor == 7999996
    assert got.maturity_fees_minor == 20000


def test_case_7_recourse() -> None:
    given = Claim(fees_minor=20000, interest_minor=0, advance_minor=7999996)
    due = claim_on(given, FACTORING, since="2026-07-06", until="2026-10-08")
    assert due.total_minor == 8145329
    short, above = pay_claim(due, 5999997)
    assert (short.total_minor, above) == (2145332, 0)
    assert (short.fees_minor, short.interest_minor) == (0, 0)
    later = claim_on(short, FACTORING, since="2026-10-08", until="2026-10-16")
    assert later.interest_minor == 2860
    assert later.total_minor == 2148192


def test_what_is_paid_above_the_claim_is_left_for_the_assignor() -> None:
    claim = Claim(fees_minor=200, interest_minor=100, advance_minor=8000)
    left, above = pay_claim(claim, 10000)
    assert left.total_minor == 0
    assert above == 1700
    left, above = pay_claim(claim, 250)
    assert (left.fees_minor, left.interest_minor, left.advance_minor) == (0, 50, 8000)


def test_fees_of_others_and_fixed_fees() -> None:
    fixed = Fee(
        name="stamp",
        payer="bank-a",
        payee="notary",
        basis=FeeBasis.FIXED,
        fixed_minor=500,
        when=FeeTime.UPFRONT,
    )
    terms = replace(DISCOUNT, fees=(HANDLING, fixed))
    got = quote(22500000, terms, assignor="S1", value_day="2026-07-06", payment_day="2026-10-08")
    assert got.fees_minor == 22500
    assert fee_amount(fixed, 22500000, 22500000) == 500
    of_advance = replace(HANDLING, basis=FeeBasis.ADVANCE)
    assert fee_amount(of_advance, 22500000, 18000000) == 18000
