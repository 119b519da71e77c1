"""The desk refuses nothing itself."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="desk"):
    """One code, because an enum without members is of no use."""

    NEVER = 1
    """Never raised."""
