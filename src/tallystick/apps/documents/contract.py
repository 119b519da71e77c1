"""What happens: one function per message, find → check → change."""

from tallystick.apps.documents import registry
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
    SCHEMES,
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
from tallystick.apps.documents.refusals import Refusal
from tallystick.apps.governance.interface import registrar
from tallystick.apps.members.interface import is_supervisor
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import need, require
from tallystick.values.codec import replace
from tallystick.values.money import CURRENCIES

WITH_PARTICULARS = (Kind.INVOICE, Kind.CREDIT_NOTE)
OFF_LEDGER = (Purpose.PLEDGE, Purpose.DIRECT_FINANCE)


def commit(ctx: Context, msg: Commit) -> None:
    """Commit to a document that stays with its owner."""
    _check_particulars(msg.kind, msg.particulars)
    document_id = ctx.new_id("doc")
    ctx.add(
        Document(
            document_id=document_id,
            owner=ctx.party,
            kind=msg.kind,
            root=msg.root,
            committed_at_ms=ctx.now_ms,
            version=1,
        )
    )
    if msg.particulars is not None:
        ctx.add(Invoice(document_id=document_id, owner=ctx.party, particulars=msg.particulars))


def new_version(ctx: Context, msg: NewVersion) -> None:
    """Replace a document by a corrected version, which inherits what it is used for."""
    document = _current(ctx, msg.document_id)
    _check_particulars(document.kind, msg.particulars)
    document_id = ctx.new_id("doc")
    if msg.particulars is not None:
        _correct_invoice(ctx, document, document_id, msg.particulars)
    ctx.save(
        replace(document, status=DocumentStatus.REPLACED, replaced_by=document_id),
    )
    ctx.add(
        Document(
            document_id=document_id,
            owner=document.owner,
            kind=document.kind,
            root=msg.root,
            committed_at_ms=ctx.now_ms,
            version=document.version + 1,
            replaces=document.document_id,
        )
    )


def void_document(ctx: Context, msg: VoidDocument) -> None:
    """Declare a document void. What its invoice is registered for is disputed from then on."""
    document = _current(ctx, msg.document_id)
    invoice = ctx.peek(Invoice, msg.document_id)
    require(msg.reason != "", Refusal.REASON_MISSING)
    if invoice is not None:
        _require_not_applied(invoice)
    ctx.save(replace(document, status=DocumentStatus.VOID, void_reason=msg.reason))
    entry = None if invoice is None else registry.led_by(ctx, invoice)
    if entry is not None:
        registry.revise(ctx, replace(entry, is_void=True))


def register(ctx: Context, msg: Register) -> None:
    """Register what an amount of one's invoice is used for, so that nobody uses it twice."""
    document = _current(ctx, msg.document_id)
    invoice = _invoice(ctx, document)
    read = invoice.particulars
    require(msg.currency == read.currency, Refusal.OTHER_CURRENCY, currency=msg.currency)
    require(msg.amount_minor > 0, Refusal.ZERO_AMOUNT)
    require(
        msg.strict == read.strict and msg.relaxed == read.relaxed,
        Refusal.OTHER_FINGERPRINT,
        id=msg.document_id,
    )
    entry = registry.known(ctx, invoice)
    doubt = registry.doubt_of(ctx, read) if entry is None else None
    made = Registration(
        registration_id=ctx.new_id("reg"),
        owner=ctx.party,
        document_id=msg.document_id,
        purpose=msg.purpose,
        currency=msg.currency,
        amount_minor=msg.amount_minor,
        strict=read.strict,
        relaxed=read.relaxed,
        registered_at_ms=ctx.now_ms,
        status=RegistrationStatus.REGU if doubt is None else RegistrationStatus.PNDG,
        doubt=doubt,
        registrar=None if doubt is None else registrar(ctx),
    )
    if doubt is not None:
        registry.require_worth(invoice, made)
        ctx.add(made)
        return
    entry = entry or registry.enter(ctx, invoice)
    registry.join(ctx, invoice, entry)
    ctx.add(replace(made, entry_id=entry.entry_id))
    registry.use(ctx, entry, made)


