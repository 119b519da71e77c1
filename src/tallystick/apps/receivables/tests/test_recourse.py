"""NotifyRecourse, RepayRecourse, WriteOff, and claims that fail."""

from typing import Any

import pytest
from msgspec.structs import replace

from tallystick.apps.cash.messages import Transfer as PayOut
from tallystick.apps.cash.refusals import Refusal as Cash
from tallystick.apps.documents.queries import registration
from tallystick.apps.documents.records import Reason, RegistrationStatus
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import NotifyRecourse, Pay, RepayRecourse, WriteOff
from tallystick.apps.receivables.queries import claim_today, claims
from tallystick.apps.receivables.records import Payable, RecourseClaim
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    ClaimStatus,
    DealStatus,
    InterestMethod,
    PieceStatus,
    Retired,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import CNY, NO_CLAIM, NO_DEAL, NO_PIECE, Market

IN_DEFAULT = "2026-10-13"


@pytest.fixture
def market() -> Market:
    market = Market()
    market.mint("bank-a", 100_000_000)
    market.mint("factor-a", 100_000_000)
    return market


def factored(market: Market, piece: str, **terms: Any) -> str:
    """A piece of S1 financed with recourse at 80 %, 6 % in arrears."""
    given: dict[str, Any] = {
        "recourse": True,
        "advance_ppm": 800_000,
        "method": InterestMethod.ARREARS_ON_ADVANCE,
        "rate_ppm": 60_000,
    }
    return market.financed("S1", piece, "factor-a", **(given | terms))


def claim(market: Market, claim_id: str) -> RecourseClaim:
    """A claim as it is."""
    return market.world.view().get(RecourseClaim, claim_id)


def notified(market: Market, piece: str) -> tuple[str, str]:
    """A deal with recourse in default and the claim under it."""
    deal_id = factored(market, piece)
    market.at(IN_DEFAULT)
    return deal_id, market.does("factor-a", NotifyRecourse(deal_id=deal_id)).id


def repay(market: Market, claim_id: str, **more: Any) -> RepayRecourse:
    """Meeting a claim with what it is today."""
    deal_id = claim(market, claim_id).deal_id
    owed = claim_today(market.world.view(), deal_id).total_minor
    given: dict[str, Any] = {"claim_id": claim_id, "money": CNY, "amount_minor": owed}
    return RepayRecourse(**(given | more))


# --- NotifyRecourse


def test_the_claim_is_advance_and_interest_never_the_face(market: Market) -> None:
    _, claim_id = notified(market, market.opened(100000))
    made = claim(market, claim_id)
    assert made.amount_minor == 80000 + 1360
    assert (made.status, made.noticed_day) == (ClaimStatus.NOTIFIED, IN_DEFAULT)
    (mine,) = claims(market.world.view("S1"), "S1")
    assert mine.claim_id == claim_id


def test_interest_taken_upfront_runs_on_from_the_payment_date(market: Market) -> None:
    deal_id = factored(market, market.opened(100000), method=InterestMethod.UPFRONT_ON_FACE)
    market.at("2026-10-18")
    owed = claim_today(market.world.view("factor-a"), deal_id)
    assert (owed.advance_minor, owed.interest_minor) == (80000, 133)


