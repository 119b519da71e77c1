"""First acts: the network, the invoices, the money, the registry, the claims."""

from __future__ import annotations

from dataclasses import replace

from msgspec.structs import replace as changed

from tallystick.apps.documents.messages import DecidePending
from tallystick.apps.documents.messages import Decision as RegistrarDecision
from tallystick.apps.documents.records import Purpose
from tallystick.apps.founding import PublishedCalendar
from tallystick.apps.receivables.messages import UNDERTAKE, Accept, Confirm, Draft, Reject
from tallystick.demo.cast import BANK, FACTOR, INSTITUTIONS, SUPERVISOR, known_by
from tallystick.demo.desk import Paper
from tallystick.demo.play import DUE_DAY, Claim, Play
from tallystick.demo.spelling import retyped
from tallystick.demo.tell import money
from tallystick.formats.calendars import CN_2026, CN_ZONE_MINUTES
from tallystick.formats.fingerprint import fingerprint
from tallystick.formats.ubl import import_folder
from tallystick.formats.ubl_decision import Decision as ImportDecision
from tallystick.formats.ubl_decision import Outcome
from tallystick.formats.ubl_document import Invoice
from tallystick.values.money import CURRENCIES
from tallystick.values.units import PPM

CALENDAR = PublishedCalendar(calendar_id="cn", zone_minutes=CN_ZONE_MINUTES, years={2026: CN_2026})
"""What the supervisor publishes."""
SMALLEST_MINOR = 1_000
"""Smallest invoice that is cut and financed in the story, in minor units."""
SECOND_PPM = 800_000
"""Money that the second debtor gets, as a part of what it owes: for the day, and for later."""


def network(play: Play) -> None:
    """The supervisor publishes the calendar and admits the financiers."""
    play.tell.act("The network opens", play.desk.clock())
    play.desk.publish(CALENDAR)
    play.tell.say(f"The supervisor publishes China's {len(CN_2026)} banking days of 2026.")
    for player in INSTITUTIONS[play.founders :]:
        play.desk.admit(player)
        play.tell.say(f"The supervisor admits {player.name} ({player.kind.replace('_', ' ')}).")


def invoices(play: Play) -> None:
    """Read the invoices; list unknown parties, who are then admitted for all to see."""
    play.tell.act(f"Invoices from {play.folder.name}/")
    decisions = import_folder(play.folder, known_parties=play.players.numbers())
    play.tell.table(
        ("file", "outcome", "payable", "remarks"),
        [_import_row(decision) for decision in decisions],
        right=("payable",),
    )
    good = [d for d in decisions if d.outcome is Outcome.DRAFT and d.invoice is not None]
    play.drafts = sorted((d.invoice for d in good if d.invoice), key=_worth, reverse=True)
    numbers = {each.fingerprint.strict for each in play.drafts}
    for decision in decisions:
        unused = decision.invoice is not None and decision.outcome is Outcome.REFUSED
        if unused and decision.invoice and decision.invoice.fingerprint.strict not in numbers:
            play.unregistered = decision.invoice
        if decision.invoice is not None and decision.outcome is Outcome.DOCUMENT:
            play.notes.update(
                (number, decision.invoice) for number in decision.invoice.names_invoices
            )
    _admit_parties(play)


def _import_row(decision: ImportDecision) -> tuple[str, str, str, str]:
    """A file in the table of the import."""
    amount = ""
    if decision.payable_minor is not None and decision.currency in CURRENCIES:
        amount = money(decision.payable_minor, str(decision.currency))
    remarks = [decision.code or "", *(warning.code.value for warning in decision.warnings)]
    return decision.name, decision.outcome.value, amount, ", ".join(filter(None, remarks))


def _worth(invoice: Invoice) -> int:
    """Amount in thousandths of a unit, to compare currencies of different decimals."""
    return int(invoice.payable_minor * 10 ** (3 - min(3, CURRENCIES[invoice.currency])))


