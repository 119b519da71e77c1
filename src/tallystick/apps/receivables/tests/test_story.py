"""The worked cases 1 and 4 to 7 through the ledger, to the cent."""

from tallystick.apps.receivables.messages import (
    BuyBack,
    NotifyRecourse,
    RepayRecourse,
    Split,
)
from tallystick.apps.receivables.queries import claim_today, legs, owed, price_today
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    DealStatus,
    Fee,
    FeeBasis,
    FeeTime,
    InterestMethod,
    PieceStatus,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import CNY, Market


def factoring_fee() -> Fee:
    """0.2 % of the face at maturity."""
    return Fee(
        name="factoring",
        payer="S1",
        payee="factor-a",
        basis=FeeBasis.FACE,
        rate_ppm=2000,
        when=FeeTime.MATURITY,
    )


def three_holders() -> tuple[Market, str, dict[str, str], dict[str, str]]:
    """Case 5's undertaking: bank without recourse, factor with it, a supplier of tier three."""
    market = Market()
    whole = market.opened(30000000)
    bank, factor, tier3 = market.split("S1", whole, 12000001, 9999996, 8000003)
    market.held_by("S1", tier3, "T3")
    market.at("2026-07-06")
    market.mint("bank-a", 20000000)
    market.mint("factor-a", 20000000)
    deals = {
        "bank": market.financed("S1", bank, "bank-a"),
        "factor": market.financed(
            "S1",
            factor,
            "factor-a",
            recourse=True,
            advance_ppm=800_000,
            method=InterestMethod.ARREARS_ON_ADVANCE,
            rate_ppm=60_000,
            fees=(factoring_fee(),),
        ),
    }
    pieces = {"bank": bank, "factor": factor, "tier3": tier3}
    return market, market.of(whole), pieces, deals


def test_case_1_split() -> None:
    market = Market()
    whole = market.opened(100000000)
    market.refuses("S1", Split(piece_id=whole, parts_minor=(1, 99999998)), Refusal.PARTS_DIFFER)
    market.refuses("S1", Split(piece_id=whole, parts_minor=(100000000, 0)), Refusal.PART_EMPTY)
    market.refuses("S2", Split(piece_id=whole, parts_minor=(1, 99999999)), Refusal.NOT_HOLDER)
    parts = market.split("S1", whole, 33333333, 33333333, 33333334)
    cut = [(market.piece(part).start_minor, market.piece(part).end_minor) for part in parts]
    assert cut == [(0, 33333333), (33333333, 66666666), (66666666, 100000000)]
    cent, rest = market.split("S1", parts[2], 1, 33333333)
    assert market.piece(cent).end_minor == 66666667
    assert (market.piece(rest).start_minor, market.piece(rest).end_minor) == (66666667, 100000000)


def test_case_4_discount_and_buy_back() -> None:
    market = Market()
    piece = market.opened(22500000)
    market.at("2026-07-06")
    market.mint("bank-a", 22500000)
    fee = Fee(
        name="handling",
        payer="S1",
        payee="bank-a",
        basis=FeeBasis.FACE,
        rate_ppm=1000,
        when=FeeTime.UPFRONT,
    )
    deal_id = market.financed("S1", piece, "bank-a", fees=(fee,))
    deal = market.deal(deal_id)
    assert (deal.days, deal.interest_minor, deal.fees_minor) == (94, 255563, 22500)
    assert (deal.net_cash_minor, deal.yearly_cost_ppm) == (22221937, 48588)
    assert market.cash("S1") == 22221937
    assert market.piece(piece).holder == "bank-a"
    market.at("2026-08-03")
    market.mint("S1", 98625)
    assert price_today(market.world.view("S1"), deal_id).price_minor == 22320562
    market.does("S1", BuyBack(deal_id=deal_id, money=CNY, amount_minor=22320562))
    assert market.piece(piece).holder == "S1"
    assert market.deal(deal_id).status is DealStatus.BOUGHT_BACK
    assert market.cash("S1") == 0


def test_case_5_pays_sixty_percent() -> None:
    market, undertaking_id, pieces, _ = three_holders()
    before = {party: market.cash(party) for party in ("bank-a", "factor-a", "T3")}
    market.funds(undertaking_id, 18000000)
    market.at("2026-10-08", 17 * 60)
    paid = {party: market.cash(party) - was for party, was in before.items()}
    assert paid == {"bank-a": 7200001, "factor-a": 5999997, "T3": 4800002}
    assert [market.piece(piece).left_minor for piece in pieces.values()] == [
        4800000,
        3999999,
        3200001,
    ]
    assert market.undertaking(undertaking_id).status is UndertakingStatus.PART_PAID
    assert len(tuple(legs(market.world.view("T3"), undertaking_id))) == 1


def test_case_6_paid_within_grace() -> None:
    market, undertaking_id, pieces, _ = three_holders()
    market.funds(undertaking_id, 18000000)
    market.at("2026-10-12")
    assert market.undertaking(undertaking_id).status is UndertakingStatus.OVERDUE
    market.pays(undertaking_id, 12000000)
    assert market.undertaking(undertaking_id).status is UndertakingStatus.PAID
    assert market.undertaking(undertaking_id).late_paid_minor == 0
    assert market.piece(pieces["tier3"]).status is PieceStatus.RETIRED


def test_cases_6_and_7_default_recourse_and_late_interest() -> None:
    market, undertaking_id, pieces, deals = three_holders()
    market.funds(undertaking_id, 18000000)
    market.at("2026-10-13")
    assert market.undertaking(undertaking_id).status is UndertakingStatus.DEFAULTED
    market.refuses("bank-a", NotifyRecourse(deal_id=deals["bank"]), Refusal.NO_RECOURSE)
    market.at("2026-10-16")
    claim_id = market.does("factor-a", NotifyRecourse(deal_id=deals["factor"])).id
    assert claim_today(market.world.view("factor-a"), deals["factor"]).total_minor == 2148192
    cash = market.cash("factor-a")
    market.does("S1", RepayRecourse(claim_id=claim_id, money=CNY, amount_minor=2148192))
    assert market.cash("factor-a") - cash == 2148192
    returned = market.piece(pieces["factor"])
    assert (returned.holder, returned.left_minor) == ("S1", 3999999)
    market.at("2026-10-26")
    assert owed(market.world.view("D1"), undertaking_id).late_minor == 43200 + 36000 + 28800
    before = {party: market.cash(party) for party in ("bank-a", "S1", "T3")}
    market.pays(undertaking_id, 5000000)
    paid = {party: market.cash(party) - was for party, was in before.items()}
    assert paid == {"bank-a": 2000000, "S1": 1666666, "T3": 1333334}
    left = [market.piece(piece).left_minor for piece in pieces.values()]
    assert left == [2843200, 2369333, 1895467]
    assert sum(left) == 7108000
