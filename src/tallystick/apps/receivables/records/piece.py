"""Who holds which cents of an undertaking, and how they are passed on."""

from typing import Annotated

from msgspec import Meta

from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    LOCKS_MAX,
    DealId,
    FormerHolders,
    Hops,
    Lock,
    Moneys,
    PieceId,
    PieceStatus,
    PpmPerDay,
    Registrations,
    Retired,
    TransferId,
    TransferStatus,
    UndertakingId,
)
from tallystick.ledger.app import Record, record
from tallystick.ledger.view import SeenBy
from tallystick.values.interval import Interval
from tallystick.values.units import (
    AtMs,
    Currency,
    Day,
    Minor,
    PartyId,
    ShortText,
)

PIECE_MOVES = {
    None: (PieceStatus.HELD,),
    PieceStatus.HELD: (PieceStatus.RETIRED,),
}


TRANSFER_MOVES = {
    None: (TransferStatus.PROPOSED,),
    TransferStatus.PROPOSED: (
        TransferStatus.ACCEPTED,
        TransferStatus.REFUSED,
        TransferStatus.WITHDRAWN,
        TransferStatus.LAPSED,
    ),
    TransferStatus.ACCEPTED: (TransferStatus.RETURNED,),
}


@record(
    key=("piece_id",),
    missing=Refusal.NO_SUCH_PIECE,
    moves=PIECE_MOVES,
    lists=(("holder", "status"), ("undertaking_id", "start_minor")),
    seen_by=("holder",),
)
class Piece(Record, tag="receivables.piece.1"):
    """An interval of an undertaking's cents and who holds it.

    It carries the terms of the undertaking that a holder needs: only debtor and first supplier read
    the undertaking itself. Its dates follow when one beyond the published calendar moves.
    """

    piece_id: PieceId
    """Id of the piece."""
    undertaking_id: UndertakingId
    """Undertaking that it is part of."""
    start_minor: Minor
    """First cent, counted from 0."""
    end_minor: Minor
    """First cent that no longer belongs to it."""
    holder: PartyId
    """Who is paid, e.g. `S2`."""
    debtor: PartyId
    """Who owes, e.g. `D1`."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    due_day: Day
    """Nominal due date."""
    payment_day: Day
    """Due date rolled to a banking day."""
    grace_end_day: Day
    """Last day of grace, e.g. `2026-10-12`: paid whole by then, no late interest is owed."""
    transfer_cutoff_at_ms: AtMs
    """When transfers, splits and offers end, in milliseconds, e.g. 1790611200000 for
    2026-09-29 00:00 +08:00."""
    late_ppm_per_day: PpmPerDay
    """Late interest a day, in parts per million of unpaid principal, e.g. 500."""
    moneys: Moneys = ()
    """Moneys in which it may be paid, e.g. `CNY@CB`; empty: every issuer's of the currency."""
    min_piece_minor: Minor
    """Smallest piece that may be cut from it, in minor units, e.g. 1 for 0.01."""
    hops_max: Hops
    """How often it may be passed on in all, e.g. 10; `hops` counts those behind it."""
    status: PieceStatus
    """Whether it is somebody's claim."""
    retired: Retired | None = None
    """Why it is no more; None while it is held."""
    paid_minor: Minor = 0
    """Principal paid, in minor units: its lowest cents are retired."""
    late_paid_minor: Minor = 0
    """Late interest paid, in minor units."""
    late_owed_minor: Minor = 0
    """Late interest owed for the days before `late_from_day`, in minor units."""
    late_from_day: Day | None = None
    """First day for which late interest is not counted yet; None: the payment date."""
    written_off_minor: Minor = 0
    """Principal that its holder gave up, in minor units."""
    hops: Hops = 0
    """How often it, or what it was cut from, was passed on."""
    parent: PieceId | None = None
    """Piece it was cut from; None for the first piece."""
    former_holders: Annotated[FormerHolders, SeenBy()] = ()
    """Who has held it or what it was cut from, oldest first; for loops alone."""
    locks: Annotated[tuple[Lock, ...], Meta(max_length=LOCKS_MAX)] = ()
    """Why it cannot be disposed of; empty: it is free."""
    deal_id: DealId | None = None
    """Finance deal under which the holder has it; None: by opening or transfer."""

    @property
    def amount_minor(self) -> int:
        """Face of the piece."""
        return self.end_minor - self.start_minor

    @property
    def left_minor(self) -> int:
        """Principal that is still owed on it."""
        return self.amount_minor - self.paid_minor - self.written_off_minor

    @property
    def interval(self) -> Interval:
        """Its cents, paid or not."""
        return Interval(start_minor=self.start_minor, end_minor=self.end_minor)


@record(
    key=("undertaking_id", "start_minor"),
    lists=(("debtor",),),
    seen_by=("debtor",),
)
class Leaf(Record, tag="receivables.leaf.1"):
    """What is owed on one piece that is not split further: what the debtor may see of it.

    Contracts find the pieces of an undertaking through it, in order of their cents.
    """

    undertaking_id: UndertakingId
    """Undertaking."""
    start_minor: Minor
    """First cent of the piece."""
    end_minor: Minor
    """First cent that no longer belongs to it."""
    debtor: PartyId
    """Who owes, e.g. `D1`."""
    piece_id: Annotated[PieceId | None, SeenBy()] = None
    """The piece; never None, only hidden from the debtor."""
    paid_minor: Minor = 0
    """Principal paid, in minor units."""
    late_owed_minor: Minor = 0
    """Late interest owed for the days before `late_from_day`, in minor units."""
    late_from_day: Day | None = None
    """First day for which late interest is not counted yet; None: the payment date."""
    written_off_minor: Minor = 0
    """Principal that its holder gave up, in minor units; late interest is given up with it."""

    @property
    def left_minor(self) -> int:
        """Principal that is still owed on it."""
        return self.end_minor - self.start_minor - self.paid_minor - self.written_off_minor


@record(
    key=("transfer_id",),
    missing=Refusal.NO_SUCH_TRANSFER,
    moves=TRANSFER_MOVES,
    lists=(("receiver", "status"), ("sender", "status")),
    seen_by=("sender", "receiver"),
)
class Transfer(Record, tag="receivables.transfer.1"):
    """A piece passed on, or to be passed on, to settle an invoice."""

    transfer_id: TransferId
    """Id of the transfer."""
    piece_id: PieceId
    """Piece that is passed on."""
    undertaking_id: UndertakingId
    """Undertaking that it is part of."""
    sender: PartyId
    """Who passes it on, e.g. `S1`."""
    receiver: PartyId
    """Who is to hold it, e.g. `S2`."""
    debtor: PartyId
    """Who owes, e.g. `D1`."""
    amount_minor: Minor
    """Face of the piece, in minor units."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    payment_day: Day
    """Day on which the debtor pays, when this was proposed."""
    registrations: Registrations
    """Invoices of the receiver to the sender that it settles."""
    reason: ShortText = ""
    """Why a former holder is to hold it again; empty when it is no loop."""
    status: TransferStatus
    """Where it stands."""
    lapses_at_ms: AtMs
    """When it lapses without an answer."""
    return_by_at_ms: AtMs | None = None
    """Until when it can go back if it was made in error; None before acceptance."""
    answer: ShortText = ""
    """What the receiver said who refused it; empty otherwise."""
    error: ShortText = ""
    """What was wrong, says the sender who asks for it back; empty: not asked."""
