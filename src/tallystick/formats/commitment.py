"""A document as salted fields: the ledger keeps one hash, and any one field can be shown alone.

**Bytes.** `‖` is concatenation; the fields are ordered by the UTF-8 bytes of their names::

    leaf of a field = SHA-256("tallystick/field/1" ‖ msgpack [name, value, salt])
    root            = Merkle root over the leaves, as in RFC 6962 and CometBFT:
                      SHA-256(0x00 ‖ leaf), SHA-256(0x01 ‖ left ‖ right),
                      split at the largest power of two smaller than the number of leaves

Name and value are MessagePack strings, the salt is 16 bytes of MessagePack binary. The salt keeps
a short value, such as an amount, from being found by trying all of them. Salts come from the
caller; nothing here is random.

`FILE.disclosure.json` holds fields and salts. It is handed over outside the ledger, and whoever
gets it computes the root again.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tallystick.errors import FormatError
from tallystick.formats.fingerprint import Fingerprint, fingerprint, particulars_hash
from tallystick.values.codec import Struct, from_json, to_json
from tallystick.values.errors import CodecError
from tallystick.values.money import CURRENCIES
from tallystick.values.units import INT64_MAX, Count, Hash32, Label, Salt16

FORMAT: Final = "tallystick/disclosure/1"
"""First field of a disclosure file."""

FIELDS_MAX: Final = 256
"""Most fields that a document is committed with."""

DISCLOSURE_BYTES_MAX: Final = 1_000_000
"""Largest disclosure file that is read; one of an invoice has about 2,000 bytes."""

SALT_BYTES: Final = 16
"""Length of a salt."""

_DOMAIN: Final = b"tallystick/field/1"
_DIGITS: Final = re.compile("0|[1-9][0-9]{0,18}")

Value = Annotated[str, Meta(max_length=1_000, description="The value of a field.")]
"""What a field says; an amount is its digits in minor units."""


class Field(Struct):
    """One field of a document, with the salt that hides it."""

    name: Label
    """Name of the field, e.g. `payable_minor`."""

    value: Value
    """What it says, e.g. `22500000`."""

    salt: Salt16
    """Sixteen random bytes of its own."""


class Disclosure(Struct):
    """Everything that a commitment hides: enough to compute its root again."""

    format: Annotated[str, Meta(max_length=32)]
    """Always `tallystick/disclosure/1`."""

    fields: Annotated[tuple[Field, ...], Meta(min_length=1, max_length=FIELDS_MAX)]
    """The fields, ordered by name, each name once."""

    @property
    def root(self) -> bytes:
        """What stands on the ledger."""
        return _root([leaf_of(field) for field in self.fields])

    @property
    def values(self) -> dict[str, str]:
        """The fields without their salts, by name."""
        return {field.name: field.value for field in self.fields}


class ShownField(Struct):
    """One field shown alone, with what proves that it is in the commitment."""

    field: Field
    """The field and its salt."""

    index: Count
    """Place of the field among all, from 0."""

    total: Count
    """How many fields the commitment has."""

    path: Annotated[tuple[Hash32, ...], Meta(max_length=8)]
    """Hashes of the other sides, from the leaf up."""


def disclose(values: Mapping[str, str], salts: Sequence[bytes]) -> Disclosure:
    """Hide a document's fields; the n-th salt goes to the n-th name in order.

    Raises:
        FormatError: No field, too many, another number of salts, or a field out of bounds.
    """
    names = sorted(values)
    if len(salts) != len(names):
        raise FormatError("commitment", f"{len(names)} fields and {len(salts)} salts")
    if len(set(salts)) != len(salts):
        raise FormatError("commitment", "two fields have the same salt")
    fields = tuple(
        Field(name=name, value=values[name], salt=salt)
        for name, salt in zip(names, salts, strict=True)
    )
    return _checked(Disclosure(format=FORMAT, fields=fields))


def leaf_of(field: Field) -> bytes:
    """Hash of one field with its salt."""
    content = msgspec.msgpack.encode((field.name, field.value, field.salt))
    return hashlib.sha256(_DOMAIN + content).digest()


def show(disclosure: Disclosure, name: str) -> ShownField:
    """Show one field and nothing of the others.

    Raises:
        FormatError: The document has no field of that name.
    """
    for index, field in enumerate(disclosure.fields):
        if field.name == name:
            path = _path(index, [leaf_of(each) for each in disclosure.fields])
            total = len(disclosure.fields)
            return ShownField(field=field, index=index, total=total, path=tuple(path))
    raise FormatError(name, "the document has no such field")


def is_shown(shown: ShownField, root: bytes) -> bool:
    """Is this field in the commitment with that root?"""
    if not 0 <= shown.index < shown.total:
        return False
    return _climb(leaf_of(shown.field), shown.index, shown.total, list(shown.path)) == root


def disclosed_fingerprint(disclosure: Disclosure) -> Fingerprint:
    """Fingerprint of the disclosed invoice, for a signer who must not trust another's.

    Raises:
        FormatError: The disclosure has no seller number or invoice number.
    """
    values = _invoice_values(disclosure, "seller_number", "invoice_number")
    return fingerprint(
        values["seller_number"], values["invoice_number"], values.get("invoice_code", "")
    )


def disclosed_particulars(disclosure: Disclosure) -> bytes:
    """Hash of the disclosed buyer and date, see `particulars_hash`.

    Raises:
        FormatError: The disclosure has no buyer number or issue date.
    """
    values = _invoice_values(disclosure, "buyer_number", "issue_date")
    return particulars_hash(buyer_number=values["buyer_number"], date=values["issue_date"])


def disclosed_amount(disclosure: Disclosure) -> tuple[str, int]:
    """Currency and payable amount, in minor units, of the disclosed invoice.

    Raises:
        FormatError: The disclosure has no such fields, or they are no currency or amount.
    """
    values = _invoice_values(disclosure, "currency", "payable_minor")
    currency, payable = values["currency"], values["payable_minor"]
    if currency not in CURRENCIES:
        raise FormatError("currency", "is no ISO 4217 currency with minor units")
    if not _DIGITS.fullmatch(payable) or int(payable) > INT64_MAX:
        raise FormatError("payable_minor", "is no amount in minor units")
    return currency, int(payable)


def disclosure_path(document: Path) -> Path:
    """Where the disclosure of a document lies: beside it, `FILE.disclosure.json`."""
    return document.with_name(document.name + ".disclosure.json")


def write_disclosure(path: Path, disclosure: Disclosure) -> None:
    """Write a disclosure that only its owner may read; an older one stays until it is whole.

    Raises:
        FormatError: The file cannot be written.
    """
    new = path.with_name(path.name + ".new")
    data = msgspec.json.format(to_json(disclosure), indent=2) + b"\n"
    try:
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        new.replace(path)
    except OSError as problem:
        with contextlib.suppress(OSError):
            new.unlink()
        raise FormatError(str(path), f"cannot be written: {problem.strerror}") from problem


def read_disclosure(path: Path) -> Disclosure:
    """Read a disclosure and check that it is one.

    Raises:
        FormatError: The file cannot be read or is not a disclosure.
    """
    try:
        with path.open("rb") as file:
            data = file.read(DISCLOSURE_BYTES_MAX + 1)
    except OSError as problem:
        raise FormatError(str(path), f"cannot be read: {problem.strerror}") from problem
    if len(data) > DISCLOSURE_BYTES_MAX:
        raise FormatError(str(path), f"larger than {DISCLOSURE_BYTES_MAX} bytes")
    try:
        return _checked(from_json(Disclosure, data))
    except CodecError as problem:
        raise FormatError(str(path), f"is not a disclosure: {problem}") from problem


def _checked(disclosure: Disclosure) -> Disclosure:
    """Hold a disclosure to its bounds: made here or read, the same rules."""
    try:
        checked = from_json(Disclosure, to_json(disclosure))
    except CodecError as problem:
        raise FormatError("disclosure", str(problem)) from problem
    names = [field.name for field in checked.fields]
    if checked.format != FORMAT:
        raise FormatError("disclosure", f"is of format {checked.format!a}, not {FORMAT}")
    if names != sorted(set(names)):
        raise FormatError("disclosure", "its fields are not in order, each name once")
    return checked


def _invoice_values(disclosure: Disclosure, *names: str) -> dict[str, str]:
    values = disclosure.values
    for name in names:
        if name not in values:
            raise FormatError(name, "the disclosure has no such field")
    return values


def _split(count: int) -> int:
    """Largest power of two smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def _root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    at = _split(len(leaves))
    return _inner(_root(leaves[:at]), _root(leaves[at:]))


def _path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    at = _split(len(leaves))
    if index < at:
        return [*_path(index, leaves[:at]), _root(leaves[at:])]
    return [*_path(index - at, leaves[at:]), _root(leaves[:at])]


def _climb(leaf: bytes, index: int, total: int, path: list[bytes]) -> bytes | None:
    """Root above a leaf, or None if the path is not as long as the tree is high there."""
    if total == 1:
        return None if path else hashlib.sha256(b"\x00" + leaf).digest()
    if not path:
        return None
    at, other = _split(total), path.pop()
    if index < at:
        left = _climb(leaf, index, at, path)
        return None if left is None else _inner(left, other)
    right = _climb(leaf, index - at, total - at, path)
    return None if right is None else _inner(other, right)


__all__ = [
    "DISCLOSURE_BYTES_MAX",
    "FIELDS_MAX",
    "FORMAT",
    "SALT_BYTES",
    "Disclosure",
    "Field",
    "ShownField",
    "disclose",
    "disclosed_amount",
    "disclosed_fingerprint",
    "disclosed_particulars",
    "disclosure_path",
    "is_shown",
    "leaf_of",
    "read_disclosure",
    "show",
    "write_disclosure",
]
