"""One value, one encoding: what a stranger may send instead, and what becomes of it."""

from enum import Enum
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.codec import (
    Struct,
    StructMeta,
    check_type,
    decode,
    decode_canonical,
    decoder,
    encode,
)
from tallystick.values.errors import CodecError
from tallystick.values.interval import Interval
from tallystick.values.units import INT64_MAX, INT64_MIN, Count, Hash32, Minor, PartyId, SignedMinor


class Colour(Enum):
    """A status."""

    RED = "red"
    BLUE = "blue"


class Note(Struct, tag="test.note.1"):
    """A record with one field of each kind."""

    holder: PartyId
    """Who holds it."""
    amount_minor: Minor = 0
    """How much."""
    change_minor: SignedMinor = 0
    """How much more."""
    colour: Colour = Colour.RED
    """Its colour."""
    is_final: bool = False
    """Whether it is."""
    memo: Annotated[str, msgspec.Meta(max_length=20)] = ""
    """A word."""
    hash: Hash32 | None = None
    """Of what."""
    parts: Annotated[tuple[Interval, ...], msgspec.Meta(max_length=4)] = ()
    """Its parts."""
    pair: tuple[Count, bool] | None = None
    """Two of different types."""


class Other(Struct, tag="test.other.1"):
    """Another record."""

    next: Note | None = None
    """A record inside a record."""


class Envelope(Struct, array_like=True):
    """A struct that travels as an array."""

    format: Count
    """Its format."""
    note: Note | Other
    """What it carries."""


notes = st.builds(
    Note,
    holder=st.from_regex(r"[A-Za-z0-9-]{1,32}", fullmatch=True),
    amount_minor=st.integers(0, INT64_MAX),
    change_minor=st.integers(INT64_MIN, INT64_MAX),
    colour=st.sampled_from(Colour),
    is_final=st.booleans(),
    memo=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    hash=st.none() | st.binary(min_size=32, max_size=32),
    parts=st.lists(
        st.builds(
            lambda start, size: Interval(start_minor=start, end_minor=start + size),
            st.integers(0, 2**40),
            st.integers(1, 2**40),
        ),
        max_size=4,
    ).map(tuple),
    pair=st.none() | st.tuples(st.integers(0, 99), st.booleans()),
)


@given(notes)
def test_what_is_encoded_is_read_back_and_canonical(note: Note) -> None:
    data = encode(note)
    assert decode(Note, data) == note
    assert decode_canonical(Note, data) == note
    assert decode_canonical(Note | Other, data) == note
    envelope = Envelope(format=1, note=Other(next=note))
    assert decode_canonical(Envelope, encode(envelope)) == envelope


@given(st.binary(max_size=60))
def test_any_bytes_are_canonical_or_refused(data: bytes) -> None:
    try:
        note = decode_canonical(Note, data)
    except CodecError:
        return
    assert encode(note) == data


@given(notes, st.data())
def test_a_changed_byte_is_another_value_or_refused(note: Note, data: st.DataObject) -> None:
    good = encode(note)
    index = data.draw(st.integers(0, len(good) - 1))
    flipped = bytes((good[index] ^ data.draw(st.integers(1, 255)),))
    changed = good[:index] + flipped + good[index + 1 :]
    try:
        other = decode_canonical(Note, changed)
    except CodecError:
        return
    assert other != note


def pack(*pairs: tuple[str, bytes]) -> bytes:
    """A MessagePack map of these names and packed values, in this order."""
    packed = b"".join(msgspec.msgpack.encode(name) + value for name, value in pairs)
    return bytes((0x80 + len(pairs),)) + packed


TAG = ("type", b"\xabtest.note.1")
HOLDER = ("holder", b"\xa2S1")


def test_the_bytes_of_a_record() -> None:
    note = Note(holder="S1", amount_minor=300)
    data = pack(TAG, HOLDER, ("amount_minor", b"\xcd\x01\x2c"))
    assert encode(note) == data
    assert decode_canonical(Note, data) == note


