"""Room at the door: never more inside than there is room for, and who came first leaves first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tallystick.gateway.room import SHORT_MS, Room
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal


def test_what_is_beyond_the_room_is_sent_away_and_the_room_is_free_again() -> None:
    room = Room(transactions_max=10, bytes_max=1_000)
    with room.taken(6, 600):
        assert (room.transactions, room.bytes) == (6, 600)
        for many, size in ((5, 1), (1, 401)):
            with pytest.raises(Refused) as no, room.taken(many, size):
                pass
            assert no.value.code is Refusal.BUSY
            assert no.value.values["retry_ms"] == SHORT_MS
        with room.taken(4, 400):
            pass
    assert (room.transactions, room.bytes) == (0, 0)


def test_one_request_is_always_taken() -> None:
    room = Room(transactions_max=1, bytes_max=1)
    with pytest.raises(KeyError), room.taken(1_000, 1_000_000):
        raise KeyError
    assert room.transactions == 0


def test_who_came_first_is_handed_over_first_whoever_is_ready_first() -> None:
    room = Room()
    gone: list[int] = []
    with ExitStack() as stack, ThreadPoolExecutor(8) as threads:
        places = [stack.enter_context(room.taken(1, 1)) for _ in range(8)]

        def go(number: int) -> None:
            places[number].wait_for_turn()
            gone.append(number)
            places[number].leave()

        for number in (7, 3, 5, 1, 6, 2, 4):
            threads.submit(go, number)
        assert gone == []
        go(0)
    assert gone == list(range(8))


def test_nobody_waits_for_one_that_has_gone_away() -> None:
    room = Room()
    with room.taken(1, 1) as first:
        with room.taken(1, 1):
            pass  # hung up before it was read
        with room.taken(1, 1) as third:
            first.leave()
            first.leave()
            third.wait_for_turn()
    with room.taken(1, 1) as fourth:
        fourth.wait_for_turn()
