"""What the tests of receivables ask for, as short as a banker would tell it."""

import hashlib
from typing import Any

from tallystick.apps import APPS as LISTED
from tallystick.apps.cash.interface import available
from tallystick.apps.cash.messages import Mint
from tallystick.apps.documents.interface import registration
from tallystick.apps.documents.messages import (
    ApplyCreditNote,
    Commit,
    Register,
    ReportFinanced,
)
from tallystick.apps.documents.records import Kind, Particulars, Purpose
from tallystick.apps.governance.interface import Offset, Publication
from tallystick.apps.governance.messages import PublishCalendar, SetParameter
from tallystick.apps.members.interface import Scope
from tallystick.apps.members.messages import Expel, Freeze, Suspend
from tallystick.apps.receivables import APP
from tallystick.apps.receivables.messages import (
    AcceptOffer,
    AcceptPass,
    Apply,
    Confirm,
    Disburse,
    Draft,
    Fund,
    Offer,
    Pass,
    Pay,
    Split,
    Withdraw,
)
from tallystick.apps.receivables.queries import alerts, transfers
from tallystick.apps.receivables.records import Alert, Deal, Piece, Undertaking
from tallystick.apps.receivables.terms import (
    Attestation,
    AttestedKind,
    Fingerprint,
    InterestMethod,
)
from tallystick.formats.fingerprint import fingerprint, particulars_hash
from tallystick.ledger.app import Message
from tallystick.ledger.refusal import RefusalCode
from tallystick.testing.cast import cast_world
from tallystick.testing.world import Result, World
from tallystick.values.rates import DayCount
from tallystick.values.time import add_days, weekday

CNY = "CNY@CB"
"""Central bank money."""
APPS = LISTED if APP in LISTED else (*LISTED, APP)
NO_UNDERTAKING = "und-0000000000000000"
NO_PIECE = "piece-0000000000000000"
NO_TRANSFER = "pass-0000000000000000"
NO_DEAL = "deal-0000000000000000"
NO_CLAIM = "claim-0000000000000000"


def by(party: str) -> str:
    """A party's maker and checker."""
    return f"{party}.maker+checker"


