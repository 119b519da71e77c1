"""The registry's bookkeeping.

Which invoice it is, what is used of it, what of that is disputed, and who may know it is taken.
"""

from tallystick.apps.documents.records import (
    FINANCIERS_MAX,
    READINGS_MAX,
    USES_MAX,
    WATCHERS_MAX,
    Alert,
    AlertKind,
    Doubt,
    Entry,
    Form,
    Invoice,
    Likeness,
    Number,
    Particulars,
    Reading,
    Reason,
    Registration,
    RegistrationStatus,
    Taken,
    Watchers,
)
from tallystick.apps.documents.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import RefusalValue, ensure, require
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace

# --- which invoice it is


def known(ctx: Context, invoice: Invoice) -> Entry | None:
    """The registered invoice that this one is a copy of, or None if the registry cannot tell."""
    if invoice.entry_id is not None:
        return ctx.get(Entry, invoice.entry_id)
    number = ctx.peek(Number, invoice.particulars.strict)
    for reading in () if number is None else number.readings:
        if reading.particulars == invoice.particulars:
            return ctx.get(Entry, reading.entry_id)
    return None


def led_by(ctx: Context, invoice: Invoice) -> Entry | None:
    """The registered invoice that this one is the first registrant's current version of."""
    entry = None if invoice.entry_id is None else ctx.get(Entry, invoice.entry_id)
    return entry if entry is not None and entry.document_id == invoice.document_id else None


def join(ctx: Context, invoice: Invoice, entry: Entry) -> None:
    """Remember at a document which invoice of the registry it is a copy of.

    Credit notes that were applied to another member's copy alone do not count for the entry.
    """
    if invoice.entry_id is None:
        ctx.save(replace(invoice, entry_id=entry.entry_id))


def doubt_of(ctx: Context, particulars: Particulars) -> Doubt | None:
    """Why an invoice that is not known may still be a registered one; None: it is a new one."""
    if ctx.peek(Number, particulars.strict) is not None:
        return Doubt.SAME_NUMBER
    if ctx.peek(Likeness, particulars.relaxed) is not None:
        return Doubt.NEAR_SPELLING
    return None


def enter(ctx: Context, invoice: Invoice) -> Entry:
    """Let an invoice into the registry, with nothing of it used yet."""
    particulars = invoice.particulars
    entry = Entry(
        entry_id=ctx.new_id("inv"),
        owner=invoice.owner,
        document_id=invoice.document_id,
        currency=particulars.currency,
        payable_minor=particulars.payable_minor,
        credited_minor=invoice.credited_minor,
        used_minor=0,
        financed_minor=0,
        uses=(),
        numbers=(),
    )
    ctx.add(entry)
    return learn(ctx, entry, particulars)


def learn(ctx: Context, entry: Entry, particulars: Particulars) -> Entry:
    """Remember that an invoice read like this is that entry; the entry with its numbers."""
    reading = Reading(particulars=particulars, entry_id=entry.entry_id)
    number = ctx.peek(Number, particulars.strict)
    if number is None:
        number = Number(strict=particulars.strict, relaxed=particulars.relaxed, readings=())
        ctx.add(number)
        _learn_likeness(ctx, particulars)
    if reading not in number.readings:
        require(len(number.readings) < READINGS_MAX, Refusal.TOO_MANY_USES)
        ctx.save(replace(number, readings=(*number.readings, reading)))
    if particulars.strict in entry.numbers:
        return entry
    require(len(entry.numbers) < READINGS_MAX, Refusal.TOO_MANY_USES)
    entry = replace(entry, numbers=(*entry.numbers, particulars.strict))
    ctx.save(entry)
    _mark(ctx, particulars.strict)
    return entry


