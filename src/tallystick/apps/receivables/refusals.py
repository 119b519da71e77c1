"""Why receivables says no."""

from tallystick.ledger.refusal import RefusalCode


class Refusal(RefusalCode, app="receivables"):
    """Codes of receivables. Numbers are permanent; none names a party or amount not the asker's."""

    # Opening
    NO_SUCH_UNDERTAKING = 1
    """No undertaking with that id."""
    NOT_A_PARTY = 2
    """Who drafts is neither the debtor nor the supplier named."""
    SAME_PARTY = 3
    """Debtor and supplier are the same."""
    ZERO_AMOUNT = 4
    """Nothing is promised, funded or paid."""
    UNKNOWN_CURRENCY = 5, "ISO 4217"
    """The currency is not one that has minor units."""
    MONEY_NOT_ACCEPTED = 6
    """The money is of another currency or of an issuer that the terms do not accept."""
    NO_SUCH_DAY = 7
    """The calendar has no such day, e.g. 30 February."""
    DUE_PASSED = 8
    """The due date does not lie after today."""
    TERM_TOO_LONG = 9, "Yinfa [2025] 77"
    """The due date lies more than a year after opening."""
    CONSENT_MISSING = 10, "Decree 802 art. 11"
    """The due date is later than the invoice's and the supplier's consent is not in the terms."""
    LATE_RATE_TOO_LOW = 11, "Decree 802 art. 17"
    """Late interest of a year would be below the one-year LPR."""
    MIN_PIECE_TOO_LARGE = 12
    """The smallest piece would be larger than the whole."""
    NO_REGISTRATION = 13
    """No registered invoice is named."""
    REGISTRATION_TWICE = 14
    """A registration is named twice."""
    REGISTRATIONS_SHORT = 15
    """The registered amounts add up to less than what they are to cover."""
    FINGERPRINTS_MISSING = 16
    """There must be one fingerprint for each registration, in the same order."""
    NOT_PROPOSED = 17
    """The undertaking does not wait for an answer: it was answered, cancelled or has lapsed."""
    NOT_ASKED = 18
    """The answer is somebody else's to give."""
    NOT_DRAFTER = 19
    """Only who drafted it cancels it."""
    WARNING_STANDS = 20
    """A warning was not named by who signs."""
    NOT_OPEN = 21
    """The undertaking is not open."""
    TRANSFERS_ENDED = 22
    """The transfer cut-off has passed: the holders are fixed until the payment date."""
    # Pieces
    NO_SUCH_PIECE = 23
    """No piece with that id."""
    PARTS_DIFFER = 24
    """The parts do not add up to the piece."""
    PART_EMPTY = 25
    """A part has nothing in it, or there are fewer than two parts."""
    PART_TOO_SMALL = 26
    """A part is smaller than the smallest piece of the terms."""
    NOT_HOLDER = 27, "Civil Code 545"
    """Only the holder of record disposes of a piece."""
    PIECE_RETIRED = 28
    """The piece is no more: split, paid or written off."""
    PIECE_LOCKED = 29, "", True
    """The piece is bound: passed on, offered, reserved, pledged, presented, disputed or frozen."""
    TOO_MANY_PIECES = 30
    """The undertaking would be in more pieces than its terms allow."""
    FINANCED_WITH_RECOURSE = 31
    """A piece financed with recourse stays where it is until it is repaid."""
    NO_SUCH_TRANSFER = 32
    """No transfer with that id."""
    RECEIVER_IS_PARTY = 33
    """The receiver is the holder itself or the debtor."""
    TOO_MANY_HOPS = 34
    """The piece has been passed on as often as its terms allow."""
    LOOP = 35
    """The receiver has held it before and no reason is given."""
    NOT_RECEIVER = 36
    """Only the receiver answers."""
    NOT_SENDER = 37
    """Only who passed it on does this."""
    TRANSFER_CLOSED = 38
    """The transfer does not wait for an answer: it was answered, withdrawn or has lapsed."""
    RETURN_TOO_LATE = 39
    """The days in which a transfer made in error goes back are over."""
    RETURN_NOT_ASKED = 40
    """Who passed it on has not asked for it back."""
    # Finance
    NO_SUCH_DEAL = 41
    """No finance deal with that id."""
    FINANCIER_TWICE = 42
    """A financier is named twice, or is the holder or the debtor."""
    NOT_FINANCIER = 43
    """Only the financier of the deal does this."""
    NOT_ASSIGNOR = 44
    """Only who asked for the money does this."""
    DEAL_CLOSED = 45
    """The deal is not at this step, or its time is over."""
    OFFER_DATES = 46
    """Today, valid until and disburse by are not in this order, or the value day lies outside."""
    OFFER_NOT_WHOLE = 47
    """Without recourse the piece is bought whole, with interest taken at once."""
    FEE_NOT_POSSIBLE = 48
    """The fee has no amount, or is due from or to somebody who cannot pay or take it then."""
    NOTHING_LEFT = 49
    """Interest and fees would eat up what is advanced."""
    AMOUNT_DIFFERS = 50
    """The amount is not what is to be paid today."""
    TOO_EARLY = 51
    """The day for it has not come."""
    ATTESTATION_WRONG = 52
    """The attested registration does not cover today."""
    BUY_BACK_NOT_AGREED = 53
    """The offer did not say that the piece may be bought back."""
    # Payment
    NOT_DEBTOR = 54
    """Only the debtor funds and pays."""
    CUT_OFF_PASSED = 55
    """The payment cut-off has passed: what is owed is paid, not funded."""
    BEFORE_CUT_OFF = 56
    """The payment cut-off has not come: what is owed is funded, not paid."""
    MORE_THAN_OWED = 57
    """More would be paid than is owed."""
    CASCADE_RUNNING = 58, "", True
    """A payment is being shared out; the next blocks finish it."""
    # Recourse
    NO_SUCH_CLAIM = 59
    """No recourse claim with that id."""
    NO_RECOURSE = 60, "Civil Code 766"
    """The deal is without recourse: the financier bears the debtor's default."""
    NOT_DEFAULTED = 61
    """The debtor is not in default."""
    ALREADY_NOTIFIED = 62
    """Recourse has been claimed already."""
    CLAIM_CLOSED = 63
    """The claim has been met."""
    RECOURSE_STANDS = 64
    """There is recourse against the assignor; it comes before a write-off."""
