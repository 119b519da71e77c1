"""Fund, Pay, and what time does: ReachDue, CutOffPayment, PayLegs, MarkOverdue, MarkDefaulted."""

from typing import Any

import pytest

from tallystick.apps.cash.interface import available
from tallystick.apps.cash.refusals import Refusal as Cash
from tallystick.apps.documents.queries import registration
from tallystick.apps.members.interface import Scope
from tallystick.apps.members.messages import Freeze
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import Fund, Pay
from tallystick.apps.receivables.queries import legs, owed, payables, payments
from tallystick.apps.receivables.records import Cascade, Funding, Payable
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    AlertKind,
    CascadeStatus,
    PieceStatus,
    UndertakingStatus,
)
from tallystick.apps.receivables.tests.market import CNY, NO_UNDERTAKING, Market

AT_CUT_OFF = ("2026-10-08", 17 * 60)
BANK_MONEY = "CNY@bank-a"


@pytest.fixture
def market() -> Market:
    return Market()


def opened(market: Market, amount_minor: int = 100000, **terms: Any) -> str:
    """An open undertaking: its id."""
    return market.of(market.opened(amount_minor, **terms))


def fund(undertaking_id: str, amount_minor: int, money: str = CNY) -> Fund:
    return Fund(undertaking_id=undertaking_id, money=money, amount_minor=amount_minor)


def pay(undertaking_id: str | None, amount_minor: int, money: str = CNY) -> Pay:
    return Pay(undertaking_id=undertaking_id, money=money, amount_minor=amount_minor)


def status(market: Market, undertaking_id: str) -> UndertakingStatus:
    return market.undertaking(undertaking_id).status


# --- Fund


def test_what_is_funded_is_held_until_the_cut_off(market: Market) -> None:
    made = opened(market)
    market.funds(made, 60000)
    market.funds(made, 40000)
    assert market.undertaking(made).held_minor == 100000
    (held,) = market.world.view("D1").scan(Funding, made)
    assert held.left_minor == 100000
    market.at("2026-10-08", 0)
    assert status(market, made) is UndertakingStatus.DUE
    market.at("2026-10-08", 16 * 60 + 59)
    assert market.cash("S1") == 0
    market.at(*AT_CUT_OFF)
    assert market.cash("S1") == 100000
    assert status(market, made) is UndertakingStatus.PAID
    assert list(market.world.view().scan(Funding)) == []
    assert list(market.world.view().scan(Payable)) == []
    paper = registration(market.world.view(), market.undertaking(made).registrations[0])
    assert paper.is_paid


def test_fund_is_refused_in_this_order(market: Market) -> None:
    made = opened(market, moneys=(CNY,))
    draft, _ = market.drafted(5000)
    market.mint("D1", 100000)
    market.refuses("D1", fund(NO_UNDERTAKING, 1), Refusal.NO_SUCH_UNDERTAKING)
    market.refuses("D2", fund(made, 1), Refusal.NOT_DEBTOR)
    market.refuses("D1", fund(draft, 1), Refusal.NOT_OPEN)
    market.refuses("D1", fund(made, 1, BANK_MONEY), Refusal.MONEY_NOT_ACCEPTED)
    market.refuses("D1", fund(made, 1, "EUR@CB"), Refusal.MONEY_NOT_ACCEPTED)
    market.refuses("D1", fund(made, 0), Refusal.ZERO_AMOUNT)
    market.refuses("D1", fund(made, 100001), Refusal.MORE_THAN_OWED, owed_minor=100000)
    market.does("D1", fund(made, 60000))
    market.refuses("D1", fund(made, 40001), Refusal.MORE_THAN_OWED, owed_minor=40000)
    frozen = market.copy()
    freeze_account(frozen)
    frozen.refuses("D1", fund(made, 1), Members.FROZEN)
    market.at(*AT_CUT_OFF)
    market.refuses("D1", fund(made, 1), Refusal.CUT_OFF_PASSED)


def freeze_account(market: Market) -> None:
    """An order on the debtor's account."""
    market.world.accepts(
        "SUP.compliance",
        Freeze(
            scope=Scope.CASH_ACCOUNT,
            subject=f"{CNY}/D1",
            member="D1",
            order_id="SPC 2026/121",
            expires_at_ms=market.world.ledger_ms + 365 * 86_400_000,
            reason="court ruling",
        ),
    )


