"""What must always hold of the toy."""

from collections.abc import Iterator

from tallystick.ledger.view import View
from tests.ledger.toy.records import Counter

LIMIT_MINOR = 2**62
"""No counter counts so far in a test."""


def no_counter_is_below_nothing(view: View) -> Iterator[str]:
    """Counters stay between nothing and a limit."""
    for counter in view.scan(Counter):
        if not 0 <= counter.amount_minor < LIMIT_MINOR:
            yield f"{counter.counter_id} stands at {counter.amount_minor}"
