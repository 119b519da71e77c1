"""The embedded engine: blocks as asked for, heartbeats, back-pressure, full disks, the end."""

from __future__ import annotations

import errno

import pytest

from tallystick.engine.base import Busy
from tallystick.engine.embedded import Limits
from tallystick.errors import EntryTooLarge, LogSealed, ReleaseTooOld
from tallystick.gateway.reply import Outcome
from tallystick.ledger.genesis import AppVersion
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.system import UsedMinute
from tallystick.store.log import FileLog
from tests.till import APP
from tests.till.desk import MINUTE_MS, OPENS_MS, Desk, genesis, until
from tests.till.messages import Activate, Break, Fill, Leave, Pay, Wind
from tests.till.records import Note, Purse

FILL = ("A", Fill(currency="CNY", amount_minor=100))


def test_the_first_block_is_made_at_once_so_that_proofs_can_be_made() -> None:
    with Desk() as desk:
        until(lambda: desk.engine.standing().height == 1)
        seal = desk.engine.seal()
        assert seal is not None
        assert seal.header.time_ms == OPENS_MS


def test_what_is_queued_goes_into_one_block() -> None:
    desk = Desk()
    raws = [desk.signed(FILL) for _ in range(50)]
    with desk:
        until(lambda: desk.engine.standing().height == 1)
        replies = desk.offer(*raws)
    heights = {reply.height for reply in replies}
    assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
    assert len(heights) == 1


def test_a_block_has_a_limit_of_transactions_and_of_bytes() -> None:
    desk = Desk(limits=Limits(block=10))
    with desk:
        replies = desk.offer(*[desk.signed(FILL) for _ in range(25)])
        assert [reply.height for reply in replies] == [2] * 10 + [3] * 10 + [4] * 5
    small = Desk(limits=Limits(block_bytes=1))
    with small:
        replies = small.offer(*[small.signed(FILL) for _ in range(3)])
        assert [reply.height for reply in replies] == [2, 3, 4]


def test_a_full_disk_is_busy_and_takes_none() -> None:
    with Desk() as desk:
        until(lambda: desk.engine.standing().height == 1)
        desk.disk.set_capacity(0)
        desk.gateway.offer([desk.signed(FILL)])
        until(lambda: desk.engine.standing().trouble != "")
        with pytest.raises(Busy, match="no space left"):
            desk.engine.submit([desk.transaction(desk.signed(FILL))])
        desk.disk.set_capacity(None)
        until(lambda: desk.engine.standing().trouble == "")
        assert desk.send(FILL).outcome is Outcome.ACCEPTED


def test_an_engine_that_has_not_started_or_has_ended_is_busy() -> None:
    desk = Desk()
    transaction = desk.transaction(desk.signed(FILL))
    with pytest.raises(Busy, match="stopping"):
        desk.engine.submit([transaction])
    desk.start()
    desk.stop()
    desk.stop()
    with pytest.raises(Busy, match="stopping"):
        desk.engine.submit([transaction])
    assert desk.ended == [None]


def test_the_queue_is_bounded() -> None:
    desk = Desk(limits=Limits(queue=5))
    with desk, desk.engine._wakeup:  # nothing is taken from the queue meanwhile
        raws = [desk.transaction(desk.signed(FILL)) for _ in range(8)]
        desk.engine.submit(raws[:4])
        with pytest.raises(Busy, match="queue is full"):
            desk.engine.submit(raws[4:])
        assert desk.engine.standing().queued == 4


class ShortLog(FileLog):
    """A log that takes small blocks only."""

    def append(self, body: bytes) -> int:
        """As a log does."""
        if len(body) > 4_000:
            raise EntryTooLarge(size_bytes=len(body), limit_bytes=4_000)
        return super().append(body)


def test_a_block_too_large_for_the_log_is_made_in_parts() -> None:
    desk = Desk(log=ShortLog)
    with desk:
        replies = desk.offer(*[desk.signed(FILL) for _ in range(30)])
        assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
        heights = [reply.height or 0 for reply in replies]
        assert heights == sorted(heights)
        assert len(set(heights)) > 3


def test_a_timer_runs_when_its_time_comes_without_any_transaction() -> None:
    with Desk() as desk:
        due = desk.engine.now_ms() + 5 * MINUTE_MS
        assert (
            desk.send(("A", Leave(name="later", number=1, at_ms=due))).outcome.value == "accepted"
        )
        assert desk.engine.view().peek(Note, "later", 1) is None
        desk.wind_clock(5 * MINUTE_MS)
        until(lambda: desk.engine.view().peek(Note, "later", 1) is not None)


def test_moving_the_ledger_clock_makes_timers_due() -> None:
    with Desk() as desk:
        due = desk.engine.now_ms() + 3 * 24 * 60 * MINUTE_MS
        desk.send(("A", Leave(name="later", number=1, at_ms=due)))
        desk.send(("A", Wind(by_ms=4 * 24 * 60 * MINUTE_MS)))
        until(lambda: desk.engine.view().peek(Note, "later", 1) is not None)
        assert desk.engine.now_ms() >= due


def test_an_idle_engine_makes_no_blocks() -> None:
    with Desk() as desk:
        until(lambda: desk.engine.standing().height == 1)
        desk.wind_clock(60 * MINUTE_MS)
        with pytest.raises(TimeoutError):
            until(lambda: desk.engine.standing().height > 1, seconds=1.5)


