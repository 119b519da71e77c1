"""Receivables as a workload: what suppliers, their debtors and banks send, page by page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.apps.documents.messages import Commit, Register
from tallystick.apps.documents.records import Kind, Particulars, Purpose
from tallystick.apps.receivables.messages import (
    AcceptOffer,
    AcceptPass,
    Apply,
    Confirm,
    Disburse,
    Draft,
    Offer,
    Pass,
    Split,
)
from tallystick.apps.receivables.pricing import quote
from tallystick.apps.receivables.terms import (
    Attestation,
    AttestedKind,
    Fingerprint,
    InterestMethod,
    OfferTerms,
)
from tallystick.bench.cast import DEBTORS, Desk, debtor, financier, supplier
from tallystick.bench.network import MONEY
from tallystick.bench.paging import Made
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.ledger.app import Message
from tallystick.values.ids import derive_id
from tallystick.values.rates import DayCount

SUPPLIERS = 32
"""Suppliers that take turns, and as many banks."""
PART_MINOR = 10_000
"""Face of the pieces that are passed on or financed: 100.00."""
PASSED = 80
"""Pieces passed on in a page, three transactions each, one after the other: all in one request."""
DELIVERED = 450
"""Pieces financed in a page, one transaction each; two before for each."""
PARTS_MAX = 100
"""Most parts of one cut."""
TODAY = "2026-07-03"
"""The day on which the bench's chains begin."""
DUE = "2026-10-09"
"""Nominal due date, a banking day."""
UNTIL = "2026-07-10"
"""Last day of what is offered."""


@dataclass
class Papers:
    """Writes down what one page sends, and what comes of it."""

    desk: Desk
    """Signs."""
    index: int
    """Number of the page."""
    sent: int = 0
    """Transactions so far."""

    def send(self, *calls: tuple[str, Message]) -> tuple[bytes, bytes]:
        """The bytes and the id of the page's next transaction."""
        self.sent += 1
        return self.desk.signed(f"r{self.index}-{self.sent}", *calls)

    def invoice(self, number: int, seller: str, amount_minor: int, purpose: Purpose) -> Invoice:
        """An invoice, committed to and registered by its seller."""
        made = fingerprint(f"USCC{seller}", f"{self.index}N{number}")
        particulars = Particulars(
            scheme=made.scheme,
            strict=made.strict,
            relaxed=made.relaxed,
            currency="CNY",
            payable_minor=amount_minor,
            particulars=particulars_hash(buyer_number="USCC", date="2026-06-30"),
        )
        root = hashlib.sha256(f"{self.index}-{number}".encode()).digest()
        who = f"{seller}.boss+clerk"
        commit, committed = self.send(
            (who, Commit(kind=Kind.INVOICE, root=root, particulars=particulars))
        )
        told = Register(
            document_id=derive_id("doc", committed, 0, 0),
            purpose=purpose,
            amount_minor=amount_minor,
            currency="CNY",
            strict=made.strict,
            relaxed=made.relaxed,
        )
        register, registered = self.send((who, told))
        return Invoice(
            [commit, register],
            derive_id("reg", registered, 0, 0),
            Fingerprint(strict=made.strict, relaxed=made.relaxed),
        )

    def opened(self, holder: str, debts: str, amount_minor: int) -> Opened:
        """An undertaking of a debtor, all of it held by a supplier."""
        paper = self.invoice(0, holder, amount_minor, Purpose.OPENING)
        draft, drafted = self.send(
            (
                f"{holder}.boss+clerk",
                Draft(
                    debtor=debts,
                    supplier=holder,
                    amount_minor=amount_minor,
                    currency="CNY",
                    due_day=DUE,
                    registrations=(paper.registration_id,),
                ),
            )
        )
        confirm, confirmed = self.send(
            (
                f"{debts}.boss+clerk",
                Confirm(undertaking_id=derive_id("und", drafted, 0, 0), fingerprints=(paper.read,)),
            )
        )
        sent = [*paper.sent, draft, confirm]
        return Opened(sent, derive_id("piece", confirmed, 0, 0), paper.read)

    def cut(self, who: str, piece_id: str, parts_minor: Sequence[int]) -> tuple[bytes, list[str]]:
        """A cut of a piece, and the parts."""
        raw, cut = self.send((who, Split(piece_id=piece_id, parts_minor=tuple(parts_minor))))
        return raw, [derive_id("piece", cut, 0, place) for place in range(len(parts_minor))]


@dataclass(frozen=True)
class Invoice:
    """A registered invoice."""

    sent: list[bytes]
    """What was sent for it."""
    registration_id: str
    """Its registration."""
    read: Fingerprint
    """What whoever reads it finds."""


