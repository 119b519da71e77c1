"""What people see: amounts in decimals on the right, times in the zone, statuses in words."""

from __future__ import annotations

import enum

import msgspec
import pytest

from tallystick.cli.derive import catalogue
from tallystick.cli.render import COLUMNS_MAX, Column, Renderer, all_fields, print_table, printable
from tallystick.values.codec import Struct
from tallystick.values.units import AtMs, Count, Currency, Hash32, Minor, PartyId, ShortText
from tallystick.wording import Wording


class Status(enum.Enum):
    """Where it stands."""

    PART_PAID = "part_paid"


class Note(Struct):
    """A claim, as a table shows it."""

    holder: PartyId
    """Who holds it."""
    currency: Currency
    """Its currency."""
    start_minor: Minor
    """First cent."""
    end_minor: Minor
    """End."""
    root: Hash32 | None = None
    """A hash."""
    due_at_ms: AtMs | None = None
    """When it falls due."""
    one: Count = 0
    """A number."""
    two: Count = 0
    """A number."""
    three: Count = 0
    """A number."""
    four: Count = 0
    """A number."""
    text: ShortText = ""
    """A text."""
    others: tuple[PartyId, ...] = ()
    """Several."""
    status: Status = Status.PART_PAID
    """Status."""
    is_open: bool = False
    """Yes or no."""

    @property
    def amount_minor(self) -> int:
        """How much it is."""
        return self.end_minor - self.start_minor


def note(holder: str, currency: str, end_minor: int, **more: object) -> Note:
    """A claim from the first cent on."""
    values = {"holder": holder, "currency": currency, "start_minor": 0, "end_minor": end_minor}
    return Note(**values, **more)  # type: ignore[arg-type]


def renderer(language: str = "en") -> Renderer:
    """Shows structs without a node."""
    return Renderer(catalogue(), "receivables", language, Wording())


def table(
    capsys: pytest.CaptureFixture[str], *structs: msgspec.Struct, language: str = "en"
) -> list[str]:
    """Lines of a table that are not empty."""
    renderer(language).print_many(structs)
    return [line for line in capsys.readouterr().out.splitlines() if line.strip()]


def test_amounts_stand_on_the_right_in_decimals(capsys: pytest.CaptureFixture[str]) -> None:
    head, _, first, second, last = table(
        capsys, note("D1", "CNY", 100_000_000), note("S1", "CNY", 1)
    )
    assert head.split()[:2] == ["holder", "amount"]
    end = first.index("1,000,000.00") + len("1,000,000.00")
    assert second[:end].endswith("        0.01")
    assert last.startswith("2 rows; amounts in CNY")


def test_each_row_has_its_currency(capsys: pytest.CaptureFixture[str]) -> None:
    notes = [note("D1", currency, 100) for currency in ("CNY", "JPY", "KWD")]
    told = "\n".join(table(capsys, *notes))
    for amount in (" 1.00 ", " 100 ", " 0.100 "):
        assert amount in told
    assert "amounts in" not in told


def test_times_are_those_of_the_zone(capsys: pytest.CaptureFixture[str]) -> None:
    found = note("D1", "CNY", 1, due_at_ms=1_791_450_000_000)
    assert "2026-10-08 17:00" in "\n".join(table(capsys, found))


def test_statuses_are_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    info = catalogue().record("receivables", "undertaking")
    assert info is not None
    statuses = next(each.type for each in info.struct.fields if each.name == "status")
    word = catalogue().word(
        "receivables", "status", statuses.__name__, "PART_PAID", language="zh"
    ) or catalogue().word("receivables", "enum", statuses.__name__, "PART_PAID", language="zh")
    assert word
    assert renderer("zh").enum_word(statuses.PART_PAID) == word
    assert renderer().enum_word(statuses.PART_PAID) != word
    assert renderer().enum_word(Status.PART_PAID) == "part_paid"


def test_one_thing_is_told_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    renderer().print_one(note("D1", "CNY", 33_333_333, root=b"\xab" * 32))
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("amount") and line.endswith("333,333.33") for line in lines)
    assert any("ab" * 32 in line for line in lines)
    assert not any(line.startswith("text") for line in lines)
    assert any(line.split()[-1] == "no" for line in lines)
    renderer("zh").print_one(note("D1", "CNY", 1, is_open=True))
    assert any(line.endswith("是") for line in capsys.readouterr().out.splitlines())


def test_nothing_is_said_to_be_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert table(capsys) == ["nothing"]
    assert table(capsys, language="zh") == ["无"]


def test_a_table_says_what_it_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    full = note(
        "D1", "CNY", 5, root=b"\xab" * 32, due_at_ms=1, one=1, two=2, three=3, four=4, text="t",
        others=("S1", "S2"),
    )  # fmt: skip
    head, *_, last = table(capsys, full)
    assert "status" in head
    hidden = last.removeprefix("amounts in CNY; --json shows also ").split(", ")
    assert len(hidden) == len(all_fields(full)) - COLUMNS_MAX
    assert {"root", "others"} <= set(hidden)


def test_text_from_outside_is_neither_markup_nor_control(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table([Column("a")], [["[red]x[/red] \x1b[31mred\x07"]])
    assert "[red]x[/red] ?[31mred?" in capsys.readouterr().out
    assert printable("a\tb\r\x85") == "a\tb??"