def decide_pending(ctx: Context, msg: DecidePending) -> None:
    """Decide a registration that waits, as the registrar or a supervisor."""
    found = ctx.get(Registration, msg.registration_id)
    may_decide = ctx.party == registrar(ctx) or is_supervisor(ctx, ctx.party)
    require(may_decide, Refusal.NOT_REGISTRAR, party=ctx.party)
    is_pending = found.status is RegistrationStatus.PNDG
    require(is_pending, Refusal.NOT_PENDING, registration_id=msg.registration_id)
    require(msg.reason != "", Refusal.REASON_MISSING)
    is_same = msg.decision is Decision.SAME_INVOICE
    require(is_same == (msg.same_as is not None), Refusal.SAME_AS_MISPLACED)
    if msg.decision is Decision.REJECT:
        ctx.save(
            replace(
                found,
                status=RegistrationStatus.CANC,
                reason=Reason.RJCT,
                decided=msg.reason,
            )
        )
        return
    document = ctx.get(Document, found.document_id)
    is_current = document.status is DocumentStatus.CURRENT
    require(is_current, Refusal.NOT_CURRENT, document_id=found.document_id)
    invoice = ctx.get(Invoice, found.document_id)
    entry = registry.known(ctx, invoice) or _decided(ctx, invoice, msg)
    registry.join(ctx, invoice, entry)
    let_in = replace(
        found, status=RegistrationStatus.REGU, entry_id=entry.entry_id, decided=msg.reason
    )
    ctx.save(let_in)
    registry.use(ctx, entry, let_in)


def cancel_registration(ctx: Context, msg: CancelRegistration) -> None:
    """Withdraw a registration that is not used yet (CANC, WITH)."""
    found = _own_registration(ctx, msg.registration_id)
    told = msg.registration_id
    require(found.status is not RegistrationStatus.CANC, Refusal.CANCELLED, registration_id=told)
    is_financed = found.status is RegistrationStatus.FNCD
    require(not is_financed, Refusal.ALREADY_FINANCED, registration_id=told)
    require(found.subject is None, Refusal.IN_USE, registration_id=told)
    if found.status is RegistrationStatus.PNDG:
        ctx.save(replace(found, status=RegistrationStatus.CANC, reason=Reason.WITH))
    else:
        registry.free(ctx, found, Reason.WITH)


def report_financed(ctx: Context, msg: ReportFinanced) -> None:
    """Report that an invoice pledged or financed outside the ledger is financed now (FNCD)."""
    found = _own_registration(ctx, msg.registration_id)
    told = msg.registration_id
    require(found.purpose in OFF_LEDGER, Refusal.OTHER_PURPOSE, registration_id=told)
    require(
        found.status is not RegistrationStatus.PNDG, Refusal.STILL_PENDING, registration_id=told
    )
    require(found.status is not RegistrationStatus.CANC, Refusal.CANCELLED, registration_id=told)
    is_financed = found.status is RegistrationStatus.FNCD
    require(not is_financed, Refusal.ALREADY_FINANCED, registration_id=told)
    require(found.subject is None, Refusal.IN_USE, registration_id=told)
    registry.finance(ctx, found, ctx.party)


def report_repaid(ctx: Context, msg: ReportRepaid) -> None:
    """Report that the supplier repaid what was financed outside the ledger (CANC, OBSA)."""
    found = _own_registration(ctx, msg.registration_id)
    told = msg.registration_id
    require(found.purpose in OFF_LEDGER, Refusal.OTHER_PURPOSE, registration_id=told)
    is_financed = found.status is RegistrationStatus.FNCD
    require(is_financed, Refusal.NOT_FINANCED, registration_id=told)
    require(found.subject is None, Refusal.IN_USE, registration_id=told)
    registry.free(ctx, found, Reason.OBSA)


