"""Disburse and BuyBack: the piece against the money."""

from typing import Any

import pytest
from msgspec.structs import replace

from tallystick.apps.cash.interface import available
from tallystick.apps.cash.messages import Transfer as PayOut
from tallystick.apps.cash.refusals import Refusal as Cash
from tallystick.apps.documents.queries import registration
from tallystick.apps.documents.records import RegistrationStatus
from tallystick.apps.members.interface import Scope
from tallystick.apps.members.messages import Freeze
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import AcceptOffer, AcceptPass, BuyBack, Disburse
from tallystick.apps.receivables.queries import price_today
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    AlertKind,
    DealStatus,
    Fee,
    FeeBasis,
    FeeTime,
    InterestMethod,
    WarningKind,
)
from tallystick.apps.receivables.tests.market import CNY, NO_DEAL, Market, attested


@pytest.fixture
def market() -> Market:
    market = Market()
    market.mint("bank-a", 100_000_000)
    market.mint("factor-a", 100_000_000)
    return market


def fixed(payer: str, payee: str, amount_minor: int) -> Fee:
    """A fixed fee, upfront."""
    return Fee(
        name="fee",
        payer=payer,
        payee=payee,
        basis=FeeBasis.FIXED,
        fixed_minor=amount_minor,
        when=FeeTime.UPFRONT,
    )


def accepted(market: Market, piece: str, financier: str = "bank-a", **terms: Any) -> str:
    """A deal that only waits for the money."""
    (deal_id,) = market.applied("S1", piece, financier)
    market.offered(deal_id, **terms)
    market.does("S1", AcceptOffer(deal_id=deal_id))
    return deal_id


def acceptance(market: Market) -> AcceptPass:
    """S2 accepts what waits for it."""
    return AcceptPass(transfer_id=market.transfers("S2")[0])


def transfer_away(amount_minor: int) -> PayOut:
    """Cash that S1 spends elsewhere."""
    return PayOut(to="S3", money=CNY, amount_minor=amount_minor)


# --- Disburse


