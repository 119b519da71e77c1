"""How a payment is shared out over all pieces."""

from typing import Annotated

from msgspec import Meta

from tallystick.apps.receivables.terms import (
    PIECES_MAX,
    CascadeStatus,
    PieceId,
    Share,
    UndertakingId,
)
from tallystick.ledger.app import Record, record
from tallystick.values.units import (
    Count,
    Currency,
    Day,
    Id,
    Minor,
    MoneyId,
    PartyId,
)

CASCADE_MOVES = {
    None: (CascadeStatus.DECIDED, CascadeStatus.PAID),
    CascadeStatus.DECIDED: (CascadeStatus.PAID,),
}


@record(key=("undertaking_id", "money"), lists=(("debtor",),), seen_by=("debtor",))
class Funding(Record, tag="receivables.funding.1"):
    """Cash of the debtor held for one undertaking."""

    undertaking_id: UndertakingId
    """Undertaking that it is held for."""
    debtor: PartyId
    """Whose money it is, e.g. `D1`."""
    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`."""
    hold_id: Id
    """The hold in `cash`."""
    left_minor: Minor
    """What has not been paid out, in minor units; never 0."""


@record(
    key=("undertaking_id", "number"),
    moves=CASCADE_MOVES,
    lists=(("debtor", "value_day"),),
    seen_by=("debtor",),
)
class Cascade(Record, tag="receivables.cascade.1"):
    """One payment shared out over all pieces: decided once, paid in steps."""

    undertaking_id: UndertakingId
    """Undertaking that is paid."""
    number: Count
    """Its number among the payments of the undertaking, from 1."""
    debtor: PartyId
    """Who pays, e.g. `D1`."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    value_day: Day
    """Day up to which late interest is counted."""
    amount_minor: Minor
    """What is shared out, in minor units."""
    late_minor: Minor
    """Part of it that pays late interest, in minor units."""
    legs_count: Count
    """How many pieces have a share."""
    legs_paid: Count = 0
    """How many shares have been paid, in order of the cents."""
    status: CascadeStatus
    """Whether all have been paid."""


@record(key=("undertaking_id", "number"))
class Shares(Record, tag="receivables.shares.1"):
    """The shares of one payment, fixed before the first is paid."""

    undertaking_id: UndertakingId
    """Undertaking that is paid."""
    number: Count
    """Number of the payment."""
    shares: Annotated[tuple[Share, ...], Meta(max_length=PIECES_MAX)]
    """One for each piece that is owed anything, in order of the cents."""


@record(
    key=("undertaking_id", "number", "start_minor"),
    lists=(("holder", "value_day"), ("piece_id",)),
    seen_by=("holder", "assignor"),
)
class Leg(Record, tag="receivables.leg.1"):
    """A share that was paid."""

    undertaking_id: UndertakingId
    """Undertaking that was paid."""
    number: Count
    """Number of the payment."""
    start_minor: Minor
    """First cent of the piece."""
    piece_id: PieceId
    """Piece that was paid on."""
    holder: PartyId
    """Who held it, e.g. `bank-a`."""
    assignor: PartyId | None = None
    """Who gets what is above the holder's claim, with recourse; None without."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    value_day: Day
    """Day up to which late interest was counted."""
    late_minor: Minor
    """Late interest, in minor units."""
    principal_minor: Minor
    """Principal, in minor units; as many of the lowest cents are retired."""
    released_minor: Minor = 0
    """Part of both that went to the assignor, in minor units."""
    is_withheld: bool = False
    """Whether an order on the piece keeps the money back."""


@record(key=("undertaking_id", "number", "start_minor"), seen_by=("holder", "assignor"))
class Withheld(Record, tag="receivables.withheld.1"):
    """Money of a leg that is kept back while an order on the piece stands."""

    undertaking_id: UndertakingId
    """Undertaking that was paid."""
    number: Count
    """Number of the payment."""
    start_minor: Minor
    """First cent of the piece."""
    piece_id: PieceId
    """Piece that the order is on."""
    holder: PartyId
    """Who gets it when the order has ended, e.g. `S2`."""
    amount_minor: Minor
    """How much, in minor units of the undertaking's currency."""
    assignor: PartyId | None = None
    """Who gets what is above the holder's claim, with recourse; None without."""
    released_minor: Minor = 0
    """Part of the amount that goes to the assignor, in minor units."""
