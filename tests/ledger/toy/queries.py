"""What the toy can be asked to show."""

from collections.abc import Iterable

from tallystick.ledger.view import View
from tallystick.values.units import PartyId
from tests.ledger.toy.records import Counter


def counters(view: View, owner: PartyId) -> Iterable[Counter]:
    """Counters of a party."""
    return view.find(Counter, owner=owner)
