"""Reading ahead of the replay: the same order, and what fails is told when its turn comes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tallystick.audit.reading import BLOCKS_AHEAD, ahead
from tallystick.errors import Damage


def entries(count: int, damaged: int = 0) -> Iterator[tuple[int, bytes]]:
    """Blocks of a log, of which one may be damaged."""
    for height in range(1, count + 1):
        if height == damaged:
            raise Damage(height, "its bytes are not the ones that were written")
        yield height, b"block"


def test_in_order_and_on_another_thread() -> None:
    threads = set[int]()

    def read(height: int, _raw: bytes) -> int:
        threads.add(threading.get_ident())
        return height

    assert list(ahead(entries(10), read)) == list(range(1, 11))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_no_more_is_read_than_a_few_blocks_ahead() -> None:
    seen = list[int]()

    def read(height: int, _raw: bytes) -> int:
        seen.append(height)
        return height

    made = ahead(entries(100), read)
    assert next(made) == 1
    made.close()
    assert len(seen) <= 1 + BLOCKS_AHEAD


def test_damage_is_raised_after_the_blocks_before_it() -> None:
    made = ahead(entries(9, damaged=5), lambda height, _raw: height)
    assert [next(made) for _ in range(4)] == [1, 2, 3, 4]
    with pytest.raises(Damage, match="block 5"):
        next(made)


def test_nothing_to_read() -> None:
    assert list(ahead(entries(0), lambda height, _raw: height)) == []
