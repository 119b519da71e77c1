"""Confirm, Accept, Reject, Cancel, and drafts that nobody answers."""

from collections.abc import Callable

import pytest

from tallystick.apps.documents.messages import CancelRegistration
from tallystick.apps.documents.queries import registration
from tallystick.apps.documents.records import Reason, RegistrationStatus
from tallystick.apps.documents.refusals import Refusal as Papers
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import TRADE, Accept, Cancel, Confirm, Reject
from tallystick.apps.receivables.records import Payable
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import PieceStatus, UndertakingStatus, WarningKind
from tallystick.apps.receivables.tests.market import NO_UNDERTAKING, Market
from tallystick.ledger.refusal import RefusalCode

BOTH = (WarningKind.TERM_OVER_SIX_MONTHS, WarningKind.NO_ASSIGNMENT)


@pytest.fixture
def market() -> Market:
    return Market()


def by_debtor(market: Market, amount_minor: int = 100000, **terms: object) -> str:
    """What the debtor drafted."""
    return market.does("D1", market.draft(amount_minor, by_debtor=True, **terms)).id


def paper_of(market: Market, undertaking_id: str) -> str:
    """The one registration of an undertaking."""
    return market.undertaking(undertaking_id).registrations[0]


# --- Confirm


def test_confirm_opens_and_the_supplier_holds_all(market: Market) -> None:
    piece = market.piece(market.opened(100000))
    assert (piece.start_minor, piece.end_minor, piece.holder) == (0, 100000, "S1")
    assert piece.status is PieceStatus.HELD
    opened = market.undertaking(piece.undertaking_id)
    assert (opened.status, opened.opened_day) == (UndertakingStatus.OPEN, "2026-07-03")
    (payable,) = market.world.view("D1").scan(Payable, "D1")
    assert payable.undertaking_id == piece.undertaking_id


def test_several_confirmations_make_instalments(market: Market) -> None:
    drafts = [market.drafted(50000), market.drafted(60000, due_day="2026-11-02")]
    made = market.world.accepts_together(
        *[
            ("D1.maker+checker", Confirm(undertaking_id=each, fingerprints=(read,)))
            for each, read in drafts
        ]
    )
    assert [market.piece(each).amount_minor for each in made.ids] == [50000, 60000]


def test_confirm_clears_warnings_by_naming_them(market: Market) -> None:
    made, read = market.drafted(100000, due_day="2027-01-04", no_assignment=True)
    confirm = Confirm(undertaking_id=made, fingerprints=(read,), clears=BOTH[:1])
    market.refuses("D1", confirm, Refusal.WARNING_STANDS, warning="no_assignment")
    market.does("D1", Confirm(undertaking_id=made, fingerprints=(read,), clears=BOTH))
    opened = market.undertaking(made)
    assert (opened.warnings, opened.cleared) == ((), BOTH)


def test_confirm_is_refused_in_this_order(market: Market) -> None:
    made, read = market.drafted(100000)
    _, other = market.invoice("S1", 5)

    def confirm(*fingerprints: object, of: str = made) -> Confirm:
        return Confirm(undertaking_id=of, fingerprints=fingerprints)  # type: ignore[arg-type]

    market.refuses("D1", confirm(read, of=NO_UNDERTAKING), Refusal.NO_SUCH_UNDERTAKING)
    market.refuses("D2", confirm(read), Refusal.NOT_DEBTOR, party="D2")
    mine = by_debtor(market)
    market.refuses("D1", confirm(read, of=mine), Refusal.NOT_ASKED)
    market.refuses("D1", confirm(), Refusal.FINGERPRINTS_MISSING)
    market.refuses("D1", confirm(other), Papers.OTHER_FINGERPRINT)
    market.does("D1", confirm(read))
    market.refuses("D1", confirm(read), Refusal.NOT_PROPOSED)