def test_notify_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    sold, other = market.split("S1", piece, 50000, 50000)
    bought = market.financed("S1", sold, "bank-a")
    waiting = market.applied("S1", other, "factor-b")[0]
    market.withdraws("S1", waiting)
    deal_id = factored(market, other)
    notify = NotifyRecourse(deal_id=deal_id)
    market.refuses("factor-a", NotifyRecourse(deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-a", notify, Refusal.NOT_FINANCIER)
    market.refuses("factor-b", NotifyRecourse(deal_id=waiting), Refusal.DEAL_CLOSED)
    market.refuses("bank-a", NotifyRecourse(deal_id=bought), Refusal.NO_RECOURSE)
    market.refuses("factor-a", notify, Refusal.NOT_DEFAULTED)
    market.at("2026-10-12", 23 * 60 + 59)
    market.refuses("factor-a", notify, Refusal.NOT_DEFAULTED)
    market.at(IN_DEFAULT)
    market.refuses("bank-a", NotifyRecourse(deal_id=bought), Refusal.NO_RECOURSE)
    market.does("factor-a", notify)
    market.refuses("factor-a", notify, Refusal.ALREADY_NOTIFIED)


def many_in_default(market: Market) -> tuple[str, str, str, str]:
    """A long cascade in default: undertaking, deal with recourse, its piece, another piece."""
    whole = market.opened(30000)
    *_, rest = market.split("S1", whole, *([100] * 99), 20100)
    *_, rest = market.split("S1", rest, *([100] * 99), 10200)
    first, second, _ = market.split("S1", rest, 5000, 5000, 200)
    deal_id = factored(market, second)
    market.at(IN_DEFAULT)
    return market.of(whole), deal_id, second, first


def test_nothing_is_claimed_or_given_up_while_a_payment_is_shared_out(market: Market) -> None:
    made, deal_id, _, other = many_in_default(market)
    claimed = market.copy()
    claim_id = claimed.does("factor-a", NotifyRecourse(deal_id=deal_id)).id
    for each in (market, claimed):
        each.mint("D1", 10000)
        each.does("D1", Pay(undertaking_id=made, money=CNY, amount_minor=10000))
    late = market.copy()
    market.refuses("factor-a", NotifyRecourse(deal_id=deal_id), Refusal.CASCADE_RUNNING)
    late.refuses("S1", WriteOff(piece_id=other), Refusal.CASCADE_RUNNING)
    claimed.refuses("S1", repay(claimed, claim_id), Refusal.CASCADE_RUNNING)


# --- RepayRecourse


def test_who_repays_gets_the_rest_of_the_piece_with_its_rights(market: Market) -> None:
    piece = market.opened(100000)
    deal_id, claim_id = notified(market, piece)
    cash = market.cash("factor-a")
    market.mint("S1", 1360)
    market.does("S1", repay(market, claim_id))
    assert market.cash("factor-a") - cash == 81360
    back = market.piece(piece)
    assert (back.holder, back.deal_id, back.left_minor) == ("S1", None, 100000)
    assert market.deal(deal_id).status is DealStatus.REPAID
    met = claim(market, claim_id)
    assert (met.status, met.repaid_minor) == (ClaimStatus.REPAID, 81360)
    paper = registration(market.world.view(), market.deal(deal_id).registrations[0])
    assert (paper.status, paper.reason) == (RegistrationStatus.CANC, Reason.OBSA)
    market.at("2026-10-18")
    market.pays(market.of(piece), 100500)
    assert market.undertaking(market.of(piece)).status is UndertakingStatus.PAID


def test_a_claim_on_part_of_an_undertaking_frees_no_invoice(market: Market) -> None:
    piece, _ = market.split("S1", market.opened(100000), 60000, 40000)
    deal_id, claim_id = notified(market, piece)
    market.mint("S1", 10000)
    market.does("S1", repay(market, claim_id))
    paper = registration(market.world.view(), market.deal(deal_id).registrations[0])
    assert paper.status is RegistrationStatus.FNCD


def test_a_claim_on_a_later_holder_frees_no_invoice_of_the_first(market: Market) -> None:
    piece = market.opened(100000)
    market.held_by("S1", piece, "S2")
    deal_id = market.financed("S2", piece, "factor-a", recourse=True, rate_ppm=0)
    market.at(IN_DEFAULT)
    claim_id = market.does("factor-a", NotifyRecourse(deal_id=deal_id)).id
    market.does("S2", repay(market, claim_id))
    assert market.piece(piece).holder == "S2"
    paper = registration(market.world.view(), market.deal(deal_id).registrations[0])
    assert paper.status is RegistrationStatus.FNCD


def test_repay_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000, moneys=(CNY,))
    _, claim_id = notified(market, piece)
    good = repay(market, claim_id)
    market.refuses("S1", replace(good, claim_id=NO_CLAIM), Refusal.NO_SUCH_CLAIM)
    market.refuses("factor-a", good, Refusal.NOT_ASSIGNOR)
    market.refuses("S1", replace(good, money="CNY@bank-a"), Refusal.MONEY_NOT_ACCEPTED)
    market.refuses("S1", replace(good, amount_minor=100000), Refusal.AMOUNT_DIFFERS)
    market.refuses("S1", good, Cash.INSUFFICIENT)
    market.mint("S1", 1360)
    frozen = market.copy()
    frozen.freeze(piece, "factor-a")
    frozen.refuses("S1", good, Members.FROZEN)
    market.does("S1", good)
    market.refuses("S1", good, Refusal.CLAIM_CLOSED)


def test_the_debtors_payment_meets_a_claim_too(market: Market) -> None:
    piece = market.opened(100000)
    deal_id, claim_id = notified(market, piece)
    market.pays(market.of(piece), 90000)
    assert market.deal(deal_id).status is DealStatus.REPAID
    assert claim(market, claim_id).status is ClaimStatus.REPAID
    assert market.piece(piece).holder == "S1"
    again = repay(market, claim_id, amount_minor=0)
    market.refuses("S1", again, Refusal.CLAIM_CLOSED)
    market.refuses("factor-a", NotifyRecourse(deal_id=deal_id), Refusal.DEAL_CLOSED)


# --- FailRecourse


def test_a_claim_that_failed_may_still_be_met(market: Market) -> None:
    piece = market.opened(100000)
    _, claim_id = notified(market, piece)
    market.at("2026-10-28", 0)
    assert claim(market, claim_id).status is ClaimStatus.FAILED
    market.mint("S1", 10000)
    market.does("S1", repay(market, claim_id))
    assert claim(market, claim_id).status is ClaimStatus.REPAID


def test_nothing_comes_back_of_a_piece_that_was_given_up(market: Market) -> None:
    piece = market.opened(100000)
    _, claim_id = notified(market, piece)
    market.at("2026-10-28", 0)
    market.does("factor-a", WriteOff(piece_id=piece))
    market.mint("S1", 10000)
    market.refuses("S1", repay(market, claim_id), Refusal.PIECE_RETIRED, piece_id=piece)


def test_a_claim_met_in_time_does_not_fail(market: Market) -> None:
    _, claim_id = notified(market, market.opened(100000))
    market.mint("S1", 10000)
    market.does("S1", repay(market, claim_id))
    market.at("2026-10-28", 0)
    assert claim(market, claim_id).status is ClaimStatus.REPAID


# --- WriteOff


def test_a_holder_gives_up_what_is_left(market: Market) -> None:
    first, second = market.split("S1", market.opened(100000), 60000, 40000)
    made = market.of(first)
    market.at(IN_DEFAULT)
    market.pays(made, 10000)
    left = market.piece(first).left_minor
    market.does("S1", WriteOff(piece_id=first))
    gone = market.piece(first)
    assert (gone.status, gone.retired, gone.written_off_minor) == (
        PieceStatus.RETIRED,
        Retired.WRITTEN_OFF,
        left,
    )
    assert market.undertaking(made).status is UndertakingStatus.DEFAULTED
    market.does("S1", WriteOff(piece_id=second))
    assert market.undertaking(made).status is UndertakingStatus.WRITTEN_OFF
    assert list(market.world.view().scan(Payable)) == []


def test_the_rest_may_still_be_paid(market: Market) -> None:
    first, second = market.split("S1", market.opened(100000), 60000, 40000)
    made = market.of(first)
    market.at(IN_DEFAULT)
    market.does("S1", WriteOff(piece_id=first))
    market.pays(made, 40100)
    assert market.undertaking(made).status is UndertakingStatus.PAID
    assert market.piece(second).status is PieceStatus.RETIRED


def test_write_off_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    write_off = WriteOff(piece_id=piece)
    market.refuses("S1", WriteOff(piece_id=NO_PIECE), Refusal.NO_SUCH_PIECE)
    market.refuses("S2", write_off, Refusal.NOT_HOLDER)
    market.refuses("S1", write_off, Refusal.NOT_DEFAULTED)
    market.at(IN_DEFAULT)
    frozen = market.copy()
    frozen.freeze(piece, "S1")
    frozen.refuses("S1", write_off, Members.FROZEN)
    market.does("S1", write_off)
    market.refuses("S1", write_off, Refusal.PIECE_RETIRED)


def test_recourse_comes_before_a_write_off(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = factored(market, piece)
    market.at(IN_DEFAULT)
    write_off = WriteOff(piece_id=piece)
    market.refuses("factor-a", write_off, Refusal.RECOURSE_STANDS)
    claim_id = market.does("factor-a", NotifyRecourse(deal_id=deal_id)).id
    market.refuses("factor-a", write_off, Refusal.RECOURSE_STANDS)
    market.at("2026-10-28", 0)
    market.does("factor-a", write_off)
    assert claim(market, claim_id).status is ClaimStatus.FAILED


def test_cash_spent_is_cash_gone(market: Market) -> None:
    piece = market.opened(100000)
    _, claim_id = notified(market, piece)
    market.does("S1", PayOut(to="S3", money=CNY, amount_minor=80000))
    market.refuses("S1", repay(market, claim_id), Cash.INSUFFICIENT)
