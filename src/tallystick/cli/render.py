"""What people see: tables, records, refusals."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH_OF_PIPES = 200
"""Columns of a table that goes to a file or to another program."""


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    title: str
    """Its heading."""
    right: bool = False
    """Whether it holds amounts, aligned right."""


def print_table(title: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, title=title or None, title_justify="left", pad_edge=False)
    for column in columns:
        table.add_column(
            column.title, justify="right" if column.right else "left", no_wrap=column.right
        )
    for row in rows:
        # Text, not str: a name from outside may look like markup.
        table.add_row(*[Text(cell) for cell in row])
    Console(width=_width()).print(table)


def _width() -> int:
    """Columns at hand."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_OF_PIPES
