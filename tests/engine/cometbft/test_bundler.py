"""Handing bundles to an engine that answers as a test tells it to."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tallystick.engine.cometbft.bundler import Bundler
from tallystick.engine.cometbft.checks import Code
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.engine.cometbft.waiting import Waiting
from tallystick.ledger.transaction import Transaction
from tests.engine.cometbft.stand import Stand
from tests.till.desk import MINUTE_MS, until
from tests.till.messages import Fill

FULL = RpcRefused(-32603, "Internal error: mempool is full: number of txs 5000 (max: 5000)")
KNOWN = RpcRefused(-32603, "Internal error: tx already exists in cache")


class Told(Rpc):
    """An engine's interface that refuses as told, then takes everything."""

    def __init__(self, *problems: Exception) -> None:
        """Refuse so many bundles."""
        super().__init__("127.0.0.1:1")
        self.problems = list(problems)
        self.bad: set[bytes] = set()
        self.taken: list[bytes] = []
        self.seen: list[bytes] = []

    def broadcast(self, raw: bytes) -> None:
        """Take a bundle, or not."""
        self.seen.append(raw)
        if self.problems:
            raise self.problems.pop(0)
        if any(each in raw for each in self.bad):
            raise RpcRefused(Code.BAD, "bundle: a transaction is bad")
        self.taken.append(raw)


class Bench:
    """A bundler before such an engine."""

    def __init__(self, rpc: Told) -> None:
        """With three transactions that wait."""
        self.stand = Stand()
        self.rpc = rpc
        self.waiting = Waiting(horizon_ms=60 * MINUTE_MS, bundle=10, wait_seconds=0.02)
        self.resolved: list[Transaction] = []
        self.bundler = Bundler(
            self.waiting,
            rpc,
            self.stand.bundles,
            application=self.stand.application,
            resolve=self.resolve,
        )
        self.transactions = [
            self.stand.ledger.codec.decode(
                self.stand.signed(
                    ("A", Fill(currency="CNY", amount_minor=each)), expires_at_ms=MINUTE_MS
                )
            )
            for each in (1, 2, 3)
        ]
        self.waiting.add(self.transactions)

    def resolve(self, transactions: Sequence[Transaction]) -> None:
        """Answer all of them."""
        self.resolved += transactions
        for each in transactions:
            self.waiting.settle(each.raw)

    def sent(self) -> list[list[bytes]]:
        """Transactions of the bundles that were taken."""
        return [
            [each.raw for each in self.stand.bundles.read(raw).transactions]
            for raw in self.rpc.taken
        ]

    @property
    def raws(self) -> list[bytes]:
        """Bytes of the three."""
        return [each.raw for each in self.transactions]


@contextmanager
def bench(*problems: Exception) -> Iterator[Bench]:
    made = Bench(Told(*problems))
    made.bundler.start()
    try:
        yield made
    finally:
        made.bundler.stop()


def test_what_waits_travels_together() -> None:
    with bench() as made:
        made.waiting.release_all()
        until(lambda: made.sent() == [made.raws])
        until(lambda: made.waiting.under_way == 1)
        assert made.bundler.sent == 1


@pytest.mark.parametrize(
    "problem", (RpcUnavailable("nobody"), FULL, RpcRefused(-32603, "Internal error: EOF"))
)
def test_an_engine_that_does_not_take_it_is_tried_again(problem: Exception) -> None:
    with bench(*[problem] * 3) as made:
        made.waiting.release_all()
        until(lambda: made.sent() == [made.raws])
        assert len(made.rpc.seen) == 4
        assert len(set(made.rpc.seen)) == 4


def test_a_bug_of_ours_is_not_silent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL), bench(ZeroDivisionError("a bug")) as made:
        made.waiting.release_all()
        until(lambda: made.stand.halted)
        assert isinstance(made.stand.halted[0], ZeroDivisionError)


def test_bytes_that_the_engine_knows_are_under_way() -> None:
    with bench(KNOWN) as made:
        made.waiting.release_all()
        until(lambda: made.waiting.under_way == 1)
        assert made.bundler.refused == 0


def test_what_is_decided_already_is_answered_here() -> None:
    with bench(RpcRefused(Code.SETTLED, "every transaction is decided")) as made:
        made.waiting.release_all()
        until(lambda: made.resolved == made.transactions)
        until(lambda: len(made.waiting) == 0)
    assert made.rpc.taken == []


def test_one_bad_transaction_does_not_hold_up_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR), bench() as made:
        made.rpc.bad = {made.raws[1]}
        made.waiting.release_all()
        until(lambda: made.waiting.under_way == 3)
        taken = [raw for bundle in made.sent() for raw in bundle]
        assert sorted(taken) == sorted([made.raws[0], made.raws[2]])
    assert made.transactions[1].id.hex() in caplog.text
