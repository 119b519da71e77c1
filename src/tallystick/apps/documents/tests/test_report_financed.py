import pytest

from tallystick.apps.cash.tests.desk.messages import Attach, Finance
from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import (
    CancelRegistration,
    ReportFinanced,
    ReportRepaid,
)
from tallystick.apps.documents.records import Purpose, Reason, RegistrationStatus
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_REGISTRATION,
    asked,
    commit,
    document_of,
    read,
    registered,
    seen,
    stands,
    told,
)
from tallystick.testing.world import World

DIRECT = Purpose.DIRECT_FINANCE


@pytest.fixture
def world() -> World:
    return network()


def financed(registration_id: str) -> ReportFinanced:
    return ReportFinanced(registration_id=registration_id)


def repaid(registration_id: str) -> ReportRepaid:
    return ReportRepaid(registration_id=registration_id)


# --- ReportFinanced


def test_an_invoice_financed_elsewhere_is_not_financed_again(world: World) -> None:
    made = registered(world, "factor", 6_000, purpose=DIRECT)
    world.accepts(by("factor"), financed(made))
    kept = seen(world, made)
    assert (kept.status, kept.financiers) == (RegistrationStatus.FNCD, ("factor",))
    answer = told(world, read())
    assert (answer.is_financed, answer.is_near_financed) == (True, True)
    copy = commit(world, "bank-a", read("ｉｎｖ　００１"))
    over = asked(copy, read(), 4_001, DIRECT)
    receipt = world.refuses(by("bank-a"), over, Refusal.DFIN).receipt
    assert {each.name for each in receipt.values} == {"document_id", "amount_minor", "currency"}
    world.accepts(by("bank-a"), asked(copy, read(), 4_000, DIRECT))


def test_report_financed_is_refused_in_this_order(world: World) -> None:
    world.refuses(by("factor"), financed(NO_REGISTRATION), Refusal.NO_SUCH_REGISTRATION)
    opening = registered(world, "factor", 1)
    world.refuses(by("S1"), financed(opening), Refusal.NOT_OWNER)
    world.refuses(by("factor"), financed(opening), Refusal.OTHER_PURPOSE)
    waits = registered(world, "factor", 1, read("INV-OO1"), DIRECT)
    world.refuses(by("factor"), financed(waits), Refusal.STILL_PENDING)
    world.accepts(by("factor"), CancelRegistration(registration_id=waits))
    world.refuses(by("factor"), financed(waits), Refusal.CANCELLED)
    made = registered(world, "factor", 1, purpose=Purpose.PLEDGE)
    world.accepts(by("factor"), financed(made))
    world.refuses(by("factor"), financed(made), Refusal.ALREADY_FINANCED)
    used = registered(world, "factor", 1, purpose=DIRECT)
    world.accepts(by("factor"), Attach(registration_id=used))
    world.refuses(by("factor"), financed(used), Refusal.IN_USE)


# --- ReportRepaid


def test_what_the_supplier_repaid_is_free_because_the_claim_lives(world: World) -> None:
    made = registered(world, "factor", 6_000, purpose=DIRECT)
    world.accepts(by("factor"), financed(made))
    world.accepts(by("factor"), repaid(made))
    kept = seen(world, made)
    assert (kept.status, kept.reason) == (RegistrationStatus.CANC, Reason.OBSA)
    assert stands(world, document_of(world, made)).free_minor == 10_000
    assert not told(world, read()).is_taken


def test_report_repaid_is_refused_in_this_order(world: World) -> None:
    world.refuses(by("factor"), repaid(NO_REGISTRATION), Refusal.NO_SUCH_REGISTRATION)
    opening = registered(world, "factor", 1)
    world.refuses(by("S1"), repaid(opening), Refusal.NOT_OWNER)
    world.refuses(by("factor"), repaid(opening), Refusal.OTHER_PURPOSE)
    made = registered(world, "factor", 1, purpose=DIRECT)
    world.refuses(by("factor"), repaid(made), Refusal.NOT_FINANCED)
    world.accepts(by("factor"), Attach(registration_id=made))
    world.accepts(by("bank-a"), Finance(registration_id=made))
    world.refuses(by("factor"), repaid(made), Refusal.IN_USE)
