"""Ids follow from what made the record, and from nothing else."""

from hashlib import sha256

import msgspec
import pytest

from tallystick.values.ids import derive_id
from tallystick.values.units import Id


def test_the_id_is_the_hash_of_origin_call_and_counter() -> None:
    origin = bytes(range(32))
    hashed = sha256(b"tallystick/id/1" + origin + b"\x00\x00\x00\x02" + b"\x00\x00\x01\x00")
    assert derive_id("piece", origin, 2, 256) == "piece-" + hashed.digest()[:8].hex()


def test_golden_ids() -> None:
    assert derive_id("piece", bytes(32), 0, 0) == "piece-04855da2fc517063"


def test_each_call_and_counter_has_its_own_id() -> None:
    made = {derive_id("p", bytes(32), call, counter) for call in range(20) for counter in range(20)}
    assert len(made) == 400
    assert all(msgspec.convert(each, Id) == each for each in made)


@pytest.mark.parametrize(("call", "counter"), ((-1, 0), (0, -1), (2**32, 0), (0, 2**32)))
def test_numbers_beyond_four_bytes_are_our_own_mistake(call: int, counter: int) -> None:
    with pytest.raises(OverflowError):
        derive_id("p", bytes(32), call, counter)