def test_fund_needs_the_cash(market: Market) -> None:
    made = opened(market)
    market.refuses("D1", fund(made, 1), Cash.INSUFFICIENT)


def test_a_suspended_debtor_still_funds_and_pays(market: Market) -> None:
    made = opened(market)
    market.suspend("D1")
    market.funds(made, 60000)
    market.at(*AT_CUT_OFF)
    market.pays(made, 40000)
    assert status(market, made) is UndertakingStatus.PAID


def test_an_order_on_the_account_comes_too_late_for_what_is_held(market: Market) -> None:
    made = opened(market)
    market.funds(made, 100000)
    freeze_account(market)
    market.at(*AT_CUT_OFF)
    assert market.cash("S1") == 100000


def test_several_moneys_pay_one_undertaking(market: Market) -> None:
    whole = market.opened(100000)
    market.held_by("S1", market.split("S1", whole, 50000, 50000)[1], "S2")
    made = market.of(whole)
    market.funds(made, 30000)
    market.mint("D1", 70000, BANK_MONEY)
    market.does("D1", fund(made, 70000, BANK_MONEY))
    market.at(*AT_CUT_OFF)
    view = market.world.view()
    assert (market.cash("S1"), available(view, "S1", BANK_MONEY)) == (30000, 20000)
    assert (market.cash("S2"), available(view, "S2", BANK_MONEY)) == (0, 50000)


def test_a_leg_that_one_money_covers_leaves_the_next_untouched(market: Market) -> None:
    whole = market.opened(100000)
    market.held_by("S1", market.split("S1", whole, 50000, 50000)[1], "S2")
    made = market.of(whole)
    market.funds(made, 50000)
    market.mint("D1", 50000, BANK_MONEY)
    market.does("D1", fund(made, 50000, BANK_MONEY))
    market.at(*AT_CUT_OFF)
    view = market.world.view()
    assert (market.cash("S1"), available(view, "S1", BANK_MONEY)) == (50000, 0)
    assert (market.cash("S2"), available(view, "S2", BANK_MONEY)) == (0, 50000)


def test_one_cent_goes_to_one_piece(market: Market) -> None:
    whole = market.opened(100)
    first, second, third = market.split("S1", whole, 30, 40, 30)
    market.funds(market.of(whole), 1)
    market.at(*AT_CUT_OFF)
    assert [market.piece(each).paid_minor for each in (first, second, third)] == [0, 1, 0]
    assert len(list(legs(market.world.view(), market.of(whole)))) == 1


def test_a_piece_paid_whole_by_rounding_is_told_nothing(market: Market) -> None:
    whole = market.opened(100000)
    cent, _ = market.split("S1", whole, 1, 99999)
    market.held_by("S1", cent, "S2")
    market.funds(market.of(whole), 60000)
    market.at("2026-10-09", 1)
    assert market.piece(cent).status is PieceStatus.RETIRED
    assert [alert.kind for alert in market.alerts("S1")] == [AlertKind.OVERDUE]
    assert market.alerts("S2") == []


# --- Pay


def test_pay_is_refused_in_this_order(market: Market) -> None:
    made = opened(market, moneys=(CNY,))
    market.mint("D1", 200000)
    market.refuses("D1", pay(NO_UNDERTAKING, 1), Refusal.NO_SUCH_UNDERTAKING)
    market.refuses("D2", pay(made, 1), Refusal.NOT_DEBTOR)
    market.refuses("D1", pay(market.drafted(5)[0], 1), Refusal.NOT_OPEN)
    market.refuses("D1", pay(made, 1), Refusal.BEFORE_CUT_OFF)
    market.at("2026-10-08", 16 * 60 + 59)
    market.refuses("D1", pay(made, 1), Refusal.BEFORE_CUT_OFF)
    market.at(*AT_CUT_OFF)
    market.refuses("D1", pay(made, 1, BANK_MONEY), Refusal.MONEY_NOT_ACCEPTED)
    market.refuses("D1", pay(made, 0), Refusal.ZERO_AMOUNT)
    market.refuses("D1", pay(made, 100001), Refusal.MORE_THAN_OWED, owed_minor=100000)
    frozen = market.copy()
    freeze_account(frozen)
    frozen.refuses("D1", pay(made, 1), Members.FROZEN)
    market.does("D1", pay(made, 100000))
    market.refuses("D1", pay(made, 1), Refusal.NOT_OPEN)


