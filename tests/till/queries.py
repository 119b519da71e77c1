"""What the till can be asked to show."""

from collections.abc import Iterable

from tallystick.ledger.view import View
from tallystick.values.codec import Struct
from tallystick.values.units import Count, Minor, PartyId
from tests.till.records import Purse


class Sum(Struct):
    """What all purses hold together, as far as the asker sees them."""

    amount_minor: Minor
    """How much."""
    purses: Count
    """How many purses."""


def purses(view: View, at_least_minor: Minor = 0) -> Iterable[Purse]:
    """Purses that hold at least so much."""
    return view.find(Purse, amount_minor__ge=at_least_minor)


def total(view: View) -> Sum:
    """What all purses hold."""
    found = list(view.scan(Purse))
    return Sum(amount_minor=sum(each.amount_minor for each in found), purses=len(found))


def broken(view: View, party: PartyId) -> Iterable[Purse]:
    """A query with a bug on purpose."""
    yield view.get(Purse, party)
    raise KeyError("a bug on purpose")
