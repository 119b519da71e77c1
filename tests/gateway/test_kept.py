"""A gateway before an engine that keeps: what it says until there is an answer, and after."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from tallystick.accel import open_batch
from tallystick.engine.base import Answer, Busy, Committed
from tallystick.engine.embedded import EmbeddedEngine
from tallystick.engine.verdicts import Verdicts
from tallystick.gateway.admit import Admission
from tallystick.gateway.reply import Outcome, Reply
from tallystick.gateway.submit import Gateway
from tallystick.ledger.receipt import Outcome as Decided
from tallystick.ledger.receipt import Receipt
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import Transaction
from tests.till.desk import MINUTE_MS, OPENS_MS, Desk, until, waited
from tests.till.messages import Fill

FILL = ("A", Fill(currency="CNY", amount_minor=100))


class Keeper(EmbeddedEngine):
    """An engine that keeps what it is given and decides nothing by itself."""

    keeps = True

    def __init__(self, desk: Desk) -> None:
        """Stand over a desk's chain."""
        super().__init__(desk.chain, desk.clock)
        self.desk = desk
        self.written: list[bytes] = []
        self.before: list[Transaction] = []
        self.busy = ""
        self.flush = threading.Event()
        self.flush.set()
        self.begins_ms = 0
        self.heard: list[Callable[[Committed], None]] = []

    def submit(self, transactions: Sequence[Transaction]) -> None:
        """Write down, when the flush is done."""
        self.flush.wait(60)
        if self.busy:
            raise Busy(self.busy)
        self.written += [each.raw for each in transactions if each.raw not in self.written]

    def kept(self) -> Sequence[Transaction]:
        """What was there before."""
        return self.before

    def not_here_until_ms(self) -> int:
        """As told."""
        return self.begins_ms

    def listen(self, listener: Callable[[Committed], None]) -> None:
        """Note the listener."""
        self.heard.append(listener)

    def decide(self, *answers: Answer) -> None:
        """Publish answers."""
        seal = self.chain.seal()
        assert seal is not None
        for listener in self.heard:
            listener(Committed(seal.header, b"x", self.chain.ledger_ms, answers))


@pytest.fixture
def stand() -> Iterator[Keeper]:
    """An engine that keeps, over a desk's chain with its first blocks."""
    with Desk() as desk:
        desk.send(FILL)
        yield Keeper(desk)


def gateway_of(engine: Keeper) -> Gateway:
    """A gateway before it."""
    return Gateway(engine, Admission(engine.desk.ledger, Verdicts(open_batch)))


def signed(desk: Desk, **options: object) -> Transaction:
    """A transaction of its own."""
    return desk.transaction(desk.signed(FILL, **options))  # type: ignore[arg-type]


def receipt(transaction: Transaction, outcome: Decided) -> Receipt:
    """What became of a transaction."""
    return Receipt(outcome=outcome, transaction_id=transaction.id)


def told(gateway: Gateway, raw: bytes) -> Reply:
    """What is said at once."""
    return gateway.offer([raw]).replies()[0]


def test_what_is_written_down_is_kept_until_it_is_decided(stand: Keeper) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    one = signed(desk)
    batch = gateway.offer([one.raw])
    reply = batch.replies()[0]
    assert (reply.outcome, reply.transaction_id, reply.is_final) == (Outcome.KEPT, one.id, False)
    assert engine.written == [one.raw]
    engine.decide(Answer(one.id, receipt(one, Decided.ACCEPTED), 2, one.raw))
    waited(batch)
    assert batch.replies()[0].outcome is Outcome.ACCEPTED
    assert gateway.waiting() == 0


def test_a_second_caller_is_told_kept_only_when_the_first_ones_bytes_are(stand: Keeper) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    one = signed(desk)
    engine.flush.clear()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(told, gateway, one.raw)
        until(lambda: gateway.waiting() == 1)
        second = threads.submit(told, gateway, one.raw)
        assert not second.done()
        engine.busy = "the disk is full"
        engine.flush.set()
        replies = [first.result(), second.result()]
    assert [each.outcome for each in replies] == [Outcome.REJECTED, Outcome.REJECTED]
    assert all(each.retry for each in replies)
    assert gateway.waiting() == 0


