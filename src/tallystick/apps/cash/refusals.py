"""Why cash says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="cash"):
    """Codes of cash. Numbers are permanent; none names an amount that another party has."""

    ZERO_AMOUNT = 1
    """Nothing would move."""
    UNKNOWN_CURRENCY = 2, "ISO 4217"
    """The money's currency is not one that has minor units."""
    NOT_ISSUER = 3
    """Only who owes a money issues and redeems it."""
    SELF_TRANSFER = 4
    """Who pays and who is paid are the same."""
    NOT_ACTING = 5
    """Money of a party would leave that neither signed nor gave a hold."""
    INSUFFICIENT = 6, "", True
    """The payer has not that much available."""
    NO_SUCH_MONEY = 7
    """Nobody ever issued this money."""
    NO_SUCH_HOLD = 8
    """No hold with that id: it never was, or nothing of it remains."""
    HELD_FOR_RECORD = 9
    """The hold belongs to another application's record and moves only with it."""
    NOT_BENEFICIARY = 10
    """The hold is for somebody else to take."""
    NOT_YOUR_HOLD = 11
    """Only the beneficiary lets a hold go; without one, its owner."""
    MORE_THAN_HELD = 12
    """The hold has not that much left."""
    EXPIRY_PASSED = 13
    """The hold would end before it begins."""
    HOLD_EXPIRED = 14
    """The hold's time is over: what is left goes back to its owner."""
