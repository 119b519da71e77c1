"""What the toy keeps."""

import enum

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.values.units import Currency, Id, Minor, PartyId

from .refusals import Refusal


class Status(enum.Enum):
    """Whether a counter counts."""

    OPEN = "open"
    CLOSED = "closed"


@record(
    key=("counter_id",),
    missing=Refusal.NO_SUCH_COUNTER,
    moves={None: (Status.OPEN,), Status.OPEN: (Status.CLOSED,)},
    seen_by=("owner",),
)
class Counter(Record, tag="toy.counter.1"):
    """A counter of one party."""

    counter_id: Id
    """Its id."""
    owner: PartyId
    """Who counts."""
    currency: Currency
    """What is counted."""
    amount_minor: Minor
    """How far it has counted."""
    status: Status
    """Whether it counts."""


@record(key=("party",), seen_by=PUBLIC)
class Seat(Record, tag="toy.seat.1"):
    """Names a party."""

    party: PartyId
    """The party."""
