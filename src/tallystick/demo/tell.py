"""How the story is told: sentences, tables, amounts with their currency."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tallystick.values.money import format_minor


class Teller:
    """Prints the story."""

    def __init__(self, console: Console) -> None:
        """Tell on a console."""
        self._console = console
        self._act = 0

    def act(self, title: str, when: str = "") -> None:
        """Begin an act."""
        self._act += 1
        self._console.print()
        heading = Text(f"{self._act}. {title}", style="bold")
        if when:
            heading.append(f" {when}", style="cyan")
        self._console.print(heading)

    def say(self, sentence: str) -> None:
        """Say what happened."""
        self._console.print(Text(f"   {sentence}"), soft_wrap=True)

    def refused(self, sentence: str) -> None:
        """Say what the ledger refused."""
        self._console.print(Text(f"   ✗ {sentence}", style="red"), soft_wrap=True)

    def unplayed(self, sentence: str) -> None:
        """Say what these invoices give no occasion for."""
        self._console.print(Text(f"   Not played: {sentence}", style="yellow"), soft_wrap=True)

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        right: Sequence[str] = (),
        last: Sequence[str] | None = None,
    ) -> None:
        """Show a table; `right` are columns of amounts, `last` is a row of sums."""
        table = Table(show_footer=last is not None, padding=(0, 1), expand=False)
        for number, column in enumerate(columns):
            table.add_column(
                column,
                justify="right" if column in right else "left",
                footer=last[number] if last else "",
                no_wrap=column in right,
            )
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self._console.print(table)

    def line(self, sentence: str) -> None:
        """A plain line, for commands to be copied."""
        self._console.print(Text(sentence), soft_wrap=True, highlight=False)


def money(minor: int, currency: str) -> str:
    """`1,000.00 CNY`."""
    return f"{format_minor(minor, currency)} {currency}"


def percent(ppm: int) -> str:
    """`4.8588 %`."""
    return f"{ppm // 10_000}.{ppm % 10_000:04d} %"
