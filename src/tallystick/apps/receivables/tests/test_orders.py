"""An order on a piece kills the offers on it, for good; orders on the financier kill none."""

import pytest

from tallystick.apps.members.messages import Unfreeze
from tallystick.apps.members.parts import Scope
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import (
    FINANCE,
    AcceptOffer,
    Apply,
    BuyBack,
    Decline,
    Pass,
    Split,
    Withdraw,
)
from tallystick.apps.receivables.queries import offers
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import DealStatus
from tallystick.apps.receivables.tests.market import CNY, Market


@pytest.fixture
def market() -> Market:
    return Market()


def lifted(market: Market, piece_id: str) -> None:
    """The order on the piece is annulled."""
    told = Unfreeze(scope=Scope.PIECE, subject=piece_id, order_id="SPC 2026/118", reason="annulled")
    market.world.accepts("SUP.compliance", told)


def offered(market: Market, *financiers: str) -> tuple[str, tuple[str, ...]]:
    """A piece of S1 with an offer of each financier, valid to the end of July."""
    piece = market.opened(100000)
    made = market.applied("S1", piece, *financiers)
    for deal_id in made:
        market.offered(deal_id, valid_until="2026-07-31", disburse_by="2026-07-31")
    return piece, made


@pytest.mark.parametrize("is_lifted", (True, False))
def test_an_offer_stays_dead_when_the_order_has_ended(market: Market, is_lifted: bool) -> None:
    piece, (deal_id,) = offered(market, "bank-a")
    market.freeze(piece, "S1", days=2)
    market.refuses("S1", AcceptOffer(deal_id=deal_id), Members.FROZEN)
    if is_lifted:
        lifted(market, piece)
    else:
        market.world.passes(days=3)
    market.refuses("S1", AcceptOffer(deal_id=deal_id), Refusal.DEAL_CLOSED, deal_id=deal_id)
    assert list(offers(market.world.view("S1"), piece)) == []
    market.at("2026-08-01", 0)
    assert market.deal(deal_id).status is DealStatus.LAPSED
    assert market.piece(piece).locks == ()


def test_an_order_that_ended_before_the_offer_does_not_touch_it(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.freeze(piece, "S1", days=2)
    market.refuses("bank-a", market.offer(deal_id), Members.FROZEN)
    market.at("2026-07-06")
    market.offered(deal_id)
    assert [each.deal_id for each in offers(market.world.view("S1"), piece)] == [deal_id]
    market.does("S1", AcceptOffer(deal_id=deal_id))
    assert market.deal(deal_id).status is DealStatus.ACCEPTED


def test_an_application_outlives_an_order(market: Market) -> None:
    piece = market.opened(100000)
    first, second = market.applied("S1", piece, "bank-a", "bank-b")
    market.freeze(piece, "S1", days=2)
    market.at("2026-07-06")
    market.refuses("S1", Split(piece_id=piece, parts_minor=(1, 99999)), Refusal.PIECE_LOCKED)
    market.does("bank-b", Decline(deal_id=second))
    market.offered(first)
    market.does("S1", AcceptOffer(deal_id=first))


def test_what_is_accepted_outlives_an_order(market: Market) -> None:
    piece, (deal_id,) = offered(market, "bank-a")
    market.mint("bank-a", 100000)
    market.does("S1", AcceptOffer(deal_id=deal_id))
    market.freeze(piece, "S1", days=2)
    market.refuses("bank-a", market.disburse(deal_id), Members.FROZEN)
    market.at("2026-07-06")
    market.does("bank-a", market.disburse(deal_id, amount_minor=98864))
    assert market.piece(piece).holder == "bank-a"


def test_dead_offers_lapse_as_soon_as_the_piece_is_used(market: Market) -> None:
    piece, (first, second) = offered(market, "bank-a", "bank-b")
    market.freeze(piece, "S1", days=2)
    split = Split(piece_id=piece, parts_minor=(1, 99999))
    market.refuses("S1", split, Members.FROZEN)
    market.at("2026-07-06")
    other = market.copy()
    (again,) = other.applied("S1", piece, "bank-a")
    assert [lock.subject for lock in other.piece(piece).locks] == [again]
    market.does("S1", split)
    for world in (market, other):
        statuses = [world.deal(each).status for each in (first, second)]
        assert statuses == [DealStatus.LAPSED, DealStatus.LAPSED]


def test_an_application_beside_a_dead_offer_still_binds(market: Market) -> None:
    piece, (dead,) = offered(market, "bank-a")
    market.freeze(piece, "S1", days=2)
    market.at("2026-07-06")
    (alive,) = market.applied("S1", piece, "bank-b")
    market.offered(alive, valid_until="2026-07-31", disburse_by="2026-07-31")
    market.refuses(
        "S1", Split(piece_id=piece, parts_minor=(1, 99999)), Refusal.PIECE_LOCKED, kind="offered"
    )
    (same,) = market.applied("S1", piece, "bank-a")
    assert len({dead, alive, same}) == 3
    assert [lock.subject for lock in market.piece(piece).locks] == [alive, same]


def test_a_dead_offer_that_is_withdrawn_has_lapsed(market: Market) -> None:
    piece, (deal_id,) = offered(market, "bank-a")
    market.freeze(piece, "S1", days=2)
    market.at("2026-07-06")
    market.does("S1", Withdraw(deal_id=deal_id))
    assert market.deal(deal_id).status is DealStatus.LAPSED
    assert market.piece(piece).locks == ()


def test_dead_offers_do_not_stand_in_the_way_of_a_buy_back(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("bank-a", 100000)
    deal_id = market.financed("S1", piece, "bank-a", rate_ppm=0)
    (onward,) = market.applied("bank-a", piece, "bank-b")
    market.offered(onward, valid_until="2026-07-31", disburse_by="2026-07-31")
    back = BuyBack(deal_id=deal_id, money=CNY, amount_minor=100000)
    market.refuses("S1", back, Refusal.PIECE_LOCKED)
    market.freeze(piece, "bank-a", days=2)
    market.refuses("S1", back, Members.FROZEN)
    market.at("2026-07-06")
    market.does("S1", back)
    assert market.deal(onward).status is DealStatus.LAPSED
    assert market.piece(piece).holder == "S1"


@pytest.mark.parametrize("verbs", ((), (FINANCE,)))
def test_orders_on_the_financier_kill_no_offer(market: Market, verbs: tuple[str, ...]) -> None:
    """It cannot withdraw what it offered; it must not be able to by being suspended either."""
    _, (deal_id,) = offered(market, "bank-a")
    if verbs:
        market.suspend_verb("bank-a", FINANCE)
    else:
        market.suspend("bank-a")
    market.does("S1", AcceptOffer(deal_id=deal_id))
    assert market.deal(deal_id).status is DealStatus.ACCEPTED


def test_an_order_on_another_piece_kills_nothing(market: Market) -> None:
    _, (deal_id,) = offered(market, "bank-a")
    market.freeze(market.opened(5000), "S1")
    market.does("S1", AcceptOffer(deal_id=deal_id))


def test_who_passes_on_or_asks_anew_is_refused_for_other_reasons_first(market: Market) -> None:
    piece, _ = offered(market, "bank-a")
    market.freeze(piece, "S1", days=2)
    for ask in (Pass(piece_id=piece, to="S2"), Apply(piece_id=piece, financiers=("bank-b",))):
        market.refuses("S1", ask, Members.FROZEN)
        market.refuses("S2", ask, Refusal.NOT_HOLDER)
