"""From bytes to elements and from elements to values, refusing what a stranger's file may try.

No document type, so no entities and no external files; no network; no more than `FILE_BYTES_MAX`
bytes, 256 levels and the parser's own limits on long names and texts. A field that stands once is
read only if it stands once: with two payable amounts two readers would each take another one.
"""

import os
import re
import stat
import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

from lxml import etree
from lxml.etree import _Element as Element

from tallystick.formats.codes import Reason
from tallystick.values.money import CURRENCIES
from tallystick.values.time import is_day
from tallystick.values.units import INT64_MAX, INT64_MIN

FILE_BYTES_MAX: Final = 10_000_000
"""Largest file that is read; a real invoice with attachments has a few megabytes at most."""

NUMBER_CHARS_MAX: Final = 64
"""Longest number or code."""

NAME_CHARS_MAX: Final = 140
"""Longest name kept; the rest of a longer one is cut off, it identifies nobody."""

_TEXT_CHARS_MAX: Final = 10_000
_PROBLEM_CHARS_MAX: Final = 200
_NAMESPACES: Final = {
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
_DECIMAL: Final = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?")
_DECIMAL_CHARS_MAX: Final = 1_000
_DATE: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}
_DECIMALS_ALWAYS: Final = 2


class InvoiceRefused(Exception):
    """A file becomes neither draft nor document; caught where the folder is decided."""

    def __init__(self, code: Reason, text: str) -> None:
        """Keep the code and one sentence that says what exactly."""
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class _DoctypeSeen(Exception):
    """The document has a document type; raised before its first declaration is read."""


class _DoctypeGuard:
    """A parser target that builds nothing and stops at a document type."""

    def doctype(self, name: str, public_id: str | None, system_id: str | None) -> None:
        """Stop: called at `<!DOCTYPE`, before any entity is declared."""
        raise _DoctypeSeen(name, public_id, system_id)

    def close(self) -> None:
        """Nothing was built."""