class Market:
    """A world with receivables, and short ways to ask for things."""

    def __init__(self, world: World | None = None, **options: Any) -> None:
        """Open a market on 3 July 2026 at 09:00; `options` are the world's."""
        self.world = world or cast_world(apps=APPS, **options)
        self.invoices = 0

    def does(self, party: str, message: Message) -> Result:
        """A message that must be accepted."""
        return self.world.accepts(by(party), message)

    def refuses(self, who: str, message: Message, code: RefusalCode, **values: str | int) -> None:
        """A message that must be refused with this code."""
        self.world.refuses(by(who), message, code, **values)

    def copy(self) -> "Market":
        """The same market, to try another way on."""
        twin = Market(self.world.copy())
        twin.invoices = self.invoices
        return twin

    # --- papers

    def invoice(
        self,
        seller: str,
        amount_minor: int,
        purpose: Purpose = Purpose.OPENING,
        *,
        currency: str = "CNY",
        buyer: str = "D1",
    ) -> tuple[str, Fingerprint]:
        """An invoice of a seller, committed to and registered: registration and fingerprint."""
        self.invoices += 1
        made = fingerprint(f"USCC{seller}", f"INV-{self.invoices}")
        particulars = Particulars(
            scheme=made.scheme,
            strict=made.strict,
            relaxed=made.relaxed,
            currency=currency,
            payable_minor=amount_minor,
            particulars=particulars_hash(buyer_number=buyer, date="2026-06-30"),
        )
        root = hashlib.sha256(f"{seller}{self.invoices}".encode()).digest()
        document = self.does(
            seller, Commit(kind=Kind.INVOICE, root=root, particulars=particulars)
        ).id
        registration = self.does(
            seller,
            Register(
                document_id=document,
                purpose=purpose,
                amount_minor=amount_minor,
                currency=currency,
                strict=made.strict,
                relaxed=made.relaxed,
            ),
        ).id
        return registration, Fingerprint(strict=made.strict, relaxed=made.relaxed)

    def credit_note(self, seller: str, registration_id: str, amount_minor: int) -> None:
        """Reduce a registered invoice by a credit note."""
        made = fingerprint(f"USCC{seller}", f"CN-{registration_id}")
        note = Commit(
            kind=Kind.CREDIT_NOTE,
            root=bytes(32),
            particulars=Particulars(
                scheme=made.scheme,
                strict=made.strict,
                relaxed=made.relaxed,
                currency="CNY",
                payable_minor=amount_minor,
                particulars=particulars_hash(buyer_number="D1", date="2026-07-01"),
            ),
        )
        note_id = self.does(seller, note).id
        paper = registration(self.world.view(), registration_id)
        told = ApplyCreditNote(document_id=paper.document_id, credit_note_id=note_id)
        self.does(seller, told)

    def doubtful(self, seller: str, amount_minor: int) -> str:
        """A registration that waits: the number was registered for another buyer."""
        self.invoice(seller, amount_minor)
        self.invoices -= 1
        return self.invoice(seller, amount_minor, buyer="D3")[0]

    def financed_elsewhere(self, seller: str, amount_minor: int) -> str:
        """A registration of an invoice that was financed outside the ledger."""
        paper, _ = self.invoice(seller, amount_minor, Purpose.DIRECT_FINANCE)
        self.does(seller, ReportFinanced(registration_id=paper))
        return paper

    # --- opening

    def draft(self, amount_minor: int, *, by_debtor: bool = False, **terms: Any) -> Draft:
        """A draft of S1 on D1 over a registered invoice, due on 1 October."""
        registration, read = self.invoice("S1", amount_minor)
        given: dict[str, Any] = {
            "debtor": "D1",
            "supplier": "S1",
            "amount_minor": amount_minor,
            "currency": "CNY",
            "due_day": "2026-10-01",
            "registrations": (registration,),
            "fingerprints": (read,) if by_debtor else (),
        }
        return Draft(**(given | terms))

    def drafted(self, amount_minor: int, **terms: Any) -> tuple[str, Fingerprint]:
        """What the supplier drafted: undertaking and the fingerprint that the debtor reads."""
        message = self.draft(amount_minor, **terms)
        made = self.does("S1", message).id
        read = fingerprint("USCCS1", f"INV-{self.invoices}")
        return made, Fingerprint(strict=read.strict, relaxed=read.relaxed)

    def opened(self, amount_minor: int, **terms: Any) -> str:
        """An open undertaking of D1, all of it held by S1: its first piece."""
        undertaking_id, read = self.drafted(amount_minor, **terms)
        return self.does("D1", Confirm(undertaking_id=undertaking_id, fingerprints=(read,))).id

    # --- pieces

    def split(self, party: str, piece_id: str, *parts_minor: int) -> tuple[str, ...]:
        """Cut a piece; its parts."""
        return self.does(party, Split(piece_id=piece_id, parts_minor=parts_minor)).ids

    def passed(self, sender: str, piece_id: str, to: str, **more: Any) -> str:
        """Pass a piece on for an invoice of the receiver; the transfer."""
        size = self.piece(piece_id).amount_minor
        registration, _ = self.invoice(to, size, Purpose.SETTLEMENT)
        ask = Pass(piece_id=piece_id, to=to, registrations=(registration,), **more)
        return self.does(sender, ask).id

    def held_by(self, sender: str, piece_id: str, to: str, **more: Any) -> str:
        """Pass a piece on and have it accepted; the transfer."""
        transfer_id = self.passed(sender, piece_id, to, **more)
        self.does(to, AcceptPass(transfer_id=transfer_id))
        return transfer_id

    def transfers(self, receiver: str) -> list[str]:
        """Transfers that wait for a party."""
        return [each.transfer_id for each in transfers(self.world.view(receiver), receiver)]

    # --- finance

    def applied(self, party: str, piece_id: str, *financiers: str) -> tuple[str, ...]:
        """Ask financiers for money on a piece; the deals."""
        return self.does(party, Apply(piece_id=piece_id, financiers=financiers)).ids

    def offer(self, deal_id: str, **terms: Any) -> Offer:
        """An offer: by default without recourse, at 4.35 % upfront, free of fees."""
        given: dict[str, Any] = {
            "deal_id": deal_id,
            "recourse": False,
            "advance_ppm": 1_000_000,
            "method": InterestMethod.UPFRONT_ON_FACE,
            "rate_ppm": 43_500,
            "day_count": DayCount.ACT_360,
            "money": CNY,
            "valid_until": "2026-07-10",
            "disburse_by": "2026-07-10",
            "fingerprints": self.read_of(deal_id),
        }
        return Offer(**(given | terms))

    def read_of(self, deal_id: str) -> tuple[Fingerprint, ...]:
        """What the financier reads of the invoices behind a deal."""
        view = self.world.view()
        papers = [registration(view, each) for each in self.deal(deal_id).registrations]
        return tuple(Fingerprint(strict=each.strict, relaxed=each.relaxed) for each in papers)

    def offered(self, deal_id: str, **terms: Any) -> Deal:
        """Have an offer made; the deal with what it comes to."""
        self.does(self.deal(deal_id).financier, self.offer(deal_id, **terms))
        return self.deal(deal_id)

    def disburse(self, deal_id: str, **more: Any) -> Disburse:
        """The disbursement of an accepted offer."""
        given: dict[str, Any] = {
            "deal_id": deal_id,
            "money": CNY,
            "amount_minor": self.deal(deal_id).net_cash_minor,
            "attestation": attested(),
        }
        return Disburse(**(given | more))

    def financed(self, party: str, piece_id: str, financier: str, **terms: Any) -> str:
        """Have a piece financed from application to money; the deal."""
        (deal_id,) = self.applied(party, piece_id, financier)
        self.offered(deal_id, **terms)
        self.does(party, AcceptOffer(deal_id=deal_id))
        self.does(financier, self.disburse(deal_id))
        return deal_id

    def withdraws(self, party: str, deal_id: str) -> None:
        """Have an application withdrawn."""
        self.does(party, Withdraw(deal_id=deal_id))

    # --- money

    def mint(self, party: str, amount_minor: int, money: str = CNY) -> None:
        """Give a party money."""
        self.does(money.partition("@")[2], Mint(to=party, money=money, amount_minor=amount_minor))

    def funds(self, undertaking_id: str, amount_minor: int) -> None:
        """Have D1 fund with new money."""
        self.mint("D1", amount_minor)
        self.does("D1", Fund(undertaking_id=undertaking_id, money=CNY, amount_minor=amount_minor))

    def pays(self, undertaking_id: str, amount_minor: int) -> None:
        """Have D1 pay with new money."""
        self.mint("D1", amount_minor)
        self.does("D1", Pay(undertaking_id=undertaking_id, money=CNY, amount_minor=amount_minor))

    def cash(self, party: str) -> int:
        """What a party can pay with."""
        return available(self.world.view(), party, CNY)

    # --- time and orders

    def at(self, day: str, minute: int = 9 * 60) -> None:
        """Let it be that day and minute."""
        self.world.passes(to=(day, minute))

    def freeze(self, piece_id: str, holder: str, *, days: int = 365) -> None:
        """An order on a whole piece."""
        self.world.accepts(
            "SUP.compliance",
            Freeze(
                scope=Scope.PIECE,
                subject=piece_id,
                member=holder,
                order_id="SPC 2026/118",
                expires_at_ms=self.world.ledger_ms + days * 86_400_000,
                reason="court ruling",
            ),
        )

    def suspend(self, party: str) -> None:
        """An order on a whole member."""
        self.world.accepts("SUP.compliance", order(self.world, party))

    def set_parameter(self, name: str, value: int) -> None:
        """Change a parameter of receivables."""
        told = SetParameter(name=f"receivables.{name}", value=value, reason="test")
        self.does("SUP", told)

    def suspend_verb(self, party: str, verb: str) -> None:
        """An order on one verb of a member."""
        self.world.accepts("SUP.compliance", order(self.world, party, (verb,)))

    def expel(self, party: str) -> None:
        """End a membership."""
        self.does("SUP", Expel(member=party, reason="licence withdrawn"))

    def publish_2027(self, holidays: tuple[str, ...] = ()) -> None:
        """Publish next year's calendar: weekdays but for some holidays."""
        year = (add_days("2027-01-01", n) for n in range(365))
        days = tuple(day for day in year if weekday(day) < 5 and day not in holidays)
        told = Publication(
            calendar_id="cn",
            year=2027,
            banking_days=days,
            utc_offsets=(Offset(from_ms=0, minutes=480),),
            payment_cutoff_minute=17 * 60,
        )
        self.does("SUP", PublishCalendar(publication=told))

    # --- looks

    def piece(self, piece_id: str) -> Piece:
        """A piece as it is."""
        return self.world.view().get(Piece, piece_id)

    def deal(self, deal_id: str) -> Deal:
        """A deal as it is."""
        return self.world.view().get(Deal, deal_id)

    def undertaking(self, undertaking_id: str) -> Undertaking:
        """An undertaking as it is."""
        return self.world.view().get(Undertaking, undertaking_id)

    def whole_of(self, undertaking_id: str) -> Piece:
        """The one piece of an undertaking."""
        (piece,) = self.world.view().find(Piece, undertaking_id=undertaking_id)
        return piece

    def alerts(self, party: str) -> list[Alert]:
        """What a party was told."""
        return list(alerts(self.world.view(party), party))

    def of(self, piece_id: str) -> str:
        """The undertaking of a piece."""
        return self.piece(piece_id).undertaking_id


def order(world: World, party: str, verbs: tuple[str, ...] = ()) -> Suspend:
    """An authority's order on a member or some of its verbs."""
    return Suspend(
        member=party,
        verbs=verbs,
        order_id="SPC 2026/119",
        expires_at_ms=world.ledger_ms + 365 * 86_400_000,
        reason="court ruling",
    )


def attested(start_day: str = "2026-07-03", end_day: str = "2027-07-02") -> Attestation:
    """A public registration."""
    return Attestation(
        search_number="CX-2026-0706-1",
        number="DJ-2026-0706-9",
        kind=AttestedKind.ASSIGNMENT,
        start_day=start_day,
        end_day=end_day,
    )
