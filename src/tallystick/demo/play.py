"""What all acts share: the desk, the teller, the players, the invoices, the claims."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tallystick.demo.cast import CENTRAL_BANK, Players
from tallystick.demo.desk import Desk, Paper
from tallystick.demo.stage import Row
from tallystick.demo.tell import Teller, money
from tallystick.formats.ubl_document import Invoice

OPENS = ("2026-07-03", 9 * 60)
"""Friday, nine o'clock in China."""
DUE_DAY = "2026-10-01"
"""90 days after opening on 3 July: National Day, so payment is on Thursday 8 October."""


@dataclass
class Claim:
    """A set piece: one invoice that became an undertaking, and who holds which part of it."""

    paper: Paper
    """The registered invoice."""
    debtor: str
    """Who owes."""
    supplier: str
    """Who was owed first."""
    undertaking_id: str = ""
    """The undertaking, once it is drafted."""
    piece_id: str = ""
    """The first piece, once it is open."""

    @property
    def face_minor(self) -> int:
        """Face, in minor units."""
        return self.paper.amount_minor

    @property
    def currency(self) -> str:
        """Its currency."""
        return self.paper.invoice.currency

    @property
    def money(self) -> str:
        """The money that the story pays it in."""
        return f"{self.currency}@{CENTRAL_BANK}"


@dataclass(frozen=True)
class Lot:
    """A piece in somebody's hands."""

    piece_id: str
    """The piece."""
    holder: str
    """Who holds it."""
    size_minor: int
    """Its face, in minor units."""


@dataclass
class Parts:
    """Pieces of the second claim, each of which will meet the shortfall in another way."""

    bank: Lot
    """Piece that the bank buys without recourse."""
    factor: Lot
    """Piece on which the factor advances with recourse."""
    kept: Lot
    """Piece that goes down the chain, or stays with the supplier."""
    bank_deal: str = ""
    """The bank's deal."""
    factor_deal: str = ""
    """The factor's deal."""


@dataclass
class Play:
    """One telling of the story."""

    desk: Desk
    """Sends what institutions ask."""
    tell: Teller
    """Tells what happened."""
    players: Players
    """Everybody."""
    folder: Path
    """Folder of invoices."""
    founders: int = 2
    """How many of the institutions found the chain; the supervisor admits the others."""
    drafts: list[Invoice] = field(default_factory=list)
    """Invoices that can become claims, the largest first."""
    unregistered: Invoice | None = None
    """An invoice that nobody registers, for the proof at the end."""
    notes: dict[str, Invoice] = field(default_factory=dict)
    """Invoice number → credit note that reduces it."""
    settled: set[str] = field(default_factory=set)
    """Numbers of sub-suppliers' invoices that a piece has settled."""
    chosen: tuple[Invoice, ...] = ()
    """The two largest invoices of different buyers, for the set pieces; fewer if there are none."""
    first: Claim | None = None
    """The claim that is paid in full."""
    second: Claim | None = None
    """The claim of which 60 % is paid on the day."""
    parts: Parts | None = None
    """The second claim's three pieces; None before it is cut."""
    others: list[Claim] = field(default_factory=list)
    """Claims that are confirmed and paid without more."""

    @property
    def claims(self) -> list[Claim]:
        """All claims that were opened."""
        return [each for each in (self.first, self.second, *self.others) if each is not None]

    def name(self, party: str) -> str:
        """What people call a party."""
        return self.players.name(party)

    def is_core(self, party: str) -> bool:
        """Whether a party is a core enterprise, which may promise to pay."""
        return any(each.party == party and each.kind == "core_enterprise" for each in self.players)

    def seller(self, invoice: Invoice) -> str:
        """Who is owed an invoice."""
        return self.players.of(invoice.seller).party

    def buyer(self, invoice: Invoice) -> str:
        """Who owes an invoice."""
        return self.players.of(invoice.buyer).party

    def hops(self, buyer: str, currency: str) -> list[Invoice]:
        """Invoices of sub-suppliers to this buyer, not settled yet, the largest first."""
        return [
            invoice
            for invoice in self.drafts
            if self.buyer(invoice) == buyer
            and invoice not in self.chosen
            and invoice.currency == currency
            and invoice.number not in self.settled
        ]

    def plain(self) -> list[Invoice]:
        """Invoices to a core enterprise that are no set piece."""
        return [
            invoice
            for invoice in self.drafts
            if invoice not in self.chosen and self.is_core(self.buyer(invoice))
        ]

    # --- looks

    def pieces(self, claim: Claim) -> list[Row]:
        """Pieces of a claim that are held, from the lowest cent up."""
        return self.desk.stage.rows("receivables", "holders", undertaking_id=claim.undertaking_id)

    def show_holders(self, claim: Claim) -> None:
        """Tell who holds what of a claim."""
        rows = self.pieces(claim)
        total = sum(left_of(row) for row in rows)
        self.tell.table(
            ("holder", "cents", "amount", "locked"),
            [
                (
                    self.name(row["holder"]),
                    f"[{row['start_minor']}, {row['end_minor']})",
                    money(left_of(row), claim.currency),
                    ", ".join(lock["kind"] for lock in row["locks"]),
                )
                for row in rows
            ],
            right=("amount",),
            last=(f"owed by {self.name(claim.debtor)}", "", money(total, claim.currency), ""),
        )


def left_of(piece: Row) -> int:
    """Principal still owed on a piece, in minor units."""
    whole = int(piece["end_minor"]) - int(piece["start_minor"])
    return whole - int(piece["paid_minor"]) - int(piece["written_off_minor"])