def _parser(target: _DoctypeGuard | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        target=cast(Any, target),  # the stubs ask for all events, lxml takes any
        resolve_entities=False,
        load_dtd=False,
        dtd_validation=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def read_bytes(path: Path) -> bytes:
    """Contents of a file of bearable size; a larger one, a pipe or a device is not opened."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise InvoiceRefused(Reason.UNREADABLE_FILE, "it is not a regular file")
        if status.st_size <= FILE_BYTES_MAX:
            with path.open("rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
        else:
            data = b""
    except OSError as problem:
        why = os.strerror(problem.errno or 0)
        raise InvoiceRefused(Reason.UNREADABLE_FILE, f"it cannot be opened: {why}") from problem
    if max(status.st_size, len(data)) > FILE_BYTES_MAX:
        text = f"it has more than {FILE_BYTES_MAX:,} bytes"
        raise InvoiceRefused(Reason.FILE_TOO_LARGE, text)
    return data


def parse(data: bytes) -> Element:
    """Root element of a document without document type."""
    if not data:
        raise InvoiceRefused(Reason.EMPTY_FILE, "it has no bytes")
    try:
        etree.fromstring(data, _parser(_DoctypeGuard()))
        return etree.fromstring(data, _parser())
    except _DoctypeSeen as problem:
        text = "it declares a document type, which may hide entities and external files"
        raise InvoiceRefused(Reason.DTD_FORBIDDEN, text) from problem
    except (etree.XMLSyntaxError, ValueError) as problem:
        told = _clean(str(problem)[:_PROBLEM_CHARS_MAX])
        raise InvoiceRefused(Reason.NOT_WELL_FORMED, told) from problem


def child(parent: Element, name: str) -> Element | None:
    """The one child of that name, such as `cac:Party`, or None."""
    found = children(parent, name)
    if len(found) > 1:
        raise InvoiceRefused(Reason.REPEATED_FIELD, f"{name} stands {len(found)} times")
    return found[0] if found else None


def children(parent: Element, name: str) -> list[Element]:
    """All children of that name, in order."""
    return parent.findall(name, _NAMESPACES)


def at(parent: Element, path: str) -> Element | None:
    """The one element at a path such as `cac:Party/cac:PartyName`, each step standing once."""
    element: Element | None = parent
    for name in path.split("/"):
        if element is None:
            return None
        element = child(element, name)
    return element


def text(element: Element | None) -> str | None:
    """Text of a field in one line without invisible characters, None if absent or empty."""
    if element is None:
        return None
    if len(element):
        raise InvoiceRefused(Reason.UNREADABLE_FIELD, f"{_tag(element)} has fields in its text")
    found = element.text or ""
    if len(found) > _TEXT_CHARS_MAX:
        what = f"{_tag(element)} has more than {_TEXT_CHARS_MAX} characters"
        raise InvoiceRefused(Reason.FIELD_TOO_LONG, what)
    return _clean(found) or None


def number(element: Element | None) -> str | None:
    """Text of a number or code, None if absent or empty."""
    found = text(element)
    if found is not None and len(found) > NUMBER_CHARS_MAX:
        what = f"a number or code has more than {NUMBER_CHARS_MAX} characters"
        raise InvoiceRefused(Reason.FIELD_TOO_LONG, what)
    return found


def name(element: Element | None) -> str | None:
    """Text of a name, cut to `NAME_CHARS_MAX` characters, None if absent or empty."""
    found = text(element)
    return None if found is None else found[:NAME_CHARS_MAX].rstrip()


def day(element: Element | None, term: str) -> str | None:
    """A date as `YYYY-MM-DD`, its zone left out (xsd:date may carry one); None if absent."""
    found = text(element)
    if found is None:
        return None
    parts = _DATE.fullmatch(found)
    if parts is None or not is_day(parts[1]):
        raise InvoiceRefused(Reason.UNREADABLE_FIELD, f"{term} is no date: {_short(found)}")
    return parts[1]


def boolean(element: Element | None, term: str) -> bool:
    """True or false, as xsd:boolean writes them."""
    found = text(element)
    if found not in _BOOLEANS:
        told = "nothing" if found is None else _short(found)
        what = f"{term} is neither true nor false: {told}"
        raise InvoiceRefused(Reason.UNREADABLE_FIELD, what)
    return _BOOLEANS[found]


def minor(element: Element | None, term: str, currency: str) -> int | None:
    """An amount in minor units of the document's currency, None if absent."""
    if element is None:
        return None
    stated = element.get("currencyID")
    if stated != currency:
        told = "no currency" if stated is None else _short(stated)
        what = f"{term} is in {told}, the document in {currency}"
        raise InvoiceRefused(Reason.MIXED_CURRENCY, what)
    found = text(element)
    parts = _decimal_parts(found or "")
    if parts is None:
        what = f"{term} is no amount: {_short(found or '')}"
        raise InvoiceRefused(Reason.UNREADABLE_FIELD, what)
    return _scaled(parts, term, currency)


def _scaled(parts: tuple[str, str, str], term: str, currency: str) -> int:
    """Minor units of sign, whole and decimals.

    EN 16931 allows two decimals everywhere (BR-DEC), currencies have none to four: what goes
    beyond the currency's must be zeros.
    """
    sign, whole, decimals = parts
    digits = CURRENCIES[currency]
    kept, rest = decimals[:digits].ljust(digits, "0"), decimals[digits:]
    if rest.strip("0") or len(decimals) > max(digits, _DECIMALS_ALWAYS):
        what = f"{term} has {len(decimals)} decimals, {currency} has {digits}"
        raise InvoiceRefused(Reason.TOO_MANY_DECIMALS, what)
    value = int(sign + whole + kept)
    if not INT64_MIN <= value <= INT64_MAX:
        what = f"{term} does not fit 64 bits in minor units"
        raise InvoiceRefused(Reason.AMOUNT_TOO_LARGE, what)
    return value


def decimal(element: Element | None) -> Fraction | None:
    """A quantity or price, exact; None if absent or no decimal number."""
    parts = _decimal_parts(text(element) or "")
    if parts is None:
        return None
    sign, whole, decimals = parts
    return Fraction(int(sign + whole + decimals), 10 ** len(decimals))


def _decimal_parts(found: str) -> tuple[str, str, str] | None:
    """Sign, whole digits (at least one) and decimals of an xsd:decimal; no exponent, no NaN."""
    parts = _DECIMAL.fullmatch(found) if len(found) <= _DECIMAL_CHARS_MAX else None
    if parts is None or not (parts[2] or parts[3]):
        return None
    return parts[1], parts[2] or "0", parts[3] or ""


def _tag(element: Element) -> str:
    return etree.QName(element).localname[:NUMBER_CHARS_MAX]


def _short(found: str) -> str:
    """A stranger's text, quoted and of bounded length."""
    clean = _clean(found)
    return f"`{clean}`" if len(clean) <= 40 else f"`{clean[:40]}…`"


def _clean(found: str) -> str:
    """One line: blanks and controls become one blank, marks that show nothing go."""
    if not found.isprintable():
        found = "".join(each if each.isprintable() else _blank(each) for each in found)
    return " ".join(found.split())


def _blank(hidden: str) -> str:
    return "" if unicodedata.category(hidden) == "Cf" else " "


__all__ = [
    "FILE_BYTES_MAX",
    "Element",
    "InvoiceRefused",
    "at",
    "boolean",
    "child",
    "children",
    "day",
    "decimal",
    "minor",
    "name",
    "number",
    "parse",
    "read_bytes",
    "text",
]
