import pytest

from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import ApplyCreditNote, Commit, VoidDocument
from tallystick.apps.documents.queries import document
from tallystick.apps.documents.records import DocumentStatus, Kind, RegistrationStatus
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_DOCUMENT,
    ROOT,
    asked,
    commit,
    corrected,
    credit,
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


def void(document_id: str, reason: str = "issued in error") -> VoidDocument:
    return VoidDocument(document_id=document_id, reason=reason)


def test_a_void_document_stays_to_be_seen(world: World) -> None:
    contract = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    world.accepts(by("S1"), void(contract))
    kept = document(world.view("S1"), contract)
    assert (kept.status, kept.void_reason) == (DocumentStatus.VOID, "issued in error")


def test_what_a_void_invoice_carries_is_disputed(world: World) -> None:
    made = registered(world, "S1", 6_000)
    copy = commit(world, "bank-a")
    world.accepts(by("S1"), void(document_of(world, made)))
    kept = seen(world, made)
    assert (kept.status, kept.disputed_minor) == (RegistrationStatus.REGU, 6_000)
    world.refuses(by("bank-a"), asked(copy, read(), 1), Refusal.REDU)


def test_a_void_copy_changes_nothing_for_others(world: World) -> None:
    made = registered(world, "S1", 6_000)
    copy = registered(world, "bank-a", 1_000)
    world.accepts(by("bank-a"), void(document_of(world, copy)))
    unused = commit(world, "S2")
    world.accepts(by("S2"), void(unused))
    assert stands(world, document_of(world, made)).free_minor == 3_000


def test_refused_in_this_order(world: World) -> None:
    old = commit(world, "S1")
    world.refuses(by("S1"), void(NO_DOCUMENT, ""), Refusal.NO_SUCH_DOCUMENT)
    world.refuses(by("S2"), void(old, ""), Refusal.NOT_OWNER)
    new = corrected(world, "S1", old, read())
    world.refuses(by("S1"), void(old, ""), Refusal.NOT_CURRENT)
    note = credit(world, "S1", 600)
    world.accepts(by("S1"), ApplyCreditNote(document_id=new, credit_note_id=note))
    world.refuses(by("S1"), void(note, ""), Refusal.REASON_MISSING)
    world.refuses(by("S1"), void(note), Refusal.ALREADY_APPLIED)
