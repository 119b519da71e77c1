import pytest

from tallystick.apps.cash.tests.desk.messages import Attach
from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import CancelRegistration, ReportFinanced
from tallystick.apps.documents.records import Purpose, Reason, RegistrationStatus
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_REGISTRATION,
    document_of,
    read,
    registered,
    seen,
    stands,
    told,
)
from tallystick.testing.world import World


@pytest.fixture
def world() -> World:
    return network()


def withdraw(registration_id: str) -> CancelRegistration:
    return CancelRegistration(registration_id=registration_id)


def test_what_was_not_used_yet_is_free_again(world: World) -> None:
    made = registered(world, "S1", 6_000)
    world.accepts(by("S1"), withdraw(made))
    kept = seen(world, made)
    assert (kept.status, kept.reason) == (RegistrationStatus.CANC, Reason.WITH)
    assert stands(world, document_of(world, made)).free_minor == 10_000
    answer = told(world, read())
    assert not answer.is_taken
    assert not answer.is_near_taken


def test_refused_in_this_order(world: World) -> None:
    world.refuses(by("S1"), withdraw(NO_REGISTRATION), Refusal.NO_SUCH_REGISTRATION)
    made = registered(world, "S1", 10, purpose=Purpose.DIRECT_FINANCE)
    world.refuses(by("S2"), withdraw(made), Refusal.NOT_OWNER, id=made)
    gone = registered(world, "S1", 10)
    world.accepts(by("S1"), withdraw(gone))
    world.refuses(by("S1"), withdraw(gone), Refusal.CANCELLED)
    world.accepts(by("S1"), ReportFinanced(registration_id=made))
    world.refuses(by("S1"), withdraw(made), Refusal.ALREADY_FINANCED)
    used = registered(world, "S1", 10)
    world.accepts(by("S1"), Attach(registration_id=used))
    world.refuses(by("S1"), withdraw(used), Refusal.IN_USE)
