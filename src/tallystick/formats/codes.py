"""Why a file was refused, what deserves a second look, what a credit note met.

The values are public: they stand in `tally invoices import --json`, and a warning is cleared by
naming it in a message. None is renamed or used again for something else.
"""

import enum


class Reason(enum.StrEnum):
    """Why a file becomes neither a draft nor a document."""

    UNREADABLE_FILE = "UNREADABLE_FILE"
    """The file cannot be opened, or it is a folder, pipe or device that ends in `.xml`."""

    EMPTY_FILE = "EMPTY_FILE"
    """The file has no bytes."""

    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    """The file is larger than an invoice may be; it was not read."""

    DTD_FORBIDDEN = "DTD_FORBIDDEN"
    """The file declares a document type, the door to entity bombs and external files."""

    NOT_WELL_FORMED = "NOT_WELL_FORMED"
    """The file is not XML, or nested deeper or longer than the parser's limits."""

    WRONG_NAMESPACE = "WRONG_NAMESPACE"
    """The root is not an Invoice or CreditNote of UBL 2."""

    WRONG_TYPE_CODE = "WRONG_TYPE_CODE"
    """The type code (BT-3) contradicts the root, such as 381 in an Invoice."""

    MISSING_FIELD = "MISSING_FIELD"
    """A field that every invoice has is absent or empty."""

    REPEATED_FIELD = "REPEATED_FIELD"
    """A field that stands once is there twice: readers would disagree about which counts."""

    UNREADABLE_FIELD = "UNREADABLE_FIELD"
    """A date is no date, an amount no decimal number, an indicator neither true nor false."""

    FIELD_TOO_LONG = "FIELD_TOO_LONG"
    """A number, code or name is longer than any real one."""

    UNKNOWN_CURRENCY = "UNKNOWN_CURRENCY"
    """The currency (BT-5) is not a current ISO 4217 code with minor units."""

    MIXED_CURRENCY = "MIXED_CURRENCY"
    """An amount is in another currency than the document, or does not say in which."""

    TOO_MANY_DECIMALS = "TOO_MANY_DECIMALS"
    """An amount has more decimals than its currency (EN 16931 BR-DEC rules)."""

    AMOUNT_TOO_LARGE = "AMOUNT_TOO_LARGE"
    """An amount in minor units does not fit a signed 64-bit integer."""

    MISSING_SELLER_NUMBER = "MISSING_SELLER_NUMBER"
    """The seller has neither a register number (BT-30) nor a VAT number (BT-31)."""

    UNUSABLE_NUMBER = "UNUSABLE_NUMBER"
    """Nothing is left of a seller's or invoice's number once reduced to A to Z and 0 to 9."""

    BR_CO_10 = "BR-CO-10"
    """Sum of lines (BT-106) is not the sum of the line amounts (BT-131)."""

    BR_CO_11 = "BR-CO-11"
    """Sum of allowances (BT-107) is not the sum of the document's allowances (BT-92)."""

    BR_CO_12 = "BR-CO-12"
    """Sum of charges (BT-108) is not the sum of the document's charges (BT-99)."""

    BR_CO_13 = "BR-CO-13"
    """Total without VAT (BT-109) is not lines less allowances plus charges."""

    BR_CO_14 = "BR-CO-14"
    """Total VAT (BT-110) is not the sum of the VAT of its categories (BT-117)."""

    BR_CO_15 = "BR-CO-15"
    """Total with VAT (BT-112) is not the total without VAT plus the total VAT."""

    BR_CO_16 = "BR-CO-16"
    """Payable (BT-115) is not the total with VAT less prepaid (BT-113) plus rounding (BT-114)."""

    SAME_PARTY = "SAME_PARTY"
    """Seller and buyer share a register number or a VAT number: nobody owes himself."""

    NEGATIVE_PAYABLE = "NEGATIVE_PAYABLE"
    """The payable amount is below zero: no claim arises from it."""

    ZERO_PAYABLE = "ZERO_PAYABLE"
    """The payable amount is zero, such as an invoice paid in advance."""

    DUPLICATE = "DUPLICATE"
    """The same document as an earlier file of the folder, in whatever spelling."""

    TAKEN = "TAKEN"
    """The ledger's registry has the document already; it does not say for whom."""


class WarningCode(enum.StrEnum):
    """What deserves a second look. A named officer clears it by naming it in a message."""

    DUE_ON_ISSUE_DATE = "DUE_ON_ISSUE_DATE"
    """The due date is the issue date: no credit was given, or the date was filled in blindly."""

    DUE_BEFORE_ISSUE_DATE = "DUE_BEFORE_ISSUE_DATE"
    """The due date lies before the issue date."""

    NO_DUE_DATE = "NO_DUE_DATE"
    """The invoice states no due date (BT-9); an undertaking needs one."""

    BUYER_WITHOUT_REGISTER_NUMBER = "BUYER_WITHOUT_REGISTER_NUMBER"
    """The buyer has no register number (BT-47): who owes is known by name only."""

    PAYEE_NOT_SELLER = "PAYEE_NOT_SELLER"
    """Somebody else than the seller is to be paid (BG-10): perhaps it is assigned already."""

    LINE_ARITHMETIC = "LINE_ARITHMETIC"
    """A line's amount is not quantity times price, less allowances, plus charges."""

    UNUSUAL_TYPE = "UNUSUAL_TYPE"
    """The type code is not the commercial invoice 380 or credit note 381."""

    CHECK_DIGIT = "CHECK_DIGIT"
    """A Chinese party's unified social credit code fails its check digit (GB 32100-2015)."""

    SAME_NUMBER_NEGATIVE = "SAME_NUMBER_NEGATIVE"
    """A file of the folder carries the same number with a negative amount: perhaps a reversal."""

    SAME_NUMBER_DIFFERS = "SAME_NUMBER_DIFFERS"
    """An earlier file has the number with another buyer, date or amount: the registry waits."""

    NEAR_SPELLING = "NEAR_SPELLING"
    """An earlier file has nearly the same number, such as `INV-01` and `INV-001`."""

    CREDITED = "CREDITED"
    """A credit note of the folder names this invoice and reduces what may be used of it."""


class CreditCode(enum.StrEnum):
    """Whether a credit note found its invoice in the folder."""

    MATCHED = "MATCHED"
    """It names a drafted invoice of the same seller and currency."""

    UNMATCHED = "UNMATCHED"
    """It names none, or one that is not here; it is kept until its invoice appears."""


__all__ = ["CreditCode", "Reason", "WarningCode"]
