"""Apply, Offer, Decline, AcceptOffer, Withdraw, and steps that lapse."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tallystick.apps.documents.refusals import Refusal as Papers
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import (
    FINANCE,
    AcceptOffer,
    AcceptPass,
    Apply,
    Decline,
    LapseDeal,
    Pass,
    Split,
    Withdraw,
)
from tallystick.apps.receivables.queries import applications, deals, offers
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    AlertKind,
    DealStatus,
    Fee,
    FeeBasis,
    FeeTime,
    InterestMethod,
    LockKind,
)
from tallystick.apps.receivables.tests.market import CNY, NO_DEAL, NO_PIECE, Market
from tallystick.ledger.refusal import RefusalCode
from tallystick.ledger.system import PendingTimer
from tallystick.values.codec import encode


@pytest.fixture
def market() -> Market:
    return Market()


def fee(**told: Any) -> Fee:
    """A fee of 0.1 % of the face, from S1 to bank-a, upfront."""
    given: dict[str, Any] = {
        "name": "handling",
        "payer": "S1",
        "payee": "bank-a",
        "basis": FeeBasis.FACE,
        "rate_ppm": 1000,
        "when": FeeTime.UPFRONT,
    }
    return Fee(**(given | told))


# --- Apply


def test_each_financier_gets_its_own_application(market: Market) -> None:
    piece = market.opened(100000)
    made = market.applied("S1", piece, "bank-a", "bank-b", "factor-a")
    assert [market.deal(each).financier for each in made] == ["bank-a", "bank-b", "factor-a"]
    assert {market.deal(each).status for each in made} == {DealStatus.APPLIED}
    assert {lock.kind for lock in market.piece(piece).locks} == {LockKind.OFFERED}
    seen = market.world.view("bank-b")
    assert [each.deal_id for each in deals(seen, "bank-b")] == [made[1]]
    assert list(deals(seen, "bank-a")) == []
    assert len(list(applications(market.world.view("S1"), "S1"))) == 3


def test_apply_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)

    def ask(*financiers: str, of: str = piece) -> Apply:
        return Apply(piece_id=of, financiers=financiers)

    market.refuses("S1", ask("bank-a", of=NO_PIECE), Refusal.NO_SUCH_PIECE)
    market.refuses("S2", ask("bank-a"), Refusal.NOT_HOLDER)
    market.refuses("S1", ask("S1"), Refusal.FINANCIER_TWICE)
    market.refuses("S1", ask("D1"), Refusal.FINANCIER_TWICE)
    market.refuses("S1", ask("bank-a", "bank-a"), Refusal.FINANCIER_TWICE)
    market.refuses("S1", ask("nobody"), Members.NOT_A_MEMBER)
    market.refuses("S1", ask("S2"), Members.UNLICENSED)
    market.applied("S1", piece, "bank-a")
    market.refuses("S1", ask("bank-a"), Refusal.FINANCIER_TWICE)
    other = market.opened(50000)
    market.passed("S1", other, "S2")
    market.refuses("S1", ask("bank-a", of=other), Refusal.PIECE_LOCKED)
    cut = market.opened(100)
    first, _ = market.split("S1", cut, 1, 99)
    market.refuses("S1", ask("bank-a", of=cut), Refusal.PIECE_RETIRED)
    market.freeze(first, "S1")
    market.refuses("S1", ask("bank-a", of=first), Members.FROZEN)
    market.at("2026-09-29", 0)
    market.refuses("S1", ask("bank-a"), Refusal.TRANSFERS_ENDED)


@pytest.mark.parametrize(
    ("order", "code"),
    (
        (lambda market: market.suspend("bank-a"), Members.SUSPENDED),
        (lambda market: market.expel("bank-a"), Members.EXPELLED),
        (lambda market: market.suspend_verb("bank-a", FINANCE), Members.FROZEN),
    ),
)
def test_a_financier_must_be_free_to_finance(
    market: Market, order: Callable[[Market], None], code: RefusalCode
) -> None:
    piece = market.opened(100000)
    order(market)
    market.refuses("S1", Apply(piece_id=piece, financiers=("bank-a",)), code)


def test_what_is_financed_with_recourse_is_not_financed_again(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 100000)
    recourse = {"recourse": True, "method": InterestMethod.ARREARS_ON_ADVANCE}
    market.financed("S1", piece, "factor-a", advance_ppm=800_000, **recourse)
    ask = Apply(piece_id=piece, financiers=("bank-a",))
    market.refuses("factor-a", ask, Refusal.FINANCED_WITH_RECOURSE)


def test_a_piece_bought_whole_may_be_financed_again(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 100000)
    market.mint("bank-a", 100000)
    market.financed("S1", piece, "factor-a")
    market.financed("factor-a", piece, "bank-a")
    assert market.piece(piece).former_holders == ("S1", "factor-a")


def test_only_so_many_applications_stand_on_a_piece() -> None:
    banks = {f"bank-{n}": ("bank", "large") for n in range(40)}
    usual = {"CB": ("central_bank", "large"), "SUP": ("supervisor", "large")}
    firms = {"D1": ("core_enterprise", "large"), "S1": ("supplier", "medium")}
    market = Market(members=usual | firms | banks)
    piece = market.opened(100000)
    names = sorted(banks)
    for first in (0, 10, 20):
        market.applied("S1", piece, *names[first : first + 10])
    market.refuses(
        "S1", Apply(piece_id=piece, financiers=tuple(names[30:33])), Refusal.PIECE_LOCKED
    )
    market.applied("S1", piece, *names[30:32])


def test_a_piece_of_too_many_hands_stays_where_it_is(market: Market) -> None:
    piece = market.opened(100000)
    market.set_parameter("settlement_required", 0)
    market.mint("bank-a", 100_000_000)
    market.mint("bank-b", 100_000_000)
    market.financed("S1", piece, "bank-a")
    holder, other = "bank-a", "bank-b"
    for _ in range(127):
        market.financed(holder, piece, other, rate_ppm=0)
        holder, other = other, holder
    ask = Apply(piece_id=piece, financiers=(other,))
    market.refuses(holder, ask, Refusal.TOO_MANY_HOPS)
    market.refuses(holder, Pass(piece_id=piece, to="S2"), Refusal.TOO_MANY_HOPS)


# --- Offer


def test_cash_and_cost_are_shown_before_acceptance(market: Market) -> None:
    piece = market.opened(22500000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    deal = market.offered(deal_id, fees=(fee(),), value_day="2026-07-06")
    assert deal.status is DealStatus.OFFERED
    assert (deal.days, deal.net_cash_minor, deal.yearly_cost_ppm) == (94, 22221937, 48588)
    (shown,) = offers(market.world.view("S1"), piece)
    assert shown.deal_id == deal_id


def test_offers_are_shown_cheapest_first_and_never_to_rivals(market: Market) -> None:
    piece = market.opened(100000)
    dear, cheap, none = market.applied("S1", piece, "bank-a", "bank-b", "factor-a")
    market.offered(dear, rate_ppm=60_000)
    market.offered(cheap, rate_ppm=40_000)
    assert [each.deal_id for each in offers(market.world.view("S1"), piece)] == [cheap, dear]
    assert [each.deal_id for each in offers(market.world.view("bank-a"), piece)] == [dear]
    assert list(offers(market.world.view("factor-a"), piece)) == []
    assert list(offers(market.world.view("D1"), piece)) == []
    assert market.deal(none).offer is None


REFUSED: tuple[tuple[dict[str, Any], RefusalCode], ...] = (
    ({"valid_until": "2026-09-31"}, Refusal.NO_SUCH_DAY),
    ({"disburse_by": "2026-09-31"}, Refusal.NO_SUCH_DAY),
    ({"value_day": "2026-02-30"}, Refusal.NO_SUCH_DAY),
    ({"valid_until": "2026-07-02"}, Refusal.OFFER_DATES),
    ({"valid_until": "2026-07-11"}, Refusal.OFFER_DATES),
    ({"value_day": "2026-07-02"}, Refusal.OFFER_DATES),
    ({"value_day": "2026-07-11"}, Refusal.OFFER_DATES),
    ({"money": "EUR@CB"}, Refusal.MONEY_NOT_ACCEPTED),
    ({"advance_ppm": 999_999}, Refusal.OFFER_NOT_WHOLE),
    ({"method": InterestMethod.ARREARS_ON_ADVANCE}, Refusal.OFFER_NOT_WHOLE),
    ({"fees": (fee(rate_ppm=0),)}, Refusal.FEE_NOT_POSSIBLE),
    ({"fees": (fee(fixed_minor=1),)}, Refusal.FEE_NOT_POSSIBLE),
    ({"fees": (fee(basis=FeeBasis.FIXED),)}, Refusal.FEE_NOT_POSSIBLE),
    (
        {"fees": (fee(basis=FeeBasis.FIXED, rate_ppm=0, fixed_minor=0),)},
        Refusal.FEE_NOT_POSSIBLE,
    ),
    ({"fees": (fee(payer="D1"),)}, Refusal.FEE_NOT_POSSIBLE),
    ({"fees": (fee(payee="S1"),)}, Refusal.FEE_NOT_POSSIBLE),
    ({"fees": (fee(when=FeeTime.MATURITY),)}, Refusal.FEE_NOT_POSSIBLE),
    ({"fees": (fee(payee="nobody"),)}, Members.NOT_A_MEMBER),
    ({"fingerprints": ()}, Refusal.FINGERPRINTS_MISSING),
    ({"rate_ppm": 4_000_000}, Refusal.NOTHING_LEFT),
)


@pytest.mark.parametrize(("terms", "code"), REFUSED)
def test_offer_is_refused(market: Market, terms: dict[str, Any], code: RefusalCode) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.refuses("bank-a", market.offer(deal_id, **terms), code)


@pytest.mark.parametrize(
    "wrong", (fee(payee="D1"), fee(payer="bank-a", payee="S1")), ids=("other payee", "other payer")
)
def test_at_maturity_only_the_financier_takes_a_fee(market: Market, wrong: Fee) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    terms = {"recourse": True, "fees": (replace(wrong, when=FeeTime.MATURITY),)}
    market.refuses("bank-a", market.offer(deal_id, **terms), Refusal.FEE_NOT_POSSIBLE)


def test_one_cent_of_cash_is_enough(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    fixed = fee(basis=FeeBasis.FIXED, rate_ppm=0, fixed_minor=99999)
    deal = market.offered(deal_id, rate_ppm=0, fees=(fixed,))
    assert deal.net_cash_minor == 1


def test_an_offer_names_its_financiers_own_reading(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    _, other = market.invoice("S1", 5)
    wrong = market.offer(deal_id, fingerprints=(other,))
    market.refuses("bank-a", wrong, Papers.OTHER_FINGERPRINT)


def test_offer_is_refused_out_of_step(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    offer = market.offer(deal_id)
    market.refuses("bank-a", replace(offer, deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-b", offer, Refusal.NOT_FINANCIER)
    market.freeze(piece, "S1", days=1)
    market.refuses("bank-a", offer, Members.FROZEN)
    market.world.passes(days=1)
    market.does("bank-a", offer)
    market.refuses("bank-a", offer, Refusal.DEAL_CLOSED)


def test_the_branch_that_offers_is_kept(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    assert market.offered(deal_id).outlet is None


# --- Decline, Withdraw, LapseDeal


def test_decline_frees_the_piece(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.refuses("bank-a", Decline(deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-b", Decline(deal_id=deal_id), Refusal.NOT_FINANCIER)
    market.does("bank-a", Decline(deal_id=deal_id))
    assert market.deal(deal_id).status is DealStatus.DECLINED
    assert market.piece(piece).locks == ()
    market.refuses("bank-a", Decline(deal_id=deal_id), Refusal.DEAL_CLOSED)


def test_an_offer_once_made_is_not_declined(market: Market) -> None:
    (deal_id,) = market.applied("S1", market.opened(100000), "bank-a")
    market.offered(deal_id)
    market.refuses("bank-a", Decline(deal_id=deal_id), Refusal.DEAL_CLOSED)


def test_withdraw_at_any_time_before_acceptance(market: Market) -> None:
    piece = market.opened(100000)
    first, second = market.applied("S1", piece, "bank-a", "bank-b")
    market.offered(second)
    market.refuses("S1", Withdraw(deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-a", Withdraw(deal_id=first), Refusal.NOT_ASSIGNOR)
    market.does("S1", Withdraw(deal_id=first))
    market.refuses("S1", Withdraw(deal_id=first), Refusal.DEAL_CLOSED)
    market.refuses("S1", Split(piece_id=piece, parts_minor=(1, 99999)), Refusal.PIECE_LOCKED)
    market.does("S1", Withdraw(deal_id=second))
    market.split("S1", piece, 1, 99999)


def test_an_application_lapses_after_ten_banking_days(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    offer = market.offer(deal_id, valid_until="2026-07-20", disburse_by="2026-07-20")
    market.at("2026-07-18", 0)
    assert market.deal(deal_id).status is DealStatus.LAPSED
    assert market.piece(piece).locks == ()
    market.refuses("bank-a", offer, Refusal.DEAL_CLOSED)


def test_an_offer_stands_until_its_last_day_ends(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.offered(deal_id, valid_until="2026-07-31", disburse_by="2026-07-31")
    market.at("2026-07-31", 23 * 60 + 59)
    assert market.deal(deal_id).status is DealStatus.OFFERED
    market.at("2026-08-01", 0)
    assert market.deal(deal_id).status is DealStatus.LAPSED
    market.refuses("S1", AcceptOffer(deal_id=deal_id), Refusal.DEAL_CLOSED)


def test_an_offer_dies_with_the_transfer_cut_off(market: Market) -> None:
    piece = market.opened(100000)
    market.at("2026-09-25")
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.offered(deal_id, valid_until="2026-10-06", disburse_by="2026-10-06")
    market.at("2026-09-29", 0)
    assert market.deal(deal_id).status is DealStatus.LAPSED


# --- AcceptOffer


def test_acceptance_lapses_the_others_and_reserves_the_piece(market: Market) -> None:
    piece = market.opened(100000)
    one, two, three = market.applied("S1", piece, "bank-a", "bank-b", "factor-a")
    market.offered(one)
    market.offered(two)
    market.does("S1", AcceptOffer(deal_id=one))
    statuses = [market.deal(each).status for each in (one, two, three)]
    assert statuses == [DealStatus.ACCEPTED, DealStatus.LAPSED, DealStatus.LAPSED]
    (lock,) = market.piece(piece).locks
    assert (lock.kind, lock.owner, lock.subject) == (LockKind.RESERVED, "bank-a", one)
    market.refuses("S1", AcceptOffer(deal_id=two), Refusal.DEAL_CLOSED)


def test_accept_offer_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.refuses("S1", AcceptOffer(deal_id=NO_DEAL), Refusal.NO_SUCH_DEAL)
    market.refuses("bank-a", AcceptOffer(deal_id=deal_id), Refusal.NOT_ASSIGNOR)
    market.refuses("S1", AcceptOffer(deal_id=deal_id), Refusal.DEAL_CLOSED)
    market.offered(deal_id)
    market.freeze(piece, "S1")
    market.refuses("S1", AcceptOffer(deal_id=deal_id), Members.FROZEN)


def lapses(market: Market, deal_id: str) -> list[int]:
    """When timers of a deal are due."""
    message = encode(LapseDeal(deal_id=deal_id))
    timers = market.world.view().scan(PendingTimer)
    return [timer.due_at_ms for timer in timers if timer.message == message]


def test_one_timer_waits_for_a_deal_and_goes_on_to_its_next_step(market: Market) -> None:
    (deal_id,) = market.applied("S1", market.opened(100000), "bank-a")
    (applied_ms,) = lapses(market, deal_id)
    assert applied_ms == market.deal(deal_id).ends_at_ms
    market.offered(deal_id, valid_until="2026-07-31", disburse_by="2026-08-14")
    market.does("S1", AcceptOffer(deal_id=deal_id))
    assert lapses(market, deal_id) == [applied_ms], "that of the application is the first"
    market.at("2026-07-20", 0)
    (accepted_ms,) = lapses(market, deal_id)
    assert accepted_ms == market.deal(deal_id).ends_at_ms > applied_ms
    market.at("2026-08-14", 23 * 60 + 59)
    assert market.deal(deal_id).status is DealStatus.ACCEPTED
    market.at("2026-08-15", 0)
    assert market.deal(deal_id).status is DealStatus.UNWOUND
    assert lapses(market, deal_id) == []


def test_a_step_that_ends_sooner_has_a_timer_of_its_own(market: Market) -> None:
    (deal_id,) = market.applied("S1", market.opened(100000), "bank-a")
    applied_ms = market.deal(deal_id).ends_at_ms
    market.offered(deal_id, valid_until="2026-07-06", disburse_by="2026-07-06")
    assert lapses(market, deal_id) == [market.deal(deal_id).ends_at_ms, applied_ms]
    market.at("2026-07-07", 0)
    assert market.deal(deal_id).status is DealStatus.LAPSED
    market.at("2026-07-20", 0)
    assert lapses(market, deal_id) == []


def test_keys_are_judged_before_the_deal_is_looked_for(market: Market) -> None:
    """Of several calls too: the deal has the amount that a limit applies to."""
    gone = (("S1.maker+checker", AcceptOffer(deal_id=NO_DEAL)),) * 2
    market.world.refuses_together(*gone, code=Refusal.NO_SUCH_DEAL)
    raw = market.world.signed(*gone, keys=("S1.maker", "nobody"))
    receipt = market.world.offer(raw).receipt
    assert receipt is not None
    assert receipt.code == Members.UNKNOWN_KEY.number


def test_accepted_and_not_disbursed_is_unwound(market: Market) -> None:
    piece = market.opened(100000)
    (deal_id,) = market.applied("S1", piece, "bank-a")
    market.offered(deal_id)
    market.does("S1", AcceptOffer(deal_id=deal_id))
    late = market.disburse(deal_id)
    market.at("2026-07-11", 0)
    assert market.deal(deal_id).status is DealStatus.UNWOUND
    assert market.piece(piece).locks == ()
    for party in ("S1", "bank-a"):
        assert [alert.kind for alert in market.alerts(party)] == [AlertKind.UNWOUND]
    market.mint("bank-a", 100000)
    market.refuses("bank-a", late, Refusal.DEAL_CLOSED)
    assert late.money == CNY


def test_a_cut_off_that_moves_forward_ends_what_was_under_way(market: Market) -> None:
    """Due 8 January of a year not published yet; then its first week turns out to be a holiday."""
    market.at("2026-12-28")
    waiting, asked, offered, agreed = (market.opened(10000, due_day="2027-01-08") for _ in range(4))
    transfer_id = market.passed("S1", waiting, "S2")
    deals_made = [market.applied("S1", each, "bank-a")[0] for each in (asked, offered, agreed)]
    days = {"valid_until": "2027-01-04", "disburse_by": "2027-01-04"}
    offer = market.offer(deals_made[0], **days)
    for deal_id in deals_made[1:]:
        market.offered(deal_id, **days)
    market.does("S1", AcceptOffer(deal_id=deals_made[2]))
    disburse = market.disburse(deals_made[2])
    market.publish_2027(holidays=tuple(f"2027-01-0{day}" for day in range(1, 8)))
    market.at("2026-12-30")
    ended = Refusal.TRANSFERS_ENDED
    market.refuses("S2", AcceptPass(transfer_id=transfer_id), ended)
    market.refuses("bank-a", offer, ended)
    market.refuses("S1", AcceptOffer(deal_id=deals_made[1]), ended)
    market.refuses("bank-a", disburse, ended)
