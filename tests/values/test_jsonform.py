"""The JSON form: what people and other programs see."""

import json
from enum import Enum
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given

from tallystick.values.codec import Struct, from_json, to_json
from tallystick.values.errors import CodecError
from tallystick.values.interval import Interval
from tallystick.values.units import INT64_MAX, Count, Hash32, KeyOf, Minor, PartyId, SignedMinor
from tests.values.test_codec import Colour, Envelope, Note, Other, notes


class Step(Enum):
    """An enum of numbers."""

    ONE = 1


class Mixed(Struct, tag="test.mixed.1"):
    """Unions and amounts in places where they are easy to miss."""

    limit_minor: Minor | None = None
    """An amount or none."""
    shares_minor: tuple[Minor, ...] = ()
    """Amounts in a row."""
    totals: tuple[tuple[PartyId, SignedMinor], ...] = ()
    """Amounts in pairs."""
    step: Step | None = None
    """An enum or none."""
    part: Annotated[Interval, KeyOf("Piece")] | None = None
    """A struct or none."""
    word: str | int | bool | None = None
    """Anything plain."""
    envelope: Envelope | None = None
    """A struct that travels as an array."""


class Wide(Struct):
    """A union of all that JSON tells apart."""

    any: Hash32 | Count | bool | tuple[Minor, ...] | None
    """One of them."""


class Tagged(Struct, tag="tagged", array_like=True):
    """A struct that travels as an array after its tag."""

    hash: Hash32
    """A hash."""


def test_amounts_are_strings_of_digits_and_bytes_are_lower_hex() -> None:
    note = Note(holder="S1", amount_minor=INT64_MAX, hash=bytes(31) + b"\xab", pair=(3, True))
    assert json.loads(to_json(note)) == {
        "type": "test.note.1",
        "holder": "S1",
        "amount_minor": "9223372036854775807",
        "change_minor": "0",
        "colour": "red",
        "is_final": False,
        "memo": "",
        "hash": "00" * 31 + "ab",
        "parts": [],
        "pair": [3, True],
    }


@given(notes)
def test_what_is_shown_is_read_back(note: Note) -> None:
    assert from_json(Note, to_json(note)) == note
    assert from_json(Note | Other, to_json(note)) == note
    assert from_json(Other, to_json(Other(next=note))) == Other(next=note)
    envelope = Envelope(format=1, note=Other(next=note))
    assert from_json(Envelope, to_json(envelope)) == envelope


def test_amounts_are_found_inside_unions_tuples_and_structs() -> None:
    mixed = Mixed(
        limit_minor=7,
        shares_minor=(1, 2),
        totals=(("S1", -5),),
        step=Step.ONE,
        part=Interval(start_minor=0, end_minor=9),
        word=12,
        envelope=Envelope(format=2, note=Note(holder="S1", change_minor=-1)),
    )
    shown = json.loads(to_json(mixed))
    assert shown["limit_minor"] == "7"
    assert shown["shares_minor"] == ["1", "2"]
    assert shown["totals"] == [["S1", "-5"]]
    assert shown["step"] == 1
    assert shown["part"] == {"start_minor": "0", "end_minor": "9"}
    assert shown["word"] == 12
    assert shown["envelope"][0] == 2
    assert shown["envelope"][1]["change_minor"] == "-1"
    assert from_json(Mixed, to_json(mixed)) == mixed


@pytest.mark.parametrize("word", ("x", 0, True, False, None))
def test_plain_unions_keep_their_value(word: str | int | bool | None) -> None:
    read = from_json(Mixed, to_json(Mixed(word=word)))
    assert read.word is word or (read.word == word and type(read.word) is type(word))


def test_what_is_left_out_has_its_default() -> None:
    assert from_json(Note, '{"type": "test.note.1", "holder": "S1"}') == Note(holder="S1")
    assert from_json(Mixed, b"{}") == Mixed()


def test_a_tag_stands_first_also_in_an_array() -> None:
    tagged = Tagged(hash=bytes(32))
    assert to_json(tagged) == b'["tagged","' + b"00" * 32 + b'"]'
    assert from_json(Tagged, to_json(tagged)) == tagged


