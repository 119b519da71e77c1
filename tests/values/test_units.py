"""What a field of each type lets through, and what a stranger may try."""

from typing import Annotated, Any, get_args

import msgspec
import pytest

from tallystick.values import units
from tallystick.values.units import INT64_MAX, INT64_MIN, KeyOf


def fits(type_: Any, value: object) -> bool:
    """Does the type let the value through?"""
    try:
        msgspec.convert(value, type_)
    except msgspec.ValidationError:
        return False
    return True


GOOD = [
    (units.Minor, (0, INT64_MAX)),
    (units.SignedMinor, (INT64_MIN, -1, 0, INT64_MAX)),
    (units.Ppm, (0, 43_500, 10_000_000_000)),
    (units.SharePpm, (0, 1_000_000)),
    (units.PositiveCount, (1, 2**31 - 1)),
    (units.YearlyCostPpm, (0, INT64_MAX)),
    (units.Bps, (0, 435)),
    (units.AtMs, (0, 2**53)),
    (units.DurationMs, (0, 2**53)),
    (units.Count, (0, 2**31 - 1)),
    (units.Days, (0, 36_500)),
    (units.Minutes, (0, 525_600)),
    (units.MinuteOfDay, (0, 1_020, 1_440)),
    (units.OffsetMinutes, (-720, 0, 480, 840)),
    (units.Height, (0, 2**53)),
    (units.Day, ("2026-10-08", "0001-01-01", "9999-12-31")),
    (units.PartyId, ("S1", "bank-a", "A" * 32)),
    (units.OfficerId, ("maker", "officer-7")),
    (units.OutletId, ("head-office",)),
    (units.Id, ("piece-0123456789abcdef", "abcdefghijklmno-0123456789abcdef")),
    (units.Reference, ("x", "PO 2026/17", "~" * 64)),
    (units.Currency, ("CNY",)),
    (units.MoneyId, ("CNY@central-bank", "CNY@" + "a" * 32)),
    (units.Name, ("Bank A", "甲银行", "Ærø Sparekasse", "x" * 140)),
    (units.ShortText, ("", "one line", "甲" * 140)),
    (units.Text, ("", "two\nlines", "x" * 500)),
    (units.Label, ("warehouse.trade", "late_ppm_per_day", "v1-x", "a" * 64)),
    (units.Hash32, (bytes(32),)),
    (units.PublicKey, (bytes(32),)),
    (units.Signature64, (bytes(64),)),
    (units.Salt16, (bytes(16),)),
]

BAD = [
    (units.Minor, (-1, INT64_MAX + 1, 1.0, True, "1", None, float("nan"), 10**400)),
    (units.SignedMinor, (INT64_MIN - 1, INT64_MAX + 1)),
    (units.Ppm, (-1, 10_000_000_001)),
    (units.SharePpm, (-1, 1_000_001)),
    (units.PositiveCount, (0, 2**31)),
    (units.YearlyCostPpm, (-1, INT64_MAX + 1)),
    (units.Bps, (-1, 100_000_001)),
    (units.AtMs, (-1, 2**53 + 1)),
    (units.DurationMs, (-1, 2**53 + 1)),
    (units.Count, (-1, 2**31)),
    (units.Days, (-1, 36_501)),
    (units.Minutes, (-1, 525_601)),
    (units.MinuteOfDay, (-1, 1_441)),
    (units.OffsetMinutes, (-721, 841)),
    (units.Height, (-1, 2**53 + 1)),
    (units.Day, ("", "2026-10-8", "2026-13-01", "2026-00-01", "2026-01-32", "2026-01-00")),
    (units.Day, ("2026-10-08\n", "２０２６-10-08", "2026-10-0٨", "12026-10-08", "20261008")),
    (units.PartyId, ("", "A" * 33, "a_b", "a b", "a\n", "\na", "a\nb", "а", "１", "a\x00")),
    (units.OfficerId, ("", "A" * 33, "a.b", "a\n", "é")),
    (units.OutletId, ("", "A" * 33, "a/b", "a\n", "２")),
    (units.Id, ("piece-0123456789abcdeF", "piece-0123456789abcde", "-0123456789abcdef")),
    (units.Id, ("piece-0123456789abcdef\n", "Piece-0123456789abcdef", "piece0123456789abcdef")),
    (units.Id, ("piece-０123456789abcdef", "abcdefghijklmnop-0123456789abcdef")),
    (units.Reference, ("", "x" * 65, "a\n", "a\tb", "é", "\x7f", "甲")),
    (units.Currency, ("", "CN", "CNYX", "cny", "CNY\n", "ＣＮＹ", "CN1")),
    (units.MoneyId, ("CNY", "CNY@", "@bank-a", "CNY@" + "a" * 33, "CNY@a\n", "CNY@a@b")),
    (units.Name, ("", "x" * 141, "a\n", "a\nb", "a\tb", "a\x00", "a\x85", "a\u2028b")),
    (units.Name, ("bank\u202eknab", "a\u2066b", "\x1b[31mred")),
    (units.ShortText, ("x" * 141, "\n", "a\rb", "a\u202e")),
    (units.Text, ("x" * 501, b"x")),
    (units.Label, ("", "Trade", "a b", "a\n", "a" * 65, "ａ")),
    (units.Hash32, (bytes(31), bytes(33), "x" * 32)),
    (units.PublicKey, (bytes(31), bytes(33))),
    (units.Signature64, (bytes(63), bytes(65))),
    (units.Salt16, (bytes(15), bytes(17))),
]


@pytest.mark.parametrize(("type_", "values"), GOOD)
def test_what_fits_a_type(type_: Any, values: tuple[object, ...]) -> None:
    assert [value for value in values if not fits(type_, value)] == []


@pytest.mark.parametrize(("type_", "values"), BAD)
def test_what_does_not_fit_a_type(type_: Any, values: tuple[object, ...]) -> None:
    assert [value for value in values if fits(type_, value)] == []


def test_every_type_is_tried_here() -> None:
    named = {name for name, value in vars(units).items() if hasattr(value, "__metadata__")}
    tried = {
        name
        for name in named
        if any(getattr(units, name) is each for each, _ in GOOD)
        and any(getattr(units, name) is each for each, _ in BAD)
    }
    assert tried == named
    assert len(named) == 31


def test_money_says_that_it_is_money() -> None:
    for type_ in (units.Minor, units.SignedMinor):
        metadata: Any = get_args(type_)[1]
        assert metadata.extra == {"unit": units.UNIT_MINOR}


def test_a_field_says_which_record_it_refers_to() -> None:
    piece_id = Annotated[units.Id, KeyOf("Piece")]
    assert KeyOf("Piece") in get_args(piece_id)
    assert KeyOf("Piece").record == "Piece"
    assert fits(piece_id, "piece-0123456789abcdef")
    assert not fits(piece_id, "piece-0123456789abcdef\n")
