"""What people see: tables and lines of records and answers, in words and decimals."""

from __future__ import annotations

import enum
import io
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

import click
import msgspec

from tallystick.catalogue import Catalogue, FieldInfo, bare, struct_info, unit_of
from tallystick.values.money import format_minor
from tallystick.wording import Wording, option_name

WIDTH_OF_PIPES = 200
"""Columns of a table that goes to a file or to another program."""
COLUMNS_MAX = 9
"""Most columns of a table of records; `--json` has all fields."""
HASH_CHARS = 16
"""Hex digits shown of a hash in a table."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    """Its heading."""
    right: bool = False
    """Whether it holds amounts or numbers, aligned right."""


@dataclass(frozen=True)
class Renderer:
    """Turns structs of one application into words."""

    catalogue: Catalogue
    """Words of fields and statuses."""
    app: str
    """Application that they belong to."""
    language: str
    """`en` or `zh`."""
    wording: Wording
    """Zone, and where currencies are found."""
    currency: str | None = None
    """Currency of amounts that have none beside them."""

    def print_one(self, struct: msgspec.Struct) -> None:
        """A struct as lines of field and value; what is empty is left out."""
        rows = [
            [self.title(struct, info), self.text(struct, info)]
            for info in all_fields(struct)
            if getattr(struct, info.name) not in (None, (), "")
        ]
        print_table([Column(""), Column("")], rows, head=False)

    def print_many(self, structs: Sequence[msgspec.Struct]) -> None:
        """Structs of one kind as a table, in the order given."""
        if not structs:
            print_lines(["nothing" if self.language == "en" else "无"])
            return
        infos, hidden = chosen_fields(structs)
        columns = [Column(self.title(structs[0], info), is_number(info.type)) for info in infos]
        rows = [[self.text(struct, info, short=True) for info in infos] for struct in structs]
        currencies = {self.currency_of(struct) for struct in structs}
        print_table(columns, rows)
        one = currencies.pop() if len(currencies) == 1 else None
        said = [f"{len(rows)} rows"] if len(rows) > 1 else []
        if one and any(unit_of(info.type) == "minor" for info in infos):
            said.append(f"amounts in {one}")
        if hidden:
            said.append(f"--json shows also {', '.join(hidden)}")
        if said:
            print_lines(["; ".join(said)])

    def title(self, struct: msgspec.Struct, info: FieldInfo) -> str:
        """What a field is called."""
        name = type(struct).__name__
        word = self.catalogue.word(self.app, "field", name, info.name, language=self.language)
        word = word or self.catalogue.word(self.app, "field", info.name, language=self.language)
        return word or option_name(info.name).replace("-", " ")

    def text(self, struct: msgspec.Struct, info: FieldInfo, *, short: bool = False) -> str:
        """A field's value as people read it."""
        value = getattr(struct, info.name)
        if isinstance(value, enum.Enum):
            return self.enum_word(value)
        if isinstance(value, bool) and self.language == "zh":
            return "是" if value else "否"
        if short and isinstance(value, bytes):
            return value.hex()[:HASH_CHARS]
        return self.wording.show(value, info.type, self.currency_of(struct))

    def currency_of(self, struct: msgspec.Struct) -> str | None:
        """Currency of a struct's amounts."""
        return self.wording.currency_for(struct) or self.currency

    def enum_word(self, value: enum.Enum) -> str:
        """A status or another choice in words."""
        kind = type(value).__name__
        for group in ("status", "enum"):
            word = self.catalogue.word(self.app, group, kind, value.name, language=self.language)
            if word:
                return word
        return str(value.value)


def all_fields(struct: msgspec.Struct) -> list[FieldInfo]:
    """Fields of a struct, and amounts that it derives from them, after its first field."""
    fields = list(struct_info(type(struct)).fields)
    return [*fields[:1], *derived_amounts(type(struct)), *fields[1:]]


def derived_amounts(type_: type[Any]) -> list[FieldInfo]:
    """Properties of a struct that are amounts, e.g. the length of an interval."""
    from tallystick.values.units import SignedMinor

    return [
        FieldInfo(name, SignedMinor, (value.__doc__ or "").strip(), True, None)
        for name, value in vars(type_).items()
        if isinstance(value, property) and name.endswith("_minor")
    ]


def chosen_fields(structs: Sequence[msgspec.Struct]) -> tuple[list[FieldInfo], list[str]]:
    """Fields worth a column, and the names of filled ones that are left out."""
    infos = [
        info
        for info in all_fields(structs[0])
        if any(getattr(struct, info.name) not in (None, (), "") for struct in structs)
    ]
    if len(infos) <= COLUMNS_MAX:
        return infos, []
    ranked = sorted(range(len(infos)), key=lambda place: (_weight(infos[place]), place))
    kept = set(ranked[:COLUMNS_MAX])
    hidden = [info.name for place, info in enumerate(infos) if place not in kept]
    return [info for place, info in enumerate(infos) if place in kept], hidden


def _weight(info: FieldInfo) -> int:
    """How little a field is missed in a table: status first, hashes and nested structs last."""
    plain = bare(info.type)
    if info.name == "status":
        return 0
    if get_origin(plain) is tuple or plain is bytes or hasattr(plain, "__struct_config__"):
        return 3
    return 2 if info.name in ("timer_id", "entry_id") or plain is bool else 1


def is_number(type_: Any) -> bool:
    """Whether a column is aligned right."""
    plain = bare(type_)
    if get_origin(plain) is tuple:
        plain = bare(get_args(plain)[0])
    return plain is int and unit_of(type_) != "ms since 1970 UTC"


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], *, head: bool = True
) -> None:
    """A table as wide as the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD if head else None, show_header=head, pad_edge=False)
    for column in columns:
        table.add_column(
            Text(column.title), justify="right" if column.right else "left", no_wrap=column.right
        )
    for row in rows:
        # Text, not str: a name from outside may look like markup.
        table.add_row(*[Text(printable(cell)) for cell in row])
    written = io.StringIO()
    Console(
        file=written, width=_width(), highlight=False, force_terminal=sys.stdout.isatty()
    ).print(table)
    for line in written.getvalue().strip("\n").split("\n"):
        click.echo(line.rstrip())


def print_lines(lines: Sequence[str]) -> None:
    """Plain lines."""
    for line in lines:
        click.echo(printable(line))


def printable(text: str) -> str:
    """Without what could move the cursor or colour the terminal."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", "?", text)


def amount(minor: int, currency: str) -> str:
    """An amount with its currency."""
    return f"{format_minor(minor, currency)} {currency}"


def _width() -> int:
    """Columns at hand."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_OF_PIPES
