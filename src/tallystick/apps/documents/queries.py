"""Named reads of documents and of the registry."""

from collections.abc import Iterable

from tallystick.apps.documents.records import (
    Alert,
    Document,
    DocumentId,
    Entry,
    Form,
    Invoice,
    Kind,
    Registration,
    RegistrationId,
    RegistrationStatus,
    Taken,
)
from tallystick.apps.documents.refusals import Refusal
from tallystick.ledger.refusal import need
from tallystick.ledger.view import View
from tallystick.values.codec import Struct
from tallystick.values.units import Currency, Hash32, Minor, PartyId


class Answer(Struct):
    """Whether a document is taken: never by whom, nor for how much."""

    is_taken: bool
    """Whether somebody registered an invoice of this number."""
    is_financed: bool
    """Whether some of it is financed."""
    is_near_taken: bool
    """Whether a number that reads like this one is registered, this one or another."""
    is_near_financed: bool
    """Whether some of an invoice with such a number is financed."""


class Capacity(Struct):
    """What an invoice carries, for who registered it first."""

    document_id: DocumentId
    """The document asked about."""
    currency: Currency
    """Currency of the invoice."""
    payable_minor: Minor
    """Amount payable, in minor units."""
    credited_minor: Minor
    """Sum of its credit notes, in minor units."""
    capacity_minor: Minor
    """What may be registered in all, in minor units."""
    used_minor: Minor
    """Sum of its live registrations, in minor units."""
    free_minor: Minor
    """What may still be registered, in minor units."""
    disputed_minor: Minor
    """What is registered above capacity, in minor units."""


def document(view: View, document_id: DocumentId) -> Document:
    """One document."""
    return view.get(Document, document_id)


def documents(view: View, owner: PartyId, kind: Kind | None = None) -> Iterable[Document]:
    """Documents that a party committed to, of one kind or of all."""
    if kind is None:
        return view.find(Document, owner=owner)
    return view.find(Document, owner=owner, kind=kind)


def particulars(view: View, document_id: DocumentId) -> Invoice:
    """What the registry knows of an invoice or a credit note."""
    view.get(Document, document_id)
    return view.get(Invoice, document_id)


def capacity(view: View, document_id: DocumentId) -> Capacity:
    """What an invoice carries, what of it is used and what is free."""
    view.get(Document, document_id)
    invoice = view.get(Invoice, document_id)
    known = invoice.particulars
    if invoice.entry_id is None:
        worth = known.payable_minor - invoice.credited_minor
        return Capacity(
            document_id=document_id,
            currency=known.currency,
            payable_minor=known.payable_minor,
            credited_minor=invoice.credited_minor,
            capacity_minor=worth,
            used_minor=0,
            free_minor=worth,
            disputed_minor=0,
        )
    entry = need(view.peek(Entry, invoice.entry_id), Refusal.NOT_SHOWN, document_id=document_id)
    return Capacity(
        document_id=document_id,
        currency=entry.currency,
        payable_minor=entry.payable_minor,
        credited_minor=entry.credited_minor,
        capacity_minor=entry.capacity_minor,
        used_minor=entry.used_minor,
        free_minor=entry.free_minor,
        disputed_minor=entry.excess_minor,
    )


def is_taken(view: View, strict: Hash32, relaxed: Hash32) -> Answer:
    """Whether an invoice is registered, by its fingerprint; anybody may ask."""
    same = view.peek(Taken, Form.STRICT, strict)
    near = view.peek(Taken, Form.RELAXED, relaxed)
    return Answer(
        is_taken=same is not None,
        is_financed=same is not None and same.is_financed,
        is_near_taken=near is not None,
        is_near_financed=near is not None and near.is_financed,
    )


def registration(view: View, registration_id: RegistrationId) -> Registration:
    """One registration."""
    return view.get(Registration, registration_id)


def registrations(
    view: View, owner: PartyId, status: RegistrationStatus | None = None
) -> Iterable[Registration]:
    """Registrations of a party, of one status or of all."""
    if status is None:
        return view.find(Registration, owner=owner)
    return view.find(Registration, owner=owner, status=status)


def pending(view: View) -> Iterable[Registration]:
    """Registrations that wait for the registrar, as far as the asker may see them."""
    return view.find(Registration, status=RegistrationStatus.PNDG)


def alerts(view: View) -> Iterable[Alert]:
    """What the asker was told; supervisors read all."""
    return view.scan(Alert)
