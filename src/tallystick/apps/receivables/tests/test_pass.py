"""Pass, AcceptPass, RefusePass, WithdrawPass, AskReturn, ReturnPass and passes that lapse."""

from collections.abc import Callable

import pytest

from tallystick.apps.documents.messages import CancelRegistration
from tallystick.apps.documents.queries import registration
from tallystick.apps.documents.records import Purpose, Reason, RegistrationStatus
from tallystick.apps.documents.refusals import Refusal as Papers
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import (
    TRADE,
    AcceptPass,
    Apply,
    AskReturn,
    Pass,
    RefusePass,
    ReturnPass,
    Split,
    WithdrawPass,
)
from tallystick.apps.receivables.queries import alerts
from tallystick.apps.receivables.records import Transfer
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import AlertKind, InterestMethod, TransferStatus
from tallystick.apps.receivables.tests.market import NO_PIECE, NO_TRANSFER, Market
from tallystick.ledger.refusal import RefusalCode


@pytest.fixture
def market() -> Market:
    return Market()


def transfer(market: Market, transfer_id: str) -> Transfer:
    """A transfer as it is."""
    return market.world.view().get(Transfer, transfer_id)


def settling(market: Market, to: str, amount_minor: int) -> str:
    """An invoice of the receiver, registered for settlement."""
    return market.invoice(to, amount_minor, Purpose.SETTLEMENT)[0]


# --- Pass


def test_a_pass_waits_for_its_receiver(market: Market) -> None:
    piece = market.opened(100000)
    made = market.passed("S1", piece, "S2")
    assert transfer(market, made).status is TransferStatus.PROPOSED
    (lock,) = market.piece(piece).locks
    assert (lock.kind.value, lock.owner, lock.subject) == ("transfer_pending", "S2", made)
    assert market.piece(piece).holder == "S1"


def test_pass_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000, hops_max=1)
    paper = settling(market, "S2", 100000)

    def on(to: str, *papers: str, of: str = piece) -> Pass:
        return Pass(piece_id=of, to=to, registrations=papers)

    market.refuses("S1", on("S2", paper, of=NO_PIECE), Refusal.NO_SUCH_PIECE)
    market.refuses("S3", on("S2", paper), Refusal.NOT_HOLDER, party="S3")
    market.refuses("S1", on("S1", paper), Refusal.RECEIVER_IS_PARTY)
    market.refuses("S1", on("D1", paper), Refusal.RECEIVER_IS_PARTY)
    market.refuses("S1", on("nobody", paper), Members.NOT_A_MEMBER)
    market.refuses("S1", on("SUP", paper), Members.UNLICENSED)
    market.refuses("S1", on("S2", paper, paper), Refusal.REGISTRATION_TWICE)
    market.refuses("S1", on("S2", "reg-0000000000000000"), Papers.NO_SUCH_REGISTRATION)
    market.refuses("S1", on("S3", paper), Papers.NOT_OWNER)
    opening, _ = market.invoice("S2", 100000)
    market.refuses("S1", on("S2", opening), Papers.OTHER_PURPOSE)
    euros, _ = market.invoice("S2", 100000, Purpose.SETTLEMENT, currency="EUR")
    market.refuses("S1", on("S2", euros), Papers.OTHER_CURRENCY)
    market.refuses("S1", on("S2"), Refusal.NO_REGISTRATION)
    short = settling(market, "S2", 99999)
    market.refuses("S1", on("S2", short), Refusal.REGISTRATIONS_SHORT)
    market.does("S1", on("S2", paper))
    market.refuses("S1", on("S2", paper), Refusal.PIECE_LOCKED)
    market.does("S2", AcceptPass(transfer_id=market.transfers("S2")[0]))
    market.refuses("S2", on("S3", settling(market, "S3", 100000)), Refusal.TOO_MANY_HOPS)
    first, _ = market.split("S2", piece, 1, 99999)
    market.refuses("S2", on("S3", of=piece), Refusal.PIECE_RETIRED)
    market.at("2026-09-29", 0)
    market.refuses("S2", on("S3", of=first), Refusal.TRANSFERS_ENDED)


