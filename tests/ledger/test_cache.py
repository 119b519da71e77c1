"""Decoded records in two generations: bounded, the newest is found, what is used stays."""

from __future__ import annotations

import random
from itertools import pairwise

from tallystick.ledger.app import Record
from tallystick.ledger.cache import MISSING, Cache
from tallystick.ledger.memory import SLICE
from tests.ledger.toy.records import Note


def note(number: int) -> Record:
    return Note(name="n", number=number)


def key(number: int) -> bytes:
    return number.to_bytes(4, "big")


def test_what_is_found_is_what_was_committed_last() -> None:
    dice = random.Random(11)
    cache, model = Cache(60), dict[bytes, Record | None]()
    for turn in range(2_000):
        changed: dict[bytes, Record | None] = {}
        changed.update({key(dice.randrange(200)): note(turn) for _ in range(dice.randrange(12))})
        if turn % 5 == 0:
            changed[key(dice.randrange(200))] = None
        cache.commit(changed)
        model.update(changed)
        for _ in range(10):
            asked = key(dice.randrange(200))
            found = cache.get(asked)
            assert (found is not MISSING) == (not cache.without([asked]))
            if found is MISSING:
                cache.keep(asked, model.get(asked))
            else:
                assert found is model.get(asked)
        assert len(cache) <= 60


def test_what_is_used_stays_and_what_is_not_leaves() -> None:
    cache = Cache(100)
    cache.commit({key(0): note(0), key(1): note(1)})
    for number in range(2, 300):
        cache.commit({key(number): note(number)})
        assert cache.get(key(0)) == note(0)
    assert cache.without([key(1)])


def test_reads_fill_no_more_than_the_share() -> None:
    cache = Cache(10)
    for number in range(50):
        cache.keep(key(number), None)
    assert len(cache) == 5
    assert cache.get(key(0)) is None
    assert cache.get(key(49)) is MISSING


def test_many_leave_a_few_with_each_block() -> None:
    count = 10 * SLICE
    cache = Cache(2 * count)
    cache.commit({key(number): None for number in range(count)})  # a block of the whole share
    cache.commit({key(count): None})
    assert len(cache) == count + 1
    cache.commit({key(count + number): None for number in range(count)})
    sizes = [len(cache)]
    while len(cache) > 2 * count:
        cache.commit({})
        sizes.append(len(cache))
    assert all(before - after <= SLICE for before, after in pairwise(sizes))
    assert cache.without([key(0)])


def test_a_block_larger_than_the_bound_is_taken_whole() -> None:
    cache = Cache(1)
    cache.commit({key(number): note(number) for number in range(5)})
    assert [cache.get(key(number)) for number in range(5)] == [note(number) for number in range(5)]


def test_what_was_read_never_hides_what_was_committed_meanwhile() -> None:
    """A scan looks at a record that another thread is about to commit anew; so may a slow read."""
    cache = Cache(8)
    cache.commit({key(1): note(1)})
    cache.commit({key(number): note(number) for number in range(2, 9)})  # 1 is old from now on
    seen = cache.peek(key(1))
    assert seen == note(1)
    assert key(1) not in cache.young  # to look makes nothing young
    cache.commit({key(1): note(2)})
    cache.keep(key(1), seen)
    assert cache.get(key(1)) == note(2)