def _admit_parties(play: Play) -> None:
    """Parties that nobody knows are listed, then admitted by a message for all to see."""
    sellers = {known_by(invoice.seller) for invoice in play.drafts}
    parties = [party for each in play.drafts for party in (each.buyer, each.seller)]
    for party in parties:
        play.players.join(party, buys_only=known_by(party) not in sellers)
    choose(play)
    debtors = {play.buyer(invoice) for invoice in play.chosen}
    seen: set[str] = set()
    for party in parties:
        player = play.players.of(party)
        if player.party in seen:
            continue
        seen.add(player.party)
        if player.party in debtors and player.kind == "supplier":
            player = replace(player, licences=(UNDERTAKE,))
        play.tell.say(f"Unknown on the ledger: {party.name}, number {party.number or 'none'}.")
        play.desk.admit(player)
        kind = player.kind.replace("_", " ")
        play.tell.say(f"The supervisor admits it as {player.party} ({kind}, {player.size}).")


def issue_money(play: Play) -> None:
    """The central bank issues money of each currency to those who will pay."""
    play.tell.act("The central bank issues money")
    needs: dict[tuple[str, str], int] = {}
    for number, invoice in enumerate([*play.chosen, *play.plain()]):
        share = SECOND_PPM if number == 1 and len(play.chosen) == 2 else PPM
        key = (play.buyer(invoice), invoice.currency)
        needs[key] = needs.get(key, 0) + invoice.payable_minor * share // PPM
    for currency in dict.fromkeys(invoice.currency for invoice in play.chosen):
        largest = max(invoice.payable_minor for invoice in play.drafts)
        needs[BANK, currency] = largest
        needs[FACTOR, currency] = largest
    for (party, currency), amount in needs.items():
        play.desk.mint(party, currency, amount)
        play.tell.say(f"{money(amount, currency)} for {play.name(party)}.")


def choose(play: Play) -> None:
    """The set pieces are the two largest invoices of different buyers, core enterprises first."""
    large = [each for each in play.drafts if each.payable_minor >= SMALLEST_MINOR]
    buyers = [each for each in large if play.is_core(play.buyer(each))]
    drafts = [*buyers, *(each for each in large if each not in buyers)]
    if not drafts:
        play.tell.unplayed("every invoice is too small to be cut and passed on.")
        return
    largest = drafts[0]
    others = [each for each in drafts if play.buyer(each) != play.buyer(largest)]
    play.chosen = (largest, *others[:1])


def registry(play: Play) -> None:
    """A doubtful spelling waits for the supervisor; a credit note reduces an invoice."""
    play.tell.act("The registry of invoices", play.desk.clock())
    for number, invoice in enumerate(play.chosen):
        claim = _claim(play, invoice, invoice.payable_minor)
        if number == 0:
            play.first = claim
        else:
            play.second = claim
    _doubtful(play)
    for invoice in play.plain():
        note = play.notes.get(invoice.number)
        if note is not None and note.seller_number == invoice.seller_number:
            _credited(play, invoice, note)
        else:
            play.others.append(_claim(play, invoice, invoice.payable_minor))


def _claim(play: Play, invoice: Invoice, amount_minor: int) -> Claim:
    """The seller registers an invoice to open a claim on it."""
    seller = play.seller(invoice)
    paper = play.desk.register(seller, invoice, Purpose.OPENING, amount_minor)
    amount = money(amount_minor, invoice.currency)
    play.tell.say(f"{play.name(seller)} registers {invoice.number} for {amount}: REGU.")
    return Claim(paper, play.buyer(invoice), seller)


def _doubtful(play: Play) -> None:
    """The same invoice again, typed a little differently: PNDG until the supervisor decides."""
    claim = play.second or play.first
    typed = None if claim is None else retyped(claim.paper.invoice.number)
    if claim is None or typed is None:
        play.tell.unplayed("no invoice number that can be mistyped, so nothing is in doubt.")
        return
    again = changed(claim.paper.invoice, number=typed)
    again = changed(again, fingerprint=fingerprint(again.seller_number, typed))
    paper = play.desk.register(claim.supplier, again, Purpose.OPENING, claim.face_minor)
    play.tell.say(f"{play.name(claim.supplier)} registers {typed}, which reads like it: PNDG.")
    reason = f"{typed} is {claim.paper.invoice.number}, typed again"
    play.desk.do(
        SUPERVISOR,
        DecidePending(
            registration_id=paper.registration_id, decision=RegistrarDecision.REJECT, reason=reason
        ),
    )
    play.tell.say(f"The supervisor decides: {reason}. CANC, RJCT.")


