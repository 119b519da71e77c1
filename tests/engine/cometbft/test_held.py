"""Transactions that nobody may do yet: released once they are authorised, answered when not."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tallystick.engine.cometbft.held import BLOCKS_MIN, HELD_MAX, Held, Holding, TurnedAway
from tallystick.engine.cometbft.waiting import Waiting
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.ledger.transaction import Transaction
from tests.engine.cometbft.stand import Stand
from tests.till.desk import MINUTE_MS, until
from tests.till.messages import Fill

NO = Refused(Refusal.FAULT, {})
LONG_SECONDS = 60.0


class Room:
    """Where transactions are held, and a state that a test makes up."""

    def __init__(self, seconds: float) -> None:
        """Nobody may do anything."""
        stand = Stand()
        self.waiting = Waiting(horizon_ms=60 * MINUTE_MS, bundle=10, wait_seconds=0.0)
        self.authorised: set[bytes] = set()
        self.looks: list[bytes] = []
        self.height = 1
        self.is_current = True
        self.answered: list[bytes] = []
        self.failed: list[BaseException] = []
        self.transactions = [
            stand.ledger.codec.decode(
                stand.signed(("A", Fill(currency="CNY", amount_minor=1)), expires_at_ms=MINUTE_MS)
            )
            for _ in range(3)
        ]
        self.waiting.add(self.transactions)
        self.held = Held(
            Holding(
                waiting=self.waiting,
                look=self.look,
                height=lambda: self.height,
                is_current=lambda: self.is_current,
                answer=self.answer,
                fail=self.failed.append,
            ),
            seconds=seconds,
        )

    def look(self, transaction: Transaction) -> Refused | None:
        """What the made-up state says."""
        self.looks.append(transaction.raw)
        return None if transaction.raw in self.authorised else NO

    def answer(self, refused: TurnedAway) -> None:
        """Note it, as an engine does that settles what it answers."""
        for transaction, no in refused:
            assert no is NO
            self.waiting.settle(transaction.raw)
            self.answered.append(transaction.raw)

    def block(self) -> None:
        """A block came."""
        self.height += 1
        self.held.wake()

    def raws(self, *places: int) -> list[bytes]:
        """Bytes of some."""
        return [self.transactions[place].raw for place in places]

    def sent(self) -> Sequence[bytes]:
        """What the next bundle holds."""
        return [kept.transaction.raw for kept in self.waiting.take(10) or ()]


@contextmanager
def room(seconds: float = LONG_SECONDS) -> Iterator[Room]:
    made = Room(seconds)
    made.held.start()
    try:
        yield made
    finally:
        made.held.stop()
        assert made.failed == []


def test_a_block_that_authorises_it_sends_it_on_its_way() -> None:
    with room() as made:
        made.held.hold(made.transactions)
        made.waiting.release_all()
        made.authorised.update(made.raws(1))
        made.block()
        until(lambda: len(made.held) == 2)
        assert made.sent() == made.raws(1)
        made.authorised.update(made.raws(0, 2))
        made.block()
        until(lambda: len(made.held) == 0)
        assert made.sent() == made.raws(0, 2)
        assert made.answered == []


def test_after_a_moment_it_is_answered_though_no_block_comes() -> None:
    with room(seconds=0.2) as made:
        made.held.hold(made.transactions)
        until(lambda: len(made.answered) == 3)
        assert len(made.held) == len(made.waiting) == 0


def test_while_own_transactions_are_under_way_it_waits_for_a_few_blocks() -> None:
    with room(seconds=0.05) as made:
        made.held.hold(made.transactions[:2])
        threading.Event().wait(0.3)
        assert made.answered == []
        for _ in range(BLOCKS_MIN):
            made.block()
        until(lambda: made.answered == made.raws(0, 1))


def test_it_is_looked_at_once_for_each_block() -> None:
    with room() as made:
        made.held.hold(made.transactions[:1])
        until(lambda: made.looks == made.raws(0))
        for _ in range(20):
            made.held.wake()
        made.held.hold(made.transactions[:2])
        until(lambda: made.looks == made.raws(0, 1))
        made.block()
        until(lambda: made.looks == made.raws(0, 1, 0, 1))


def test_a_node_that_is_behind_answers_nothing() -> None:
    with room(seconds=0.05) as made:
        made.is_current = False
        made.held.hold(made.transactions)
        assert made.held.has_room(HELD_MAX)
        for _ in range(5):
            made.block()
            until(lambda: len(made.looks) >= 3)
            made.looks.clear()
        assert made.answered == []
        made.is_current = True
        assert not made.held.has_room(HELD_MAX)
        until(lambda: len(made.answered) == 3)


def test_what_was_answered_meanwhile_is_let_go() -> None:
    with room(seconds=0.1) as made:
        made.held.hold(made.transactions)
        made.waiting.settle(made.raws(0)[0])
        until(lambda: len(made.held) == 0)
        assert made.answered == made.raws(1, 2)


def test_what_was_queued_already_is_passed_over() -> None:
    with room() as made:
        made.waiting.release_all()
        made.held.hold(made.transactions[:1])
        assert made.sent() == made.raws(1, 2)


def test_a_bug_of_ours_is_heard_of() -> None:
    with room() as made:
        made.held.hold(made.transactions[:1])
        made.authorised = None  # type: ignore[assignment]
        made.block()
        until(lambda: made.failed)
        assert isinstance(made.failed.pop(), TypeError)
