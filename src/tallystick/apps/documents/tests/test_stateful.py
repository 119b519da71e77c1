"""The registry, played at random: few numbers, many copies, corrections, credit notes, doubts."""

from collections.abc import Callable
from random import Random

import pytest

from tallystick.apps.cash.tests.desk.messages import Attach, Drop, Finance, Paid
from tallystick.apps.cash.tests.network import by, network
from tallystick.apps.documents import APP
from tallystick.apps.documents.messages import (
    ApplyCreditNote,
    CancelRegistration,
    Commit,
    DecidePending,
    Decision,
    NewVersion,
    Register,
    ReportFinanced,
    ReportRepaid,
    VoidDocument,
)
from tallystick.apps.documents.records import (
    Document,
    DocumentStatus,
    Entry,
    Invoice,
    Kind,
    Particulars,
    Purpose,
    Reason,
    Registration,
    RegistrationStatus,
)
from tallystick.apps.documents.tests.papers import OTHER_ROOT, ROOT, read
from tallystick.testing.stateful import Action, Asked, play
from tallystick.testing.world import World

PARTIES = ("S1", "S2", "bank-a", "factor")
NUMBERS = ("INV-001", "INV-OO1", "INV-1", "A-7", "A-8", "B-30", "B-3O")
PNDG, REGU = RegistrationStatus.PNDG, RegistrationStatus.REGU
FNCD, CANC = RegistrationStatus.FNCD, RegistrationStatus.CANC
MOSTLY = 0.85
"""How often an action asks what is likely to be accepted."""


def some_reading(rng: Random) -> Particulars:
    """An invoice as somebody reads it, now and then with another buyer or amount."""
    return read(
        rng.choice(NUMBERS),
        rng.choice((10_000, 10_000, 10_000, 9_000)),
        buyer=rng.choice(("D1", "D1", "D1", "D2")),
        currency=rng.choice(("CNY", "CNY", "CNY", "CNY", "EUR")),
    )


def some_document(
    rng: Random, world: World, kinds: tuple[Kind, ...] = tuple(Kind)
) -> Document | None:
    """A document, mostly a current one."""
    found = [each for each in world.view().scan(Document) if each.kind in kinds]
    current = [each for each in found if each.status is DocumentStatus.CURRENT]
    chosen = current if current and rng.random() < MOSTLY else found
    return rng.choice(chosen) if chosen else None


def some_registration(
    rng: Random, world: World, fits: Callable[[Registration], bool]
) -> Registration | None:
    """A registration, mostly one that fits what is to be done."""
    found = list(world.view().scan(Registration))
    fitting = [each for each in found if fits(each)]
    chosen = fitting if rng.random() < MOSTLY else found
    return rng.choice(chosen) if chosen else None


def commits(rng: Random, world: World) -> Asked | None:
    """Somebody commits to a copy of an invoice, a credit note or another paper."""
    kind = rng.choice((Kind.INVOICE, Kind.INVOICE, Kind.CREDIT_NOTE, Kind.CONTRACT))
    told = some_reading(rng) if kind is Kind.INVOICE else None
    if kind is Kind.CREDIT_NOTE:
        told = read(f"CN-{rng.randrange(99)}", rng.choice((500, 1_500, 3_000)))
    if rng.random() > MOSTLY:
        told = rng.choice((None, some_reading(rng)))
    return by(rng.choice(PARTIES)), Commit(kind=kind, root=ROOT, particulars=told)


def corrects(rng: Random, world: World) -> Asked | None:
    """An owner corrects a paper."""
    kept = some_document(rng, world)
    if kept is None:
        return None
    had = world.view().peek(Invoice, kept.document_id)
    told = None if had is None else rng.choice((had.particulars, some_reading(rng)))
    return by(kept.owner), NewVersion(
        document_id=kept.document_id, root=OTHER_ROOT, particulars=told
    )


def voids(rng: Random, world: World) -> Asked | None:
    """An owner declares a paper void."""
    kept = some_document(rng, world)
    if kept is None:
        return None
    reason = rng.choice(("in error", "in error", ""))
    return by(kept.owner), VoidDocument(document_id=kept.document_id, reason=reason)


