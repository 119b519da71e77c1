"""Handing in wakes the request once: when all answers are there, when it failed, or in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tallystick.api.service import Service
from tallystick.api.submitting import handed_in
from tallystick.engine.base import Busy
from tallystick.gateway.batch import Batch
from tallystick.gateway.reply import Outcome, Reply
from tallystick.gateway.room import Place, Room

IDS = [bytes([number]) * 32 for number in range(3)]


class Gateway:
    """Admits when it may, and answers nothing by itself."""

    def __init__(self) -> None:
        self.room = Room()
        self.lock = threading.Lock()
        self.may_admit = threading.Event()
        self.trouble: Exception | None = None
        self.batch = Batch(IDS, self.lock)

    def offer(self, raws: Sequence[bytes], place: Place) -> Batch:
        """Take them in once it may."""
        assert self.may_admit.wait(10)
        assert self.room.transactions == len(raws)
        if self.trouble is not None:
            raise self.trouble
        return self.batch

    def answer(self) -> None:
        """Answer all of them."""
        with self.lock:
            calls = [self.batch.put(at, Reply(outcome=Outcome.ACCEPTED)) for at in range(3)]
        for call in calls:
            if call is not None:
                call()


@pytest.fixture
def gateway() -> Gateway:
    return Gateway()


@pytest.fixture
def service(gateway: Gateway) -> Iterator[Service]:
    with ThreadPoolExecutor(1) as writers:
        yield cast(Any, SimpleNamespace(gateway=gateway, writers=writers))
        gateway.may_admit.set()


def test_all_answers_are_waited_for(service: Service, gateway: Gateway) -> None:
    async def act() -> Batch:
        gateway.may_admit.set()
        asyncio.get_running_loop().call_later(0.02, gateway.answer)
        return await handed_in(service, IDS, 30)

    batch = asyncio.run(act())
    assert [reply.outcome for reply in batch.replies()] == 3 * [Outcome.ACCEPTED]
    assert batch.is_left
    assert gateway.room.transactions == 0


def test_nobody_waits_who_does_not_want_to(service: Service, gateway: Gateway) -> None:
    gateway.may_admit.set()
    batch = asyncio.run(handed_in(service, IDS, 0))
    assert [reply.outcome for reply in batch.replies()] == 3 * [Outcome.RECEIVED]
    assert batch.is_left


def test_what_cannot_be_admitted_is_told_at_once(service: Service, gateway: Gateway) -> None:
    gateway.trouble = Busy("no more")
    gateway.may_admit.set()
    with pytest.raises(Busy):
        asyncio.run(asyncio.wait_for(handed_in(service, IDS, 30), 10))
    assert gateway.room.transactions == 0


def test_a_reply_waits_for_admission_when_the_time_is_over(
    service: Service, gateway: Gateway
) -> None:
    async def act() -> Batch:
        asyncio.get_running_loop().call_later(1.2, gateway.may_admit.set)
        return await handed_in(service, IDS, 1)

    batch = asyncio.run(act())
    assert [reply.outcome for reply in batch.replies()] == 3 * [Outcome.RECEIVED]
    assert batch.is_left
