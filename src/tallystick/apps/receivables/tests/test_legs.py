"""Where the money of a leg goes: kept back by an order, released above a claim with recourse."""

import pytest

from tallystick.apps.members.interface import Scope
from tallystick.apps.members.messages import Unfreeze
from tallystick.apps.receivables.queries import legs
from tallystick.apps.receivables.records import Withheld
from tallystick.apps.receivables.terms import (
    AlertKind,
    Fee,
    FeeBasis,
    FeeTime,
    InterestMethod,
    PieceStatus,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import Market

AT_CUT_OFF = ("2026-10-08", 17 * 60)


@pytest.fixture
def market() -> Market:
    return Market()


# --- PayWithheld


def test_money_of_a_frozen_piece_is_kept_back_until_the_order_ends(market: Market) -> None:
    whole = market.opened(100000)
    mine, other = market.split("S1", whole, 40000, 60000)
    market.held_by("S1", other, "S2")
    made = market.of(whole)
    market.freeze(mine, "S1", days=120)
    market.funds(made, 100000)
    market.at(*AT_CUT_OFF)
    assert (market.cash("S1"), market.cash("S2")) == (0, 60000)
    assert market.undertaking(made).status is UndertakingStatus.PAID
    assert market.piece(mine).status is PieceStatus.RETIRED
    assert market.undertaking(made).held_minor == 40000
    (kept,) = market.world.view("S1").scan(Withheld, made)
    assert kept.amount_minor == 40000
    market.world.passes(days=30)
    assert market.cash("S1") == 40000
    assert market.undertaking(made).held_minor == 0


def test_the_end_of_the_order_lets_the_money_go_at_once(market: Market) -> None:
    piece = market.opened(100000)
    market.freeze(piece, "S1", days=120)
    market.funds(market.of(piece), 100000)
    market.at("2026-10-31", 8 * 60 + 59)
    assert market.cash("S1") == 0
    market.at("2026-10-31", 9 * 60 + 1)
    assert market.cash("S1") == 100000


def test_an_order_lifted_early_lets_the_money_go_within_a_day(market: Market) -> None:
    piece = market.opened(100000)
    market.freeze(piece, "S1", days=365)
    market.funds(market.of(piece), 100000)
    market.at(*AT_CUT_OFF)
    market.world.passes(days=3)
    assert market.cash("S1") == 0
    market.world.accepts(
        "SUP.compliance",
        Unfreeze(
            scope=Scope.PIECE, subject=piece, order_id="SPC 2026/118", reason="paid elsewhere"
        ),
    )
    market.world.passes(days=1)
    assert market.cash("S1") == 100000


def test_what_is_released_to_an_assignor_is_kept_back_with_it(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 80000)
    market.financed(
        "S1",
        piece,
        "factor-a",
        recourse=True,
        advance_ppm=800_000,
        method=InterestMethod.ARREARS_ON_ADVANCE,
        rate_ppm=0,
    )
    market.freeze(piece, "factor-a", days=120)
    market.funds(market.of(piece), 100000)
    market.at(*AT_CUT_OFF)
    assert (market.cash("factor-a"), market.cash("S1")) == (0, 80000)
    market.world.passes(days=60)
    assert (market.cash("factor-a"), market.cash("S1")) == (80000, 100000)


# --- Release above a claim with recourse


def test_what_is_above_the_claim_goes_to_the_assignor_in_the_same_leg(market: Market) -> None:
    piece = market.opened(9999996)
    market.mint("factor-a", 10_000_000)
    market.at("2026-07-06")
    fee = Fee(
        name="factoring",
        payer="S1",
        payee="factor-a",
        basis=FeeBasis.FACE,
        rate_ppm=2000,
        when=FeeTime.MATURITY,
    )
    deal_id = market.financed(
        "S1",
        piece,
        "factor-a",
        recourse=True,
        advance_ppm=800_000,
        method=InterestMethod.ARREARS_ON_ADVANCE,
        rate_ppm=60_000,
        fees=(fee,),
    )
    before = {party: market.cash(party) for party in ("S1", "factor-a")}
    market.funds(market.of(piece), 9999996)
    market.at(*AT_CUT_OFF)
    assert market.cash("factor-a") - before["factor-a"] == 8145329
    assert market.cash("S1") - before["S1"] == 9999996 - 8145329
    (leg,) = legs(market.world.view("S1"), market.of(piece))
    assert (leg.assignor, leg.released_minor) == ("S1", 1854667)
    assert market.deal(deal_id).released_minor == 1854667


def test_a_claim_met_in_part_payment_gives_the_rest_of_the_piece_back(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 50000)
    deal_id = market.financed(
        "S1",
        piece,
        "factor-a",
        recourse=True,
        advance_ppm=500_000,
        method=InterestMethod.ARREARS_ON_ADVANCE,
        rate_ppm=0,
    )
    made = market.of(piece)
    market.funds(made, 60000)
    market.at(*AT_CUT_OFF)
    assert market.deal(deal_id).status.value == "repaid"
    rest = market.piece(piece)
    assert (rest.holder, rest.left_minor, rest.deal_id) == ("S1", 40000, None)
    assert market.cash("S1") == 50000 + 10000
    market.pays(made, 40000)
    assert market.cash("S1") == 100000


def test_a_bought_piece_is_repaid_by_the_debtor(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("bank-a", 100000)
    deal_id = market.financed("S1", piece, "bank-a")
    market.funds(market.of(piece), 100000)
    market.at(*AT_CUT_OFF)
    assert market.deal(deal_id).status.value == "repaid"
    (alert,) = market.alerts("bank-a")
    assert (alert.kind, alert.day) == (AlertKind.DEREGISTER, "2026-10-21")