NOT_A_NOTE = {
    "a number for an amount": ('{"amount_minor": 5}', "string of digits - at `$.amount_minor`"),
    "a float for an amount": ('{"amount_minor": 5.0}', "$.amount_minor"),
    "a float in digits": ('{"amount_minor": "5.0"}', "$.amount_minor"),
    "an exponent": ('{"amount_minor": "1e3"}', "$.amount_minor"),
    "a leading zero": ('{"amount_minor": "05"}', "$.amount_minor"),
    "a plus": ('{"amount_minor": "+5"}', "$.amount_minor"),
    "a minus nothing": ('{"change_minor": "-0"}', "$.change_minor"),
    "digits of another script": ('{"amount_minor": "１"}', "$.amount_minor"),
    "a newline": ('{"amount_minor": "1\\n"}', "$.amount_minor"),
    "nothing": ('{"amount_minor": null}', "$.amount_minor"),
    "2^63": ('{"amount_minor": "9223372036854775808"}', "$.amount_minor"),
    "a negative amount": ('{"amount_minor": "-1"}', "$.amount_minor"),
    "a great many digits": ('{"amount_minor": "' + "9" * 100_000 + '"}', "$.amount_minor"),
    "upper hex": ('{"hash": "' + "AB" * 32 + '"}', "lower hex - at `$.hash`"),
    "half a byte": ('{"hash": "a"}', "$.hash"),
    "a short hash": ('{"hash": "ab"}', "$.hash"),
    "a number for bytes": ('{"hash": 5}', "$.hash"),
    "an amount in a part": (
        '{"parts": [{"start_minor": 0, "end_minor": "1"}]}',
        "$.parts[0].start_minor",
    ),
    "parts that are no list": ('{"parts": 5}', "$.parts"),
    "a part that is no object": ('{"parts": [5]}', "$.parts[0]"),
    "a pair of three": ('{"pair": [1, true, 2]}', "$.pair"),
    "a pair that is no list": ('{"pair": "ab"}', "$.pair"),
    "an unknown field": ('{"colour2": 1}', "unknown field `colour2`"),
    "an unknown enum": ('{"colour": "green"}', "$.colour"),
    "an integer as a float": ('{"pair": [1.0, true]}', "$.pair[0]"),
    "no object": ("5", "Expected `object`"),
    "no JSON": ("{", "truncated"),
    "a nan": ('{"amount_minor": NaN}', "malformed"),
}


@pytest.mark.parametrize(("data", "reason"), NOT_A_NOTE.values(), ids=NOT_A_NOTE.keys())
def test_what_is_no_value_is_refused_by_name(data: str, reason: str) -> None:
    text = data.replace("{", '{"type": "test.note.1", "holder": "S1", ', 1) if data[1:] else data
    with pytest.raises(CodecError) as raised:
        from_json(Note, text)
    assert reason in str(raised.value)
    assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "data",
    (
        '{"holder": "S1"}',
        '{"type": "nobody", "holder": "S1"}',
        '{"type": ["x"]}',
        '{"type": {}}',
        "[]",
        "5",
        '"x"',
        "null",
        b"\xff",
        "[" * 100000,
        '"\\ud800"',
    ),
)
def test_one_of_several_structs_needs_its_tag(data: str | bytes) -> None:
    with pytest.raises(CodecError):
        from_json(Note | Other, data)


@pytest.mark.parametrize(
    "type_", (Minor | PartyId | None, Minor | Hash32, tuple[SignedMinor | Colour, ...])
)
def test_types_that_json_cannot_tell_apart_are_refused(type_: Any) -> None:
    with pytest.raises(CodecError, match="tell apart"):
        from_json(type_, b'"00"')


@pytest.mark.parametrize("value", (True, None, 5, bytes(32), (5, 6)))
def test_types_that_json_tells_apart_are_read(value: bytes | int | tuple[int, ...] | None) -> None:
    assert from_json(Wide, to_json(Wide(any=value))) == Wide(any=value)


def test_a_count_stays_a_number() -> None:
    class Counted(Struct):
        """A count beside an amount without a name."""

        count: Count
        """How many."""
        bare: Annotated[int, msgspec.Meta(ge=0)]
        """A number without a unit."""

    assert to_json(Counted(count=3, bare=4)) == b'{"count":3,"bare":4}'
    assert from_json(Counted, b'{"count":3,"bare":4}') == Counted(count=3, bare=4)
