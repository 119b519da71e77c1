"""A piece bought whole leaves its financier: that deal has ended, the sale met its claim."""

import pytest

from tallystick.apps.receivables.messages import (
    AcceptOffer,
    AcceptPass,
    AskReturn,
    BuyBack,
    ReturnPass,
)
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import AlertKind, DealStatus, InterestMethod
from tallystick.apps.receivables.tests.market import CNY, Market


@pytest.fixture
def market() -> Market:
    market = Market()
    market.mint("bank-a", 1_000_000)
    market.mint("bank-b", 1_000_000)
    return market


def told(market: Market, party: str) -> list[tuple[AlertKind, str, str | None]]:
    """What a party was told: kind, record, day."""
    return [(each.kind, each.subject, each.day) for each in market.alerts(party)]


def test_a_deal_ends_when_another_financier_buys_the_piece(market: Market) -> None:
    piece = market.opened(100000)
    first = market.financed("S1", piece, "bank-a")
    market.at("2026-07-06")
    (second,) = market.applied("bank-a", piece, "bank-b")
    market.offered(second)
    assert market.deal(first).status is DealStatus.FINANCED
    second = accepted_and_paid(market, second)
    assert market.deal(first).status is DealStatus.REPAID
    assert told(market, "bank-a") == [(AlertKind.DEREGISTER, first, "2026-07-20")]
    assert market.deal(second).status is DealStatus.FINANCED
    market.funds(market.of(piece), 100000)
    market.at("2026-10-08", 17 * 60)
    assert market.deal(second).status is DealStatus.REPAID
    assert len(told(market, "bank-a")) == 1
    assert [kind for kind, _, _ in told(market, "bank-b")] == [AlertKind.DEREGISTER]


def accepted_and_paid(market: Market, deal_id: str) -> str:
    """Have an offer accepted and paid out."""
    deal = market.deal(deal_id)
    market.does(deal.assignor, AcceptOffer(deal_id=deal_id))
    market.does(deal.financier, market.disburse(deal_id))
    return deal_id


def test_it_ends_too_when_the_buyer_may_claim_recourse(market: Market) -> None:
    piece = market.opened(100000)
    first = market.financed("S1", piece, "bank-a")
    arrears = {"recourse": True, "method": InterestMethod.ARREARS_ON_ADVANCE}
    second = market.financed("bank-a", piece, "bank-b", advance_ppm=800_000, **arrears)
    assert market.deal(first).status is DealStatus.REPAID
    assert market.deal(second).status is DealStatus.FINANCED


def test_a_deal_ends_when_its_piece_is_passed_on_and_accepted(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = market.financed("S1", piece, "bank-a")
    market.at("2026-07-06")
    market.passed("bank-a", piece, "S2")
    assert market.deal(deal_id).status is DealStatus.FINANCED
    market.does("S2", acceptance(market))
    assert market.deal(deal_id).status is DealStatus.REPAID
    assert told(market, "bank-a") == [(AlertKind.DEREGISTER, deal_id, "2026-07-20")]
    assert market.piece(piece).deal_id is None


def acceptance(market: Market) -> AcceptPass:
    """S2 accepts what waits for it."""
    (transfer_id,) = market.transfers("S2")
    return AcceptPass(transfer_id=transfer_id)


def test_what_comes_back_is_the_financiers_own(market: Market) -> None:
    """A pass made in error goes back; the deal has ended all the same: no buy-back."""
    piece = market.opened(100000)
    deal_id = market.financed("S1", piece, "bank-a", rate_ppm=0)
    made = market.held_by("bank-a", piece, "S2")
    market.does("bank-a", AskReturn(transfer_id=made, error="meant for S3"))
    market.does("S2", ReturnPass(transfer_id=made))
    held = market.piece(piece)
    assert (held.holder, held.deal_id) == ("bank-a", None)
    assert market.deal(deal_id).status is DealStatus.REPAID
    back = BuyBack(deal_id=deal_id, money=CNY, amount_minor=100000)
    market.refuses("S1", back, Refusal.DEAL_CLOSED)
    assert len(told(market, "bank-a")) == 1
