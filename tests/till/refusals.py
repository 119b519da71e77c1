"""Why the till says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="till"):
    """Refusals of the till."""

    NO_SUCH_PURSE = 1
    """There is no such purse."""
    NOT_ENOUGH = 2
    """The purse holds less."""
    UNKNOWN_KEY = 3
    """A key that opens no party."""
    NOT_ALL_SIGNED = 4
    """A party of the transaction has not signed."""
    NO_SUCH_NOTE = 5
    """There is no such note."""
