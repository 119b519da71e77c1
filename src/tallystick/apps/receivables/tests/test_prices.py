"""What a deal costs or claims today is answered only when there is something to pay."""

from collections.abc import Callable

import pytest

from tallystick.apps.receivables.messages import BuyBack
from tallystick.apps.receivables.queries import claim_today, price_today
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.tests.market import CNY, Market
from tallystick.ledger.refusal import Refused
from tallystick.ledger.view import View


def is_closed(ask: Callable[[View, str], object], market: Market, deal_id: str) -> bool:
    """Whether a query refuses the deal, and for this reason alone."""
    with pytest.raises(Refused) as said:
        ask(market.world.view(), deal_id)
    return said.value.code is Refusal.DEAL_CLOSED


def test_no_price_and_no_claim_before_there_is_money() -> None:
    market = Market()
    piece = market.opened(100_000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    assert is_closed(price_today, market, deal_id)
    assert is_closed(claim_today, market, deal_id)
    market.offered(deal_id)
    assert is_closed(price_today, market, deal_id)
    assert is_closed(claim_today, market, deal_id)


def test_no_price_after_the_piece_was_bought_back() -> None:
    market = Market()
    market.mint("bank-a", 200_000)
    market.mint("S1", 200_000)
    piece = market.opened(100_000)
    deal_id = market.financed("S1", piece, "bank-a", buy_back=True)
    price = price_today(market.world.view(), deal_id).price_minor
    market.does("S1", BuyBack(deal_id=deal_id, money=CNY, amount_minor=price))
    assert is_closed(price_today, market, deal_id)
