import pytest

from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents.messages import REGISTER, Commit, Register
from tallystick.apps.documents.queries import capacity, particulars, registration, registrations
from tallystick.apps.documents.records import (
    USES_MAX,
    Doubt,
    Kind,
    Purpose,
    RegistrationStatus,
    Taken,
)
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.documents.tests.papers import (
    NO_DOCUMENT,
    ROOT,
    asked,
    commit,
    corrected,
    document_of,
    read,
    registered,
    seen,
    stands,
    told,
)
from tallystick.apps.members.messages import RevokeLicence
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.ledger.app import key_bytes
from tallystick.ledger.refusal import Refused
from tallystick.testing.world import World
from tallystick.values.codec import encode_key, replace

REGU, PNDG = RegistrationStatus.REGU, RegistrationStatus.PNDG


@pytest.fixture
def world() -> World:
    return network()


def test_an_invoice_is_used_up_to_what_is_payable(world: World) -> None:
    invoice = commit(world, "S1")
    made = world.accepts(by("S1"), asked(invoice, read(), 6_000)).id
    kept = seen(world, made)
    assert (kept.status, kept.owner, kept.amount_minor) == (REGU, "S1", 6_000)
    assert (kept.doubt, kept.registrar, kept.subject) == (None, None, None)
    assert stands(world, invoice).free_minor == 4_000
    world.refuses(by("S1"), asked(invoice, read(), 4_001), Refusal.REDU)
    world.accepts(by("S1"), asked(invoice, read(), 4_000, Purpose.SETTLEMENT))
    assert stands(world, invoice).free_minor == 0


def test_every_copy_is_of_one_invoice(world: World) -> None:
    """Wide letters, lower case and spaces are the same number; so is a bank's own copy."""
    registered(world, "S1", 6_000)
    wide = read("ｉｎｖ　００１")
    assert wide == read()
    assert seen(world, registered(world, "S1", 1_000, wide)).status is REGU
    bank = commit(world, "bank-a")
    world.refuses(
        by("bank-a"),
        asked(bank, read(), 3_001, Purpose.DIRECT_FINANCE),
        Refusal.REDU,
        document_id=bank,
        amount_minor=3_001,
        currency="CNY",
    )
    world.accepts(by("bank-a"), asked(bank, read(), 3_000, Purpose.DIRECT_FINANCE))


@pytest.mark.parametrize(
    ("other", "doubt"),
    (
        (read(buyer="D2"), Doubt.SAME_NUMBER),
        (read(date="2026-07-01"), Doubt.SAME_NUMBER),
        (read(payable_minor=10_001), Doubt.SAME_NUMBER),
        (read(currency="EUR"), Doubt.SAME_NUMBER),
        (read("INV-OO1"), Doubt.NEAR_SPELLING),
        (read("INV-1"), Doubt.NEAR_SPELLING),
        (read("lNV-001"), Doubt.NEAR_SPELLING),
    ),
)
def test_what_may_be_the_same_waits(world: World, other: object, doubt: Doubt) -> None:
    first = registered(world, "S1", 6_000)
    assert isinstance(other, type(read()))
    kept = seen(world, registered(world, "S2", 100, other))
    assert (kept.status, kept.doubt, kept.registrar) == (PNDG, doubt, "registrar")
    assert kept.entry_id is None
    assert stands(world, document_of(world, first)).used_minor == 6_000


def test_what_is_plainly_another_does_not_wait(world: World) -> None:
    registered(world, "S1", 10_000)
    assert seen(world, registered(world, "S1", 10_000, read("INV-002"))).status is REGU


def test_refused_in_this_order(world: World) -> None:
    wrong = replace(read(), currency="EUR", strict=bytes(32))
    world.refuses(by("S1"), asked(NO_DOCUMENT, wrong, 0), Refusal.NO_SUCH_DOCUMENT)
    old = commit(world, "S1")
    world.refuses(by("S2"), asked(old, wrong, 0), Refusal.NOT_OWNER, id=old)
    new = corrected(world, "S1", old, read())
    world.refuses(by("S1"), asked(old, wrong, 0), Refusal.NOT_CURRENT)
    contract = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    world.refuses(by("S1"), asked(contract, wrong, 0), Refusal.NOT_AN_INVOICE)
    world.refuses(by("S1"), asked(new, wrong, 0), Refusal.OTHER_CURRENCY)
    wrong = replace(wrong, currency="CNY")
    world.refuses(by("S1"), asked(new, wrong, 0), Refusal.ZERO_AMOUNT)
    world.refuses(by("S1"), asked(new, wrong, 20_000), Refusal.OTHER_FINGERPRINT, id=new)
    wrong = replace(read(), relaxed=bytes(32))
    world.refuses(by("S1"), asked(new, wrong, 20_000), Refusal.OTHER_FINGERPRINT)
    world.refuses(by("S1"), asked(new, read(), 10_001), Refusal.REDU)
    note = world.accepts(
        by("S1"), Commit(kind=Kind.CREDIT_NOTE, root=ROOT, particulars=read("CN-1"))
    ).id
    world.refuses(by("S1"), asked(note, read("CN-1"), 1), Refusal.NOT_AN_INVOICE)