def test_piece_and_cash_move_together(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = accepted(market, piece)
    cash = market.cash("bank-a")
    net = market.deal(deal_id).net_cash_minor
    market.does("bank-a", market.disburse(deal_id))
    assert (market.cash("S1"), cash - market.cash("bank-a")) == (net, net)
    held = market.piece(piece)
    assert (held.holder, held.deal_id, held.locks) == ("bank-a", deal_id, ())
    deal = market.deal(deal_id)
    assert (deal.status, deal.value_day) == (DealStatus.FINANCED, "2026-07-03")
    assert deal.attestation is not None
    paper = registration(market.world.view(), deal.registrations[0])
    assert (paper.status, paper.financiers) == (RegistrationStatus.FNCD, ("bank-a",))


def test_later_money_costs_less_and_pays_no_less_than_shown(market: Market) -> None:
    piece = market.opened(22500000)
    deal_id = accepted(market, piece)
    shown = market.deal(deal_id)
    assert shown.days == 97
    market.at("2026-07-06")
    market.refuses(
        "bank-a", market.disburse(deal_id), Refusal.AMOUNT_DIFFERS, expected_minor=22244437
    )
    market.does("bank-a", market.disburse(deal_id, amount_minor=22244437))
    assert market.deal(deal_id).days == 94
    assert market.cash("S1") > shown.net_cash_minor


def test_every_fee_goes_to_its_payee(market: Market) -> None:
    piece = market.opened(100000)
    fees = (fixed("S1", "bank-a", 100), fixed("S1", "D3", 20), fixed("bank-a", "S3", 7))
    deal_id = accepted(market, piece, rate_ppm=0, fees=fees)
    assert market.deal(deal_id).fees_minor == 120
    cash = market.cash("bank-a")
    market.does("bank-a", market.disburse(deal_id))
    assert (market.cash("S1"), market.cash("D3"), market.cash("S3")) == (99880, 20, 7)
    assert cash - market.cash("bank-a") == 99880 + 20 + 7


def test_a_fee_that_rounds_to_nothing_moves_nothing(market: Market) -> None:
    piece = market.opened(100)
    tiny = Fee(
        name="tiny",
        payer="S1",
        payee="D3",
        basis=FeeBasis.FACE,
        rate_ppm=1,
        when=FeeTime.UPFRONT,
    )
    deal_id = accepted(market, piece, rate_ppm=0, fees=(tiny,))
    market.does("bank-a", market.disburse(deal_id))
    assert (market.cash("S1"), market.cash("D3")) == (100, 0)


def test_disburse_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = accepted(market, piece, value_day="2026-07-06")
    good = market.disburse(deal_id)
    market.refuses("bank-a", replace(good, deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-b", good, Refusal.NOT_FINANCIER)
    market.refuses("bank-a", good, Refusal.TOO_EARLY, day="2026-07-06")
    frozen = market.copy()
    frozen.freeze(piece, "S1")
    frozen.refuses("bank-a", good, Members.FROZEN)
    market.at("2026-07-06")
    for day in ("start_day", "end_day"):
        bad = replace(attested(), **{day: "2026-02-30"})
        market.refuses("bank-a", replace(good, attestation=bad), Refusal.NO_SUCH_DAY)
    for early, late in (("2026-07-07", "2027-07-02"), ("2026-07-01", "2026-07-05")):
        bad = attested(early, late)
        market.refuses("bank-a", replace(good, attestation=bad), Refusal.ATTESTATION_WRONG)
    short = attested(end_day="2027-01-05")
    market.refuses("bank-a", replace(good, attestation=short), Refusal.WARNING_STANDS)
    market.refuses("bank-a", replace(good, money="CNY@bank-a"), Refusal.MONEY_NOT_ACCEPTED)
    wrong = replace(good, amount_minor=good.amount_minor + 1)
    market.refuses("bank-a", wrong, Refusal.AMOUNT_DIFFERS, expected_minor=good.amount_minor)
    market.does("bank-a", good)
    market.refuses("bank-a", good, Refusal.DEAL_CLOSED)


def test_a_registration_that_ends_early_is_named(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = accepted(market, piece)
    early = market.disburse(
        deal_id,
        attestation=attested(end_day="2027-01-05"),
        clears=(WarningKind.REGISTRATION_ENDS_EARLY,),
    )
    market.does("bank-a", early)
    assert market.deal(deal_id).cleared == (WarningKind.REGISTRATION_ENDS_EARLY,)


def test_ninety_days_after_the_payment_date_are_enough(market: Market) -> None:
    deal_id = accepted(market, market.opened(100000))
    market.does("bank-a", market.disburse(deal_id, attestation=attested(end_day="2027-01-06")))
    assert market.deal(deal_id).cleared == ()


def test_money_that_is_not_there_moves_no_piece(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = accepted(market, piece, "bank-b")
    market.refuses("bank-b", market.disburse(deal_id), Cash.INSUFFICIENT)
    assert market.piece(piece).holder == "S1"


# --- BuyBack


def test_with_interest_in_arrears_the_price_is_the_claim(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = market.financed(
        "S1",
        piece,
        "factor-a",
        recourse=True,
        advance_ppm=800_000,
        method=InterestMethod.ARREARS_ON_ADVANCE,
        rate_ppm=60_000,
    )
    market.at("2026-08-02")
    price = price_today(market.world.view("S1"), deal_id).price_minor
    assert price == 80000 + 400
    market.mint("S1", 400)
    market.does("S1", BuyBack(deal_id=deal_id, money=CNY, amount_minor=price))
    assert market.piece(piece).former_holders == ()
    assert market.deal(deal_id).received_minor == price


def test_with_recourse_and_interest_upfront_the_price_is_the_advance_less_rebate(
    market: Market,
) -> None:
    piece = market.opened(100000)
    deal_id = market.financed(
        "S1", piece, "factor-a", recourse=True, advance_ppm=800_000, rate_ppm=36_000
    )
    assert market.cash("S1") == 80000 - 970
    market.at("2026-08-03")
    price = price_today(market.world.view("S1"), deal_id).price_minor
    assert price == 80000 - 660
    market.mint("S1", 970)
    market.does("S1", BuyBack(deal_id=deal_id, money=CNY, amount_minor=price))


def test_a_buy_back_tells_the_financier_to_take_its_registration_off(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = market.financed("S1", piece, "bank-a", rate_ppm=0)
    market.does("S1", BuyBack(deal_id=deal_id, money=CNY, amount_minor=100000))
    (alert,) = market.alerts("bank-a")
    assert (alert.kind, alert.subject, alert.day) == (
        AlertKind.DEREGISTER,
        deal_id,
        "2026-07-17",
    )


def test_buy_back_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000, moneys=(CNY,))
    (deal_id,) = market.applied("S1", piece, "bank-a")
    good = BuyBack(deal_id=deal_id, money=CNY, amount_minor=100000)
    market.refuses("S1", good, Refusal.DEAL_CLOSED)
    market.offered(deal_id, rate_ppm=0)
    market.does("S1", AcceptOffer(deal_id=deal_id))
    market.refuses("S1", replace(good, deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-a", good, Refusal.NOT_ASSIGNOR)
    market.refuses("S1", good, Refusal.DEAL_CLOSED)
    market.does("bank-a", market.disburse(deal_id))
    frozen = market.copy()
    frozen.freeze(piece, "bank-a")
    frozen.refuses("S1", good, Members.FROZEN)
    late = market.copy()
    late.at("2026-09-29", 0)
    late.refuses("S1", good, Refusal.TRANSFERS_ENDED)
    passing = market.copy()
    passing.passed("bank-a", piece, "S2")
    passing.refuses("S1", good, Refusal.PIECE_LOCKED)
    passing.does("S2", acceptance(passing))
    passing.refuses("S1", good, Refusal.DEAL_CLOSED)
    cut = market.copy()
    cut.split("bank-a", piece, 1, 99999)
    cut.refuses("S1", good, Refusal.DEAL_CLOSED)
    market.refuses("S1", replace(good, money="CNY@bank-a"), Refusal.MONEY_NOT_ACCEPTED)
    market.refuses("S1", replace(good, amount_minor=99999), Refusal.AMOUNT_DIFFERS)
    market.does("S1", transfer_away(90000))
    market.refuses("S1", good, Cash.INSUFFICIENT)


def test_a_buy_back_must_have_been_agreed(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = market.financed("S1", piece, "bank-a", rate_ppm=0, buy_back=False)
    ask = BuyBack(deal_id=deal_id, money=CNY, amount_minor=100000)
    market.refuses("S1", ask, Refusal.BUY_BACK_NOT_AGREED)


def test_a_frozen_account_still_receives(market: Market) -> None:
    piece = market.opened(100000)
    deal_id = accepted(market, piece)
    market.world.accepts(
        "SUP.compliance",
        Freeze(
            scope=Scope.CASH_ACCOUNT,
            subject=f"{CNY}/S1",
            member="S1",
            order_id="SPC 2026/120",
            expires_at_ms=market.world.ledger_ms + 86_400_000,
            reason="court ruling",
        ),
    )
    market.does("bank-a", market.disburse(deal_id))
    assert available(market.world.view(), "S1", CNY) > 0
    assert isinstance(market.disburse(deal_id), Disburse)
