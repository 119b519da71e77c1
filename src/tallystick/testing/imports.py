"""`$ tally invoices import PATH` in case files: a read whose rows are the decisions on a folder.

$ tally invoices import SHARED/invoices --outcome draft --currency DKK
  = rows 2
  = sum.payable 784,516.93
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from tallystick.formats.ubl import Decision, import_folder
from tallystick.values.codec import Struct
from tallystick.values.units import Currency, Day, Name, ShortText, SignedMinor, Text
from tallystick.wording import WordingProblem, split_options

SHARED: Final = "SHARED/invoices"
"""Stands for the published invoices, which are not in the repository, or for their twins."""
PUBLISHED: Final = Path("shared", "data", "invoices")
"""Where the published invoices lie, beside the repository."""
TWINS: Final = Path("tests", "formats", "twins")
"""Where invoices of our own writing lie that must be decided alike, in the repository."""
ROOT_MARK: Final = "pyproject.toml"
"""A file by which the repository's folder is known."""


class Unknown(Struct):
    """A seller or buyer for whom no member is known."""

    role: ShortText
    """`seller` or `buyer`."""
    number: Text
    """Register number, else VAT number, else another; empty when the document gives none."""
    name: Name
    """Name as the document gives it."""


class Imported(Struct):
    """What became of one file."""

    name: Text
    """Name of the file, e.g. `guide-example1.xml`."""
    outcome: ShortText
    """`draft`, `document` or `refused`."""
    code: ShortText | None
    """Why it was refused, or whether a credit note found its invoice; None for a draft."""
    text: Text
    """The code in one sentence; empty for a draft."""
    currency: Currency | None
    """Currency of the document; None when unreadable."""
    payable_minor: SignedMinor | None
    """Payable amount, in minor units of the currency; None when unreadable."""
    due_day: Day | None
    """Due date of the document; None when it states none or is unreadable."""
    warnings: Annotated[tuple[ShortText, ...], Meta(max_length=1000)]
    """Codes of what deserves a second look, in order; empty for a refused file."""
    warning_texts: Annotated[tuple[Text, ...], Meta(max_length=1000)]
    """The same in sentences."""
    unknown_parties: Annotated[tuple[Unknown, ...], Meta(max_length=2)]
    """Seller and buyer as far as no member is known for them."""


@dataclass(frozen=True)
class Import:
    """What a folder holds."""

    source: str
    """Which folder was read, for people."""
    rows: tuple[Imported, ...]
    """One for each file, in byte order of the names."""

    @property
    def sentence(self) -> str:
        """How many files of what, for people."""
        count = len(self.rows)
        return f"{count} file{'' if count == 1 else 's'} of {self.source}"


def read_import(case: str, words: Sequence[str]) -> Import:
    """Decide a folder of invoices, as `PATH [--outcome O] [--currency C]` asks in a case file."""
    if not words or words[0].startswith("--"):
        raise WordingProblem("name a folder of invoices")
    wanted = split_options(words[1:])
    unknown = [flag for flag in wanted if flag not in ("outcome", "currency")]
    if unknown:
        raise WordingProblem(f"no option --{unknown[0]}; there are: --outcome, --currency")
    folder, source = _folder(Path(case), words[0])
    rows = [_row(each) for each in import_folder(folder)]
    fitting = [row for row in rows if _fits(row, wanted)]
    return Import(source, tuple(fitting))


def _folder(case: Path, told: str) -> tuple[Path, str]:
    """The folder that a case means, and what to call it."""
    if told != SHARED:
        return case.parent / told, told
    for root in _roots(case):
        if (root.parent / PUBLISHED).is_dir():
            return root.parent / PUBLISHED, "the published invoices"
        if (root / TWINS).is_dir():
            return root / TWINS, "twins of our own writing: the published invoices are absent"
    raise WordingProblem(f"{told} is for cases inside the repository")


def _roots(case: Path) -> Iterator[Path]:
    """Folders above a case that may be the repository's."""
    for folder in case.resolve().parents:
        if (folder / ROOT_MARK).is_file():
            yield folder


def _row(decision: Decision) -> Imported:
    """A decision as a case asks for it."""
    return Imported(
        name=decision.name,
        outcome=decision.outcome.value,
        code=None if decision.code is None else decision.code.value,
        text=decision.text,
        currency=decision.currency,
        payable_minor=decision.payable_minor,
        due_day=None if decision.invoice is None else decision.invoice.due_date,
        warnings=tuple(each.code.value for each in decision.warnings),
        warning_texts=tuple(each.text for each in decision.warnings),
        unknown_parties=tuple(
            Unknown(role=each.role, number=each.number, name=each.name)
            for each in decision.unknown_parties
        ),
    )


def _fits(row: Imported, wanted: dict[str, list[str]]) -> bool:
    """Whether a file is among those asked for."""
    return all(getattr(row, name) in values for name, values in wanted.items())