def test_in_doubt_it_is_of_no_more_than_its_own_worth(world: World) -> None:
    registered(world, "S1", 1)
    other = read("INV-OO1", 500)
    document = commit(world, "S2", other)
    world.refuses(by("S2"), asked(document, other, 501), Refusal.REDU)
    world.accepts(by("S2"), asked(document, other, 500))


def test_an_invoice_is_registered_in_a_hundred_parts_at_most(world: World) -> None:
    invoice = commit(world, "S1")
    part = asked(invoice, read(), 1)
    for _ in range(USES_MAX // 10):
        world.accepts_together(*([(by("S1"), part)] * 10))
    world.refuses(by("S1"), part, Refusal.TOO_MANY_USES)


def test_the_licence_to_register_can_be_taken(world: World) -> None:
    invoice = commit(world, "S2")
    world.accepts(by("supervisor"), RevokeLicence(member="S2", verbs=(REGISTER,), reason="x"))
    world.refuses(by("S2"), asked(invoice, read(), 1), Members.UNLICENSED)


# --- who learns what


def test_strangers_learn_that_it_is_taken_and_nothing_more(world: World) -> None:
    assert not any((told(world, read()).is_taken, told(world, read()).is_near_taken))
    made = registered(world, "S1", 6_000)
    answer = told(world, read())
    assert (answer.is_taken, answer.is_financed, answer.is_near_taken) == (True, False, True)
    near = told(world, read("INV-OO1"))
    assert (near.is_taken, near.is_near_taken, near.is_near_financed) == (False, True, False)
    with pytest.raises(Refused) as no:
        registration(world.view("bank-a"), made)
    assert no.value.code is Refusal.NO_SUCH_REGISTRATION
    assert list(registrations(world.view("bank-a"), "S1")) == []
    assert [each.registration_id for each in registrations(world.view("S1"), "S1")] == [made]
    waiting = registrations(world.view("S1"), "S1", PNDG)
    assert list(waiting) == []


def test_the_keys_of_an_absence_proof_follow_from_the_fingerprints_alone(world: World) -> None:
    """As the README of the application says."""
    registered(world, "S1", 6_000)
    marks = {key_bytes(mark) for mark in world.view("bank-a").scan(Taken)}
    assert marks == {
        encode_key("documents.taken", "strict", read().strict),
        encode_key("documents.taken", "relaxed", read().relaxed),
    }


def test_what_is_free_is_shown_to_the_first_registrant_alone(world: World) -> None:
    document = document_of(world, registered(world, "S1", 6_000))
    other = document_of(world, registered(world, "bank-a", 1_000))
    for asker in ("S1", "supervisor"):
        assert capacity(world.view(asker), document).free_minor == 3_000
    with pytest.raises(Refused) as no:
        capacity(world.view("bank-a"), other)
    assert no.value.code is Refusal.NOT_SHOWN
    with pytest.raises(Refused) as no:
        capacity(world.view("bank-a"), document)
    assert no.value.code is Refusal.NO_SUCH_DOCUMENT
    contract = world.accepts(by("S1"), Commit(kind=Kind.CONTRACT, root=ROOT)).id
    for query in (capacity, particulars):
        with pytest.raises(Refused) as no:
            query(world.view("S1"), contract)
        assert no.value.code is Refusal.NOT_AN_INVOICE
    unused = commit(world, "S2", read("S2-7"))
    assert capacity(world.view("S2"), unused).free_minor == 10_000


def test_a_refusal_names_nobody_else_and_no_other_amount(world: World) -> None:
    registered(world, "S1", 9_000)
    document = commit(world, "factor")
    asks: Register = asked(document, read(), 1_001, Purpose.DIRECT_FINANCE)
    receipt = world.refuses(by("factor"), asks, Refusal.REDU).receipt
    assert {each.name: each.value for each in receipt.values} == {
        "document_id": document,
        "amount_minor": 1_001,
        "currency": "CNY",
    }
