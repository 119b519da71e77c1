"""Why it says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="warehouse"):
    """Why receipts are refused. Numbers are permanent; a retired one is never used again."""

    NO_SUCH_RECEIPT = 1
    """No receipt with that id."""
    NOT_HOLDER = 2
    """Only the holder passes a receipt on or calls for the goods."""
    NOT_KEEPER = 3
    """Only the keeper who stores the goods hands them out."""
    NOT_STORED = 4
    """The goods were called for already, or have left the store."""
    NOT_CALLED = 5
    """The holder has not called for the goods, or has them already."""
    SAME_HOLDER = 6
    """The receipt would be passed to who holds it."""
    NUMBER_USED = 7
    """The keeper has issued another receipt with this number."""
    NO_VALUE = 8
    """Goods of no value need no receipt."""
    UNKNOWN_CURRENCY = 9, "ISO 4217"
    """The currency is not one that has minor units."""