def test_pay_needs_the_cash(market: Market) -> None:
    made = opened(market)
    market.at(*AT_CUT_OFF)
    market.refuses("D1", pay(made, 1), Cash.INSUFFICIENT)


def test_on_the_payment_date_no_interest_is_owed(market: Market) -> None:
    made = opened(market)
    market.at("2026-10-08", 23 * 60 + 59)
    assert status(market, made) is UndertakingStatus.DUE
    market.pays(made, 40000)
    assert status(market, made) is UndertakingStatus.PART_PAID
    market.pays(made, 60000)
    assert market.undertaking(made).late_paid_minor == 0


def test_days_pass_into_overdue_and_default_and_holders_are_told(market: Market) -> None:
    whole = market.opened(100000)
    market.held_by("S1", market.split("S1", whole, 50000, 50000)[1], "S2")
    made = market.of(whole)
    market.at("2026-10-09", 0)
    assert status(market, made) is UndertakingStatus.OVERDUE
    market.at("2026-10-12", 23 * 60 + 59)
    assert status(market, made) is UndertakingStatus.OVERDUE
    market.at("2026-10-13", 0)
    market.world.passes(minutes=1)
    assert status(market, made) is UndertakingStatus.DEFAULTED
    for holder in ("S1", "S2"):
        assert [alert.kind for alert in market.alerts(holder)] == [
            AlertKind.OVERDUE,
            AlertKind.DEFAULTED,
        ]
    assert market.alerts("D1") == []


def test_part_paid_in_grace_then_default_owes_interest_from_the_payment_date(
    market: Market,
) -> None:
    made = opened(market, 10_000_000)
    market.at("2026-10-12")
    market.pays(made, 4_000_000)
    after = market.undertaking(made)
    assert (after.paid_minor, after.late_paid_minor, after.late_owed_minor) == (
        4_000_000,
        0,
        20_000,
    )
    told = owed(market.world.view("D1"), made)
    assert (told.principal_minor, told.late_minor) == (6_000_000, 0)
    market.at("2026-10-18")
    told = owed(market.world.view("D1"), made)
    assert told.late_minor == 20_000 + 18_000
    market.pays(made, told.total_minor)
    assert status(market, made) is UndertakingStatus.PAID
    assert market.undertaking(made).late_paid_minor == 38_000


def test_interest_is_paid_before_principal(market: Market) -> None:
    made = opened(market, 10_000_000)
    market.at("2026-10-18")
    market.pays(made, 30_000)
    after = market.undertaking(made)
    assert (after.paid_minor, after.late_paid_minor, after.late_owed_minor) == (0, 30_000, 20_000)
    market.pays(made, 10_020_000)
    assert status(market, made) is UndertakingStatus.PAID


def test_a_defaulted_debtor_pays_all_and_is_done(market: Market) -> None:
    made = opened(market, 10_000_000)
    market.at("2026-10-18")
    assert status(market, made) is UndertakingStatus.DEFAULTED
    market.pays(made, 10_050_000)
    assert status(market, made) is UndertakingStatus.PAID
    assert market.cash("S1") == 10_050_000


def test_payments_are_listed_for_the_debtor_and_legs_for_holders(market: Market) -> None:
    whole = market.opened(100000)
    market.held_by("S1", market.split("S1", whole, 50000, 50000)[1], "S2")
    made = market.of(whole)
    market.funds(made, 100000)
    market.at(*AT_CUT_OFF)
    (paid,) = payments(market.world.view("D1"), made)
    assert (paid.amount_minor, paid.legs_count, paid.status) == (100000, 2, CascadeStatus.PAID)
    assert list(legs(market.world.view("D1"), made)) == []
    (mine,) = legs(market.world.view("S2"), made)
    assert (mine.holder, mine.principal_minor) == ("S2", 50000)


# --- Unnamed money (Civil Code 560)


