"""Why the toy says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="toy"):
    """Refusals of the toy."""

    NO_SUCH_COUNTER = 1
    """There is no such counter."""
    NOT_OWNER = 2
    """The counter is another's."""
    UNKNOWN_KEY = 3
    """A key that opens no party."""
    CLOSED = 4, "the toy's own rule"
    """The counter is closed."""
    OWNER_NOT_ACTING = 5, "", True
    """Nothing is taken from who does not sign."""
    WILD = 6
    """A refusal with values that no receipt can hold."""
