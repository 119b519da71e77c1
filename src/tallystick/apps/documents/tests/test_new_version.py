import pytest

from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import ApplyCreditNote, Commit, NewVersion
from tallystick.apps.documents.queries import document, particulars
from tallystick.apps.documents.records import READINGS_MAX, DocumentStatus, Kind
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_DOCUMENT,
    OTHER_ROOT,
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
    told,
)
from tallystick.testing.world import World
from tallystick.values.codec import replace


@pytest.fixture
def world() -> World:
    return network()


def test_versions_form_a_chain(world: World) -> None:
    first = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    second = world.accepts(by("S1"), NewVersion(document_id=first, root=OTHER_ROOT)).id
    old, new = document(world.view("S1"), first), document(world.view("S1"), second)
    assert (old.status, old.replaced_by) == (DocumentStatus.REPLACED, second)
    assert (new.status, new.replaces, new.version) == (DocumentStatus.CURRENT, first, 2)
    assert (new.kind, new.root) == (Kind.CONTRACT, OTHER_ROOT)


def test_a_corrected_invoice_inherits_its_uses(world: World) -> None:
    made = registered(world, "S1", 6_000)
    old = document_of(world, made)
    new = corrected(world, "S1", old, read("INV-002", 8_000, buyer="D2"))
    now = stands(world, new)
    assert (now.payable_minor, now.used_minor, now.free_minor) == (8_000, 6_000, 2_000)
    assert stands(world, old).free_minor == 2_000, "the old version is of the same invoice"
    # neither number can be used beyond it, by anybody's copy
    for reading in (read(), read("INV-002", 8_000, buyer="D2")):
        assert told(world, reading).is_taken
        copy = commit(world, "bank-a", reading)
        world.refuses(by("bank-a"), asked(copy, reading, 2_001), Refusal.REDU)


def test_less_than_is_used_is_disputed(world: World) -> None:
    made = registered(world, "S1", 6_000)
    new = corrected(world, "S1", document_of(world, made), read(payable_minor=5_000))
    assert seen(world, made).disputed_minor == 1_000
    corrected(world, "S1", new, read(payable_minor=5_500))
    assert seen(world, made).disputed_minor == 500


def test_a_version_that_reads_the_same_changes_no_figure(world: World) -> None:
    made = registered(world, "S1", 6_000)
    new = corrected(world, "S1", document_of(world, made), read())
    assert stands(world, new).free_minor == 4_000
    assert stands(world, new) == replace(stands(world, document_of(world, made)), document_id=new)


def test_a_copys_version_changes_nothing_for_others(world: World) -> None:
    first = registered(world, "S1", 6_000)
    copy = document_of(world, registered(world, "bank-a", 1_000))
    new = corrected(world, "bank-a", copy, read("INV-777", 99_000))
    now = stands(world, document_of(world, first))
    assert (now.payable_minor, now.free_minor) == (10_000, 3_000)
    over = asked(new, read("INV-777", 99_000), 3_001)
    world.refuses(by("bank-a"), over, Refusal.REDU)
    assert not told(world, read("INV-777", 99_000)).is_taken


def test_before_registration_a_version_is_a_new_beginning(world: World) -> None:
    old = commit(world, "S1")
    credited(world, "S1", old, 1_000)
    new = corrected(world, "S1", old, read("INV-009", 5_000))
    assert stands(world, new).free_minor == 4_000
    assert particulars(world.view("S1"), new).credited_minor == 1_000


def test_refused_in_this_order(world: World) -> None:
    nothing = replace(read(payable_minor=0, currency="XXX"), scheme=9)
    old = commit(world, "S1")

    def version(document_id: str, particulars: object = nothing) -> NewVersion:
        assert particulars is None or isinstance(particulars, type(nothing))
        return NewVersion(document_id=document_id, root=ROOT, particulars=particulars)

    world.refuses(by("S1"), version(NO_DOCUMENT), Refusal.NO_SUCH_DOCUMENT)
    world.refuses(by("S2"), version(old), Refusal.NOT_OWNER)
    new = corrected(world, "S1", old, read())
    world.refuses(by("S1"), version(old), Refusal.NOT_CURRENT, document_id=old)
    contract = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    world.refuses(by("S1"), version(contract), Refusal.PARTICULARS_UNWANTED)
    world.refuses(by("S1"), version(new, None), Refusal.PARTICULARS_MISSING)
    world.refuses(by("S1"), version(new), Refusal.UNKNOWN_SCHEME)
    nothing = replace(nothing, scheme=1)
    world.refuses(by("S1"), version(new, nothing), Refusal.UNKNOWN_CURRENCY)
    nothing = replace(nothing, currency="EUR")
    world.refuses(by("S1"), version(new, nothing), Refusal.ZERO_AMOUNT)
    note = credit(world, "S1", 600)
    applied = ApplyCreditNote(document_id=new, credit_note_id=note)
    world.accepts(by("S1"), applied)
    nothing = replace(nothing, payable_minor=1)
    world.refuses(by("S1"), version(note, nothing), Refusal.ALREADY_APPLIED)
    world.refuses(by("S1"), version(new, nothing), Refusal.OTHER_CURRENCY)
    world.refuses(by("S1"), version(new, read(payable_minor=599)), Refusal.ABOVE_INVOICE)
    registered(world, "S2", 1, read("INV-100"))
    world.accepts(by("S1"), asked(new, read(), 1))
    world.refuses(by("S1"), version(new, read(payable_minor=599)), Refusal.ABOVE_INVOICE)
    world.refuses(by("S1"), version(new, read("INV-100")), Refusal.NUMBER_TAKEN)
    world.refuses(by("S1"), version(new, read("INV-1OO")), Refusal.NUMBER_TAKEN)


def test_the_registry_keeps_so_many_versions(world: World) -> None:
    document = document_of(world, registered(world, "S1", 1))
    for cents in range(1, READINGS_MAX):
        document = corrected(world, "S1", document, read(payable_minor=cents))
    last = NewVersion(document_id=document, root=ROOT, particulars=read(payable_minor=9))
    world.refuses(by("S1"), last, Refusal.TOO_MANY_USES)


def test_the_registry_keeps_so_many_numbers_of_one_invoice(world: World) -> None:
    document = document_of(world, registered(world, "S1", 1))
    for number in range(1, READINGS_MAX):
        document = corrected(world, "S1", document, read(f"A-{number}"))
    last = NewVersion(document_id=document, root=ROOT, particulars=read("A-77"))
    world.refuses(by("S1"), last, Refusal.TOO_MANY_USES)