def test_confirm_asks_the_law_of_the_day(market: Market) -> None:
    made, read = market.drafted(100000, due_day="2026-07-06")
    late, late_read = market.drafted(100000, late_ppm_per_day=83)
    market.set_parameter("lpr_ppm", 31_000)
    confirm = Confirm(undertaking_id=late, fingerprints=(late_read,))
    market.refuses("D1", confirm, Refusal.LATE_RATE_TOO_LOW)
    market.at("2026-07-06")
    confirm = Confirm(undertaking_id=made, fingerprints=(read,))
    market.refuses("D1", confirm, Refusal.DUE_PASSED)


def test_confirm_needs_papers_that_still_cover(market: Market) -> None:
    made, read = market.drafted(100000)
    market.credit_note("S1", paper_of(market, made), 1)
    confirm = Confirm(undertaking_id=made, fingerprints=(read,))
    market.refuses("D1", confirm, Refusal.REGISTRATIONS_SHORT)


@pytest.mark.parametrize(
    ("order", "code"),
    (
        (lambda market: market.suspend("S1"), Members.SUSPENDED),
        (lambda market: market.expel("S1"), Members.EXPELLED),
        (lambda market: market.suspend_verb("S1", TRADE), Members.FROZEN),
    ),
)
def test_nothing_opens_with_who_may_do_nothing_new(
    market: Market, order: Callable[[Market], None], code: RefusalCode
) -> None:
    made, read = market.drafted(100000)
    order(market)
    market.refuses("D1", Confirm(undertaking_id=made, fingerprints=(read,)), code)


# --- Accept


def test_accept_opens_what_the_debtor_drafted(market: Market) -> None:
    made = by_debtor(market, due_day="2027-01-04")
    market.refuses("S1", Accept(undertaking_id=made), Refusal.WARNING_STANDS)
    market.does("S1", Accept(undertaking_id=made, clears=BOTH))
    assert market.undertaking(made).status is UndertakingStatus.OPEN
    paper = registration(market.world.view(), paper_of(market, made))
    assert paper.subject == made


def test_accept_is_refused_in_this_order(market: Market) -> None:
    market.refuses("S1", Accept(undertaking_id=NO_UNDERTAKING), Refusal.NO_SUCH_UNDERTAKING)
    drafted, _ = market.drafted(100000)
    market.refuses("S1", Accept(undertaking_id=drafted), Refusal.NOT_ASKED)
    made = by_debtor(market)
    market.refuses("S2", Accept(undertaking_id=made), Refusal.NOT_ASKED)
    market.does("S1", Accept(undertaking_id=made))
    market.refuses("S1", Accept(undertaking_id=made), Refusal.NOT_PROPOSED)


def test_the_debtor_cannot_accept_what_the_supplier_drafted(market: Market) -> None:
    drafted, _ = market.drafted(100000)
    market.refuses("D1", Accept(undertaking_id=drafted), Refusal.NOT_ASKED)


def test_accept_needs_papers_that_are_still_there(market: Market) -> None:
    cancelled = by_debtor(market)
    market.does("S1", CancelRegistration(registration_id=paper_of(market, cancelled)))
    market.refuses("S1", Accept(undertaking_id=cancelled), Papers.CANCELLED)
    disputed = by_debtor(market)
    market.credit_note("S1", paper_of(market, disputed), 1)
    market.refuses("S1", Accept(undertaking_id=disputed), Papers.DISPUTED)
    used = by_debtor(market)
    paper = paper_of(market, used)
    market.does("S1", market.draft(100000, registrations=(paper,)))
    market.refuses("S1", Accept(undertaking_id=used), Papers.IN_USE)


def test_accept_asks_the_law_of_the_day(market: Market) -> None:
    soon = by_debtor(market, due_day="2026-07-06")
    low = by_debtor(market, late_ppm_per_day=83)
    market.set_parameter("lpr_ppm", 31_000)
    market.refuses("S1", Accept(undertaking_id=low), Refusal.LATE_RATE_TOO_LOW)
    market.at("2026-07-06")
    market.refuses("S1", Accept(undertaking_id=soon), Refusal.DUE_PASSED)


