"""What the toy keeps."""

import enum
from typing import Annotated

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.ledger.view import SeenBy
from tallystick.values.units import Count, Currency, Id, Label, Minor, PartyId, ShortText
from tests.ledger.toy.refusals import Refusal


class Status(enum.Enum):
    """Whether a counter counts."""

    OPEN = "open"
    CLOSED = "closed"


@record(
    key=("counter_id",),
    missing=Refusal.NO_SUCH_COUNTER,
    moves={None: (Status.OPEN,), Status.OPEN: (Status.CLOSED,)},
    lists=(("owner", "status"),),
    seen_by=("owner", "watchers"),
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
    watchers: tuple[PartyId, ...] = ()
    """Who may watch."""
    note: Annotated[ShortText, SeenBy("owner")] = ""
    """What the owner notes; watchers read nothing."""
    hint: Annotated[Count, SeenBy("owner")] | None = None
    """What the owner hints at; watchers read None."""


@record(key=("name", "number"), seen_by=PUBLIC)
class Note(Record, tag="toy.note.1"):
    """Something to remember."""

    name: Label
    """What of."""
    number: Count
    """Which."""
    due_at_ms: int | None = None
    """When the bell that made it was due; None when no bell made it."""
    now_ms: int = 0
    """Ledger time when it was made."""


@record(key=("party",))
class Secret(Record, tag="toy.secret.1"):
    """What only supervisors read."""

    party: PartyId
    """Whose."""
    value: Count | None = None
    """How much; None when unknown."""