def test_unnamed_money_goes_to_the_earliest_due_then_pro_rata(market: Market) -> None:
    late = opened(market, 30000, due_day="2026-10-20")
    twins = [opened(market, 20000), opened(market, 10000)]
    other = opened(market, 50000, due_day="2026-12-01")
    market.at("2026-10-20", 17 * 60)
    before = [owed(market.world.view(), each).total_minor for each in (*twins, late)]
    market.mint("D1", 100000)
    market.does("D1", pay(None, 15000))
    after = [owed(market.world.view(), each).total_minor for each in (*twins, late)]
    assert [was - now for was, now in zip(before, after, strict=True)] == [10000, 5000, 0]
    total = sum(after)
    market.refuses("D1", pay(None, 0), Refusal.ZERO_AMOUNT)
    market.refuses("D1", pay(None, total + 1), Refusal.MORE_THAN_OWED, owed_minor=total)
    market.does("D1", pay(None, total))
    statuses = {status(market, each) for each in (*twins, late)}
    assert statuses == {UndertakingStatus.PAID}
    assert status(market, other) is UndertakingStatus.OPEN
    (row,) = payables(market.world.view("D1"), "D1")
    assert (row.payment_day, row.count, row.left_minor) == ("2026-12-01", 1, 50000)


def test_unnamed_money_passes_over_who_does_not_take_it(market: Market) -> None:
    strict = opened(market, 20000, moneys=(CNY,))
    open_ = opened(market, 10000)
    market.mint("D1", 10000, BANK_MONEY)
    market.at("2026-10-08", 17 * 60)
    market.does("D1", pay(None, 10000, BANK_MONEY))
    assert status(market, open_) is UndertakingStatus.PAID
    assert market.undertaking(strict).paid_minor == 0


# --- PayLegs


def in_many_pieces(market: Market, parts: int) -> str:
    """An undertaking in many pieces of one yuan each."""
    whole = market.opened(100 * parts)
    pieces = [whole]
    left = parts
    while left > 100:
        *_, rest = market.split("S1", pieces[-1], *([100] * 99), 100 * (left - 99))
        pieces.append(rest)
        left -= 99
    market.split("S1", pieces[-1], *([100] * left))
    return market.of(whole)


def test_a_long_cascade_is_decided_once_and_paid_in_steps(market: Market) -> None:
    made = in_many_pieces(market, 120)
    market.funds(made, 6000)
    market.at(*AT_CUT_OFF)
    cascade = market.world.view().get(Cascade, made, 1)
    assert cascade.status is CascadeStatus.PAID
    assert (cascade.legs_paid, cascade.legs_count) == (120, 120)
    assert market.cash("S1") == 6000
    assert status(market, made) is UndertakingStatus.PART_PAID


def test_while_a_payment_is_shared_out_no_other_begins(market: Market) -> None:
    made = in_many_pieces(market, 120)
    market.mint("D1", 12000)
    market.at(*AT_CUT_OFF)
    market.does("D1", pay(made, 6000))
    assert market.undertaking(made).is_running
    market.refuses("D1", pay(made, 1000), Refusal.CASCADE_RUNNING)
    market.world.passes(minutes=1)
    assert not market.undertaking(made).is_running
    market.does("D1", pay(made, 1000))


def test_unnamed_money_waits_for_a_running_payment(market: Market) -> None:
    made = in_many_pieces(market, 220)
    market.mint("D1", 22000)
    market.at(*AT_CUT_OFF)
    market.does("D1", pay(made, 6000))
    market.refuses("D1", pay(None, 1000), Refusal.CASCADE_RUNNING)


def test_a_cascade_that_crosses_midnight_is_not_overdue(market: Market) -> None:
    made = in_many_pieces(market, 220)
    market.mint("D1", 22000)
    market.at("2026-10-08", 23 * 60 + 59)
    market.world.passes(minutes=0, hours=0)
    market.world.now_ms += 59_990
    market.does("D1", pay(made, 22000))
    market.world.passes(days=1)
    assert status(market, made) is UndertakingStatus.PAID


# --- TellHolders


def test_many_holders_are_told_in_steps(market: Market) -> None:
    made = in_many_pieces(market, 150)
    market.at("2026-10-09", 1)
    told = market.alerts("S1")
    assert len(told) == 150
    assert {alert.kind for alert in told} == {AlertKind.OVERDUE}
    assert status(market, made) is UndertakingStatus.OVERDUE
