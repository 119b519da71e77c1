import pytest

from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import (
    CancelRegistration,
    Decision,
    ReportFinanced,
    VoidDocument,
)
from tallystick.apps.documents.queries import pending, registration
from tallystick.apps.documents.records import (
    READINGS_MAX,
    Purpose,
    Reason,
    RegistrationStatus,
)
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_REGISTRATION,
    asked,
    commit,
    decision,
    document_of,
    read,
    registered,
    seen,
    stands,
    told,
)
from tallystick.apps.governance.refusals import Refusal as Governance
from tallystick.testing.world import World
from tallystick.values.codec import replace

SAME, OTHER, REJECT = Decision.SAME_INVOICE, Decision.OTHER_INVOICE, Decision.REJECT
REGISTRAR = by("registrar")


@pytest.fixture
def world() -> World:
    return network()


def test_another_invoice_has_a_capacity_of_its_own(world: World) -> None:
    first = registered(world, "S1", 10_000)
    waits = registered(world, "S1", 10_000, read(buyer="D2"))
    assert [each.registration_id for each in pending(world.view("registrar"))] == [waits]
    assert registration(world.view("registrar"), waits).owner == "S1"
    assert list(pending(world.view("S2"))) == []
    world.accepts(REGISTRAR, decision(waits, OTHER))
    kept = seen(world, waits)
    assert (kept.status, kept.decided) == (RegistrationStatus.REGU, "papers seen")
    assert kept.entry_id != seen(world, first).entry_id
    assert stands(world, document_of(world, waits)).free_minor == 0
    assert stands(world, document_of(world, first)).used_minor == 10_000
    third = registered(world, "bank-a", 1, read(buyer="D3"))
    assert seen(world, third).status is RegistrationStatus.PNDG


def test_the_same_invoice_counts_once(world: World) -> None:
    first = registered(world, "S1", 6_000)
    near = read("INV-OO1")
    waits = registered(world, "factor", 4_000, near, Purpose.DIRECT_FINANCE)
    assert not told(world, near).is_taken
    world.accepts(by("supervisor"), decision(waits, SAME, first))
    assert seen(world, waits).entry_id == seen(world, first).entry_id
    assert stands(world, document_of(world, first)).free_minor == 0
    assert told(world, near).is_taken
    # the spelling is known now: whoever comes with it next does not wait
    document = document_of(world, waits)
    world.refuses(by("factor"), asked(document, near, 1), Refusal.REDU)


def test_the_same_invoice_carries_no_more_than_it_is_worth(world: World) -> None:
    first = registered(world, "S1", 6_000, purpose=Purpose.PLEDGE)
    waits = registered(world, "factor", 4_001, read("INV-OO1"))
    world.refuses(REGISTRAR, decision(waits, SAME, first), Refusal.REDU)
    assert seen(world, waits).status is RegistrationStatus.PNDG


def test_rejected(world: World) -> None:
    registered(world, "S1", 6_000)
    waits = registered(world, "factor", 4_000, read("INV-OO1"))
    world.accepts(REGISTRAR, decision(waits, REJECT))
    kept = seen(world, waits)
    assert (kept.status, kept.reason) == (RegistrationStatus.CANC, Reason.RJCT)
    assert not told(world, read("INV-OO1")).is_taken


def test_one_reading_is_one_invoice_whatever_is_decided(world: World) -> None:
    """Two copies of the same doubtful invoice wait; the second joins what the first became."""
    registered(world, "S1", 1_000)
    near = read("INV-OO1")
    one = registered(world, "S2", 6_000, near)
    two = registered(world, "factor", 4_000, near)
    world.accepts(REGISTRAR, decision(one, OTHER))
    world.accepts(REGISTRAR, decision(two, OTHER))
    assert seen(world, two).entry_id == seen(world, one).entry_id
    assert stands(world, document_of(world, one)).free_minor == 0