NOT_CANONICAL = {
    "an over-long integer": pack(TAG, HOLDER, ("amount_minor", b"\xcc\x05")),
    "a wider integer": pack(TAG, HOLDER, ("amount_minor", b"\xcf" + bytes(6) + b"\x01\x2c")),
    "a signed form of a positive integer": pack(TAG, HOLDER, ("amount_minor", b"\xd1\x01\x2c")),
    "fields in another order": pack(TAG, ("amount_minor", b"\x05"), HOLDER),
    "the tag last": pack(HOLDER, TAG),
    "a field twice": pack(TAG, HOLDER, ("amount_minor", b"\x07"), ("amount_minor", b"\x05")),
    "a field twice, alike": pack(TAG, HOLDER, HOLDER),
    "the tag twice": pack(TAG, TAG, HOLDER),
    "a default written out": pack(TAG, HOLDER, ("amount_minor", b"\x00")),
    "a default truth value written out": pack(TAG, HOLDER, ("is_final", b"\xc2")),
    "a default enum written out": pack(TAG, HOLDER, ("colour", b"\xa3red")),
    "a default text written out": pack(TAG, HOLDER, ("memo", b"\xa0")),
    "a default tuple written out": pack(TAG, HOLDER, ("parts", b"\x90")),
    "nothing written out": pack(TAG, HOLDER, ("hash", b"\xc0")),
    "an over-long text": pack(TAG, ("holder", b"\xd9\x02S1")),
    "an over-long array": pack(TAG, HOLDER, ("pair", b"\xdc\x00\x02\x01\xc3")),
    "over-long bytes": pack(TAG, HOLDER, ("hash", b"\xc5\x00\x20" + bytes(32))),
    "an over-long map": b"\xde\x00\x02" + pack(TAG, HOLDER)[1:],
    "an over-long name": b"\x82\xd9\x04type\xabtest.note.1" + pack(HOLDER)[1:],
}


@pytest.mark.parametrize("data", NOT_CANONICAL.values(), ids=NOT_CANONICAL.keys())
def test_a_second_way_to_write_a_value_is_refused(data: bytes) -> None:
    assert decode(Note, data).holder == "S1"
    with pytest.raises(CodecError, match="not canonical"):
        decode_canonical(Note, data)


NOT_A_NOTE = {
    "nothing": (b"", "truncated"),
    "a byte too many": (pack(TAG, HOLDER) + b"\x00", "trailing"),
    "a byte too few": (pack(TAG, HOLDER)[:-1], "truncated"),
    "no map": (b"\x05", "Expected `object`"),
    "another tag": (pack(("type", b"\xabtest.note.2"), HOLDER), "$.type"),
    "no tag where there are several": (pack(HOLDER), "missing required field `type`"),
    "an unknown field": (pack(TAG, HOLDER, ("colour2", b"\x00")), "unknown field `colour2`"),
    "a field missing": (pack(TAG), "missing required field `holder`"),
    "a newline in an id": (pack(TAG, ("holder", b"\xa3S1\n")), "$.holder"),
    "digits of another script": (pack(TAG, ("holder", b"\xa4S\xef\xbc\x91")), "$.holder"),
    "a float": (pack(TAG, HOLDER, ("amount_minor", b"\xcb" + bytes(8))), "$.amount_minor"),
    "not a number": (
        pack(TAG, HOLDER, ("amount_minor", b"\xcb\x7f\xf8" + bytes(6))),
        "$.amount_minor",
    ),
    "a truth value for a number": (pack(TAG, HOLDER, ("amount_minor", b"\xc3")), "$.amount_minor"),
    "a number for a truth value": (pack(TAG, HOLDER, ("is_final", b"\x01")), "$.is_final"),
    "digits for a number": (pack(TAG, HOLDER, ("amount_minor", b"\xa15")), "$.amount_minor"),
    "a negative amount": (pack(TAG, HOLDER, ("amount_minor", b"\xff")), "$.amount_minor"),
    "2^63": (pack(TAG, HOLDER, ("amount_minor", b"\xcf\x80" + bytes(7))), "$.amount_minor"),
    "2^64 - 1": (pack(TAG, HOLDER, ("amount_minor", b"\xcf" + b"\xff" * 8)), "$.amount_minor"),
    "text for bytes": (pack(TAG, HOLDER, ("hash", b"\xd9\x20" + b"a" * 32)), "$.hash"),
    "bytes for text": (pack(TAG, ("holder", b"\xc4\x02S1")), "$.holder"),
    "text that is not UTF-8": (pack(TAG, ("holder", b"\xa1\xff")), "utf-8"),
    "half a surrogate": (pack(TAG, HOLDER, ("memo", b"\xa3\xed\xa0\x80")), "utf-8"),
    "an unknown enum": (pack(TAG, HOLDER, ("colour", b"\xa5green")), "$.colour"),
    "an extension": (pack(TAG, HOLDER, ("amount_minor", b"\xd4\x01\x00")), "$.amount_minor"),
    "too many parts": (pack(TAG, HOLDER, ("parts", b"\x95" + b"\x80" * 5)), "$.parts"),
    "an endless array": (pack(TAG, HOLDER, ("parts", b"\xdd\xff\xff\xff\xff")), ""),
    "an endless text": (pack(TAG, ("holder", b"\xdb\xff\xff\xff\xff")), "truncated"),
    "an empty part": (
        pack(TAG, HOLDER, ("parts", b"\x91\x82\xabstart_minor\x01\xa9end_minor\x01")),
        "empty interval",
    ),
    "a deep nest": (b"\x91" * 100_000, "Expected `object`"),
}