def test_papers_of_a_pass_must_be_free(market: Market) -> None:
    piece = market.opened(100000)

    def refused(paper: str, code: RefusalCode) -> None:
        market.refuses("S1", Pass(piece_id=piece, to="S2", registrations=(paper,)), code)

    gone = settling(market, "S2", 100000)
    market.does("S2", CancelRegistration(registration_id=gone))
    refused(gone, Papers.CANCELLED)
    disputed = settling(market, "S2", 100000)
    market.credit_note("S2", disputed, 1)
    refused(disputed, Papers.DISPUTED)
    refused(market.doubtful("S2", 100000), Papers.STILL_PENDING)
    refused(market.financed_elsewhere("S2", 100000), Papers.ALREADY_FINANCED)
    other = market.opened(50000)
    made = market.held_by("S1", other, "S2")
    refused(transfer(market, made).registrations[0], Papers.IN_USE)


@pytest.mark.parametrize(
    ("order", "code"),
    (
        (lambda market: market.suspend("S2"), Members.SUSPENDED),
        (lambda market: market.expel("S2"), Members.EXPELLED),
        (lambda market: market.suspend_verb("S2", TRADE), Members.FROZEN),
    ),
)
def test_a_receiver_must_be_free_to_hold(
    market: Market, order: Callable[[Market], None], code: RefusalCode
) -> None:
    piece = market.opened(100000)
    paper = settling(market, "S2", 100000)
    order(market)
    market.refuses("S1", Pass(piece_id=piece, to="S2", registrations=(paper,)), code)


def test_where_no_invoice_is_asked_a_pass_needs_none(market: Market) -> None:
    piece = market.opened(100000)
    market.set_parameter("settlement_required", 0)
    market.does("S1", Pass(piece_id=piece, to="S2"))


def test_a_loop_needs_a_reason_and_the_supervisor_is_told(market: Market) -> None:
    piece = market.opened(100000)
    market.held_by("S1", piece, "S2")
    market.held_by("S2", piece, "S3")
    paper = settling(market, "S1", 100000)

    def back(reason: str = "") -> Pass:
        return Pass(piece_id=piece, to="S1", registrations=(paper,), reason=reason)

    market.refuses("S3", back(), Refusal.LOOP)
    market.refuses("S3", back("  "), Refusal.LOOP)
    made = market.does("S3", back("S1 sells to S3 as well")).ids[0]
    (alert,) = alerts(market.world.view("SUP"))
    assert alert.kind is AlertKind.LOOP
    assert list(alerts(market.world.view("S2"))) == []
    assert (alert.to, alert.subject) == (None, made)
    assert market.alerts("S3") == []


def test_a_frozen_piece_is_not_passed_on(market: Market) -> None:
    piece = market.opened(100000)
    market.freeze(piece, "S1")
    ask = Pass(piece_id=piece, to="S2", registrations=(settling(market, "S2", 100000),))
    market.refuses("S1", ask, Members.FROZEN)


def test_a_piece_financed_with_recourse_is_not_passed_on(market: Market) -> None:
    piece = market.opened(100000)
    market.mint("factor-a", 100000)
    recourse = {"recourse": True, "method": InterestMethod.ARREARS_ON_ADVANCE}
    market.financed("S1", piece, "factor-a", advance_ppm=800_000, **recourse)
    paper = settling(market, "S2", 100000)
    ask = Pass(piece_id=piece, to="S2", registrations=(paper,))
    market.refuses("factor-a", ask, Refusal.FINANCED_WITH_RECOURSE)


# --- AcceptPass


def test_the_receiver_holds_it_and_its_invoice_is_settled(market: Market) -> None:
    piece = market.opened(100000)
    made = market.held_by("S1", piece, "S2")
    held = market.piece(piece)
    assert (held.holder, held.hops, held.former_holders, held.locks) == ("S2", 1, ("S1",), ())
    accepted = transfer(market, made)
    assert accepted.status is TransferStatus.ACCEPTED
    paper = registration(market.world.view(), accepted.registrations[0])
    assert (paper.status, paper.subject) == (RegistrationStatus.REGU, made)