def test_references_are_dropped_when_they_have_expired() -> None:
    with Desk() as desk:
        desk.send(FILL)
        height = desk.engine.standing().height
        desk.wind_clock(12 * MINUTE_MS)
        until(lambda: desk.engine.standing().height == height + 1)
        assert list(desk.engine.view().scan(UsedMinute)) == []


def test_block_time_never_goes_back() -> None:
    with Desk() as desk:
        desk.wind_clock(MINUTE_MS)
        desk.send(FILL)
        desk.wind_clock(-10 * MINUTE_MS)
        desk.send(FILL)
        times = [entry.header.time_ms for entry in desk.engine.entries(1)]
        assert times == sorted(times)
        assert desk.engine.now_ms() >= times[-1]


def test_expiry_is_told_only_after_a_block_whose_time_has_passed_it() -> None:
    with Desk() as desk:
        expires = desk.engine.now_ms() + MINUTE_MS
        raw = desk.signed(FILL, expires_at_ms=expires)
        desk.wind_clock(2 * MINUTE_MS)
        reply = desk.offer(raw)[0]
        assert reply.outcome is Outcome.EXPIRED
        assert desk.engine.standing().ledger_ms >= expires
        height = desk.engine.standing().height
        assert desk.offer(raw)[0].outcome is Outcome.EXPIRED
        assert desk.engine.standing().height == height, "known from a committed block: no other"


def test_a_committed_transaction_keeps_its_answer_after_its_expiry() -> None:
    with Desk() as desk:
        raw = desk.signed(FILL)
        first = desk.offer(raw)[0]
        desk.wind_clock(20 * MINUTE_MS)
        until(lambda: desk.engine.standing().height > (first.height or 0))
        assert desk.offer(raw)[0] == first


def test_a_full_disk_stops_blocks_and_loses_nothing() -> None:
    with Desk() as desk:
        desk.send(FILL)
        desk.disk.set_capacity(0)
        raw = desk.signed(FILL)
        batch = desk.gateway.offer([raw])
        until(lambda: "no space left" in desk.engine.standing().trouble)
        assert batch.replies()[0].outcome is Outcome.RECEIVED
        refused = desk.gateway.offer([desk.signed(FILL)]).replies()[0]
        assert (refused.outcome, refused.code) == (Outcome.REJECTED, LedgerRefusal.BUSY.number)
        assert refused.retry
        assert desk.engine.view().get(Purse, "A").amount_minor == 100
        desk.disk.set_capacity(None)
        assert desk.offer(raw)[0].outcome is Outcome.ACCEPTED
        assert desk.engine.view().get(Purse, "A").amount_minor == 200


def test_a_node_with_a_full_disk_can_be_stopped() -> None:
    desk = Desk().start()
    desk.send(FILL)
    desk.disk.set_capacity(0)
    desk.gateway.offer([desk.signed(FILL)])
    until(lambda: desk.engine.standing().trouble != "")
    desk.stop()
    assert desk.ended == [None]


def test_a_failed_flush_ends_the_engine_and_is_never_answered() -> None:
    desk = Desk().start()
    desk.send(FILL)
    desk.disk.fail("sync", errno.EIO)
    batch = desk.gateway.offer([desk.signed(FILL)])
    until(lambda: bool(desk.ended))
    assert "cannot flush" in str(desk.ended[0])
    assert batch.replies()[0].outcome is Outcome.RECEIVED
    with pytest.raises(LogSealed):
        desk.chain.next_block(OPENS_MS, [desk.transaction(desk.signed(FILL))])
    desk.stop()


def test_rules_that_this_release_lacks_end_the_engine() -> None:
    desk = Desk(begins=genesis(apps=(AppVersion(app=APP.name, version=2),)))
    desk.start()
    desk.send(("A", Activate(version=3, from_height=4)))
    desk.send(FILL)
    desk.gateway.offer([desk.signed(FILL)])
    until(lambda: bool(desk.ended))
    assert isinstance(desk.ended[0], ReleaseTooOld)
    desk.stop()


def test_a_bug_in_a_rule_is_a_receipt_and_the_engine_lives() -> None:
    with Desk() as desk:
        for how, code in (("error", LedgerRefusal.FAULT), ("work", LedgerRefusal.TOO_MUCH_WORK)):
            reply = desk.send(("A", Break(how=how)))
            assert (reply.outcome, reply.app, reply.code) == (
                Outcome.REFUSED,
                "ledger",
                code.number,
            )
        assert desk.send(FILL).outcome is Outcome.ACCEPTED


def test_running_out_of_memory_ends_the_engine_rather_than_fork_the_chain() -> None:
    desk = Desk().start()
    desk.gateway.offer([desk.signed(("A", Break(how="memory")))])
    until(lambda: bool(desk.ended))
    assert isinstance(desk.ended[0], MemoryError)
    desk.stop()


def test_listeners_hear_of_blocks_after_they_are_durable() -> None:
    desk = Desk()
    durable: list[bool] = []
    log = "blocks/00000001.log"
    desk.engine.listen(
        lambda _: durable.append(all(write.path != log for write in desk.disk.pending()))
    )
    with desk:
        desk.send(FILL)
        desk.send(("A", Pay(to="B", amount_minor=1)))
    assert durable == [True] * len(durable)
    assert len(durable) >= 2