def apply_credit_note(ctx: Context, msg: ApplyCreditNote) -> None:
    """Reduce what an invoice is worth by a credit note."""
    document = _current(ctx, msg.document_id)
    invoice = _invoice(ctx, document)
    note_document = _current(ctx, msg.credit_note_id)
    is_note = note_document.kind is Kind.CREDIT_NOTE
    require(is_note, Refusal.NOT_A_CREDIT_NOTE, document_id=msg.credit_note_id)
    note = ctx.get(Invoice, msg.credit_note_id)
    _require_not_applied(note)
    credit = note.particulars
    is_same_currency = credit.currency == invoice.particulars.currency
    require(is_same_currency, Refusal.OTHER_CURRENCY, currency=credit.currency)
    entry = None if invoice.entry_id is None else ctx.get(Entry, invoice.entry_id)
    if entry is None:
        credited = invoice.credited_minor + credit.payable_minor
        fits = credited <= invoice.particulars.payable_minor
        require(fits, Refusal.ABOVE_INVOICE, document_id=msg.document_id)
        ctx.save(replace(invoice, credited_minor=credited))
    else:
        require(entry.owner == ctx.party, Refusal.NOT_OWNER, id=msg.document_id)
        credited = entry.credited_minor + credit.payable_minor
        fits = credited <= entry.payable_minor
        require(fits, Refusal.ABOVE_INVOICE, document_id=msg.document_id)
        registry.revise(ctx, replace(entry, credited_minor=credited))
    ctx.save(replace(note, applied_to=msg.document_id))


def _check_particulars(kind: Kind, read: Particulars | None) -> None:
    """An invoice or a credit note comes with particulars that can be; nothing else has any."""
    if kind not in WITH_PARTICULARS:
        require(read is None, Refusal.PARTICULARS_UNWANTED, kind=kind.value)
        return
    read = need(read, Refusal.PARTICULARS_MISSING, kind=kind.value)
    require(read.scheme in SCHEMES, Refusal.UNKNOWN_SCHEME, scheme=read.scheme)
    require(read.currency in CURRENCIES, Refusal.UNKNOWN_CURRENCY, currency=read.currency)
    require(read.payable_minor > 0, Refusal.ZERO_AMOUNT)


def _current(ctx: Context, document_id: str) -> Document:
    """One's own document in its current version."""
    document = ctx.get(Document, document_id)
    require(document.owner == ctx.party, Refusal.NOT_OWNER, id=document_id)
    is_current = document.status is DocumentStatus.CURRENT
    require(is_current, Refusal.NOT_CURRENT, document_id=document_id)
    return document


def _invoice(ctx: Context, document: Document) -> Invoice:
    """What the registry knows of a document, which must be an invoice."""
    is_invoice = document.kind is Kind.INVOICE
    require(is_invoice, Refusal.NOT_AN_INVOICE, document_id=document.document_id)
    return ctx.get(Invoice, document.document_id)


def _own_registration(ctx: Context, registration_id: str) -> Registration:
    """One's own registration."""
    found = ctx.get(Registration, registration_id)
    require(found.owner == ctx.party, Refusal.NOT_OWNER, id=registration_id)
    return found


def _require_not_applied(note: Invoice) -> None:
    """A credit note that has reduced an invoice stays as it is."""
    require(note.applied_to is None, Refusal.ALREADY_APPLIED, document_id=note.document_id)


def _correct_invoice(ctx: Context, document: Document, document_id: str, read: Particulars) -> None:
    """Let a corrected invoice or credit note stand in the place of the one it replaces."""
    invoice = ctx.get(Invoice, document.document_id)
    _require_not_applied(invoice)
    is_same_currency = read.currency == invoice.particulars.currency
    require(is_same_currency, Refusal.OTHER_CURRENCY, currency=read.currency)
    entry = registry.led_by(ctx, invoice)
    credited = invoice.credited_minor if entry is None else entry.credited_minor
    fits = credited <= read.payable_minor
    require(fits, Refusal.ABOVE_INVOICE, document_id=document.document_id)
    ctx.add(replace(invoice, document_id=document_id, particulars=read))
    if entry is not None:
        is_free = registry.bears_alone(ctx, entry, read)
        require(is_free, Refusal.NUMBER_TAKEN, document_id=document.document_id)
        entry = registry.learn(ctx, entry, read)
        registry.revise(
            ctx,
            replace(entry, document_id=document_id, payable_minor=read.payable_minor),
        )


def _decided(ctx: Context, invoice: Invoice, msg: DecidePending) -> Entry:
    """The invoice of the registry that the registrar finds it to be: another's copy, or its own."""
    if msg.same_as is None:
        return registry.enter(ctx, invoice)
    other = ctx.get(Registration, msg.same_as)
    entry_id = need(other.entry_id, Refusal.STILL_PENDING, registration_id=msg.same_as)
    entry = ctx.get(Entry, entry_id)
    currency = invoice.particulars.currency
    require(currency == entry.currency, Refusal.OTHER_CURRENCY, currency=currency)
    return registry.learn(ctx, entry, invoice.particulars)
