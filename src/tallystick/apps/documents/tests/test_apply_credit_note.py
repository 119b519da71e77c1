import pytest

from tallystick.apps.cash.tests.desk.messages import SUBJECT, Attach, Finance, Paid, Watch
from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import (
    ApplyCreditNote,
    CancelRegistration,
    Commit,
    VoidDocument,
)
from tallystick.apps.documents.queries import alerts, particulars
from tallystick.apps.documents.records import Kind, Watchers
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_DOCUMENT,
    ROOT,
    asked,
    commit,
    corrected,
    credit,
    credited,
    document_of,
    read,
    registered,
    seen,
    stands,
)
from tallystick.testing.world import World


@pytest.fixture
def world() -> World:
    return network()


def test_a_credit_note_reduces_what_may_be_registered(world: World) -> None:
    invoice = commit(world, "S1")
    credited(world, "S1", invoice, 1_000)
    assert stands(world, invoice).free_minor == 9_000
    world.refuses(by("S1"), asked(invoice, read(), 9_001), Refusal.REDU)
    world.accepts(by("S1"), asked(invoice, read(), 5_000))
    note = credit(world, "S1", 4_000)
    world.accepts(by("S1"), ApplyCreditNote(document_id=invoice, credit_note_id=note))
    assert particulars(world.view("S1"), note).applied_to == invoice
    now = stands(world, invoice)
    assert (now.capacity_minor, now.free_minor, now.disputed_minor) == (5_000, 0, 0)


def test_the_newest_unpaid_registration_is_disputed_first(world: World) -> None:
    """40.00 paid, 20.00 and 30.00 unpaid; 100.00 shrinks to 35.00, then all to nothing."""
    paid = registered(world, "S1", 4_000)
    older = registered(world, "S1", 2_000)
    newer = registered(world, "bank-a", 3_000)
    world.accepts(by("S1"), Attach(registration_id=paid))
    world.accepts(by("factor"), Finance(registration_id=paid))
    world.accepts(by("S1"), Paid(registration_id=paid))
    invoice = document_of(world, paid)

    def disputed() -> list[int]:
        return [seen(world, each).disputed_minor for each in (paid, older, newer)]

    credited(world, "S1", invoice, 1_000)
    assert disputed() == [0, 0, 0]
    credited(world, "S1", invoice, 2_000)
    assert disputed() == [0, 0, 2_000]
    credited(world, "S1", invoice, 3_500)
    assert disputed() == [500, 2_000, 3_000]
    # what is released later relieves the others in the opposite order
    world.accepts(by("bank-a"), CancelRegistration(registration_id=newer))
    assert disputed() == [500, 2_000, 0]
    world.accepts(by("S1"), CancelRegistration(registration_id=older))
    assert disputed() == [500, 0, 0]


def test_a_release_takes_disputes_off_others(world: World) -> None:
    """The newest is disputed; when an older one goes, the newest is whole again."""
    older = registered(world, "S1", 5_000)
    newer = registered(world, "bank-a", 5_000)
    credited(world, "S1", document_of(world, older), 2_000)
    assert seen(world, newer).disputed_minor == 2_000
    world.accepts(by("S1"), CancelRegistration(registration_id=older))
    assert seen(world, newer).disputed_minor == 0


def test_owner_and_financier_are_told(world: World) -> None:
    made = registered(world, "S1", 10_000)
    world.accepts(by("S1"), Attach(registration_id=made))
    world.accepts(by("factor"), Finance(registration_id=made))
    credited(world, "S1", document_of(world, made), 1_000)
    for asker in ("S1", "factor", "supervisor"):
        (alert,) = alerts(world.view(asker))
        assert (alert.registration_id, alert.amount_minor) == (made, 1_000)
        assert alert.subject == SUBJECT
    assert list(alerts(world.view("bank-a"))) == []


def test_nobody_reads_who_else_is_told(world: World) -> None:
    made = registered(world, "S1", 10_000)
    world.accepts(by("S1"), Attach(registration_id=made))
    world.accepts(by("factor"), Finance(registration_id=made))
    world.accepts(by("S1"), Watch(registration_id=made, parties=("S2",)))
    credited(world, "S1", document_of(world, made), 1_000)
    for asker, told in (("S1", ()), ("factor", ()), ("S2", ()), (None, ("S1", "factor", "S2"))):
        (alert,) = alerts(world.view(asker))
        assert alert.seen_by == told
    for asker in ("S1", "factor", "S2"):
        assert world.view(asker).peek(Watchers, made) is None
    assert world.view("supervisor").get(Watchers, made).parties == ("S2",)


def test_a_void_invoice_is_told_to_who_relies_on_it(world: World) -> None:
    made = registered(world, "S1", 10_000)
    world.accepts(by("S1"), Watch(registration_id=made, parties=("S2",)))
    world.accepts(by("S1"), VoidDocument(document_id=document_of(world, made), reason="never sent"))
    (alert,) = alerts(world.view("S2"))
    assert (alert.registration_id, alert.amount_minor) == (made, 10_000)


def test_refused_in_this_order(world: World) -> None:
    def apply(invoice: str, note: str = NO_DOCUMENT) -> ApplyCreditNote:
        return ApplyCreditNote(document_id=invoice, credit_note_id=note)

    world.refuses(by("S1"), apply(NO_DOCUMENT), Refusal.NO_SUCH_DOCUMENT)
    old = commit(world, "S1", read(payable_minor=1_000))
    world.refuses(by("S2"), apply(old), Refusal.NOT_OWNER)
    invoice = corrected(world, "S1", old, read(payable_minor=1_000))
    world.refuses(by("S1"), apply(old), Refusal.NOT_CURRENT)
    contract = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    world.refuses(by("S1"), apply(contract), Refusal.NOT_AN_INVOICE)
    world.refuses(by("S1"), apply(invoice), Refusal.NO_SUCH_DOCUMENT)
    strange = credit(world, "S2", 10)
    world.refuses(by("S1"), apply(invoice, strange), Refusal.NOT_OWNER)
    world.refuses(by("S1"), apply(invoice, old), Refusal.NOT_CURRENT)
    world.refuses(by("S1"), apply(invoice, contract), Refusal.NOT_A_CREDIT_NOTE)
    note = credit(world, "S1", 600)
    world.accepts(by("S1"), apply(invoice, note))
    world.refuses(by("S1"), apply(invoice, note), Refusal.ALREADY_APPLIED)
    euro = world.accepts(
        by("S1"),
        Commit(kind=Kind.CREDIT_NOTE, root=ROOT, particulars=read("CN-2", currency="EUR")),
    ).id
    world.refuses(by("S1"), apply(invoice, euro), Refusal.OTHER_CURRENCY)
    more = credit(world, "S1", 401)
    world.refuses(by("S1"), apply(invoice, more), Refusal.ABOVE_INVOICE)
    world.accepts(by("S1"), asked(invoice, read(payable_minor=1_000), 1))
    world.refuses(by("S1"), apply(invoice, more), Refusal.ABOVE_INVOICE)


def test_only_the_first_registrants_credit_notes_count(world: World) -> None:
    registered(world, "S1", 6_000)
    copy = document_of(world, registered(world, "bank-a", 1_000))
    note = credit(world, "bank-a", 10)
    told = ApplyCreditNote(document_id=copy, credit_note_id=note)
    world.refuses(by("bank-a"), told, Refusal.NOT_OWNER, id=copy)
