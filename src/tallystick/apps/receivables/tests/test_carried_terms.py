"""Who holds a piece, or is asked for money on it, reads by which terms it is paid."""

from typing import Any

import pytest

from tallystick.apps.receivables.messages import AcceptOffer
from tallystick.apps.receivables.queries import deal, piece, undertaking
from tallystick.apps.receivables.records import Alert, Deal, Piece, Undertaking
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import AlertKind, DealStatus
from tallystick.apps.receivables.tests.market import CNY, Market
from tallystick.ledger.refusal import Refused
from tallystick.values.time import at

CHINA = 480
AGREED: dict[str, Any] = {
    "moneys": (CNY, "CNY@bank-a"),
    "min_piece_minor": 500,
    "hops_max": 4,
    "late_ppm_per_day": 600,
    "grace_banking_days": 5,
}


@pytest.fixture
def market() -> Market:
    return Market()


def terms(of: Piece | Undertaking) -> tuple[object, ...]:
    """What a holder must know."""
    dates = (of.due_day, of.payment_day, of.grace_end_day, of.transfer_cutoff_at_ms)
    return (*dates, of.late_ppm_per_day, of.moneys, of.min_piece_minor, of.hops_max)


def test_the_first_piece_carries_what_was_agreed(market: Market) -> None:
    first = market.piece(market.opened(100000, **AGREED))
    assert terms(first) == (
        "2026-10-01",
        "2026-10-08",
        "2026-10-14",
        at("2026-09-29", 0, CHINA),
        600,
        (CNY, "CNY@bank-a"),
        500,
        4,
    )


def test_what_is_left_out_comes_from_the_parameters(market: Market) -> None:
    market.set_parameter("hops_max", 2)
    first = market.piece(market.opened(100000))
    market.set_parameter("hops_max", 9)
    assert (first.moneys, first.min_piece_minor, first.hops_max) == ((), 1, 2)


def test_a_holder_further_down_reads_them_and_not_the_undertaking(market: Market) -> None:
    whole = market.opened(100000, **AGREED)
    part, _ = market.split("S1", whole, 30000, 70000)
    market.held_by("S1", part, "S2")
    small, _ = market.split("S2", part, 10000, 20000)
    market.held_by("S2", small, "T3")
    seen = market.world.view("T3")
    assert terms(piece(seen, small)) == terms(market.undertaking(market.of(whole)))
    assert piece(seen, small).former_holders == ()
    with pytest.raises(Refused) as refused:
        undertaking(seen, market.of(whole))
    assert refused.value.code is Refusal.NO_SUCH_UNDERTAKING
    assert list(seen.scan(Undertaking)) == []
    assert [each.piece_id for each in seen.scan(Piece)] == [small]


def test_who_is_asked_reads_in_whose_money_it_is_paid(market: Market) -> None:
    whole = market.opened(100000, **AGREED)
    (asked,) = market.applied("S1", whole, "bank-b")
    seen = deal(market.world.view("bank-b"), asked)
    assert (seen.payment_day, seen.grace_end_day) == ("2026-10-08", "2026-10-14")
    assert (seen.moneys, seen.late_ppm_per_day) == ((CNY, "CNY@bank-a"), 600)
    assert list(market.world.view("bank-b").scan(Piece)) == []
    assert list(market.world.view("bank-a").scan(Deal)) == []


# --- Dates that move: due on 2 January of a year that is not published yet


def late_in_the_year(market: Market, count: int) -> tuple[str, ...]:
    """Pieces of an undertaking due on 2 January 2027, on 15 December."""
    whole = market.opened(10000 * count, due_day="2027-01-02")
    market.at("2026-12-15")
    return market.split("S1", whole, *(10000,) * count)


def test_moved_dates_reach_pieces_applications_and_deals(market: Market) -> None:
    kept, asked, offered, agreed, sold = late_in_the_year(market, 5)
    market.held_by("S1", kept, "S2")
    days = {"valid_until": "2026-12-28", "disburse_by": "2026-12-28"}
    market.mint("bank-a", 100000)
    deals = [market.applied("S1", each, "bank-a")[0] for each in (asked, offered, agreed)]
    for deal_id in deals[1:]:
        market.offered(deal_id, **days)
    market.does("S1", AcceptOffer(deal_id=deals[2]))
    bought = market.financed("S1", sold, "bank-a", **days)
    before = ("2027-01-02", "2027-01-05", at("2026-12-31", 0, CHINA))
    for each in (kept, asked, offered, agreed, sold):
        found = market.piece(each)
        assert (found.payment_day, found.grace_end_day, found.transfer_cutoff_at_ms) == before

    market.publish_2027(holidays=("2027-01-01",))
    market.world.passes(days=8)

    after = ("2027-01-04", "2027-01-07", at("2026-12-30", 0, CHINA))
    for each in (kept, asked, offered, agreed, sold):
        found = market.piece(each)
        assert (found.payment_day, found.grace_end_day, found.transfer_cutoff_at_ms) == after
    found_deals = [market.deal(each) for each in (*deals, bought)]
    assert [each.status for each in found_deals] == [
        DealStatus.APPLIED,
        DealStatus.OFFERED,
        DealStatus.ACCEPTED,
        DealStatus.FINANCED,
    ]
    told = [(each.payment_day, each.grace_end_day) for each in found_deals]
    assert told == [after[:2], before[:2], before[:2], after[:2]]
    market.does("bank-a", market.disburse(deals[2], amount_minor=quoted_now(market)))
    paid = market.deal(deals[2])
    assert (paid.payment_day, paid.grace_end_day) == after[:2]


def quoted_now(market: Market) -> int:
    """100.00 at 4.35 % for the 12 days from 23 December to 4 January: 0.15 of interest."""
    assert market.world.view().now_ms < at("2026-12-24", 0, CHINA)
    return 10000 - 15


def test_grace_that_moves_alone_is_entered_without_an_alert(market: Market) -> None:
    whole = market.opened(10000, due_day="2026-12-31")
    assert market.piece(whole).grace_end_day == "2027-01-03"
    market.publish_2027(holidays=("2027-01-01",))
    market.world.passes(days=8)
    assert market.piece(whole).grace_end_day == "2027-01-06"
    assert market.alerts("S1") == []


def test_grace_that_moves_after_the_payment_date_is_entered_too(market: Market) -> None:
    whole = market.opened(10000, due_day="2026-12-29")
    market.at("2026-12-30")
    assert market.piece(whole).grace_end_day == "2027-01-01"
    market.publish_2027(holidays=("2027-01-01",))
    market.at("2027-01-04", 20 * 60)
    assert market.piece(whole).grace_end_day == "2027-01-04"
    assert [each.kind for each in market.alerts("S1")] == [AlertKind.OVERDUE]


def test_many_pieces_take_the_date_over_in_steps(market: Market) -> None:
    whole = market.opened(150, due_day="2027-01-02")
    *parts, rest = market.split("S1", whole, *(1,) * 99, 51)
    parts += market.split("S1", rest, *(1,) * 51)
    market.publish_2027(holidays=("2027-01-01",))
    market.world.passes(days=8)
    assert {market.piece(each).payment_day for each in parts} == {"2027-01-04"}
    assert len(list(market.world.view().scan(Alert))) == 150
    assert market.undertaking(market.of(whole)).tellings == 0