def _learn_likeness(ctx: Context, particulars: Particulars) -> None:
    """Remember that a new number reads like others."""
    like = ctx.peek(Likeness, particulars.relaxed)
    if like is None:
        ctx.add(Likeness(relaxed=particulars.relaxed, numbers=(particulars.strict,)))
        return
    require(len(like.numbers) < READINGS_MAX, Refusal.TOO_MANY_USES)
    ctx.save(replace(like, numbers=(*like.numbers, particulars.strict)))


def bears_alone(ctx: Context, entry: Entry, particulars: Particulars) -> bool:
    """Whether no other invoice of the registry bears this number or one that reads like it."""
    numbers = {particulars.strict: None}
    like = ctx.peek(Likeness, particulars.relaxed)
    if like is not None:
        numbers.update(dict.fromkeys(like.numbers))
    for strict in numbers:
        number = ctx.peek(Number, strict)
        for reading in () if number is None else number.readings:
            if reading.entry_id != entry.entry_id:
                return False
    return True


# --- what is used of it


def require_worth(invoice: Invoice, registration: Registration) -> None:
    """REDU when a registration in doubt is of more than its own invoice is worth."""
    worth = invoice.particulars.payable_minor - invoice.credited_minor
    require(
        registration.amount_minor <= worth,
        Refusal.REDU,
        document_id=registration.document_id,
        amount_minor=registration.amount_minor,
        currency=registration.currency,
    )


def use(ctx: Context, entry: Entry, registration: Registration) -> Entry:
    """Count a registration that was just kept as REGU. REDU or DFIN when it is above capacity."""
    amount = registration.amount_minor
    told: dict[str, RefusalValue] = {
        "document_id": registration.document_id,
        "amount_minor": amount,
        "currency": entry.currency,
    }
    fits = amount <= entry.free_minor
    require(fits or entry.financed_minor == 0, Refusal.DFIN, **told)
    require(fits, Refusal.REDU, **told)
    require(len(entry.uses) < USES_MAX, Refusal.TOO_MANY_USES)
    return revise(
        ctx,
        replace(
            entry,
            used_minor=entry.used_minor + amount,
            uses=(*entry.uses, registration.registration_id),
        ),
    )


def finance(ctx: Context, registration: Registration, financier: str) -> None:
    """What stands on the registration is financed: REGU → FNCD. Again: note the financier."""
    financiers, was = registration.financiers, registration.status
    is_noted = financier in financiers or len(financiers) == FINANCIERS_MAX
    if is_noted and was is RegistrationStatus.FNCD:
        return
    financiers = (*financiers, financier)
    ctx.save(replace(registration, status=RegistrationStatus.FNCD, financiers=financiers))
    if was is RegistrationStatus.REGU:
        entry = _entry_of(ctx, registration)
        financed = entry.financed_minor + registration.amount_minor
        revise(ctx, replace(entry, financed_minor=financed))


def free(ctx: Context, registration: Registration, reason: Reason) -> None:
    """Cancel a live registration: what it used is free again."""
    amount = registration.amount_minor
    is_financed = registration.status is RegistrationStatus.FNCD
    entry = _entry_of(ctx, registration)
    ensure(registration.registration_id in entry.uses, "what is freed was free already")
    ctx.save(replace(registration, status=RegistrationStatus.CANC, reason=reason, disputed_minor=0))
    revise(
        ctx,
        replace(
            entry,
            used_minor=entry.used_minor - amount,
            financed_minor=entry.financed_minor - (amount if is_financed else 0),
            uses=tuple(each for each in entry.uses if each != registration.registration_id),
        ),
    )


def revise(ctx: Context, entry: Entry) -> Entry:
    """Save an entry whose figures changed, and what follows: disputes and public marks."""
    before = ctx.get(Entry, entry.entry_id)
    ctx.save(entry)
    if before.excess_minor or entry.excess_minor:
        _settle_disputes(ctx, entry)
    was = (before.used_minor > 0, before.financed_minor > 0)
    if was != (entry.used_minor > 0, entry.financed_minor > 0):
        for strict in entry.numbers:
            _mark(ctx, strict)
    return entry


