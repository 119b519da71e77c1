"""What every body must do with used references; a plain dict says what is right."""

from __future__ import annotations

from random import Random
from typing import ClassVar

import pytest

from tallystick.accel import Body
from tallystick.ledger.side import Use, is_over, over_ms
from tallystick.values.codec import encode


class UsedConformance:
    """A reference is used up until its minute is over; a minute that is forgotten is gone."""

    body: ClassVar[Body]

    def test_a_reference_is_used_up_until_its_minute_is_over(self) -> None:
        used = self.body.used_references()
        assert used.used_by("A", "r", 0) is None
        used.note(7, encode([("A", "r", b"1" * 32), ("A", "", b""), ("", "", b"2")]))
        assert used.used_by("A", "r", over_ms(7) - 1) == b"1" * 32
        assert used.used_by("A", "r", over_ms(7)) is None
        assert (used.used_by("A", "", 0), used.used_by("", "", 0)) == (b"", b"2")
        assert used.used_by("B", "r", 0) is used.used_by("A", "s", 0) is None
        assert used.used_by("Ar", "", 0) is used.used_by("", "Ar", 0) is None
        assert used.count == 3
        asked = [("A", "s"), ("A", "r"), ("B", "r"), ("A", "r"), ("", ""), ("A", "")]
        found = {("A", "r"): b"1" * 32, ("A", ""): b"", ("", ""): b"2"}
        assert used.used_among(asked, over_ms(7) - 1) == found
        assert used.used_among(asked, over_ms(7)) == used.used_among([], 0) == {}

    def test_a_reference_may_be_used_anew_when_its_minute_is_over(self) -> None:
        used = self.body.used_references()
        used.note(7, encode([("A", "r", b"first"), ("A", "s", b"other")]))
        used.note(9, encode([("A", "r", b"second")]))
        assert used.used_by("A", "r", over_ms(7)) == b"second"
        used.forget([7])
        assert used.used_by("A", "r", over_ms(7)) == b"second"
        assert used.used_by("A", "s", 0) is None
        assert used.count == 1
        used.forget([])
        used.forget([9, 11])
        assert used.used_by("A", "r", 0) is None
        assert used.count == 0

    def test_texts_of_any_length_and_script(self) -> None:
        used = self.body.used_references()
        long = "\u00e9\u4e2d\U0001f600" * 1_000
        for at in range(300):  # over a million bytes of one minute
            used.note(1, encode([(long, f"{long}{at}", bytes((at % 256,)))]))
        for at in range(300):
            assert used.used_by(long, f"{long}{at}", 0) == bytes((at % 256,))
        assert used.used_by(long, f"{long}300", 0) is None
        used.forget([1])
        assert used.used_by(long, f"{long}0", 0) is None

    @pytest.mark.parametrize("seed", range(4))
    def test_minutes_at_random(self, seed: int) -> None:
        random, used = Random(seed), self.body.used_references()
        right: dict[tuple[str, str], tuple[int, bytes]] = {}
        noted: dict[int, int] = {}
        now = 0
        for _ in range(400):
            now += random.randrange(60_000)
            over = [minute for minute in noted if is_over(minute, now)]
            used.forget(over)
            for minute in over:
                noted.pop(minute)
            for minute in {now // 60_000 + random.randrange(4) for _ in range(3)}:
                uses: list[Use] = []
                for _ in range(random.choice((1, 3, 40, 200))):
                    who, what = f"S{random.randrange(40)}", f"r{random.randrange(3_000)}"
                    found = right.get((who, what))
                    if found is None or is_over(found[0], now):
                        uses.append((who, what, random.randbytes(32)))
                        right[who, what] = minute, uses[-1][2]
                used.note(minute, encode(uses))
                noted[minute] = noted.get(minute, 0) + len(uses)
            for _ in range(100):
                who, what = f"S{random.randrange(40)}", f"r{random.randrange(3_000)}"
                found = right.get((who, what))
                expected = None if found is None or is_over(found[0], now) else found[1]
                assert used.used_by(who, what, now) == expected
            asked = [(f"S{at % 40}", f"r{random.randrange(3_000)}") for at in range(200)]
            known = [(each, used.used_by(*each, now)) for each in asked]
            assert used.used_among(asked, now) == {each: by for each, by in known if by is not None}
            assert used.count == sum(noted.values())