def registers(rng: Random, world: World) -> Asked | None:
    """An owner registers a part of an invoice; at times of one that is not its own."""
    kept = some_document(rng, world, (Kind.INVOICE,))
    had = None if kept is None else world.view().get(Invoice, kept.document_id)
    if kept is None or had is None:
        return None
    told = had.particulars
    entry = None if had.entry_id is None else world.view().get(Entry, had.entry_id)
    free = told.payable_minor if entry is None else entry.free_minor
    who = kept.owner if rng.random() < MOSTLY else rng.choice(PARTIES)
    return by(who), Register(
        document_id=kept.document_id,
        purpose=rng.choice(list(Purpose)),
        amount_minor=rng.choice((free, free // 2, free // 5, free // 7, free + 1, 1)),
        currency=told.currency,
        strict=told.strict,
        relaxed=told.relaxed if rng.random() < MOSTLY else ROOT,
    )


def decides(rng: Random, world: World) -> Asked | None:
    """The registrar or a supervisor decides; at times somebody who may not."""
    kept = some_registration(rng, world, lambda each: each.status is PNDG)
    if kept is None:
        return None
    how = rng.choice(list(Decision))
    other = some_registration(rng, world, lambda each: each.entry_id is not None)
    same = other.registration_id if other is not None else None
    return by(rng.choice(("registrar", "registrar", "supervisor", "S2"))), DecidePending(
        registration_id=kept.registration_id,
        decision=how,
        reason="papers seen",
        same_as=same if how is Decision.SAME_INVOICE else None,
    )


def withdraws(rng: Random, world: World) -> Asked | None:
    """An owner withdraws what it registered."""
    kept = some_registration(
        rng, world, lambda each: each.status in (PNDG, REGU) and each.subject is None
    )
    if kept is None:
        return None
    return by(kept.owner), CancelRegistration(registration_id=kept.registration_id)


def off_ledger(kept: Registration) -> bool:
    """Whether a registration is for pledge or direct finance, and carries no record."""
    return kept.subject is None and kept.purpose in (Purpose.PLEDGE, Purpose.DIRECT_FINANCE)


def reports_financed(rng: Random, world: World) -> Asked | None:
    """An owner reports what it financed elsewhere."""
    kept = some_registration(rng, world, lambda each: each.status is REGU and off_ledger(each))
    if kept is None:
        return None
    return by(kept.owner), ReportFinanced(registration_id=kept.registration_id)


def reports_repaid(rng: Random, world: World) -> Asked | None:
    """An owner reports that the supplier repaid."""
    kept = some_registration(rng, world, lambda each: each.status is FNCD and off_ledger(each))
    if kept is None:
        return None
    return by(kept.owner), ReportRepaid(registration_id=kept.registration_id)


def credits(rng: Random, world: World) -> Asked | None:
    """An owner applies a credit note, mostly one of its own and not applied yet."""
    invoice = some_document(rng, world, (Kind.INVOICE,))
    notes = [
        each
        for each in world.view().scan(Document)
        if each.kind is Kind.CREDIT_NOTE and each.status is DocumentStatus.CURRENT
    ]
    if invoice is None or not notes:
        return None
    own = [
        each
        for each in notes
        if each.owner == invoice.owner
        and world.view().get(Invoice, each.document_id).applied_to is None
    ]
    note = rng.choice(own if own and rng.random() < MOSTLY else notes)
    return by(invoice.owner), ApplyCreditNote(
        document_id=invoice.document_id, credit_note_id=note.document_id
    )


def others_use(rng: Random, world: World) -> Asked | None:
    """Another application builds on a registration: it opens, finances, is paid, ends."""
    kept = some_registration(rng, world, lambda each: each.status in (REGU, FNCD))
    if kept is None or kept.status in (PNDG, CANC):
        return None
    if kept.subject is None and kept.status is FNCD:
        return None
    if kept.subject is None:
        return by(kept.owner), Attach(registration_id=kept.registration_id)
    told = kept.registration_id
    return by("bank-a"), rng.choice(
        (
            Finance(registration_id=told),
            Paid(registration_id=told),
            Drop(registration_id=told, reason=rng.choice(list(Reason))),
        )
    )


ACTIONS: dict[Action, int] = {
    commits: 5,
    corrects: 2,
    voids: 1,
    registers: 7,
    decides: 3,
    withdraws: 2,
    reports_financed: 2,
    reports_repaid: 1,
    credits: 3,
    others_use: 2,
}


@pytest.mark.stateful
@pytest.mark.timeout(900)
def test_documents_at_random() -> None:
    """20,000 messages: no invoice is used twice, whatever is asked in whatever order."""
    tally = play(APP, network, ACTIONS)
    assert tally.shortfalls() == [], tally.told()
