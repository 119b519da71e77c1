"""A block is executed while the one before it is made durable: order, bounds, failures, end."""

from __future__ import annotations

import errno
import threading
from typing import ClassVar

import pytest

from tallystick.engine.base import Busy
from tallystick.engine.embedded import RETRY_MS_MAX, RETRY_MS_MIN, Limits
from tallystick.engine.keeping import AHEAD_MAX, Pace
from tallystick.errors import EntryTooLarge, Halted
from tallystick.gateway.reply import Outcome
from tallystick.gateway.submit import Gateway
from tallystick.store.log import FileLog
from tests.till.desk import MINUTE_MS, Desk, until, waited
from tests.till.messages import Break, Fill, Leave, Pay
from tests.till.records import Note, Purse

FILL = ("A", Fill(currency="CNY", amount_minor=100))


class SlowLog(FileLog):
    """A log whose appends wait for a word, when they are told to."""

    goes_on: ClassVar[threading.Event]
    """Set while appends need not wait."""
    waits: ClassVar[threading.Event]
    """Set once an append waits."""

    def append(self, body: bytes) -> int:
        """As a log does, later."""
        if not self.goes_on.is_set():
            self.waits.set()
            self.goes_on.wait()
        return super().append(body)


def slow() -> type[SlowLog]:
    """A log of its own kind, which does not wait yet."""

    class Slow(SlowLog):
        """One test's log."""

        goes_on = threading.Event()
        waits = threading.Event()

    Slow.goes_on.set()
    return Slow


def held(log: type[SlowLog], limits: Limits | None = None) -> Desk:
    """A running desk with a block on its way that is not flushed before it is told."""
    desk = Desk(log=log, limits=limits).start()
    desk.send(FILL)
    log.goes_on.clear()
    desk.gateway.offer([desk.signed(FILL)])
    assert log.waits.wait(60)
    return desk


def test_the_next_block_is_executed_while_one_is_flushed() -> None:
    log = slow()
    desk = held(log)
    try:
        raws = [desk.signed(("A", Pay(to="A", amount_minor=1))) for _ in range(3)]
        batches = [desk.gateway.offer([raw]) for raw in raws]
        until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
        assert desk.engine.standing().height == 2
        assert len(desk.published) == 1
        assert batches[0].replies()[0].outcome is Outcome.RECEIVED
        assert desk.engine.view().get(Purse, "A").amount_minor == 100, "only what is durable"
        log.goes_on.set()
        for batch in batches:
            waited(batch)
    finally:
        log.goes_on.set()
        desk.stop()
    heights = [each.header.height for each in desk.published]
    assert heights == sorted(set(heights))
    assert desk.engine.standing().ahead == 0


def test_what_is_executed_ahead_is_bounded_and_then_the_queue_is() -> None:
    log = slow()
    desk = held(log, Limits(queue=4, block=1))
    try:
        for _ in range(AHEAD_MAX - 1 + 4):
            before = desk.engine.standing()
            desk.engine.submit([desk.transaction(desk.signed(FILL))])
            until(
                lambda was=before: (
                    desk.engine.standing().ahead > was.ahead or was.ahead == AHEAD_MAX
                )
            )
        standing = desk.engine.standing()
        assert (standing.ahead, standing.queued) == (AHEAD_MAX, 4)
        with pytest.raises(Busy, match="queue is full") as busy:
            desk.engine.submit([desk.transaction(desk.signed(FILL))])
        assert RETRY_MS_MIN <= busy.value.retry_ms <= RETRY_MS_MAX
    finally:
        log.goes_on.set()
        desk.stop()
    assert desk.ended == [None]


def test_a_duplicate_of_what_is_on_its_way_has_its_answer() -> None:
    log = slow()
    desk = held(log)
    second = Gateway(desk.engine, desk.gateway._admission)
    try:
        raw = desk.signed(("A", Pay(to="A", amount_minor=1)), reference="once")
        other = desk.signed(("A", Pay(to="A", amount_minor=2)), reference="once")
        first = desk.gateway.offer([raw])
        until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
        again = second.offer([raw, other])
        log.goes_on.set()
        waited(first)
        waited(again)
    finally:
        log.goes_on.set()
        desk.stop()
    told = first.replies()[0]
    assert told.outcome is Outcome.ACCEPTED
    same, reused = again.replies()
    assert (same.outcome, same.height) == (told.outcome, told.height)
    assert reused.outcome is Outcome.REUSED


def test_a_full_disk_brings_all_that_was_ahead_back_in_order() -> None:
    log = slow()
    desk = held(log, Limits(block=2))
    try:
        raws = [desk.signed(("A", Leave(name="n", number=number))) for number in range(9)]
        batch = desk.gateway.offer(raws)
        until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
        desk.disk.set_capacity(0)
        log.goes_on.set()
        until(lambda: desk.engine.standing().trouble != "")
        assert desk.engine.standing().height == 2
        with pytest.raises(Busy, match="no space left"):
            desk.engine.submit([desk.transaction(desk.signed(FILL))])
        desk.disk.set_capacity(None)
        waited(batch)
        replies = batch.replies()
    finally:
        desk.disk.set_capacity(None)
        log.goes_on.set()
        desk.stop()
    assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
    heights = [reply.height or 0 for reply in replies]
    assert heights == sorted(heights)
    ordered = [raw for entry in desk.engine.entries(3) for raw in entry.transactions][1:]
    assert ordered == raws


