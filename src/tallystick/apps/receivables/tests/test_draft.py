"""Draft, and what an undertaking's terms may be."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from tallystick.apps.documents.messages import CancelRegistration, Register
from tallystick.apps.documents.queries import registration
from tallystick.apps.documents.records import Purpose
from tallystick.apps.documents.refusals import Refusal as Papers
from tallystick.apps.governance.refusals import Refusal as Governance
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.receivables.messages import TRADE, Draft
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import UndertakingStatus, WarningKind
from tallystick.apps.receivables.tests.market import Market
from tallystick.ledger.refusal import RefusalCode

NO_REGISTRATION = "reg-0000000000000000"


@pytest.fixture
def market() -> Market:
    return Market()


def test_what_is_left_out_comes_from_the_parameters(market: Market) -> None:
    undertaking_id, _ = market.drafted(100000)
    drafted = market.undertaking(undertaking_id)
    assert drafted.status is UndertakingStatus.PROPOSED
    assert drafted.late_ppm_per_day == 500
    assert (drafted.grace_banking_days, drafted.transfer_cutoff_days) == (3, 3)
    assert (drafted.min_piece_minor, drafted.hops_max, drafted.pieces_max) == (1, 10, 500)
    assert drafted.lpr_ppm == 30_000
    assert drafted.calendar_id == "cn"
    assert drafted.payment_day == "2026-10-08"
    assert drafted.moneys == ()


def test_parameters_are_copied_in_and_agreed_terms_win(market: Market) -> None:
    market.set_parameter("grace_banking_days", 5)
    market.set_parameter("late_small_ppm_per_day", 700)
    market.set_parameter("late_ppm_per_day", 400)
    market.set_parameter("pieces_max", 9_999)
    first = market.undertaking(market.drafted(100000)[0])
    assert (first.grace_banking_days, first.late_ppm_per_day, first.pieces_max) == (5, 700, 500)
    agreed = market.undertaking(
        market.drafted(100000, grace_banking_days=1, late_ppm_per_day=100, calendar_id="cn")[0]
    )
    assert (agreed.grace_banking_days, agreed.late_ppm_per_day) == (1, 100)
    registration_id, _ = market.invoice("D2", 5000)
    large = Draft(
        debtor="D1",
        supplier="D2",
        amount_minor=5000,
        currency="CNY",
        due_day="2026-10-01",
        registrations=(registration_id,),
    )
    assert market.undertaking(market.does("D2", large).id).late_ppm_per_day == 400


def test_the_supplier_puts_its_registration_under_the_draft(market: Market) -> None:
    undertaking_id, _ = market.drafted(100000)
    (paper,) = market.undertaking(undertaking_id).registrations
    assert registration(market.world.view(), paper).subject == undertaking_id


def test_the_debtor_drafts_with_its_own_reading(market: Market) -> None:
    made = market.does("D1", market.draft(100000, by_debtor=True)).id
    drafted = market.undertaking(made)
    assert drafted.drafted_by == "D1"
    assert registration(market.world.view(), drafted.registrations[0]).subject is None


def test_warnings_and_extension_stand_on_the_draft(market: Market) -> None:
    made, _ = market.drafted(
        100000,
        due_day="2027-01-04",
        invoice_due_day="2026-12-31",
        supplier_consent=True,
        no_assignment=True,
    )
    drafted = market.undertaking(made)
    assert drafted.warnings == (WarningKind.TERM_OVER_SIX_MONTHS, WarningKind.NO_ASSIGNMENT)
    assert drafted.is_extended


Case = tuple[dict[str, Any], RefusalCode]

REFUSED: tuple[Case, ...] = (
    ({"calendar_id": "hk"}, Governance.NO_SUCH_CALENDAR),
    ({"supplier": "S2", "debtor": "D1"}, Refusal.NOT_A_PARTY),
    ({"debtor": "S1"}, Refusal.SAME_PARTY),
    ({"debtor": "nobody"}, Members.NOT_A_MEMBER),
    ({"debtor": "S2"}, Members.UNLICENSED),
    ({"amount_minor": 0}, Refusal.ZERO_AMOUNT),
    ({"currency": "XXX"}, Refusal.UNKNOWN_CURRENCY),
    ({"moneys": ("CNY@CB", "EUR@CB")}, Refusal.MONEY_NOT_ACCEPTED),
    ({"registrations": ()}, Refusal.NO_REGISTRATION),
    ({"due_day": "2026-09-31"}, Refusal.NO_SUCH_DAY),
    ({"invoice_due_day": "2026-02-30"}, Refusal.NO_SUCH_DAY),
    ({"due_day": "2026-07-03"}, Refusal.DUE_PASSED),
    ({"due_day": "2027-07-04"}, Refusal.TERM_TOO_LONG),
    ({"invoice_due_day": "2026-09-30"}, Refusal.CONSENT_MISSING),
    ({"min_piece_minor": 100001}, Refusal.MIN_PIECE_TOO_LARGE),
    ({"late_ppm_per_day": 82}, Refusal.LATE_RATE_TOO_LOW),
    ({"registrations": (NO_REGISTRATION,)}, Papers.NO_SUCH_REGISTRATION),
    ({"amount_minor": 100001}, Refusal.REGISTRATIONS_SHORT),
    ({"currency": "EUR"}, Papers.OTHER_CURRENCY),
)


@pytest.mark.parametrize(("terms", "code"), REFUSED)
def test_draft_is_refused(market: Market, terms: dict[str, Any], code: RefusalCode) -> None:
    market.refuses("S1", replace(market.draft(100000), **terms), code)


def test_late_interest_at_the_floor_is_enough(market: Market) -> None:
    market.does("S1", market.draft(100000, late_ppm_per_day=83))


def test_the_whole_as_smallest_piece_is_allowed(market: Market) -> None:
    market.does("S1", market.draft(100000, min_piece_minor=100000))


def refused_by_registration(market: Market, paper: str, code: RefusalCode) -> None:
    market.refuses("S1", market.draft(100000, registrations=(paper,)), code)


def test_registrations_must_be_free_and_for_an_opening(market: Market) -> None:
    others, _ = market.invoice("S2", 100000)
    refused_by_registration(market, others, Papers.NOT_OWNER)
    settling, _ = market.invoice("S1", 100000, Purpose.SETTLEMENT)
    refused_by_registration(market, settling, Papers.OTHER_PURPOSE)
    used = market.undertaking(market.drafted(100000)[0]).registrations[0]
    refused_by_registration(market, used, Papers.IN_USE)
    gone, _ = market.invoice("S1", 100000)
    market.does("S1", CancelRegistration(registration_id=gone))
    refused_by_registration(market, gone, Papers.CANCELLED)
    mine, _ = market.invoice("S1", 100000)
    twice = market.draft(100000, registrations=(mine, mine))
    market.refuses("S1", twice, Refusal.REGISTRATION_TWICE)


def test_a_registration_in_doubt_or_dispute_is_no_ground(market: Market) -> None:
    paper, _ = market.invoice("S1", 100000)
    market.credit_note("S1", paper, 1)
    refused_by_registration(market, paper, Papers.DISPUTED)
    refused_by_registration(market, market.doubtful("S1", 100000), Papers.STILL_PENDING)


def test_the_debtor_must_read_every_invoice_alike(market: Market) -> None:
    draft = market.draft(100000, by_debtor=True)
    market.refuses("D1", replace(draft, fingerprints=()), Refusal.FINGERPRINTS_MISSING)
    _, other = market.invoice("S1", 5)
    market.refuses("D1", replace(draft, fingerprints=(other,)), Papers.OTHER_FINGERPRINT)


@pytest.mark.parametrize(
    ("order", "code"),
    (
        (lambda market: market.suspend("D1"), Members.SUSPENDED),
        (lambda market: market.expel("D1"), Members.EXPELLED),
        (lambda market: market.suspend_verb("D1", "receivables.undertake"), Members.FROZEN),
    ),
)
def test_nothing_new_with_who_may_do_nothing_new(
    market: Market, order: Callable[[Market], None], code: RefusalCode
) -> None:
    draft = market.draft(100000)
    order(market)
    market.refuses("S1", draft, code)


def test_the_supplier_must_be_active_and_licensed_too(market: Market) -> None:
    draft = market.draft(100000, by_debtor=True)
    market.suspend_verb("S1", TRADE)
    market.refuses("D1", draft, Members.FROZEN)


def test_pledged_and_financed_elsewhere_is_no_ground(market: Market) -> None:
    financed = market.financed_elsewhere("S1", 100000)
    refused_by_registration(market, financed, Papers.ALREADY_FINANCED)


def test_registering_more_than_there_is(market: Market) -> None:
    paper, read = market.invoice("S1", 100000)
    document = registration(market.world.view(), paper).document_id
    again = Register(
        document_id=document,
        purpose=Purpose.OPENING,
        amount_minor=1,
        currency="CNY",
        strict=read.strict,
        relaxed=read.relaxed,
    )
    market.refuses("S1", again, Papers.REDU)