@pytest.mark.parametrize(("data", "reason"), NOT_A_NOTE.values(), ids=NOT_A_NOTE.keys())
def test_what_is_no_value_is_refused_by_name(data: bytes, reason: str) -> None:
    with pytest.raises(CodecError) as raised:
        decode(Note | Other, data)
    assert reason in str(raised.value)
    assert str(raised.value).isascii()
    assert len(str(raised.value)) < 400


def test_a_million_letters_of_a_stranger_are_not_repeated() -> None:
    name = b"\xdb\x00\x0f\x42\x40" + b"\xe7\x94\xb2\n" * 250_000
    with pytest.raises(CodecError) as raised:
        decode(Note, b"\x81" + name + b"\x00")
    assert len(str(raised.value)) < 400
    assert "\n" not in str(raised.value)


def test_what_msgspec_cannot_write_is_refused() -> None:
    with pytest.raises(CodecError):
        encode(Note(holder="S1", amount_minor=2**64))
    with pytest.raises(CodecError):
        encode(Note(holder="S1", change_minor=INT64_MIN - 1))
    with pytest.raises(CodecError, match="surrogates"):
        encode(Note(holder="\ud800"))


def test_structs_are_frozen_named_and_closed() -> None:
    note = Note(holder="S1")
    with pytest.raises(AttributeError):
        note.holder = "S2"  # type: ignore[misc]
    with pytest.raises(TypeError):
        Note("S1")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Note(holder="S1", colour2=1)  # type: ignore[call-arg]
    assert hash(note) == hash(Note(holder="S1"))


def test_a_decoder_is_built_once() -> None:
    assert decoder(Note) is decoder(Note)
    assert decoder(Note).decode(encode(Note(holder="S1"))) == Note(holder="S1")
    assert decoder(Note | None).decode(b"\xc0") is None


# msgspec omits a field whose value is the very object of the default, so of equal values
# only those may be defaults of which there is one copy.
@pytest.mark.parametrize("default", (257, -6, "CNY", "a", b"x", (1,), 10**30))
def test_a_default_that_equal_values_may_differ_from_is_refused(default: object) -> None:
    with pytest.raises(TypeError, match="ambiguous default"):
        StructMeta(
            "Bad", (Struct,), {"__annotations__": {"field": type(default)}, "field": default}
        )


@pytest.mark.parametrize("default", (256, -5, "", b"", (), None, True, Colour.BLUE))
def test_a_default_of_one_copy_is_left_out_after_decoding_too(default: object) -> None:
    kind: Any = tuple[int, ...] if default == () else type(default) | None
    made: Any = StructMeta(
        "Good", (Struct,), {"__annotations__": {"field": kind}, "field": default}
    )
    explicit = b"\x81\xa5field" + msgspec.msgpack.encode(default)
    assert encode(made()) == encode(decode(made, explicit)) == b"\x80"


class Plain(msgspec.Struct):
    """A struct that is not ours."""


class Holder(Struct, tag="test.holder.1"):
    """A struct of ours with a field that is not."""

    plain: tuple[Plain, ...]
    """What it holds."""


@pytest.mark.parametrize(
    "type_",
    (
        float,
        dict[str, int],
        list[int],
        set[int],
        frozenset[int],
        Any,
        msgspec.Raw,
        object,
        tuple[float, ...],
        tuple[int, float],
        int | float,
        Annotated[float, msgspec.Meta(ge=0)],
        Plain,
        Holder,
        Holder | Note,
    ),
)
def test_types_that_are_not_exact_have_no_decoder(type_: Any) -> None:
    with pytest.raises(CodecError):
        check_type(type_)
    with pytest.raises(CodecError):
        decode(type_, b"\xc0")
