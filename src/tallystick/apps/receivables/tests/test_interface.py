"""What other applications may ask."""

import pytest

from tallystick.apps.receivables.deals import offer_of
from tallystick.apps.receivables.interface import deal, piece, undertaking
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.records import Piece
from tallystick.apps.receivables.tests.market import NO_DEAL, NO_PIECE, NO_UNDERTAKING, Market
from tallystick.ledger.refusal import Fault, Refused


def test_records_are_found_by_their_id() -> None:
    market = Market()
    made = market.opened(100000)
    (deal_id,) = market.applied("S1", made, "bank-a")
    view = market.world.view()
    assert piece(view, made).holder == "S1"
    assert undertaking(view, market.of(made)).debtor == "D1"
    assert deal(view, deal_id).financier == "bank-a"


def test_what_is_not_there_is_refused() -> None:
    view = Market().world.view()
    with pytest.raises(Refused, match="NO_SUCH_PIECE"):
        piece(view, NO_PIECE)
    with pytest.raises(Refused, match="NO_SUCH_UNDERTAKING"):
        undertaking(view, NO_UNDERTAKING)
    with pytest.raises(Refused, match="NO_SUCH_DEAL"):
        deal(view, NO_DEAL)


def test_what_a_rule_of_ours_would_have_lost_is_a_fault() -> None:
    market = Market()
    (deal_id,) = market.applied("S1", market.opened(100000), "bank-a")
    view = market.world.view()
    with pytest.raises(Fault, match="is not there"):
        known(view, Piece, NO_PIECE)
    with pytest.raises(Fault, match="no offer"):
        offer_of(deal(view, deal_id))
