"""Why the ledger itself says no: at the door (nothing is remembered) and while executing.

19 was never given out: a message that only the ledger runs cannot be decoded at the door (10).
"""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="ledger"):
    """The ledger's own codes. 1 to 9 are receipts; from 10 on they are answers of the door."""

    FAULT = 1
    """A bug of ours was met while deciding; the changes were dropped."""
    OVERFLOW = 2
    """An amount left the signed 64-bit range."""
    TOO_MUCH_WORK = 3
    """The work budget of a transaction or timer was used up."""
    REFERENCE_REUSED = 4
    """The sender has used the reference for another transaction that has not expired."""
    NOT_ACTIVE = 5
    """The message does not belong to the rules in force."""
    MALFORMED = 10
    """Not a transaction: bytes, fields or sizes are wrong."""
    NOT_CANONICAL = 11
    """The bytes are not the canonical encoding of what they say."""
    WRONG_CHAIN = 12
    """The transaction was made for another chain."""
    EXPIRED = 13
    """Ledger time has reached the expiry."""
    EXPIRY_TOO_FAR = 14
    """The expiry lies beyond the horizon."""
    BAD_SIGNATURE = 15
    """A signature does not fit the bytes and the key."""
    TOO_LARGE = 16
    """The transaction is larger than the limit."""
    SENDER_MISMATCH = 17
    """The sender is not the party of the first call."""
    BUSY = 18, "", True
    """The node's queue is full; the same bytes may be sent again, after `retry_ms`."""
    NO_SUCH_RECORD = 20
    """No record with that key, or none that the asker may see."""
    NEEDS_INDEX = 21
    """The search would read more records than a node without an index allows."""
    NO_SUCH_QUERY = 22
    """No query, record or message of that name."""
    BAD_ARGUMENT = 23
    """An argument of a read cannot be understood."""
    NOT_A_READER = 24
    """The read token is missing, expired, for another path, or of a key in no use."""
    NO_SUCH_TRANSACTION = 25
    """The transaction is not known here."""
    NOT_HERE = 26
    """It was or may have been decided before this node's blocks begin: ask a node that has all."""
