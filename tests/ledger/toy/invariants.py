"""What must always hold of the toy."""

from collections.abc import Iterator

from tallystick.ledger.view import View

from .records import Counter


def nothing_reaches_a_million(view: View) -> Iterator[str]:
    """Counters stay below a million."""
    for counter in view.scan(Counter):
        if counter.amount_minor >= 1_000_000:
            yield f"{counter.counter_id} is too large"