class ShortSlowLog(SlowLog):
    """A slow log that takes small blocks only."""

    goes_on = threading.Event()
    waits = threading.Event()

    def append(self, body: bytes) -> int:
        """As a log does."""
        if len(body) > 4_000:
            raise EntryTooLarge(size_bytes=len(body), limit_bytes=4_000)
        return super().append(body)


def test_a_block_that_is_too_large_brings_back_what_came_after_it() -> None:
    log = ShortSlowLog
    log.goes_on.set()
    desk = held(log)
    try:
        raws = [desk.signed(("A", Leave(name="n", number=number))) for number in range(60)]
        batches = [desk.gateway.offer(raws[:40])]
        until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
        batches.append(desk.gateway.offer(raws[40:]))
        log.goes_on.set()
        for batch in batches:
            waited(batch)
    finally:
        log.goes_on.set()
        desk.stop()
    ordered = [raw for entry in desk.engine.entries(3) for raw in entry.transactions][1:]
    assert ordered == raws


def test_a_block_too_large_that_cannot_be_divided_ends_the_engine() -> None:
    class Tiny(FileLog):
        """Takes no transaction."""

        def append(self, body: bytes) -> int:
            """As a log does."""
            if self.height() > 0:
                raise EntryTooLarge(size_bytes=len(body), limit_bytes=1)
            return super().append(body)

    desk = Desk(log=Tiny).start()
    desk.gateway.offer([desk.signed(FILL), desk.signed(FILL)])
    until(lambda: bool(desk.ended))
    assert isinstance(desk.ended[0], EntryTooLarge)
    desk.stop()


def test_a_failed_flush_drops_all_that_was_ahead() -> None:
    log = slow()
    desk = held(log)
    batch = desk.gateway.offer([desk.signed(FILL)])
    until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
    desk.disk.fail("sync", errno.EIO)
    log.goes_on.set()
    until(lambda: bool(desk.ended))
    assert "cannot flush" in str(desk.ended[0])
    assert batch.replies()[0].outcome is Outcome.RECEIVED
    assert len(desk.published) == 1
    with pytest.raises(Busy, match="stopping"):
        desk.engine.submit([desk.transaction(desk.signed(FILL))])
    desk.stop()


def test_what_ends_the_executing_thread_lets_the_blocks_before_it_be_kept() -> None:
    log = slow()
    desk = held(log)
    desk.gateway.offer([desk.signed(("A", Break(how="memory")))])
    with pytest.raises(TimeoutError):
        until(lambda: bool(desk.ended), seconds=0.3)
    log.goes_on.set()
    until(lambda: bool(desk.ended))
    assert isinstance(desk.ended[0], MemoryError)
    assert [each.header.height for each in desk.published] == [2, 3]
    desk.stop()


def test_what_ends_the_keeping_thread_ends_the_engine() -> None:
    desk = Desk()

    def fails(_: object) -> None:
        raise Halted(2, "a listener says so")

    desk.engine.listen(fails)
    desk.start()
    desk.gateway.offer([desk.signed(FILL)])
    until(lambda: bool(desk.ended))
    assert isinstance(desk.ended[0], Halted)
    desk.stop()


def test_stopping_finishes_what_is_on_its_way() -> None:
    log = slow()
    desk = held(log)
    batch = desk.gateway.offer([desk.signed(FILL)])
    until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
    stopping = threading.Thread(target=desk.stop)
    stopping.start()
    until(lambda: desk.engine._is_stopping)
    with pytest.raises(Busy, match="stopping"):
        desk.engine.submit([desk.transaction(desk.signed(FILL))])
    log.goes_on.set()
    stopping.join()
    assert desk.ended == [None]
    assert batch.replies()[0].outcome is Outcome.ACCEPTED
    again = Desk(disk=desk.disk)
    assert again.engine.view().get(Purse, "A").amount_minor == 300


def test_time_goes_on_over_blocks_ahead() -> None:
    log = slow()
    desk = held(log)
    try:
        due = desk.engine.now_ms() + MINUTE_MS
        batch = desk.gateway.offer([desk.signed(("A", Leave(name="later", number=1, at_ms=due)))])
        until(lambda: desk.engine.standing().ahead == AHEAD_MAX)
        desk.wind_clock(MINUTE_MS)
        log.goes_on.set()
        waited(batch)
        until(lambda: desk.engine.view().peek(Note, "later", 1) is not None)
    finally:
        log.goes_on.set()
        desk.stop()
    times = [entry.header.time_ms for entry in desk.engine.entries(1)]
    assert times == sorted(times)


def test_the_pace_says_when_to_come_again() -> None:
    pace = Pace()
    assert pace.seconds_for(1_000) == 1.0
    now = threading.Event()
    for _ in range(20):
        now.wait(0.01)
        pace.note(100)
    assert 0.001 < pace.seconds_for(100) < 1.0
