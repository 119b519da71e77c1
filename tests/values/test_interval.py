"""Cents of a claim: cut, taken from below, and never lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.values.codec import decode, decode_canonical, encode, replace
from tallystick.values.errors import CodecError, IntervalError
from tallystick.values.interval import Interval, partitions
from tallystick.values.rates import largest_remainder


def of(start: int, end: int) -> Interval:
    """The cents from start to end."""
    return Interval(start_minor=start, end_minor=end)


def test_case_1_a_million_in_three_parts() -> None:
    parts = of(0, 100_000_000).cut((33_333_333, 33_333_333, 33_333_334))
    assert parts == (of(0, 33_333_333), of(33_333_333, 66_666_666), of(66_666_666, 100_000_000))
    assert partitions(100_000_000, parts)
    assert parts[2].cut((1, 33_333_333)) == (
        of(66_666_666, 66_666_667),
        of(66_666_667, 100_000_000),
    )


@pytest.mark.parametrize(
    "lengths", ((99_999_999,), (100_000_000, 0), (100_000_001, -1), (), (1, 2), (100_000_001,))
)
def test_case_1_parts_that_do_not_add_up_are_refused(lengths: tuple[int, ...]) -> None:
    with pytest.raises(IntervalError, match="do not add up"):
        of(0, 100_000_000).cut(lengths)


def test_case_5_a_payment_retires_the_lowest_cents() -> None:
    pieces = (of(0, 12_000_001), of(12_000_001, 21_999_997), of(21_999_997, 30_000_000))
    shares = largest_remainder(18_000_000, [piece.size for piece in pieces])
    retired = [piece.lowest(share) for piece, share in zip(pieces, shares, strict=True)]
    assert [taken for taken, _ in retired] == [
        of(0, 7_200_001),
        of(12_000_001, 17_999_998),
        of(21_999_997, 26_799_999),
    ]
    assert [rest and rest.size for _, rest in retired] == [4_800_000, 3_999_999, 3_200_001]


def test_case_8_a_freeze_cuts_the_lowest_cents() -> None:
    frozen, free = of(0, 10_000_000).lowest(3_000_000)
    assert (frozen, free) == (of(0, 3_000_000), of(3_000_000, 10_000_000))


def test_taking_all_leaves_no_rest() -> None:
    assert of(5, 9).lowest(4) == (of(5, 9), None)


@pytest.mark.parametrize("n", (0, -1, 5))
def test_taking_nothing_or_too_much_is_refused(n: int) -> None:
    with pytest.raises(IntervalError):
        of(5, 9).lowest(n)


@pytest.mark.parametrize(("start", "end"), ((0, 0), (1, 0), (-1, 1)))
def test_an_empty_interval_cannot_be_made(start: int, end: int) -> None:
    with pytest.raises(IntervalError):
        of(start, end)


def test_an_empty_interval_cannot_be_decoded() -> None:
    data = encode(of(7, 9))
    assert decode_canonical(Interval, data) == of(7, 9)
    with pytest.raises(CodecError, match="empty interval"):
        decode(Interval, data[:-1] + b"\x07")


def test_a_changed_interval_is_checked_again() -> None:
    assert replace(of(7, 9), end_minor=8) == of(7, 8)
    with pytest.raises(IntervalError):
        replace(of(7, 9), end_minor=7)


def test_partitions_in_any_order() -> None:
    assert partitions(9, [of(4, 9), of(0, 4)])
    assert partitions(0, [])
    assert not partitions(1, [])
    assert not partitions(9, [of(0, 4)])
    assert not partitions(9, [of(0, 4), of(5, 9)])
    assert not partitions(9, [of(0, 5), of(4, 9)])
    assert not partitions(9, [of(0, 9), of(0, 9)])
    assert not partitions(8, [of(0, 9)])
    assert not partitions(9, [of(1, 9)])


@given(st.lists(st.integers(1, 10**12), min_size=1, max_size=30), st.randoms())
def test_every_cut_partitions_its_interval(lengths: list[int], random: object) -> None:
    face = sum(lengths)
    parts = list(of(0, face).cut(lengths))
    assert [part.size for part in parts] == lengths
    random.shuffle(parts)  # type: ignore[attr-defined]
    assert partitions(face, parts)
    if len(parts) > 1:
        assert not partitions(face, parts[1:])