def _entry_of(ctx: Context, registration: Registration) -> Entry:
    """The invoice that a live registration uses."""
    ensure(registration.entry_id is not None, "a live registration uses an invoice")
    return ctx.get(Entry, registration.entry_id)


# --- what is disputed


def _settle_disputes(ctx: Context, entry: Entry) -> None:
    """Make the disputed amounts add up to what is used above capacity.

    More falls on the newest unpaid registration first, then on older unpaid ones, then on paid
    ones, newest first; less is taken off in the opposite order. No law says which: the newest had
    the least reason to rely on the whole amount.
    """
    uses = [ctx.get(Registration, each) for each in entry.uses]
    newest_unpaid_first = [
        *(each for each in reversed(uses) if not each.is_paid),
        *(each for each in reversed(uses) if each.is_paid),
    ]
    more = entry.excess_minor - sum(each.disputed_minor for each in uses)
    for each in newest_unpaid_first if more > 0 else reversed(newest_unpaid_first):
        if more > 0:
            step = min(more, each.amount_minor - each.disputed_minor)
        else:
            step = max(more, -each.disputed_minor)
        if step:
            _dispute(ctx, each, each.disputed_minor + step)
            more -= step


def _dispute(ctx: Context, registration: Registration, disputed_minor: int) -> None:
    """Set how much of a registration is disputed, and tell all who rely on it."""
    ctx.save(replace(registration, disputed_minor=disputed_minor))
    ctx.add(
        Alert(
            alert_id=ctx.new_id("alert"),
            kind=AlertKind.DISPUTED,
            registration_id=registration.registration_id,
            subject=registration.subject,
            seen_by=told_of(ctx, registration),
            currency=registration.currency,
            amount_minor=disputed_minor,
            raised_at_ms=ctx.now_ms,
        )
    )


def told_of(reader: Reader, registration: Registration) -> tuple[str, ...]:
    """Who is told of disputes: owner, financiers and watchers, each once."""
    found = reader.peek(Watchers, registration.registration_id)
    watchers = () if found is None else found.parties
    return tuple(dict.fromkeys((registration.owner, *registration.financiers, *watchers)))


def watch(ctx: Context, registration_id: str, party: str) -> None:
    """Have a party told of disputes from now on; once is enough."""
    found = ctx.peek(Watchers, registration_id)
    if found is None:
        ctx.add(Watchers(registration_id=registration_id, parties=(party,)))
    elif party not in found.parties and len(found.parties) < WATCHERS_MAX:
        ctx.save(replace(found, parties=(*found.parties, party)))


# --- who may know that it is taken


def _mark(ctx: Context, strict: bytes) -> None:
    """Bring the public marks of a number, and of those that read like it, up to date."""
    number = ctx.get(Number, strict)
    entries = [ctx.get(Entry, reading.entry_id) for reading in number.readings]
    _set_mark(
        ctx,
        Taken(
            form=Form.STRICT,
            fingerprint=strict,
            is_financed=any(entry.financed_minor > 0 for entry in entries),
        ),
        is_taken=any(entry.used_minor > 0 for entry in entries),
    )
    like = ctx.get(Likeness, number.relaxed)
    marks = [ctx.peek(Taken, Form.STRICT, each) for each in like.numbers]
    _set_mark(
        ctx,
        Taken(
            form=Form.RELAXED,
            fingerprint=number.relaxed,
            is_financed=any(mark is not None and mark.is_financed for mark in marks),
        ),
        is_taken=any(mark is not None for mark in marks),
    )


def _set_mark(ctx: Context, mark: Taken, *, is_taken: bool) -> None:
    """Keep a mark, change it, or drop it."""
    before = ctx.peek(Taken, mark.form, mark.fingerprint)
    if not is_taken:
        if before is not None:
            ctx.delete(Taken, mark.form, mark.fingerprint)
    elif before is None:
        ctx.add(mark)
    elif before != mark:
        ctx.save(mark)
