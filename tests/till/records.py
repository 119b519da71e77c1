"""What the till keeps."""

from typing import Annotated

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.ledger.view import SeenBy
from tallystick.values.units import Count, Currency, Hash32, Minor, PartyId, Reference
from tests.till.refusals import Refusal


@record(key=("party",), missing=Refusal.NO_SUCH_PURSE, seen_by=("party",))
class Purse(Record, tag="till.purse.1"):
    """What a party has."""

    party: PartyId
    """Whose it is."""
    currency: Currency = ""
    """What is in it."""
    amount_minor: Minor = 0
    """How much."""
    payments: Count = 0
    """How often it has paid."""


@record(key=("name", "number"), missing=Refusal.NO_SUCH_NOTE, seen_by=PUBLIC)
class Note(Record, tag="till.note.1"):
    """A public note."""

    name: Reference
    """Its name, which may contain anything."""
    number: Count
    """Which of them."""
    by: PartyId = ""
    """Who left it."""
    secret: Annotated[Count | None, SeenBy("by")] = None
    """For its author alone."""
    mark: Hash32 | None = None
    """A fingerprint; None without."""
