"""The buggy application refuses nothing itself."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="buggy"):
    """One code, because an enum without members is of no use."""

    NO_SUCH_MARK = 1
    """There is no such mark."""
