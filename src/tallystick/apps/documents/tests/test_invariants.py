"""The invariants find what they are for: each is shown a state that breaks it."""

from collections.abc import Callable, Iterator

import pytest

from tallystick.apps.cash.tests.shelf import view
from tallystick.apps.documents import invariants
from tallystick.apps.documents.records import (
    Document,
    DocumentStatus,
    Entry,
    Form,
    Kind,
    Likeness,
    Number,
    Purpose,
    Reading,
    Registration,
    RegistrationStatus,
    Taken,
)
from tallystick.apps.documents.tests.papers import ROOT, read
from tallystick.ledger.app import Record
from tallystick.ledger.view import View
from tallystick.values.codec import replace

PAPER = read()
INV, REG, DOC = "inv-00000000000000aa", "reg-00000000000000aa", "doc-00000000000000aa"
LATER = "doc-00000000000000bb"
REGU, FNCD = RegistrationStatus.REGU, RegistrationStatus.FNCD

ENTRY = Entry(
    entry_id=INV,
    owner="S1",
    document_id=DOC,
    currency="CNY",
    payable_minor=100,
    credited_minor=0,
    used_minor=60,
    financed_minor=60,
    uses=(REG,),
    numbers=(PAPER.strict,),
)
USE = Registration(
    registration_id=REG,
    owner="S1",
    document_id=DOC,
    purpose=Purpose.OPENING,
    currency="CNY",
    amount_minor=60,
    strict=PAPER.strict,
    relaxed=PAPER.relaxed,
    registered_at_ms=1,
    status=FNCD,
    entry_id=INV,
)
NUMBER = Number(
    strict=PAPER.strict,
    relaxed=PAPER.relaxed,
    readings=(Reading(particulars=PAPER, entry_id=INV),),
)
LIKE = Likeness(relaxed=PAPER.relaxed, numbers=(PAPER.strict,))
STRICT = Taken(form=Form.STRICT, fingerprint=PAPER.strict, is_financed=True)
NEAR = Taken(form=Form.RELAXED, fingerprint=PAPER.relaxed, is_financed=True)
FIRST = Document(
    document_id=DOC,
    owner="S1",
    kind=Kind.CONTRACT,
    root=ROOT,
    committed_at_ms=1,
    version=1,
    status=DocumentStatus.REPLACED,
    replaced_by=LATER,
)
SECOND = Document(
    document_id=LATER,
    owner="S1",
    kind=Kind.CONTRACT,
    root=ROOT,
    committed_at_ms=2,
    version=2,
    replaces=DOC,
)
SOUND = (ENTRY, USE, NUMBER, LIKE, STRICT, NEAR, FIRST, SECOND)

Invariant = Callable[[View], Iterator[str]]
USED = invariants.used_is_the_sum_of_live_registrations
ABOVE = invariants.what_is_above_capacity_is_disputed
MARKS = invariants.marks_say_what_is_taken
CHAIN = invariants.versions_are_one_chain


@pytest.mark.parametrize("invariant", (USED, ABOVE, MARKS, CHAIN))
def test_nothing_is_said_of_a_sound_state(invariant: Invariant) -> None:
    assert list(invariant(view(*SOUND))) == []


@pytest.mark.parametrize(
    ("invariant", "records", "said"),
    (
        (USED, (replace(ENTRY, uses=()), USE), f"{INV} does not list its live registrations"),
        (
            USED,
            (replace(ENTRY, used_minor=61), USE),
            f"{INV}: used is not the sum of its registrations",
        ),
        (
            USED,
            (ENTRY, replace(USE, status=REGU)),
            f"{INV}: financed is not the sum of its registrations",
        ),
        (USED, (ENTRY, replace(USE, currency="EUR")), f"{INV} is used in another currency"),
        (USED, (USE,), f"registrations use {INV}, which is not there"),
        (
            ABOVE,
            (ENTRY, replace(USE, disputed_minor=1)),
            f"{INV}: disputed is not what is above capacity",
        ),
        (
            ABOVE,
            (replace(ENTRY, payable_minor=59), USE),
            f"{INV}: disputed is not what is above capacity",
        ),
        (ABOVE, (replace(USE, disputed_minor=61),), f"{REG}: more is disputed than is registered"),
        (
            ABOVE,
            (replace(USE, status=RegistrationStatus.CANC, disputed_minor=1),),
            f"{REG}: more is disputed than is registered",
        ),
        (
            ABOVE,
            (
                replace(ENTRY, credited_minor=101, used_minor=0),
                replace(USE, status=RegistrationStatus.CANC),
            ),
            f"{INV}: credit notes are more than the invoice",
        ),
        (MARKS, (ENTRY, NUMBER, LIKE, NEAR), f"the mark of strict {PAPER.strict.hex()} is wrong"),
        (
            MARKS,
            (ENTRY, NUMBER, LIKE, STRICT, replace(NEAR, is_financed=False)),
            f"the mark of relaxed {PAPER.relaxed.hex()} is wrong",
        ),
        (
            MARKS,
            (replace(ENTRY, used_minor=0), NUMBER, LIKE, STRICT),
            f"the mark of strict {PAPER.strict.hex()} is wrong",
        ),
        (
            MARKS,
            (ENTRY, NUMBER, STRICT, NEAR),
            f"number {PAPER.strict.hex()} is not among those that read like it",
        ),
        (
            MARKS,
            (ENTRY, NUMBER, replace(LIKE, numbers=()), STRICT, NEAR),
            f"number {PAPER.strict.hex()} is not among those that read like it",
        ),
        (
            CHAIN,
            (replace(FIRST, replaced_by=None),),
            f"{DOC} is replaced by nothing, or is current and replaced",
        ),
        (CHAIN, (FIRST,), f"{DOC} and the version after it do not agree"),
        (
            CHAIN,
            (FIRST, replace(SECOND, replaces=None)),
            f"{DOC} and the version after it do not agree",
        ),
        (
            CHAIN,
            (FIRST, replace(SECOND, version=3)),
            f"{DOC} and the version after it do not agree",
        ),
        (
            CHAIN,
            (FIRST, replace(SECOND, owner="S2")),
            f"{DOC} and the version after it do not agree",
        ),
    ),
)
def test_found(invariant: Invariant, records: tuple[Record, ...], said: str) -> None:
    assert said in list(invariant(view(*records)))