@dataclass(frozen=True)
class Opened:
    """An open undertaking."""

    sent: list[bytes]
    """What was sent for it."""
    piece_id: str
    """Its one piece."""
    read: Fingerprint
    """What whoever reads its invoice finds."""


def passing_page(desk: Desk, index: int) -> Made:
    """Again and again: cut a part from a piece, pass the part on for an invoice, accept it."""
    papers = Papers(desk, index)
    holder, receiver = supplier(index % SUPPLIERS), supplier((index + 1) % SUPPLIERS)
    rest = PART_MINOR * (PASSED + 1)
    opened = papers.opened(holder, debtor(index % DEBTORS), rest)
    before, load, piece_id = list(opened.sent), [], opened.piece_id
    for number in range(1, PASSED + 1):
        paper = papers.invoice(number, receiver, PART_MINOR, Purpose.SETTLEMENT)
        before += paper.sent
        rest -= PART_MINOR
        cut, (part_id, piece_id) = papers.cut(f"{holder}.boss", piece_id, (PART_MINOR, rest))
        ask = Pass(piece_id=part_id, to=receiver, registrations=(paper.registration_id,))
        passing, passed = papers.send((f"{holder}.boss", ask))
        take = AcceptPass(transfer_id=derive_id("pass", passed, 0, 0))
        accepted, _ = papers.send((f"{receiver}.boss", take))
        load += [cut, passing, accepted]
    return Made(load=load, before=before)


def delivery_page(desk: Desk, index: int) -> Made:
    """Offers accepted and paid, each in one transaction of the supplier and the bank."""
    papers = Papers(desk, index)
    holder, bank = supplier(index % SUPPLIERS), financier(index % SUPPLIERS)
    opened = papers.opened(holder, debtor(index % DEBTORS), PART_MINOR * DELIVERED)
    before, load = list(opened.sent), []
    cut, heaps = papers.cut(f"{holder}.boss+clerk", opened.piece_id, _heaps())
    before.append(cut)
    pieces: list[str] = []
    for heap, size in zip(heaps, _heaps(), strict=True):
        cut, parts = papers.cut(f"{holder}.boss+clerk", heap, [PART_MINOR] * (size // PART_MINOR))
        before.append(cut)
        pieces += parts
    net_minor = _net_minor(holder)
    for piece_id in pieces:
        ask, asked = papers.send((f"{holder}.boss", Apply(piece_id=piece_id, financiers=(bank,))))
        deal_id = derive_id("deal", asked, 0, 0)
        offer, _ = papers.send((f"{bank}.boss+clerk", _offer(deal_id, opened.read)))
        before += [ask, offer]
        paid, _ = papers.send(
            (f"{holder}.boss", AcceptOffer(deal_id=deal_id)),
            (f"{bank}.boss+clerk", _payment(deal_id, net_minor)),
        )
        load.append(paid)
    return Made(load=load, before=before)


def _heaps() -> list[int]:
    """How the whole is cut first, so that no cut has more parts than one may have."""
    whole, rest = divmod(DELIVERED, PARTS_MAX)
    return [PARTS_MAX * PART_MINOR] * whole + [rest * PART_MINOR] * bool(rest)


TERMS = OfferTerms(
    recourse=False,
    advance_ppm=1_000_000,
    method=InterestMethod.UPFRONT_ON_FACE,
    rate_ppm=43_500,
    day_count=DayCount.ACT_360,
    fees=(),
    money=MONEY,
    valid_until=UNTIL,
    disburse_by=UNTIL,
    value_day=TODAY,
    buy_back=True,
)
"""What every bank offers: a sale at 4.35 % a year, free of fees."""


def _net_minor(holder: str) -> int:
    """What one piece brings today."""
    told = quote(PART_MINOR, TERMS, assignor=holder, value_day=TODAY, payment_day=DUE)
    return told.net_cash_minor


def _offer(deal_id: str, read: Fingerprint) -> Offer:
    """The offer, with what the bank reads of the invoice."""
    return Offer(
        deal_id=deal_id,
        recourse=TERMS.recourse,
        advance_ppm=TERMS.advance_ppm,
        method=TERMS.method,
        rate_ppm=TERMS.rate_ppm,
        day_count=TERMS.day_count,
        money=TERMS.money,
        valid_until=TERMS.valid_until,
        disburse_by=TERMS.disburse_by,
        fingerprints=(read,),
    )


def _payment(deal_id: str, net_minor: int) -> Disburse:
    """The money, with what was registered and searched before."""
    attested = Attestation(
        search_number="CX-2026-0703-1",
        number="DJ-2026-0703-9",
        kind=AttestedKind.ASSIGNMENT,
        start_day=TODAY,
        end_day="2027-07-02",
    )
    return Disburse(deal_id=deal_id, money=MONEY, amount_minor=net_minor, attestation=attested)
