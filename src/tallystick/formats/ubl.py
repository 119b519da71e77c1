"""A folder of UBL 2.1 / EN 16931 invoices and credit notes: one decision per file.

A `draft` is a proposal of this machine, nothing is on a ledger yet. A `document` is a credit note,
kept beside. A `refused` file says why; the others go on. The files are read first and compared
then, in byte order of their names, because what one file is may depend on another: a duplicate
follows its original, but a reversal or a credit note may stand before the invoice it is about.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tallystick.errors import FormatError
from tallystick.formats import ubl_rules
from tallystick.formats.fingerprint import reduced
from tallystick.formats.ubl_decision import (
    Decision,
    Outcome,
    UnknownParty,
    decision_to_json,
    refuse,
)
from tallystick.formats.ubl_document import Invoice, Kind, Party, kind_of, peek, read
from tallystick.formats.ubl_numbers import Registry, compare
from tallystick.formats.ubl_rules import InvoiceWarning
from tallystick.formats.ubl_xml import InvoiceRefused, parse, read_bytes

SUFFIX: Final = ".xml"
"""Files that end so, in any letter case, are decided; others are not looked at."""

Progress = Callable[[int, int], None]
"""Called with the number of files read so far and of all."""


class KnownParties:
    """Numbers of parties and their ids, found in any spelling."""

    def __init__(self, parties: Mapping[str, str]) -> None:
        """Take register or VAT numbers (names, for parties that have none) to party ids."""
        self._ids = {_key(number): party_id for number, party_id in parties.items()}

    def find(self, party: Party) -> str | None:
        """Id of the party: by register or VAT number; by another or the name if it has neither."""
        keys = sorted(party.numbers) or [_key(party.number or party.name)]
        return next((self._ids[key] for key in keys if key in self._ids), None)


def import_folder(
    path: Path,
    *,
    registry: Registry | None = None,
    known_parties: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> list[Decision]:
    """Decide every `*.xml` of a folder, in any letter case, in byte order of name.

    Args:
        path: The folder; what lies in folders below is not looked at.
        registry: Asked for every draft whether it is taken; None asks nobody.
        known_parties: Register or VAT number to party id; None knows nobody.
        progress: Told after every file that was read.

    Raises:
        FormatError: The folder itself cannot be read.
    """
    files = _files(path)
    known = KnownParties(known_parties or {})
    decisions = []
    for done, file in enumerate(files, start=1):
        decisions.append(_read(file, known))
        if progress is not None:
            progress(done, len(files))
    return compare(decisions, registry)


def import_file(
    path: Path,
    *,
    registry: Registry | None = None,
    known_parties: Mapping[str, str] | None = None,
) -> Decision:
    """Decide one file as if it were alone in its folder."""
    return compare([_read(path, KnownParties(known_parties or {}))], registry)[0]


def _files(path: Path) -> list[Path]:
    try:
        found = [each for each in path.iterdir() if each.name.lower().endswith(SUFFIX)]
    except OSError as problem:
        raise FormatError(str(path), f"is no folder to read: {problem.strerror}") from problem
    return sorted(found, key=lambda each: os.fsencode(each.name))


def _read(path: Path, known: KnownParties) -> Decision:
    """Decide a file by itself: read as much as can be read, then apply the rules."""
    decision = Decision(
        name=os.fsencode(path.name).decode("utf-8", "backslashreplace"),
        outcome=Outcome.DRAFT,
        code=None,
        text="",
        currency=None,
        payable_minor=None,
        warnings=(),
        unknown_parties=(),
        invoice=None,
        credits=(),
    )
    try:
        data = read_bytes(path)
        root = parse(data)
        kind = kind_of(root)
        currency, payable_minor = peek(root)
        decision = replace(decision, currency=currency, payable_minor=payable_minor)
        document = read(root, kind, data)
        decision = replace(decision, invoice=document.invoice)
        ubl_rules.check(document)
    except InvoiceRefused as refusal:
        return refuse(decision, refusal)
    return replace(
        decision,
        outcome=Outcome.DRAFT if kind is Kind.INVOICE else Outcome.DOCUMENT,
        warnings=ubl_rules.warnings(document),
        unknown_parties=_unknown_parties(document.invoice, known),
    )


def _unknown_parties(invoice: Invoice, known: KnownParties) -> tuple[UnknownParty, ...]:
    return tuple(
        UnknownParty(role=role, number=party.number, name=party.name)
        for role, party in (("seller", invoice.seller), ("buyer", invoice.buyer))
        if known.find(party) is None
    )


def _key(number: str) -> str:
    return reduced(number) or number


__all__ = [
    "SUFFIX",
    "Decision",
    "Invoice",
    "InvoiceWarning",
    "Kind",
    "KnownParties",
    "Outcome",
    "Party",
    "Progress",
    "Registry",
    "UnknownParty",
    "decision_to_json",
    "import_file",
    "import_folder",
]
