"""The worked case of the registry, figure by figure."""

from tallystick.apps.cash.tests.desk.messages import Attach, Finance, Paid
from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import CancelRegistration
from tallystick.apps.documents.queries import alerts
from tallystick.apps.documents.records import Reason, RegistrationStatus
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    asked,
    commit,
    credited,
    read,
    registered,
    seen,
    stands,
)

REGU, PNDG = RegistrationStatus.REGU, RegistrationStatus.PNDG
FNCD, CANC = RegistrationStatus.FNCD, RegistrationStatus.CANC


def test_case_2() -> None:
    world = network()
    invoice = commit(world, "S1", read("INV-001", 10_000))

    def free() -> int:
        return stands(world, invoice).free_minor

    sixty = world.accepts(by("S1"), asked(invoice, read(), 6_000)).id
    assert (seen(world, sixty).status, free()) == (REGU, 4_000)
    wide = read("ｉｎｖ　００１", 10_000)
    again = commit(world, "S1", wide)
    world.refuses(by("S1"), asked(again, wide, 4_100), Refusal.REDU)
    assert free() == 4_000
    forty = world.accepts(by("S1"), asked(again, wide, 4_000)).id
    assert (seen(world, forty).status, free()) == (REGU, 0)

    other_buyer = registered(world, "S1", 10_000, read("INV-001", 10_000, buyer="D2"))
    assert seen(world, other_buyer).status is PNDG

    world.accepts(by("S1"), CancelRegistration(registration_id=sixty))
    assert (seen(world, sixty).status, seen(world, sixty).reason) == (CANC, Reason.WITH)
    assert free() == 6_000

    world.accepts(by("S1"), Attach(registration_id=forty))
    world.accepts(by("bank-a"), Finance(registration_id=forty))
    assert seen(world, forty).status is FNCD
    world.refuses(by("S1"), asked(invoice, read(), 6_001), Refusal.DFIN)
    sixty = world.accepts(by("S1"), asked(invoice, read(), 6_000)).id
    assert (seen(world, sixty).status, free()) == (REGU, 0)

    world.accepts(by("D1"), Paid(registration_id=forty))
    assert free() == 0

    credited(world, "S1", invoice, 1_000)
    now = stands(world, invoice)
    assert (now.capacity_minor, now.used_minor, now.disputed_minor) == (9_000, 10_000, 1_000)
    assert (seen(world, sixty).disputed_minor, seen(world, forty).disputed_minor) == (1_000, 0)
    assert [each.registration_id for each in alerts(world.view("S1"))] == [sixty]
