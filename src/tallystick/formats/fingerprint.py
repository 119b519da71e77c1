"""When two documents are the same document: fingerprints, scheme 1.

A financier must learn that an invoice is taken without learning whose it is, and `INV-001` typed
as `ｉｎｖ　００１` must not be a second invoice. So the ledger keeps hashes of a reduced spelling,
computed here, by the client: Unicode tables differ between interpreters, and nothing in consensus
may depend on them.

**Reduced spelling.** Unicode NFKC, then upper case, then only the characters A to Z and 0 to 9.
It is applied to the seller's number, to the document's number and to its code.

**Relaxed spelling.** The reduced one with O read as 0, I and L as 1, and then every run of digits
without its leading zeros (a run of zeros alone keeps one).

**Bytes.** With `‖` for concatenation and MessagePack arrays of three or two strings::

    strict      = SHA-256("tallystick/fingerprint/1/strict"  ‖ msgpack [seller, number, code])
    relaxed     = SHA-256("tallystick/fingerprint/1/relaxed" ‖ msgpack [seller, number, code])
    particulars = SHA-256("tallystick/particulars/1"         ‖ msgpack [buyer, date])

`seller` is the register number (BT-30; in China the unified social credit code), else the VAT
number (BT-31). `code` is the code of a Chinese VAT invoice that has one beside its number, else
empty. `date` is the issue date as `YYYY-MM-DD`. Near spellings share the relaxed hash and not the
strict one. The scheme is unkeyed: who can guess all fields can test for them.
"""

import hashlib
import re
import unicodedata
from typing import Final

import msgspec

from tallystick.errors import FormatError
from tallystick.values.codec import Struct
from tallystick.values.units import Count, Hash32

SCHEME: Final = 1
"""Number of the scheme of this module; a change of rules is a new number."""

_STRICT_DOMAIN: Final = b"tallystick/fingerprint/1/strict"
_RELAXED_DOMAIN: Final = b"tallystick/fingerprint/1/relaxed"
_PARTICULARS_DOMAIN: Final = b"tallystick/particulars/1"

_NOT_KEPT: Final = re.compile("[^A-Z0-9]+")
_LEADING_ZEROS: Final = re.compile("(?<![0-9])0+(?=[0-9])")
_LOOKALIKES: Final = str.maketrans("OIL", "011")


class Fingerprint(Struct):
    """What the registry knows a document by."""

    scheme: Count
    """Scheme that made the hashes, e.g. 1."""

    strict: Hash32
    """Equal for the same document in any width, case and punctuation."""

    relaxed: Hash32
    """Equal for near spellings too: leading zeros, O for 0, I or L for 1."""


def reduced(text: str) -> str:
    """Reduced spelling: NFKC, upper case, only A to Z and 0 to 9; `ｉｎｖ　００１` is `INV001`."""
    return _NOT_KEPT.sub("", unicodedata.normalize("NFKC", text).upper())


def relaxed(text: str) -> str:
    """Relaxed spelling: `INV-O01` and `lnv-1` are both `1NV1`."""
    return _LEADING_ZEROS.sub("", reduced(text).translate(_LOOKALIKES))


def fingerprint(seller_number: str, number: str, code: str = "") -> Fingerprint:
    """Fingerprint of a document.

    Args:
        seller_number: Register number of the seller (BT-30), else its VAT number (BT-31).
        number: Number of the invoice (BT-1).
        code: Code of a Chinese VAT invoice, empty when it has none.

    Raises:
        FormatError: Nothing of the seller's number or of the document's is left when reduced.
    """
    if not reduced(seller_number):
        raise FormatError("seller number", "needs a character of A to Z or 0 to 9")
    if not reduced(number):
        raise FormatError("invoice number", "needs a character of A to Z or 0 to 9")
    fields = (seller_number, number, code)
    return Fingerprint(
        scheme=SCHEME,
        strict=_digest(_STRICT_DOMAIN, tuple(reduced(field) for field in fields)),
        relaxed=_digest(_RELAXED_DOMAIN, tuple(relaxed(field) for field in fields)),
    )


def particulars_hash(*, buyer_number: str, date: str) -> bytes:
    """Hash of buyer and date, kept beside a fingerprint to notice a number used for another deal.

    `buyer_number` is empty when the document has none, `date` is the issue date as `YYYY-MM-DD`.
    """
    return _digest(_PARTICULARS_DOMAIN, (reduced(buyer_number), date))


def _digest(domain: bytes, fields: tuple[str, ...]) -> bytes:
    return hashlib.sha256(domain + msgspec.msgpack.encode(fields)).digest()


__all__ = [
    "SCHEME",
    "Fingerprint",
    "fingerprint",
    "particulars_hash",
    "reduced",
    "relaxed",
]