@pytest.mark.parametrize(
    ("order", "code"),
    (
        (lambda market: market.suspend("D1"), Members.SUSPENDED),
        (lambda market: market.expel("D1"), Members.EXPELLED),
        (lambda market: market.suspend_verb("D1", "receivables.undertake"), Members.FROZEN),
    ),
)
def test_accept_needs_an_active_debtor(
    market: Market, order: Callable[[Market], None], code: RefusalCode
) -> None:
    made = by_debtor(market)
    order(market)
    market.refuses("S1", Accept(undertaking_id=made), code)


# --- Reject, Cancel


def test_reject_leaves_a_reason_and_frees_the_papers(market: Market) -> None:
    made, _ = market.drafted(100000)
    paper = paper_of(market, made)
    market.does("D1", Reject(undertaking_id=made, reason="goods came back"))
    rejected = market.undertaking(made)
    assert (rejected.status, rejected.answer) == (
        UndertakingStatus.REJECTED,
        "goods came back",
    )
    found = registration(market.world.view(), paper)
    assert (found.status, found.reason) == (RegistrationStatus.CANC, Reason.RJCT)


def test_the_supplier_rejects_and_its_papers_stay_its_own(market: Market) -> None:
    made = by_debtor(market)
    market.does("S1", Reject(undertaking_id=made))
    paper = registration(market.world.view(), paper_of(market, made))
    assert paper.status is RegistrationStatus.REGU


def test_reject_is_refused_in_this_order(market: Market) -> None:
    reject = Reject(undertaking_id=NO_UNDERTAKING)
    market.refuses("D1", reject, Refusal.NO_SUCH_UNDERTAKING)
    made, _ = market.drafted(100000)
    for stranger in ("S1", "S2", "D2"):
        market.refuses(stranger, Reject(undertaking_id=made), Refusal.NOT_ASKED)
    market.does("D1", Reject(undertaking_id=made))
    market.refuses("D1", Reject(undertaking_id=made), Refusal.NOT_PROPOSED)


def test_cancel_takes_a_draft_back(market: Market) -> None:
    made, _ = market.drafted(100000)
    market.does("S1", Cancel(undertaking_id=made))
    assert market.undertaking(made).status is UndertakingStatus.CANCELLED
    paper = registration(market.world.view(), paper_of(market, made))
    assert (paper.status, paper.reason) == (RegistrationStatus.CANC, Reason.WITH)


def test_cancel_is_refused_in_this_order(market: Market) -> None:
    cancel = Cancel(undertaking_id=NO_UNDERTAKING)
    market.refuses("S1", cancel, Refusal.NO_SUCH_UNDERTAKING)
    made, _ = market.drafted(100000)
    market.refuses("D1", Cancel(undertaking_id=made), Refusal.NOT_DRAFTER)
    market.does("S1", Cancel(undertaking_id=made))
    market.refuses("S1", Cancel(undertaking_id=made), Refusal.NOT_PROPOSED)


# --- LapseDraft


def test_silence_lapses_and_never_accepts(market: Market) -> None:
    made, read = market.drafted(100000)
    market.at("2026-07-17", 23 * 60 + 59)
    assert market.undertaking(made).status is UndertakingStatus.PROPOSED
    market.at("2026-07-18", 0)
    assert market.undertaking(made).status is UndertakingStatus.EXPIRED
    paper = registration(market.world.view(), paper_of(market, made))
    assert (paper.status, paper.reason) == (RegistrationStatus.CANC, Reason.NTFD)
    confirm = Confirm(undertaking_id=made, fingerprints=(read,))
    market.refuses("D1", confirm, Refusal.NOT_PROPOSED)


def test_papers_voided_under_a_draft_are_not_freed_twice(market: Market) -> None:
    made, _ = market.drafted(100000)
    market.credit_note("S1", paper_of(market, made), 50000)
    market.does("S1", Cancel(undertaking_id=made))
    assert market.undertaking(made).status is UndertakingStatus.CANCELLED


