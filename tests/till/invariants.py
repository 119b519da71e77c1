"""What must always hold of the till."""

from collections.abc import Iterator

from tallystick.ledger.view import View
from tests.till.records import Note, Purse


def purses_hold_less_than_a_billion(view: View) -> Iterator[str]:
    """So that a test can break it."""
    for purse in view.scan(Purse):
        if purse.amount_minor >= 1_000_000_000_00:
            yield f"the purse of {purse.party} is too full"


def nothing_is_lost(view: View) -> Iterator[str]:
    """What a failed rule changed does not last."""
    if view.peek(Note, "lost", 0) is not None:
        yield "a note that a bug left"
