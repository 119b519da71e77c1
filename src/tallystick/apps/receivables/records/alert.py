"""What parties are told."""

from tallystick.apps.receivables.terms import (
    AlertKind,
)
from tallystick.ledger.app import Record, record
from tallystick.values.units import (
    AtMs,
    Day,
    Id,
    PartyId,
)


@record(key=("alert_id",), lists=(("to", "kind"), ("subject",)), seen_by=("to",))
class Alert(Record, tag="receivables.alert.1"):
    """Something that a party is told."""

    alert_id: Id
    """Id of the alert, e.g. `alert-0123456789abcdef`."""
    kind: AlertKind
    """What it is about."""
    to: PartyId | None = None
    """Who is told, e.g. `S2`; None: supervisors alone."""
    subject: Id
    """Record concerned: a piece, a transfer or a deal."""
    at_ms: AtMs
    """Ledger time at which it was left, in milliseconds."""
    day: Day | None = None
    """Day that it speaks of, such as a new date; None when of none."""
