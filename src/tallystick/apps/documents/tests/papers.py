"""Invoices and what is asked of them, as short as a test wants to read them."""

from tallystick.apps.cash.tests.network import by
from tallystick.apps.documents.messages import (
    ApplyCreditNote,
    Commit,
    DecidePending,
    Decision,
    NewVersion,
    Register,
)
from tallystick.apps.documents.queries import Answer, Capacity, capacity, is_taken
from tallystick.apps.documents.records import Kind, Particulars, Purpose, Registration
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.testing.world import World

SELLER = "91310000MA1FL0001X"
"""Register number of S1."""
ROOT = bytes(32)
"""A commitment; the registry never opens one."""
OTHER_ROOT = bytes([1]) * 32
NO_DOCUMENT = "doc-0000000000000000"
NO_REGISTRATION = "reg-0000000000000000"


def read(
    number: str = "INV-001",
    payable_minor: int = 10_000,
    *,
    buyer: str = "D1",
    date: str = "2026-06-30",
    currency: str = "CNY",
) -> Particulars:
    """What somebody reads on an invoice of S1: by default INV-001 to D1 over 100.00."""
    marks = fingerprint(SELLER, number)
    return Particulars(
        scheme=marks.scheme,
        strict=marks.strict,
        relaxed=marks.relaxed,
        currency=currency,
        payable_minor=payable_minor,
        particulars=particulars_hash(buyer_number=buyer, date=date),
    )


def commit(world: World, who: str, particulars: Particulars | None = None) -> str:
    """Commit to an invoice; its document."""
    told = Commit(kind=Kind.INVOICE, root=ROOT, particulars=particulars or read())
    return world.accepts(by(who), told).id


def asked(
    document_id: str,
    particulars: Particulars,
    amount_minor: int,
    purpose: Purpose = Purpose.OPENING,
) -> Register:
    """A registration of so much of an invoice."""
    return Register(
        document_id=document_id,
        purpose=purpose,
        amount_minor=amount_minor,
        currency=particulars.currency,
        strict=particulars.strict,
        relaxed=particulars.relaxed,
    )


def registered(
    world: World,
    who: str,
    amount_minor: int,
    particulars: Particulars | None = None,
    purpose: Purpose = Purpose.OPENING,
) -> str:
    """Commit to an invoice and register so much of it; the registration."""
    particulars = particulars or read()
    document_id = commit(world, who, particulars)
    return world.accepts(by(who), asked(document_id, particulars, amount_minor, purpose)).id


def credit(world: World, who: str, amount_minor: int, number: str = "CN-1") -> str:
    """Commit to a credit note; its document."""
    told = Commit(
        kind=Kind.CREDIT_NOTE, root=ROOT, particulars=read(number, payable_minor=amount_minor)
    )
    return world.accepts(by(who), told).id


def credited(world: World, who: str, document_id: str, amount_minor: int) -> None:
    """Reduce an invoice by a credit note."""
    note = credit(world, who, amount_minor)
    told = ApplyCreditNote(document_id=document_id, credit_note_id=note)
    world.accepts(by(who), told)


def corrected(world: World, who: str, document_id: str, particulars: Particulars) -> str:
    """Replace an invoice by a corrected version; its document."""
    told = NewVersion(document_id=document_id, root=OTHER_ROOT, particulars=particulars)
    return world.accepts(by(who), told).id


def decision(registration_id: str, how: Decision, same_as: str | None = None) -> DecidePending:
    """What the registrar decides."""
    return DecidePending(
        registration_id=registration_id, decision=how, reason="papers seen", same_as=same_as
    )


def seen(world: World, registration_id: str) -> Registration:
    """A registration as it stands."""
    return world.view().get(Registration, registration_id)


def document_of(world: World, registration_id: str) -> str:
    """The document that was registered."""
    return seen(world, registration_id).document_id


def stands(world: World, document_id: str) -> Capacity:
    """What an invoice carries."""
    return capacity(world.view(), document_id)


def told(world: World, particulars: Particulars, asker: str | None = "bank-a") -> Answer:
    """What anybody learns of an invoice."""
    return is_taken(world.view(asker), particulars.strict, particulars.relaxed)
