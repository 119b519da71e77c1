"""What the buggy application keeps."""

from typing import Annotated

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.values.units import Id, KeyOf, PartyId
from tests.hostile.buggy.refusals import Refusal


@record(key=("mark_id",), missing=Refusal.NO_SUCH_MARK, seen_by=PUBLIC)
class Mark(Record, tag="buggy.mark.1"):
    """What was written before the bug was met: it must never be found."""

    mark_id: Annotated[Id, KeyOf("Mark")]
    """Its id, e.g. `mark-0123456789abcdef`."""
    party: PartyId
    """Who asked, e.g. `S1`."""