def _credited(play: Play, invoice: Invoice, note: Invoice) -> None:
    """A credit note reduces what the invoice can carry; the rest is registered."""
    seller = play.seller(invoice)
    disclosure, document_id = play.desk.commit(seller, invoice)
    play.desk.credit(seller, document_id, note)
    less = money(note.payable_minor, note.currency)
    play.tell.say(f"{play.name(seller)} credits {invoice.number} with {less} ({note.number}).")
    whole = play.desk.registering(disclosure, document_id, Purpose.OPENING, invoice.payable_minor)
    play.tell.refused(play.desk.refused(seller, whole))
    rest = invoice.payable_minor - note.payable_minor
    done = play.desk.do(
        seller, play.desk.registering(disclosure, document_id, Purpose.OPENING, rest)
    )
    play.tell.say(f"Registered for {money(rest, invoice.currency)}: REGU.")
    paper = Paper(invoice, disclosure, document_id, done.ids[0], rest)
    play.others.append(Claim(paper, play.buyer(invoice), seller))


def confirmations(play: Play) -> None:
    """Debtors promise to pay: one claim drafted by its supplier, one by its debtor; one refused."""
    play.tell.act("The debtors confirm", play.desk.clock())
    if play.first is not None:
        _drafted_by_supplier(play, play.first)
    if play.second is not None:
        _drafted_by_debtor(play, play.second)
    if play.others:
        _refused_by_supplier(play, play.others.pop())
    else:
        play.tell.unplayed("no third invoice, so no supplier refuses a voucher.")
    for claim in play.others:
        _drafted_by_supplier(play, claim)


def _draft(claim: Claim, *, by_debtor: bool) -> Draft:
    """The draft of a claim; a due date that has passed becomes one 90 days after opening."""
    invoice = claim.paper.invoice
    return Draft(
        debtor=claim.debtor,
        supplier=claim.supplier,
        amount_minor=claim.face_minor,
        currency=claim.currency,
        due_day=DUE_DAY,
        registrations=(claim.paper.registration_id,),
        fingerprints=(claim.paper.fingerprint,) if by_debtor else (),
        moneys=(claim.money,),
        invoice_due_day=invoice.due_date,
        supplier_consent=invoice.due_date is None or invoice.due_date < DUE_DAY,
    )


def _drafted_by_supplier(play: Play, claim: Claim) -> None:
    """The supplier drafts, the debtor confirms."""
    claim.undertaking_id = play.desk.do(claim.supplier, _draft(claim, by_debtor=False)).ids[0]
    confirm = Confirm(undertaking_id=claim.undertaking_id, fingerprints=(claim.paper.fingerprint,))
    claim.piece_id = play.desk.do(claim.debtor, confirm).ids[0]
    play.tell.say(
        f"{play.name(claim.supplier)} drafts {_told(claim)}; {play.name(claim.debtor)} recomputes"
        " the invoice's fingerprint and confirms: it will pay whoever holds the claim."
    )


def _drafted_by_debtor(play: Play, claim: Claim) -> None:
    """The debtor drafts, the supplier accepts."""
    claim.undertaking_id = play.desk.do(claim.debtor, _draft(claim, by_debtor=True)).ids[0]
    accept = Accept(undertaking_id=claim.undertaking_id)
    claim.piece_id = play.desk.do(claim.supplier, accept).ids[0]
    play.tell.say(
        f"{play.name(claim.debtor)} drafts {_told(claim)}; {play.name(claim.supplier)} accepts."
    )


def _refused_by_supplier(play: Play, claim: Claim) -> None:
    """The debtor drafts, the supplier would rather be paid."""
    made = play.desk.do(claim.debtor, _draft(claim, by_debtor=True)).ids[0]
    play.desk.do(claim.supplier, Reject(undertaking_id=made, reason="we agreed on 30 days"))
    play.tell.say(
        f"{play.name(claim.debtor)} drafts {_told(claim)}; {play.name(claim.supplier)} refuses the"
        " voucher. Nobody is forced to take one, and the refusal has its receipt."
    )


def _told(claim: Claim) -> str:
    """A claim in a few words."""
    return f"{money(claim.face_minor, claim.currency)} due {DUE_DAY} ({claim.paper.invoice.number})"
