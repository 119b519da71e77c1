"""Why members say no. Numbers are permanent; the first fifteen are those of the authority."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="members"):
    """Why a request about members, or its signatures, was refused."""

    UNKNOWN_KEY = 1, "", True
    """No officer of any member holds the key; it may be registered later."""
    KEY_REVOKED = 2
    """The key was revoked or replaced."""
    OFFICER_REMOVED = 3
    """The officer who holds the key no longer acts for the member."""
    STRANGER = 4
    """The key belongs to a member that is no party to the transaction."""
    NOT_A_MEMBER = 5, "", True
    """No member has this id."""
    EXPELLED = 6, "settled rules 12"
    """The member was expelled: it still pays and is paid, but starts nothing."""
    SUSPENDED = 7, "settled rules 12", True
    """The member is suspended: it still pays and is paid, but starts nothing."""
    UNLICENSED = 8, "licence by kind", True
    """The member's licences do not cover the verb."""
    FROZEN = 9, "order of an authority", True
    """The verb, account or piece is under an order."""
    NO_SUCH_OUTLET = 10
    """The member has no such branch."""
    OUTLET_CLOSED = 11
    """The branch is closed."""
    NOT_ENOUGH_OFFICERS = 12, "", True
    """Persons of a needed role did not sign."""
    SAME_PERSON = 13, "maker is never checker"
    """One person would have to act in two roles."""
    OVER_LIMIT = 14, "", True
    """The amount is above what an officer may sign in one transaction."""
    OVER_DAILY_LIMIT = 15, "", True
    """The amount is above what is left of an officer's limit of the banking day."""
    ADMITTED_BY_VOTE = 16, "constitution"
    """Members are admitted and expelled by vote here."""
    ALREADY_A_MEMBER = 17
    """The id is taken; an expelled member's id is never given again."""
    NUMBER_TAKEN = 18
    """The register number belongs to another member."""
    OWN_MEMBER = 19
    """A supervisor cannot do this to itself."""
    NOTHING_TO_CHANGE = 20
    """What is asked for is so already."""
    ORDER_EXISTS = 21
    """The order was entered already."""
    IN_THE_PAST = 22
    """The date has passed."""
    WRONG_SUBJECT = 23
    """The subject does not fit what is to be frozen."""
    TOO_MANY = 24
    """A record would hold more of something than it may."""
    NO_SUCH_ORDER = 25
    """There is no such order."""
    ORDER_ENDED = 26
    """The order was lifted or ran out."""
    NOT_YOUR_ORDER = 27
    """Another supervisor entered the order."""
    OUTLET_EXISTS = 28
    """The member has, or had, a branch of this id."""
    OUTLET_IN_USE = 29
    """Officers still work at the branch."""
    ALREADY_AN_OFFICER = 30
    """The member has, or had, an officer of this id."""
    SAME_IDENTITY = 31, "officers are persons"
    """The person is an officer of the member already."""
    ONLY_MAKES = 32, "a system key may make, never check"
    """A system may only make."""
    LIMIT_TWICE = 33
    """A currency is listed twice."""
    KEY_TAKEN = 34
    """The key is registered already, or is a validator's; a revoked one is never used again."""
    WEAK_KEY = 35, "ZIP 215"
    """The key is no point of the curve, or of small order."""
    CANNOT_SIGN = 36
    """The member would have no admin and other checker left who can sign."""
    NO_SUCH_OFFICER = 37
    """The member has no such officer."""
    NO_SUCH_KEY = 38
    """No such key is registered for the member."""
    NOT_SMALL = 39, "settled rules 17"
    """Only a small member may let one person sign."""
    NO_SUCH_POLICY = 40
    """The member has no policy of its own for the message."""
    ROLE_NOT_HELD = 41
    """An officer can hand over only roles of its own."""
    NO_SUCH_DELEGATION = 42
    """The officer handed nothing over to that colleague."""
    NO_SUCH_MESSAGE = 43, "", True
    """No rules in force know a message of this name."""
    NEVER_ALONE = 44
    """The message is not one that one person may sign."""