def test_accept_pass_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    accept = AcceptPass(transfer_id=NO_TRANSFER)
    market.refuses("S2", accept, Refusal.NO_SUCH_TRANSFER)
    made = market.passed("S1", piece, "S2")
    market.refuses("S1", AcceptPass(transfer_id=made), Refusal.NOT_RECEIVER)
    market.refuses("S3", AcceptPass(transfer_id=made), Refusal.NOT_RECEIVER)
    market.freeze(piece, "S1", days=1)
    market.refuses("S2", AcceptPass(transfer_id=made), Members.FROZEN)
    market.world.passes(days=1)
    market.does("S2", AcceptPass(transfer_id=made))
    market.refuses("S2", AcceptPass(transfer_id=made), Refusal.TRANSFER_CLOSED)


def test_accept_pass_needs_papers_that_are_still_there(market: Market) -> None:
    whole = market.opened(90000)
    pieces = market.split("S1", whole, 30000, 30000, 30000)

    def waiting(piece: str, paper: str) -> AcceptPass:
        ask = Pass(piece_id=piece, to="S2", registrations=(paper,))
        return AcceptPass(transfer_id=market.does("S1", ask).id)

    gone, disputed, shared = (settling(market, "S2", 30000) for _ in range(3))
    cancelled = waiting(pieces[0], gone)
    market.does("S2", CancelRegistration(registration_id=gone))
    market.refuses("S2", cancelled, Papers.CANCELLED)
    credited = waiting(pieces[1], disputed)
    market.credit_note("S2", disputed, 1)
    market.refuses("S2", credited, Papers.DISPUTED)
    first = waiting(pieces[2], shared)
    other = waiting(market.opened(30000), shared)
    market.does("S2", first)
    market.refuses("S2", other, Papers.IN_USE)


# --- RefusePass, WithdrawPass, LapsePass


def test_a_receiver_may_refuse_and_the_piece_is_free(market: Market) -> None:
    piece = market.opened(100000)
    made = market.passed("S1", piece, "S2")
    market.refuses("S2", RefusePass(transfer_id=NO_TRANSFER), Refusal.NO_SUCH_TRANSFER)
    market.refuses("S3", RefusePass(transfer_id=made), Refusal.NOT_RECEIVER)
    market.does("S2", RefusePass(transfer_id=made, reason="cash was agreed"))
    refused = transfer(market, made)
    assert (refused.status, refused.answer) == (TransferStatus.REFUSED, "cash was agreed")
    assert market.piece(piece).locks == ()
    market.refuses("S2", RefusePass(transfer_id=made), Refusal.TRANSFER_CLOSED)


def test_a_sender_may_withdraw_before_the_answer(market: Market) -> None:
    piece = market.opened(100000)
    made = market.passed("S1", piece, "S2")
    market.refuses("S1", WithdrawPass(transfer_id=NO_TRANSFER), Refusal.NO_SUCH_TRANSFER)
    market.refuses("S2", WithdrawPass(transfer_id=made), Refusal.NOT_SENDER)
    market.does("S1", WithdrawPass(transfer_id=made))
    assert transfer(market, made).status is TransferStatus.WITHDRAWN
    market.refuses("S1", WithdrawPass(transfer_id=made), Refusal.TRANSFER_CLOSED)
    market.passed("S1", piece, "S3")


def test_silence_lapses_after_five_banking_days(market: Market) -> None:
    piece = market.opened(100000)
    made = market.passed("S1", piece, "S2")
    market.at("2026-07-11", 0)
    assert transfer(market, made).status is TransferStatus.LAPSED
    assert market.piece(piece).locks == ()
    market.refuses("S2", AcceptPass(transfer_id=made), Refusal.TRANSFER_CLOSED)


def test_what_is_pending_lapses_with_the_transfer_cut_off(market: Market) -> None:
    piece = market.opened(100000)
    market.at("2026-09-28")
    made = market.passed("S1", piece, "S2")
    market.at("2026-09-29", 0)
    assert transfer(market, made).status is TransferStatus.LAPSED


# --- AskReturn, ReturnPass


def test_a_pass_in_error_goes_back_and_is_no_hop_and_no_loop(market: Market) -> None:
    piece = market.opened(100000, hops_max=1)
    made = market.held_by("S1", piece, "S2")
    market.does("S1", AskReturn(transfer_id=made, error="meant for S3"))
    market.does("S2", ReturnPass(transfer_id=made))
    back = market.piece(piece)
    assert (back.holder, back.hops, back.former_holders) == ("S1", 0, ())
    returned = transfer(market, made)
    assert (returned.status, returned.error) == (TransferStatus.RETURNED, "meant for S3")
    paper = registration(market.world.view(), returned.registrations[0])
    assert (paper.status, paper.reason) == (RegistrationStatus.CANC, Reason.OBSA)
    market.held_by("S1", piece, "S2")