def test_what_was_kept_before_a_restart_can_be_asked_for_and_handed_in_again(stand: Keeper) -> None:
    desk, engine = stand.desk, stand
    one = signed(desk)
    engine.before = [one]
    gateway = gateway_of(engine)
    asked = gateway.ask(one.id)
    assert asked is not None
    assert asked.replies()[0].outcome is Outcome.KEPT
    batch = gateway.offer([one.raw])
    engine.decide(Answer(one.id, receipt(one, Decided.REFUSED), 2, one.raw))
    for each in (asked, batch):
        waited(each)
        assert each.replies()[0].outcome is Outcome.REFUSED
    assert gateway.waiting() == 0


def test_unauthorised_in_a_block_does_not_answer_better_signatures(
    stand: Keeper,
) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    good = signed(desk, expires_at_ms=OPENS_MS + MINUTE_MS)
    bad = desk.transaction(
        desk.signed(
            FILL,
            keys=["B.clerk"],
            reference=good.body.reference,
            expires_at_ms=OPENS_MS + MINUTE_MS,
        )
    )
    assert bad.id == good.id
    batches = [gateway.offer([each.raw]) for each in (bad, good)]
    asked = gateway.ask(good.id)
    assert asked is not None
    engine.decide(Answer(bad.id, receipt(bad, Decided.UNAUTHORISED), 2, bad.raw))
    assert batches[0].replies()[0].outcome is Outcome.UNAUTHORISED
    assert batches[1].replies()[0].outcome is Outcome.KEPT
    assert asked.replies()[0].outcome is Outcome.KEPT
    engine.decide(Answer(good.id, receipt(good, Decided.ACCEPTED), 3, good.raw))
    assert batches[1].replies()[0].outcome is Outcome.ACCEPTED
    assert asked.replies()[0].outcome is Outcome.ACCEPTED


def test_an_answer_that_only_a_block_holds_can_be_asked_for_by_id(stand: Keeper) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    one = signed(desk)
    gateway.offer([one.raw])
    engine.decide(Answer(one.id, receipt(one, Decided.UNAUTHORISED), 2, one.raw))
    again = gateway.ask(one.id)
    assert again is not None
    assert again.replies()[0].outcome is Outcome.UNAUTHORISED


def test_what_may_have_happened_before_these_blocks_is_not_called_expired(
    stand: Keeper,
) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    old = signed(desk, expires_at_ms=desk.chain.ledger_ms)
    assert told(gateway, old.raw).outcome is Outcome.EXPIRED
    engine.begins_ms = desk.chain.ledger_ms
    reply = told(gateway, old.raw)
    assert (reply.outcome, reply.code) == (Outcome.REJECTED, Refusal.NOT_HERE.number)
    assert not reply.retry


def test_what_did_happen_before_them_says_so(stand: Keeper) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    one = signed(desk)
    batch = gateway.offer([one.raw])
    engine.decide(Answer(one.id, None, 1, one.raw))
    waited(batch)
    assert batch.replies()[0].code == Refusal.NOT_HERE.number


def test_who_asks_again_and_again_while_no_block_comes_takes_no_more_room(stand: Keeper) -> None:
    desk, engine = stand.desk, stand
    gateway = gateway_of(engine)
    one = signed(desk)
    first = gateway.offer([one.raw])
    for _ in range(50):
        gateway.offer([one.raw]).leave()
        asked = gateway.ask(one.id)
        assert asked is not None
        asked.leave()
    last, waits = gateway.offer([one.raw]), gateway.ask(one.id)
    assert waits is not None
    several = gateway._waiting[one.id]
    assert isinstance(several, dict)
    assert len(several[one.raw]) == 2, "the first, and the one that is not answered yet"
    assert len(gateway._asked[one.id]) == 1
    assert gateway.waiting() == 1
    engine.decide(Answer(one.id, receipt(one, Decided.ACCEPTED), 2, one.raw))
    for batch in (first, last, waits):
        waited(batch)
        assert batch.replies()[0].outcome is Outcome.ACCEPTED
    assert (gateway.waiting(), gateway._waiting, gateway._asked) == (0, {}, {})