def test_refused_in_this_order(world: World) -> None:
    world.refuses(by("S2"), decision(NO_REGISTRATION, SAME), Refusal.NO_SUCH_REGISTRATION)
    first = registered(world, "S1", 6_000)
    silent = replace(decision(first, SAME), reason="")
    world.refuses(by("S2"), silent, Refusal.NOT_REGISTRAR, party="S2")
    world.refuses(REGISTRAR, silent, Refusal.NOT_PENDING)
    waits = registered(world, "S2", 100, read("INV-OO1"))
    silent = replace(decision(waits, SAME), reason="")
    world.refuses(REGISTRAR, silent, Refusal.REASON_MISSING)
    for odd in (
        decision(waits, SAME),
        decision(waits, OTHER, first),
        decision(waits, REJECT, first),
    ):
        world.refuses(REGISTRAR, odd, Refusal.SAME_AS_MISPLACED)
    gone = decision(waits, SAME, NO_REGISTRATION)
    world.refuses(REGISTRAR, gone, Refusal.NO_SUCH_REGISTRATION)
    both = registered(world, "bank-a", 100, read("INV-O01"))
    world.refuses(REGISTRAR, decision(waits, SAME, both), Refusal.STILL_PENDING)
    euro = registered(world, "bank-a", 100, read("INV-OO1", currency="EUR"))
    world.refuses(REGISTRAR, decision(euro, SAME, first), Refusal.OTHER_CURRENCY)
    world.accepts(by("S2"), VoidDocument(document_id=document_of(world, waits), reason="mistake"))
    world.refuses(REGISTRAR, decision(waits, OTHER), Refusal.NOT_CURRENT)
    world.accepts(REGISTRAR, decision(waits, REJECT))


def test_without_a_constitution_nobody_decides() -> None:
    world = network(constitution=False)
    first = registered(world, "S1", 6_000)
    world.refuses(REGISTRAR, decision(first, OTHER), Governance.NO_CONSTITUTION)
    near = read("INV-OO1")
    document = commit(world, "S2", near)
    world.refuses(by("S2"), asked(document, near, 1), Governance.NO_CONSTITUTION)


def test_same_as_something_financed(world: World) -> None:
    first = registered(world, "bank-a", 6_000, purpose=Purpose.DIRECT_FINANCE)
    world.accepts(by("bank-a"), ReportFinanced(registration_id=first))
    waits = registered(world, "factor", 4_001, read("INV-OO1"))
    world.refuses(REGISTRAR, decision(waits, SAME, first), Refusal.DFIN)


def test_a_pending_one_may_be_withdrawn(world: World) -> None:
    registered(world, "S1", 6_000)
    waits = registered(world, "factor", 4_000, read("INV-OO1"))
    world.accepts(by("factor"), CancelRegistration(registration_id=waits))
    kept = seen(world, waits)
    assert (kept.status, kept.reason) == (RegistrationStatus.CANC, Reason.WITH)


def test_the_registry_keeps_so_many_invoices_of_one_number(world: World) -> None:
    registered(world, "S1", 1)
    for day in range(1, READINGS_MAX):
        waits = registered(world, "S1", 1, read(date=f"2026-05-{day:02}"))
        world.accepts(REGISTRAR, decision(waits, OTHER))
    waits = registered(world, "S1", 1, read(date="2026-06-01"))
    world.refuses(REGISTRAR, decision(waits, OTHER), Refusal.TOO_MANY_USES)
    world.accepts(REGISTRAR, decision(waits, REJECT))


def test_the_registry_keeps_so_many_spellings(world: World) -> None:
    """Eight numbers that read alike; a ninth is refused, by any way in."""
    first = registered(world, "S1", 1)
    spellings = [f"INV-{'0' * zeros}1" for zeros in range(3, 3 + READINGS_MAX)]
    for spelling in spellings[: READINGS_MAX - 1]:
        waits = registered(world, "S1", 1, read(spelling))
        world.accepts(REGISTRAR, decision(waits, SAME, first))
    waits = registered(world, "S1", 1, read(spellings[-1]))
    world.refuses(REGISTRAR, decision(waits, SAME, first), Refusal.TOO_MANY_USES)
    world.refuses(REGISTRAR, decision(waits, OTHER), Refusal.TOO_MANY_USES)
