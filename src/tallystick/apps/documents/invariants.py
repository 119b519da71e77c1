"""What must always hold of the registry."""

from collections.abc import Iterator

from tallystick.apps.documents.records import (
    Document,
    DocumentStatus,
    Entry,
    Form,
    Likeness,
    Number,
    Registration,
    RegistrationStatus,
    Taken,
)
from tallystick.ledger.view import View

LIVE = (RegistrationStatus.REGU, RegistrationStatus.FNCD)


def used_is_the_sum_of_live_registrations(view: View) -> Iterator[str]:
    """What an invoice says is used and financed is what its live registrations add up to."""
    live: dict[str | None, list[Registration]] = {}
    for each in view.scan(Registration):
        if each.status in LIVE:
            live.setdefault(each.entry_id, []).append(each)
    for entry in view.scan(Entry):
        uses = live.pop(entry.entry_id, [])
        if sorted(each.registration_id for each in uses) != sorted(entry.uses):
            yield f"{entry.entry_id} does not list its live registrations"
        if entry.used_minor != sum(each.amount_minor for each in uses):
            yield f"{entry.entry_id}: used is not the sum of its registrations"
        financed = [each for each in uses if each.status is RegistrationStatus.FNCD]
        if entry.financed_minor != sum(each.amount_minor for each in financed):
            yield f"{entry.entry_id}: financed is not the sum of its registrations"
        if any(each.currency != entry.currency for each in uses):
            yield f"{entry.entry_id} is used in another currency"
    for entry_id in live:
        yield f"registrations use {entry_id}, which is not there"


def what_is_above_capacity_is_disputed(view: View) -> Iterator[str]:
    """An invoice is used within its capacity; credit notes dispute exactly what is above it."""
    disputed: dict[str | None, int] = {}
    for each in view.scan(Registration):
        if each.disputed_minor > (each.amount_minor if each.status in LIVE else 0):
            yield f"{each.registration_id}: more is disputed than is registered"
        disputed[each.entry_id] = disputed.get(each.entry_id, 0) + each.disputed_minor
    for entry in view.scan(Entry):
        if disputed.get(entry.entry_id, 0) != entry.excess_minor:
            yield f"{entry.entry_id}: disputed is not what is above capacity"
        if entry.credited_minor > entry.payable_minor:
            yield f"{entry.entry_id}: credit notes are more than the invoice"


def marks_say_what_is_taken(view: View) -> Iterator[str]:
    """A public mark stands exactly where an invoice, or one that reads like it, is used."""
    entries = {entry.entry_id: entry for entry in view.scan(Entry)}
    expected: dict[tuple[Form, bytes], bool] = {}
    for number in view.scan(Number):
        bearing = [entries[reading.entry_id] for reading in number.readings]
        like = view.peek(Likeness, number.relaxed)
        if like is None or number.strict not in like.numbers:
            yield f"number {number.strict.hex()} is not among those that read like it"
        if any(entry.used_minor for entry in bearing):
            financed = any(entry.financed_minor for entry in bearing)
            near = (Form.RELAXED, number.relaxed)
            expected[(Form.STRICT, number.strict)] = financed
            expected[near] = financed or expected.get(near, False)
    found = {(mark.form, mark.fingerprint): mark.is_financed for mark in view.scan(Taken)}
    for key in sorted(expected.keys() | found.keys(), key=lambda each: (each[0].value, each[1])):
        if expected.get(key) is not found.get(key):
            yield f"the mark of {key[0].value} {key[1].hex()} is wrong"


def versions_are_one_chain(view: View) -> Iterator[str]:
    """Each replaced document names the version after it, which names it in turn."""
    documents = {each.document_id: each for each in view.scan(Document)}
    for each in view.scan(Document):
        if (each.status is DocumentStatus.REPLACED) != (each.replaced_by is not None):
            yield f"{each.document_id} is replaced by nothing, or is current and replaced"
        after = documents.get(each.replaced_by or "")
        if each.replaced_by is not None and (
            after is None
            or after.replaces != each.document_id
            or after.version != each.version + 1
            or after.owner != each.owner
        ):
            yield f"{each.document_id} and the version after it do not agree"