def test_ask_return_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    ask = AskReturn(transfer_id=NO_TRANSFER, error="meant for S3")
    market.refuses("S1", ask, Refusal.NO_SUCH_TRANSFER)
    made = market.passed("S1", piece, "S2")
    ask = AskReturn(transfer_id=made, error="meant for S3")
    market.refuses("S2", ask, Refusal.NOT_SENDER)
    market.refuses("S1", ask, Refusal.TRANSFER_CLOSED)
    market.does("S2", AcceptPass(transfer_id=made))
    market.refuses("S1", AskReturn(transfer_id=made, error=" "), Refusal.RETURN_NOT_ASKED)
    market.at("2026-07-11", 0)
    market.refuses("S1", ask, Refusal.RETURN_TOO_LATE)


def test_return_pass_is_refused_in_this_order(market: Market) -> None:
    piece = market.opened(100000)
    market.refuses("S2", ReturnPass(transfer_id=NO_TRANSFER), Refusal.NO_SUCH_TRANSFER)
    made = market.passed("S1", piece, "S2")
    back = ReturnPass(transfer_id=made)
    market.refuses("S1", back, Refusal.NOT_RECEIVER)
    market.refuses("S2", back, Refusal.TRANSFER_CLOSED)
    market.does("S2", AcceptPass(transfer_id=made))
    market.refuses("S2", back, Refusal.RETURN_NOT_ASKED)
    market.does("S1", AskReturn(transfer_id=made, error="meant for S3"))
    (deal,) = market.does("S2", Apply(piece_id=piece, financiers=("bank-a",))).ids
    market.refuses("S2", back, Refusal.PIECE_LOCKED, kind="offered")
    market.world.passes(days=4)
    later = market.copy()
    market.withdraws("S2", deal)
    frozen = market.copy()
    frozen.freeze(piece, "S2")
    frozen.refuses("S2", back, Members.FROZEN)
    cut = market.copy()
    cut.does("S2", Split(piece_id=piece, parts_minor=(1, 99999)))
    cut.refuses("S2", back, Refusal.PIECE_RETIRED)
    market.held_by("S2", piece, "S3")
    market.refuses("S2", back, Refusal.NOT_HOLDER)
    later.at("2026-07-11", 0)
    later.refuses("S2", back, Refusal.RETURN_TOO_LATE)


def test_what_was_financed_since_is_not_given_back(market: Market) -> None:
    piece = market.opened(100000)
    made = market.held_by("S1", piece, "factor-a")
    market.does("S1", AskReturn(transfer_id=made, error="meant for S3"))
    market.mint("bank-a", 100000)
    recourse = {"recourse": True, "method": InterestMethod.ARREARS_ON_ADVANCE}
    market.financed("factor-a", piece, "bank-a", advance_ppm=800_000, **recourse)
    market.refuses("factor-a", ReturnPass(transfer_id=made), Refusal.NOT_HOLDER)


def test_what_changed_hands_since_is_not_given_back(market: Market) -> None:
    piece = market.opened(100000)
    made = market.held_by("S1", piece, "S2")
    market.does("S1", AskReturn(transfer_id=made, error="meant for S3"))
    market.mint("bank-a", 100000)
    market.financed("S2", piece, "bank-a")
    market.held_by("bank-a", piece, "S2", reason="pays S2's invoice")
    assert market.piece(piece).former_holders == ("S1", "S2", "bank-a")
    market.refuses("S2", ReturnPass(transfer_id=made), Refusal.TRANSFER_CLOSED)


def test_nothing_goes_back_after_the_transfer_cut_off(market: Market) -> None:
    piece = market.opened(100000)
    market.at("2026-09-28")
    made = market.held_by("S1", piece, "S2")
    market.does("S1", AskReturn(transfer_id=made, error="meant for S3"))
    market.at("2026-09-29", 0)
    market.refuses("S2", ReturnPass(transfer_id=made), Refusal.TRANSFERS_ENDED)
