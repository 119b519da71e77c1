"""Keys sort as their tuples, and a prefix finds exactly what it begins."""

from enum import Enum, IntEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.codec import decode_key, encode_key, prefix_end
from tallystick.values.errors import CodecError


class Status(Enum):
    """A status as records have it."""

    HELD = "held"
    RETIRED = "retired"


class Grade(IntEnum):
    """A status with a number."""

    FIRST = 1


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.text(
    "\x00\x01a", max_size=4
)
raw = st.binary(max_size=4) | st.lists(st.sampled_from([0, 1, 255]), max_size=4).map(bytes)
ints = st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3)
COLUMNS = {str: texts, bytes: raw, int: ints, bool: st.booleans()}

shapes = st.lists(st.sampled_from([str, bytes, int, bool]), max_size=4)
pairs = shapes.flatmap(
    lambda shape: st.tuples(*[st.tuples(*(COLUMNS[kind] for kind in shape))] * 2)
)
anything = st.lists(texts | raw | ints | st.booleans(), max_size=4).map(tuple)


@given(pairs)
def test_keys_sort_as_tuples_do(pair: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    first, second = pair
    assert (encode_key("r", *first) < encode_key("r", *second)) == (first < second)
    assert (encode_key("r", *first) == encode_key("r", *second)) == (first == second)


@given(pairs, st.integers(0, 4))
def test_a_shorter_key_sorts_first(
    pair: tuple[tuple[str, ...], tuple[str, ...]], length: int
) -> None:
    first, second = pair[0][:length], pair[1]
    assert (encode_key("r", *first) < encode_key("r", *second)) == (first < second)


@given(texts, anything)
def test_keys_are_read_back(name: str, fields: tuple[str, ...]) -> None:
    read = decode_key(encode_key(name, *fields))
    assert read == (name, *fields)
    assert [type(each) for each in read] == [str, *map(type, fields)]


@given(anything, anything)
def test_a_prefix_begins_the_keys_that_share_its_fields_and_no_others(
    some: tuple[str, ...], fields: tuple[str, ...]
) -> None:
    def typed(values: tuple[str, ...]) -> list[tuple[type, str]]:
        return [(type(value), value) for value in values]

    shares = typed(fields)[: len(some)] == typed(some)
    assert encode_key("r", *fields).startswith(encode_key("r", *some)) == shares
    assert encode_key("r", *some, *fields).startswith(encode_key("r", *some))


def test_a_name_is_not_the_beginning_of_a_longer_one() -> None:
    assert not encode_key("cash.balance").startswith(encode_key("cash.bal"))
    assert not encode_key("p", "a\x00b").startswith(encode_key("p", "a"))


def test_the_bytes_of_a_key() -> None:
    assert encode_key("piece", "a\x00", 1, -1, True, False, b"\x00\xff") == bytes.fromhex(
        "02" + b"piece".hex() + "0001"
        "02" + "6100ff" + "0001"
        "03" + "8000000000000001"
        "03" + "7fffffffffffffff"
        "05"
        "04"
        "01" + "00ffff" + "0001"
    )


def test_an_enum_stands_by_its_value() -> None:
    assert encode_key("p", Status.HELD) == encode_key("p", "held")
    assert encode_key("p", Grade.FIRST) == encode_key("p", 1)


class Name(str):
    """A text of a kind of its own."""


class Number(int):
    """A number of a kind of its own."""


def test_kinds_of_text_and_numbers_are_what_they_are_kinds_of() -> None:
    assert encode_key("p", Name("a"), Number(7)) == encode_key("p", "a", 7)


@pytest.mark.parametrize("number", (2**63, -(2**63) - 1, 10**400))
def test_a_number_beyond_64_bits_is_no_field(number: int) -> None:
    with pytest.raises(CodecError, match="64 bits"):
        encode_key("p", number)


@pytest.mark.parametrize("field", (1.0, None, ("a",)))
def test_other_types_are_no_fields(field: object) -> None:
    with pytest.raises(CodecError, match="no field"):
        encode_key("p", field)  # type: ignore[arg-type]


def test_half_a_surrogate_is_no_text() -> None:
    with pytest.raises(CodecError, match="not Unicode"):
        encode_key("p", "\ud800")


@pytest.mark.parametrize(
    "data",
    (
        b"\x00",
        b"\x06",
        b"\xff",
        b"\x02a",
        b"\x02a\x00",
        b"\x02a\x00\x02",
        b"\x01",
        b"\x03\x80",
        b"\x02\xff\x00\x01",
        b"\x02a\x00\x01\x07",
        b"\x03" + bytes(7),
    ),
)
def test_what_is_not_a_key(data: bytes) -> None:
    with pytest.raises(CodecError, match="not a key"):
        decode_key(data)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_key_or_refused(data: bytes) -> None:
    try:
        fields = decode_key(data)
    except CodecError:
        return
    if fields and isinstance(fields[0], str):
        assert encode_key(fields[0], *fields[1:]) == data


@given(st.binary(min_size=1, max_size=6), st.binary(max_size=6))
def test_the_end_of_a_prefix_is_above_all_it_begins(prefix: bytes, more: bytes) -> None:
    if prefix.strip(b"\xff"):
        assert prefix + more < prefix_end(prefix)
        assert not prefix_end(prefix).startswith(prefix)


def test_the_end_of_a_prefix_is_the_smallest() -> None:
    assert prefix_end(b"a") == b"b"
    assert prefix_end(b"a\xff\xff") == b"b"
    for prefix in (b"", b"\xff\xff"):
        with pytest.raises(CodecError):
            prefix_end(prefix)