# --- ReviewDates


def test_a_date_beyond_the_calendar_is_rolled_when_it_is_published(market: Market) -> None:
    made, read = market.drafted(100000, due_day="2027-01-02")
    market.does("D1", Confirm(undertaking_id=made, fingerprints=(read,)))
    first = market.undertaking(made)
    assert (first.provisional, first.payment_day) == (True, "2027-01-02")
    market.publish_2027(holidays=("2027-01-01", "2027-01-04"))
    market.world.passes(days=8)
    moved = market.undertaking(made)
    assert (moved.provisional, moved.payment_day) == (False, "2027-01-05")
    piece = market.whole_of(made)
    assert piece.payment_day == "2027-01-05"
    (told,) = market.alerts("S1")
    assert (told.subject, told.day) == (piece.piece_id, "2027-01-05")
    assert [each.payment_day for each in market.world.view().scan(Payable)] == ["2027-01-05"]


def test_a_date_that_stays_is_no_longer_provisional(market: Market) -> None:
    made, read = market.drafted(100000, due_day="2026-12-30")
    market.does("D1", Confirm(undertaking_id=made, fingerprints=(read,)))
    assert market.undertaking(made).provisional
    market.world.passes(days=8)
    assert market.undertaking(made).provisional
    market.publish_2027()
    market.world.passes(days=8)
    settled = market.undertaking(made)
    assert (settled.provisional, settled.payment_day) == (False, "2026-12-30")
    assert market.alerts("S1") == []


def test_grace_that_reaches_into_the_next_year_moves_alone(market: Market) -> None:
    made, read = market.drafted(100000, due_day="2026-12-31")
    market.does("D1", Confirm(undertaking_id=made, fingerprints=(read,)))
    assert market.undertaking(made).grace_end_day == "2027-01-03"
    market.publish_2027(holidays=("2027-01-01",))
    market.world.passes(days=8)
    assert market.undertaking(made).grace_end_day == "2027-01-06"
    assert market.alerts("S1") == []


def late_in_december(market: Market) -> str:
    """An undertaking due on 29 December 2026, on 30 December: its grace is not published."""
    made, read = market.drafted(100000, due_day="2026-12-29")
    market.does("D1", Confirm(undertaking_id=made, fingerprints=(read,)))
    market.at("2026-12-30")
    assert market.undertaking(made).status is UndertakingStatus.OVERDUE
    assert market.undertaking(made).grace_end_day == "2027-01-01"
    return made


def test_grace_moves_even_after_the_payment_date(market: Market) -> None:
    made = late_in_december(market)
    market.publish_2027(holidays=("2027-01-01",))
    market.at("2027-01-04", 20 * 60)
    settled = market.undertaking(made)
    assert (settled.grace_end_day, settled.provisional) == ("2027-01-04", False)
    assert (settled.status, settled.payment_day) == (UndertakingStatus.OVERDUE, "2026-12-29")
    market.at("2027-01-05", 0)
    assert market.undertaking(made).status is UndertakingStatus.DEFAULTED


def test_grace_that_nobody_publishes_ends_where_it_was_thought_to(market: Market) -> None:
    made = late_in_december(market)
    market.at("2027-01-02", 0)
    assert market.undertaking(made).status is UndertakingStatus.DEFAULTED
    market.publish_2027(holidays=("2027-01-01",))
    market.world.passes(days=30)
    assert market.undertaking(made).grace_end_day == "2027-01-01"


def test_a_moved_date_reaches_the_deal_on_a_piece(market: Market) -> None:
    made, read = market.drafted(100000, due_day="2027-01-02")
    piece = market.does("D1", Confirm(undertaking_id=made, fingerprints=(read,))).id
    market.mint("bank-a", 100000)
    deal_id = market.financed("S1", piece, "bank-a")
    market.publish_2027(holidays=("2027-01-01",))
    market.world.passes(days=8)
    assert market.deal(deal_id).payment_day == "2027-01-04"
