"""The desk of the story: who asks the ledger for what, one method per business act.

Everything goes through the stage; refusals that the story expects are returned, others end it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.apps.cash.messages import Mint
from tallystick.apps.documents.messages import ApplyCreditNote, Commit, Register
from tallystick.apps.documents.records import Kind, Particulars, Purpose
from tallystick.apps.founding import PublishedCalendar
from tallystick.apps.governance.messages import AdvanceClock, PublishCalendar
from tallystick.apps.members.messages import Admit
from tallystick.apps.receivables.terms import Fingerprint
from tallystick.demo.cast import CENTRAL_BANK, SUPERVISOR, Player, founder
from tallystick.demo.stage import Outcome, Stage, StageProblem
from tallystick.formats.calendars import CN_ZONE_MINUTES
from tallystick.formats.commitment import Disclosure, disclose, disclosed_fingerprint
from tallystick.formats.ubl_document import Invoice
from tallystick.ledger.app import Message
from tallystick.values.codec import replace
from tallystick.values.time import at, format_at

BOTH = "maker+checker"


@dataclass(frozen=True)
class Paper:
    """An invoice that its owner has committed to and registered."""

    invoice: Invoice
    """The invoice as it was read."""
    disclosure: Disclosure
    """Fields and salts, handed over outside the ledger."""
    document_id: str
    """Id of the commitment."""
    registration_id: str
    """Id of the registration."""
    amount_minor: int
    """How much of it is registered, in minor units."""

    @property
    def fingerprint(self) -> Fingerprint:
        """What a signer recomputes from the disclosure."""
        made = disclosed_fingerprint(self.disclosure)
        return Fingerprint(strict=made.strict, relaxed=made.relaxed)


class Desk:
    """Sends what institutions ask."""

    def __init__(self, stage: Stage) -> None:
        """Work on a stage."""
        self.stage = stage

    def do(self, party: str, *messages: Message) -> Outcome:
        """One party's calls, by its maker and checker; they must happen."""
        return self.do_together([(party, message) for message in messages])

    def do_together(self, calls: Sequence[tuple[str, Message]]) -> Outcome:
        """Calls of several parties as one transaction; they must happen."""
        outcome = self.stage.send([(f"{party}.{BOTH}", message) for party, message in calls])
        if not outcome.accepted:
            raise StageProblem(f"{calls[0][0]} was refused: {outcome.sentence}")
        return outcome

    def refused(self, party: str, message: Message) -> str:
        """A call that the ledger must refuse; what it said."""
        outcome = self.stage.send([(f"{party}.{BOTH}", message)])
        if outcome.accepted:
            raise StageProblem(f"{party}: {type(message).__name__} should have been refused")
        return outcome.sentence

    # --- network

    def publish(self, calendar: PublishedCalendar) -> None:
        """The supervisor publishes the years of a calendar."""
        for publication in calendar.publications():
            self.do(SUPERVISOR, PublishCalendar(publication=publication))

    def admit(self, player: Player) -> None:
        """The supervisor admits an institution with its first people."""
        newcomer = founder(player, self.stage).newcomer()
        self.do(SUPERVISOR, Admit(newcomer=replace(newcomer, licences=player.licences)))

    def mint(self, party: str, currency: str, amount_minor: int) -> None:
        """The central bank issues money to a member."""
        money = f"{currency}@{CENTRAL_BANK}"
        self.do(CENTRAL_BANK, Mint(to=party, money=money, amount_minor=amount_minor))

    def wait(self, day: str, minute: int) -> str:
        """The supervisor moves the clock to a time of day; what the clock then says."""
        target = at(day, minute, CN_ZONE_MINUTES)
        by_ms = target - self.stage.now_ms()
        if by_ms > 0:
            self.do(SUPERVISOR, AdvanceClock(by_ms=by_ms))
        self.stage.settle()
        return self.clock()

    def clock(self) -> str:
        """Ledger time, as people write it."""
        return format_at(self.stage.now_ms(), CN_ZONE_MINUTES)

    # --- documents

    def commit(self, party: str, invoice: Invoice) -> tuple[Disclosure, str]:
        """Commit to an invoice or credit note, field by field; disclosure and document id."""
        fields = invoice.fields
        disclosure = disclose(fields, [os.urandom(16) for _ in fields])
        kind = Kind.CREDIT_NOTE if invoice.kind.value == "CreditNote" else Kind.INVOICE
        made = disclosed_fingerprint(disclosure)
        particulars = Particulars(
            scheme=made.scheme,
            strict=made.strict,
            relaxed=made.relaxed,
            currency=invoice.currency,
            payable_minor=invoice.payable_minor,
            particulars=invoice.particulars,
        )
        done = self.do(party, Commit(kind=kind, root=disclosure.root, particulars=particulars))
        return disclosure, done.ids[0]

    def register(self, party: str, invoice: Invoice, purpose: Purpose, amount_minor: int) -> Paper:
        """Commit to an invoice and register what an amount of it is used for."""
        disclosure, document_id = self.commit(party, invoice)
        message = self.registering(disclosure, document_id, purpose, amount_minor)
        done = self.do(party, message)
        return Paper(invoice, disclosure, document_id, done.ids[0], amount_minor)

    def registering(
        self, disclosure: Disclosure, document_id: str, purpose: Purpose, amount_minor: int
    ) -> Register:
        """The message that registers an amount of an invoice."""
        made = disclosed_fingerprint(disclosure)
        return Register(
            document_id=document_id,
            purpose=purpose,
            amount_minor=amount_minor,
            currency=disclosure.values["currency"],
            strict=made.strict,
            relaxed=made.relaxed,
        )

    def credit(self, party: str, document_id: str, note: Invoice) -> None:
        """Reduce an invoice by a credit note."""
        _, note_id = self.commit(party, note)
        self.do(party, ApplyCreditNote(document_id=document_id, credit_note_id=note_id))
