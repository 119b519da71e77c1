"""What people write becomes messages, and what they read says the same."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from tallystick.catalogue import struct_info
from tallystick.ledger.app import Record
from tallystick.values.codec import Struct
from tallystick.values.units import (
    AtMs,
    Bps,
    Count,
    Currency,
    Day,
    DurationMs,
    Hash32,
    Id,
    KeyOf,
    Minor,
    MoneyId,
    PartyId,
    Ppm,
    Reference,
    ShortText,
    SignedMinor,
)
from tallystick.wording import (
    Wording,
    WordingProblem,
    metavar,
    options,
    split_options,
)

W = Wording()
PIECE = "piece-0123456789abcdef"


class Colour(enum.Enum):
    """A choice."""

    DEEP_RED = "deep_red"
    SEA = "sea/blue"


class Fee(Struct):
    """A struct inside a field."""

    name: ShortText
    """Its name."""
    fixed_minor: Minor = 0
    """How much."""
    rate_ppm: Ppm = 0
    """Which part."""
    on: tuple[Colour, ...] = ()
    """Where."""


class Key(Struct):
    """A struct that needs one thing."""

    public_key: Hash32
    """The key."""
    suite: Count = 1
    """Its scheme."""


class Grow(Struct, tag="grow_by"):
    """One of several structs."""

    by: Count
    """How much."""


class Rename(Struct, tag="rename"):
    """Another."""

    name: ShortText
    """To what."""


class Everything(Struct):
    """A field of every type."""

    currency: Currency | None = None
    """Currency."""
    amount_minor: Minor | None = None
    """Amount."""
    change_minor: SignedMinor = 0
    """Signed amount."""
    parts: tuple[Minor, ...] = ()
    """Amounts."""
    rate_ppm: Ppm = 0
    """Rate."""
    late_ppm_per_day: Annotated[int, Meta(extra={"unit": "ppm a day"})] = 0
    """Rate a day."""
    rate_bps: Bps = 0
    """Rate in basis points."""
    day: Day | None = None
    """Day."""
    expires_at_ms: AtMs | None = None
    """Instant."""
    waits_ms: DurationMs = 0
    """Length of time."""
    count: Count = 0
    """Count."""
    colour: Colour = Colour.SEA
    """Choice."""
    is_open: bool = False
    """Yes or no."""
    root: Hash32 | None = None
    """Bytes."""
    piece_id: Annotated[Id, KeyOf("Piece")] | None = None
    """Reference."""
    holder: PartyId | None = None
    """Party."""
    reason: ShortText = ""
    """Text."""
    order_id: Reference | None = None
    """Business number."""
    fees: tuple[Fee, ...] = ()
    """Structs."""
    key: Key | None = None
    """Struct of one thing."""
    action: Grow | Rename | None = None
    """One of several structs."""


def read(*words: str, wording: Wording = W) -> Any:
    """What words say of a struct of everything."""
    return wording._struct(Everything, split_options(words), [], currency="CNY")


def refused(*words: str, wording: Wording = W) -> str:
    """Why words are refused."""
    with pytest.raises(WordingProblem) as problem:
        read(*words, wording=wording)
    return str(problem.value)


# --- single values


@pytest.mark.parametrize(
    ("words", "name", "value"),
    (
        (("--amount", "1,000.00"), "amount_minor", 100_000),
        (("--amount", "1000"), "amount_minor", 100_000),
        (("--amount", "0.01"), "amount_minor", 1),
        (("--amount", "1,000.00 CNY"), "amount_minor", 100_000),
        (("--amount-minor", "2.50"), "amount_minor", 250),
        (("--amount_minor", "2.50"), "amount_minor", 250),
        (("--amount=2.50",), "amount_minor", 250),
        (("--amount", "-"), "amount_minor", None),
        (("--change", "-2.50"), "change_minor", -250),
        (("--parts", "1.00", "2.00"), "parts", (100, 200)),
        (("--parts", "1.00", "--parts", "2.00"), "parts", (100, 200)),
        (("--parts",), "parts", ()),
        (("--rate-ppm", "43500"), "rate_ppm", 43_500),
        (("--rate-ppm", "4.35%"), "rate_ppm", 43_500),
        (("--rate-ppm", "4.35 %"), "rate_ppm", 43_500),
        (("--rate-ppm", "0.0001%"), "rate_ppm", 1),
        (("--late-ppm-per-day", "0.05%"), "late_ppm_per_day", 500),
        (("--rate-bps", "4.35%"), "rate_bps", 435),
        (("--day", "2026-10-08"), "day", "2026-10-08"),
        (("--expires", "2026-10-08 17:00"), "expires_at_ms", 1_791_450_000_000),
        (("--expires", "2026-10-08T17:00"), "expires_at_ms", 1_791_450_000_000),
        (("--expires", "2026-10-08"), "expires_at_ms", 1_791_388_800_000),
        (("--expires", "2026-10-08 24:00"), "expires_at_ms", 1_791_475_200_000),
        (("--expires", "1791450000000"), "expires_at_ms", 1_791_450_000_000),
        (("--waits", "97d"), "waits_ms", 8_380_800_000),
        (("--waits", "30m"), "waits_ms", 1_800_000),
        (("--waits", "250"), "waits_ms", 250),
        (("--count", "1,000"), "count", 1_000),
        (("--colour", "deep-red"), "colour", Colour.DEEP_RED),
        (("--colour", "DEEP_RED"), "colour", Colour.DEEP_RED),
        (("--colour", "sea/blue"), "colour", Colour.SEA),
        (("--is-open",), "is_open", True),
        (("--is-open", "yes"), "is_open", True),
        (("--is-open", "No"), "is_open", False),
        (("--root", "ab" * 32), "root", b"\xab" * 32),
        (("--piece", PIECE), "piece_id", PIECE),
        (("--piece-id", PIECE), "piece_id", PIECE),
        (("--reason", ""), "reason", ""),
        (("--reason", "-"), "reason", "-"),
        (("--reason", "two words"), "reason", "two words"),
        (("--reason=--odd",), "reason", "--odd"),
    ),
)
def test_a_value_is_read(words: tuple[str, ...], name: str, value: object) -> None:
    assert getattr(read(*words), name) == value


@pytest.mark.parametrize(
    ("words", "said"),
    (
        (("--amount", "1e3"), "--amount: not an amount"),
        (("--amount", "1.001"), "--amount: too many decimals"),
        (("--amount", "-1.00"), "--amount: an amount has no sign"),
        (("--amount", "1,00.00"), "--amount: not an amount"),
        (("--amount", "1.00 EUR"), "the amount is in EUR, the rest in CNY"),
        (("--amount", "92233720368547758.08"), "--amount: too large"),
        (("--amount", "1.00", "2.00"), "--amount: takes one value"),
        (("--amount",), "--amount: takes one value"),
        (("--amount", "1.00", "--amount-minor", "2.00"), "--amount: takes one value"),
        (("--rate-ppm", "4.35001%"), "write 4.35% or 43500"),
        (("--rate-bps", "4.355%"), "'4.355%' has too many decimals"),
        (("--rate-ppm", "-1"), "--rate-ppm: Expected `int` >= 0"),
        (("--count", "4%"), "'4%' is no whole number"),
        (("--count", "1.5"), "'1.5' is no whole number"),
        (("--count", "1,00"), "'1,00' is no whole number"),
        (("--count", "１２"), "is no whole number"),
        (("--count", "9" * 5000), "is no whole number"),
        (("--count", "3000000000"), "--count: Expected `int` <= 2147483647"),
        (("--waits", "1y"), "write 30m, 24h or 7d"),
        (("--day", "2026-13-01"), "--day: '2026-13-01' is not a day, YYYY-MM-DD"),
        (("--day", "tomorrow"), "--day: 'tomorrow' is not a day"),
        (("--expires", "2026-02-30"), "is no time; write '2026-10-08 17:00'"),
        (("--expires", "2026-10-08 17:60"), "is no time"),
        (("--expires", "2026-10-08 24:01"), "--expires: not a time of day"),
        (("--expires", "1969-12-31"), "--expires: before 1970"),
        (("--colour", "green"), "'green' is none of deep_red, sea/blue"),
        (("--is-open", "maybe"), "'maybe' is none of yes, true, no, false"),
        (("--root", "xyz"), "'xyz' is not hex"),
        (("--root", "ab"), "--root: Expected `bytes` of length >= 32"),
        (("--holder", "D 1"), "--holder: 'D 1' is not a party"),
        (("--piece", "piece-1"), "--piece: 'piece-1' is not the id of a record"),
        (("--colours", "x"), "no option --colours; there are: --currency, --amount"),
        (("stray",), "'stray' follows no option"),
    ),
)
def test_a_wrong_value_is_refused_and_the_option_named(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


def test_an_amount_needs_a_currency() -> None:
    with pytest.raises(WordingProblem, match=r"say the currency of 1\.00, e\.g\. '1\.00 CNY'"):
        W.one(Minor, "1.00")
    assert W.one(Minor, "100 JPY") == 100
    assert W.one(Minor, "1.000 KWD") == 1_000


def test_the_exponent_of_the_currency_counts() -> None:
    assert read("--currency", "JPY", "--amount", "1,000").amount_minor == 1_000
    assert read("--amount", "1.000", "--currency", "KWD").amount_minor == 1_000
    assert "too many decimals" in refused("--currency", "JPY", "--amount", "1.50")


# --- structs


def test_a_struct_is_one_quoted_word() -> None:
    assert read("--fees", "name=a fixed=1.00", "name=b rate_ppm=5").fees == (
        Fee(name="a", fixed_minor=100),
        Fee(name="b", rate_ppm=5),
    )
    assert read("--fees", "name='two words' on=sea/blue on=deep-red").fees == (
        Fee(name="two words", on=(Colour.SEA, Colour.DEEP_RED)),
    )


def test_a_struct_may_be_json() -> None:
    assert read("--fees", '{"name": "a", "fixed_minor": "100"}').fees == (
        Fee(name="a", fixed_minor=100),
    )
    assert "--fees: " in refused("--fees", '{"name": 5}')


def test_a_struct_that_needs_one_thing_is_that_thing() -> None:
    key = Key(public_key=b"\x05" * 32)
    assert read("--key", "05" * 32).key == key
    assert read("--key", "public-key=" + "05" * 32).key == key
    assert read("--key", "public_key=" + "05" * 32).key == key


def test_one_of_several_structs_is_named_first() -> None:
    assert read("--action", "grow-by by=5").action == Grow(by=5)
    assert read("--action", "grow_by by=5").action == Grow(by=5)
    assert read("--action", "rename 'new name'").action == Rename(name="new name")
    assert read("--action", '{"type": "rename", "name": "x"}').action == Rename(name="x")


@pytest.mark.parametrize(
    ("words", "said"),
    (
        (("--fees", "name=a name2"), "'name2' is not name=value"),
        (("--fees", "name=a colour=red"), "no option --colour; there are: --name, --fixed"),
        (("--fees", "fixed=1.00"), "--name is missing: Its name."),
        (("--fees", "name='a"), "No closing quotation"),
        (("--action", "shrink by=5"), "'shrink' is none of grow-by, rename"),
        (("--action", ""), "'' is none of grow-by, rename"),
    ),
)
def test_a_wrong_struct_is_refused(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*words)


# --- names of ids


def test_a_bound_name_stands_for_an_id_and_for_nothing_else() -> None:
    bound = Wording(names={"a": PIECE})
    assert read("--piece", "a", wording=bound).piece_id == PIECE
    said = read("--holder", "a", "--reason", "a", "--order", "a", wording=bound)
    assert (said.holder, said.reason, said.order_id) == ("a", "a", "a")


def test_a_name_that_is_not_bound_is_an_id() -> None:
    bound = Wording(names={"a": PIECE})
    assert read("--piece", PIECE, wording=bound).piece_id == PIECE
    assert refused("--piece", "b", wording=bound) == "--piece: no id is bound to 'b'"
    assert refused("--piece", "b", wording=Wording(names={})) == "--piece: no id is bound to 'b'"
    assert refused("--piece", "b") == "--piece: 'b' is not the id of a record"


# --- currencies of records


class Piece(Record, tag="test.piece.1"):
    """Stands for a record that is referred to."""

    currency: Currency
    """Its currency."""


class Split(Struct):
    """Refers to a record that has a currency."""

    piece_id: Annotated[Id, KeyOf("Piece")]
    """The piece."""
    parts: tuple[Minor, ...]
    """The parts."""


def test_amounts_are_in_the_currency_of_the_record_referred_to() -> None:
    asked: list[tuple[str, str]] = []

    def lookup(name: str, key: str) -> Record | None:
        asked.append((name, key))
        return Piece(currency="KWD")

    wording = Wording(lookup=lookup, names={"p": PIECE})
    given = split_options(["--parts", "1.500", "2", "--piece", "p"])
    assert wording._struct(Split, given, [], currency=None).parts == (1_500, 2_000)
    assert asked == [("Piece", PIECE)]


class Paid(Struct):
    """Names a money."""

    amount_minor: Minor
    """How much."""
    money: MoneyId
    """In which."""


def test_amounts_are_in_the_currency_of_the_money() -> None:
    made = W._struct(Paid, split_options(["--amount", "5", "--money", "JPY@b"]), [], currency=None)
    assert made == Paid(amount_minor=5, money="JPY@b")


# --- what is shown can be written again


@pytest.mark.parametrize(
    ("value", "type_", "shown"),
    (
        (100_000, Minor, "1,000.00"),
        (-250, SignedMinor, "-2.50"),
        (43_500, Ppm, "4.35%"),
        (48_588, Ppm, "4.8588%"),
        (1_000_000, Ppm, "100%"),
        (435, Bps, "4.35%"),
        (8_380_800_000, DurationMs, "97d"),
        (1_800_000, DurationMs, "30m"),
        (0, DurationMs, "0d"),
        (1_791_450_000_000, AtMs, "2026-10-08 17:00"),
        (None, Minor | None, "-"),
        (True, bool, "yes"),
        (Colour.SEA, Colour, "sea/blue"),
        (b"\xab" * 32, Hash32, "ab" * 32),
        ((100, 200), tuple[Minor, ...], "1.00 2.00"),
        ((), tuple[Minor, ...], ""),
        ("two words", ShortText, "two words"),
        (Fee(name="two words", fixed_minor=100), Fee, "name='two words' fixed=1.00"),
        ((Fee(name="a"), Fee(name="b")), tuple[Fee, ...], "name=a; name=b"),
        (Grow(by=5), Grow | Rename, "grow-by by=5"),
    ),
)
def test_a_value_is_shown(value: object, type_: Any, shown: str) -> None:
    assert W.show(value, type_, "CNY") == shown
    is_several = isinstance(value, tuple)
    if not is_several and value is not None:
        assert W.one(type_, shown, "CNY") == value


def test_without_a_currency_an_amount_is_its_minor_units() -> None:
    assert W.show(100_000, Minor) == "100000"


@given(st.integers(min_value=0, max_value=10_000_000_000))
def test_every_rate_is_read_as_it_is_shown(value: int) -> None:
    assert W.one(Ppm, W.show(value, Ppm)) == value


@given(st.integers(min_value=0, max_value=2**53))
def test_every_length_of_time_is_read_as_it_is_shown(value: int) -> None:
    assert W.one(DurationMs, W.show(value, DurationMs)) == value


@given(st.integers(min_value=-(2**63), max_value=2**63 - 1))
def test_every_amount_is_read_as_it_is_shown(value: int) -> None:
    assert W.one(SignedMinor, W.show(value, SignedMinor, "CNY"), "CNY") == value


@given(st.text(max_size=200))
def test_no_text_does_worse_than_a_wording_problem(text: str) -> None:
    for info in struct_info(Everything).fields:
        try:
            W._value(info, [text], "CNY")
        except WordingProblem:
            continue


def test_metavars_say_what_is_written() -> None:
    told = {option.flag: option.metavar for option in options(struct_info(Everything).fields)}
    assert told["--amount"] == "1,000.00"
    assert told["--rate-ppm"] == "4.35%|PPM"
    assert told["--is-open"] == ""
    assert told["--colour"] == "deep_red|sea/blue"
    assert told["--piece"] == "PIECE"
    assert told["--fees"] == "TEXT"
    assert told["--key"] == "HEX"
    assert told["--action"] == "'KIND NAME=VALUE …'"
    assert metavar(tuple[Paid, ...]) == "'NAME=VALUE …'"
