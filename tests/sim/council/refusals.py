"""Why the council says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="council"):
    """Refusals of the council."""

    NO_SUCH_SEAT = 1
    """Nobody sits there."""
    NOT_SO_MUCH = 2
    """A block may not be so large, or so small."""
