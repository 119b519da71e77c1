"""Every transaction gets a definite answer in the end, and every copy of it the same one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import msgspec
import pytest

from tallystick.gateway.reply import Outcome
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.transaction import Signature, assemble
from tallystick.testing.world import sign
from tests.till.desk import MINUTE_MS, Desk, until, waited
from tests.till.messages import Fill, Pay
from tests.till.records import Purse
from tests.till.refusals import Refusal

FILL = ("A", Fill(currency="CNY", amount_minor=100))
PAY = ("A", Pay(to="B", amount_minor=30))


def test_accepted_and_refused_are_committed() -> None:
    with Desk() as desk:
        accepted = desk.send(FILL)
        assert accepted.outcome is Outcome.ACCEPTED
        assert accepted.is_final
        refused = desk.send(PAY)
        assert (refused.outcome, refused.app, refused.code) == (
            Outcome.REFUSED,
            "till",
            Refusal.NO_SUCH_PURSE.number,
        )
        assert refused.value("party") == "B"
        assert refused.value("other") is None
        assert refused.height == (accepted.height or 0) + 1


def test_a_stranger_is_unauthorised_and_the_reference_stays_free() -> None:
    with Desk() as desk:
        reply = desk.send(FILL, keys=["B.clerk"], reference="mine")
        assert (reply.outcome, reply.code) == (
            Outcome.UNAUTHORISED,
            Refusal.NOT_ALL_SIGNED.number,
        )
        assert reply.height is None
        unknown = desk.send(FILL, keys=["X.clerk"])
        assert (unknown.outcome, unknown.code) == (Outcome.UNAUTHORISED, Refusal.UNKNOWN_KEY.number)
        assert desk.send(FILL, reference="mine").outcome is Outcome.ACCEPTED


def test_a_reference_used_for_other_content_is_reused() -> None:
    with Desk() as desk:
        assert desk.send(FILL, reference="once").outcome is Outcome.ACCEPTED
        reply = desk.send(("A", Fill(currency="CNY", amount_minor=7)), reference="once")
        assert (reply.outcome, reply.app, reply.code) == (
            Outcome.REUSED,
            "ledger",
            LedgerRefusal.REFERENCE_REUSED.number,
        )
        assert desk.engine.view().get(Purse, "A").amount_minor == 100


def test_a_refused_transaction_never_succeeds_later() -> None:
    with Desk() as desk:
        raw = desk.signed(PAY)
        first = desk.offer(raw)[0]
        desk.send(FILL)
        desk.send(("B", Fill(currency="CNY", amount_minor=1)))
        assert desk.offer(raw)[0] == first


def test_the_same_bytes_get_the_same_answer_in_one_batch_at_once_and_later() -> None:
    desk = Desk()
    raw = desk.signed(FILL)
    with desk:
        together = desk.offer(raw, raw, raw)
        later = desk.offer(raw)[0]
        assert together == [later] * 3
        assert desk.engine.view().get(Purse, "A").amount_minor == 100
    again = Desk(disk=desk.disk)
    with again:
        assert again.offer(raw)[0] == later


def test_whoever_strips_a_signature_does_not_spoil_the_answer_of_the_whole() -> None:
    desk = Desk()
    calls = (FILL, ("B", Fill(currency="CNY", amount_minor=1)))
    whole = desk.signed(*calls)
    _, body, _ = msgspec.msgpack.decode(whole)
    stripped = assemble(body, [sign("A.clerk", body)])
    with desk:
        first, second, third = desk.offer(stripped, whole, stripped)
        assert (first.outcome, second.outcome) == (Outcome.UNAUTHORISED, Outcome.ACCEPTED)
        assert first.transaction_id == second.transaction_id
        assert third.outcome is Outcome.UNAUTHORISED, "the same bytes as the first"
        assert desk.offer(stripped)[0].outcome is Outcome.ACCEPTED, "the id is committed by now"


def test_an_answer_outside_the_chain_can_be_asked_for_by_id() -> None:
    with Desk() as desk:
        reply = desk.send(FILL, keys=["B.clerk"])
        batch = desk.gateway.ask(reply.transaction_id or b"")
        assert batch is not None
        assert batch.replies() == [reply]


def test_an_answer_can_be_waited_for_by_id() -> None:
    desk = Desk()
    raw = desk.signed(FILL)
    with desk:
        until(lambda: desk.engine.standing().height == 1)
        with desk.engine._wakeup:  # the engine cannot take it yet
            sent = desk.gateway.offer([raw])
            asked = desk.gateway.ask(desk.transaction(raw).id)
            assert asked is not None
            assert asked.replies()[0].outcome is Outcome.RECEIVED
            assert not asked.replies()[0].is_final
            assert desk.gateway.waiting() == 1
        waited(asked)
        waited(sent)
        assert asked.replies() == sent.replies()
        assert desk.gateway.waiting() == 0
        assert desk.gateway.ask(bytes(32)) is None


def test_requests_verified_beside_each_other_are_handed_over_in_the_order_in_which_they_came() -> (
    None
):
    desk = Desk()
    requests = [[desk.signed(FILL) for _ in range(1 + 60 // count)] for count in range(1, 13)]
    room = desk.gateway.room
    with desk, ExitStack() as stack, ThreadPoolExecutor(4) as threads:
        until(lambda: desk.engine.standing().height == 1)
        offers = [
            threads.submit(desk.gateway.offer, raws, stack.enter_context(room.taken(len(raws), 1)))
            for raws in requests
        ]
        for offer in offers:
            waited(offer.result())
        ordered = [raw for entry in desk.chain.entries(1) for raw in entry.transactions]
    assert ordered == [raw for raws in requests for raw in raws]


def test_when_the_node_stops_whoever_waits_is_told_received() -> None:
    desk = Desk().start()
    desk.disk.set_capacity(0)
    batch = desk.gateway.offer([desk.signed(FILL)])
    desk.gateway.close()
    waited(batch)
    assert batch.replies()[0].outcome is Outcome.RECEIVED
    desk.stop()


def test_expired_is_final_even_when_the_clock_is_set_back_and_the_node_restarts() -> None:
    with Desk() as desk:
        raw = desk.signed(FILL, expires_at_ms=desk.engine.now_ms() + MINUTE_MS)
        desk.wind_clock(2 * MINUTE_MS)
        assert desk.offer(raw)[0].outcome is Outcome.EXPIRED
    again = Desk(disk=desk.disk)  # its clock is back at the opening
    with again:
        reply = again.offer(raw)[0]
        assert (reply.outcome, reply.code) == (Outcome.EXPIRED, LedgerRefusal.EXPIRED.number)


def test_memory_of_answers_outside_the_chain_is_bounded() -> None:
    desk = Desk(answers_kept=2)
    with desk:
        replies = [desk.send(FILL, keys=["B.clerk"]) for _ in range(3)]
        known = [desk.gateway.ask(reply.transaction_id or b"") for reply in replies]
        assert [each is not None for each in known] == [False, True, True]


@pytest.mark.parametrize("count", (1, 7))
def test_a_batch_may_be_all_rejected(count: int) -> None:
    with Desk() as desk:
        replies = desk.offer(*[b"garbage"] * count)
        assert [reply.outcome for reply in replies] == [Outcome.REJECTED] * count
        assert {reply.transaction_id for reply in replies} == {None}
        assert desk.engine.standing().height <= 1


def test_a_signature_list_of_one_officer_twice_is_rejected() -> None:
    desk = Desk()
    raw = desk.signed(FILL)
    _, body, [[suite, key, signature]] = msgspec.msgpack.decode(raw)
    twice = [Signature(suite=suite, public_key=key, signature=signature)] * 2
    with desk:
        reply = desk.offer(assemble(body, twice))[0]
    assert (reply.outcome, reply.code) == (Outcome.REJECTED, LedgerRefusal.MALFORMED.number)


def test_a_full_disks_no_says_when_to_come_again() -> None:
    with Desk() as desk:
        desk.send(FILL)
        desk.disk.set_capacity(0)
        desk.gateway.offer([desk.signed(FILL)])
        until(lambda: "no space left" in desk.engine.standing().trouble)
        refused = desk.gateway.offer([desk.signed(FILL), b"garbage"]).replies()
        assert [each.code for each in refused] == [
            LedgerRefusal.BUSY.number,
            LedgerRefusal.MALFORMED.number,
        ]
        assert [each.retry_ms > 0 for each in refused] == [True, False]
        desk.disk.set_capacity(None)
