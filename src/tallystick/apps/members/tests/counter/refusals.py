"""Why the counter says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="counter"):
    """Why the counter says no."""

    CLOSED = 1
    """The counter is closed."""
