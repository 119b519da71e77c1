"""What waits: in which bundle it goes, when it goes again, when it has expired."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence

from tallystick.engine.cometbft.bundle import BUNDLE_BYTES_MAX, BundleCache, encode_bundle
from tallystick.engine.cometbft.waiting import (
    SECONDS_MAX,
    SECONDS_MIN,
    Kept,
    Waiting,
)
from tallystick.ledger.transaction import Transaction
from tests.engine.cometbft.stand import Stand
from tests.till.desk import MINUTE_MS
from tests.till.messages import Fill, Leave

HOUR_MS = 60 * MINUTE_MS
MOST = 2_000


def made(*, bundle: int = 10, wait_seconds: float = 0.0, horizon_ms: int = HOUR_MS) -> Waiting:
    return Waiting(horizon_ms=horizon_ms, bundle=bundle, wait_seconds=wait_seconds)


def transactions(count: int, *, expires_at_ms: int = MINUTE_MS) -> list[Transaction]:
    stand = Stand()
    raws = [
        stand.signed(("A", Fill(currency="CNY", amount_minor=1)), expires_at_ms=expires_at_ms)
        for _ in range(count)
    ]
    return [stand.ledger.codec.decode(raw) for raw in raws]


def added(waiting: Waiting, many: Sequence[Transaction]) -> list[Kept]:
    """Add and release."""
    kept = waiting.add(many)
    waiting.release(kept)
    return kept


def taken(waiting: Waiting, most: int = MOST) -> list[Transaction]:
    """The next bundle."""
    found = waiting.take(most)
    assert found is not None
    return [kept.transaction for kept in found]


def sent(waiting: Waiting, height: int = 1, *, ago_seconds: float = 0.0) -> list[Kept]:
    """Take a bundle and note it as sent, a while ago."""
    found = waiting.take(MOST)
    assert found is not None
    waiting.note_sent(found, height)
    bundle = found[0].sent
    assert bundle is not None
    bundle.at -= ago_seconds
    return found


# --- bundles


def test_bundles_take_what_waits_in_order_up_to_their_size() -> None:
    waiting, many = made(bundle=4), transactions(10)
    added(waiting, many)
    assert [taken(waiting) for _ in range(3)] == [many[:4], many[4:8], many[8:]]
    assert waiting.queued == 0
    assert len(waiting) == 10


def test_a_block_that_takes_less_makes_smaller_bundles() -> None:
    waiting, many = made(bundle=4), transactions(4)
    added(waiting, many)
    assert taken(waiting, 3) == many[:3]


def test_a_bundle_waits_for_company_and_goes_at_once_when_full() -> None:
    patient, many = made(bundle=3, wait_seconds=60), transactions(4)
    began = time.monotonic()
    added(patient, many[:3])
    assert len(taken(patient)) == 3
    assert time.monotonic() - began < 30
    hasty = made(bundle=3, wait_seconds=0.2)
    began = time.monotonic()
    added(hasty, many[3:])
    assert len(taken(hasty)) == 1
    assert time.monotonic() - began >= 0.2


def test_a_bundle_is_never_larger_than_may_be() -> None:
    stand = Stand()
    waiting = made(bundle=MOST)
    many: list[Transaction] = []
    while sum([len(each.raw) for each in many]) <= BUNDLE_BYTES_MAX:
        calls = [("A", Leave(name="n" * 64, number=number, secret=2**30)) for number in range(16)]
        many.append(stand.ledger.codec.decode(stand.signed(*calls, expires_at_ms=MINUTE_MS)))
    added(waiting, many)
    first, second = taken(waiting), taken(waiting)
    assert first + second == many
    raw = encode_bundle(2**64 - 1, [each.raw for each in first])
    assert BUNDLE_BYTES_MAX - 5_000 < len(raw) <= BUNDLE_BYTES_MAX
    assert BundleCache(stand.ledger).read(raw).transactions == tuple(first)


def test_the_same_bytes_wait_once() -> None:
    waiting, many = made(), transactions(2)
    assert len(waiting.add(many)) == 2
    assert waiting.add(many) == []
    assert many[0].raw in waiting
    assert waiting.all() == many


def test_what_could_not_be_kept_is_not_sent() -> None:
    waiting, many = made(), transactions(3)
    kept = waiting.add(many)
    waiting.withdraw(kept[:1])
    waiting.release(kept)
    assert taken(waiting) == many[1:]
    assert waiting.others(many[0].id) == []


def test_what_was_decided_meanwhile_is_passed_over() -> None:
    waiting, many = made(), transactions(3)
    added(waiting, many)
    assert waiting.settle(many[1].raw)
    assert not waiting.settle(many[1].raw)
    assert taken(waiting) == [many[0], many[2]]


def test_what_was_not_taken_goes_first_and_not_before_the_pause_is_over() -> None:
    waiting, many = made(bundle=2), transactions(4)
    added(waiting, many)
    first = waiting.take(MOST)
    assert first is not None
    waiting.put_back(first)
    began = time.monotonic()
    waiting.pause(0.2)
    assert taken(waiting) == many[:2]
    assert time.monotonic() - began >= 0.2


def test_a_closed_one_gives_nothing() -> None:
    waiting = made()
    threading.Timer(0.05, waiting.close).start()
    assert waiting.take(MOST) is None


# --- again


def test_what_was_just_sent_is_not_sent_again() -> None:
    waiting = made()
    added(waiting, transactions(2))
    sent(waiting)
    assert not waiting.has_overdue()
    assert waiting.requeue_overdue(100, is_forgotten=True) == []
    assert waiting.under_way == 1


def test_what_the_engine_forgot_is_sent_again_after_a_moment() -> None:
    waiting, many = made(), transactions(3)
    added(waiting, many)
    sent(waiting, ago_seconds=SECONDS_MIN)
    waiting.settle(many[0].raw)
    assert waiting.has_overdue()
    assert waiting.requeue_overdue(1, is_forgotten=False) == []
    again = waiting.requeue_overdue(1, is_forgotten=True)
    assert [kept.transaction for kept in again] == many[1:]
    assert taken(waiting) == many[1:]


def test_what_the_engine_still_holds_is_sent_again_only_after_long_and_some_blocks() -> None:
    waiting, many = made(), transactions(1)
    added(waiting, many)
    sent(waiting, height=7, ago_seconds=SECONDS_MAX)
    assert waiting.requeue_overdue(9, is_forgotten=False) == []
    assert len(waiting.requeue_overdue(10, is_forgotten=False)) == 1


def test_what_later_bundles_have_overtaken_is_sent_again() -> None:
    waiting, many = made(bundle=2), transactions(4)
    added(waiting, many)
    sent(waiting, height=7, ago_seconds=SECONDS_MIN + 2)
    sent(waiting, height=8, ago_seconds=SECONDS_MIN)
    assert waiting.requeue_overdue(12, is_forgotten=False) == []
    for each in many[2:]:
        waiting.settle(each.raw)
    assert waiting.requeue_overdue(9, is_forgotten=False) == []
    again = waiting.requeue_overdue(10, is_forgotten=False)
    assert [kept.transaction for kept in again] == many[:2]


def test_a_bundle_of_which_all_is_decided_is_forgotten() -> None:
    waiting, many = made(), transactions(2)
    added(waiting, many)
    sent(waiting, ago_seconds=SECONDS_MAX)
    for each in many:
        waiting.settle(each.raw)
    assert not waiting.has_overdue()
    assert waiting.under_way == 0


def test_a_restarted_engine_is_sent_everything_again_at_once() -> None:
    waiting, many = made(bundle=2), transactions(4)
    added(waiting, many)
    sent(waiting)
    sent(waiting)
    waiting.pause(60)
    waiting.requeue_all()
    assert [taken(waiting), taken(waiting)] == [many[:2], many[2:]]
    assert waiting.under_way == 0


def test_at_the_start_everything_is_to_be_sent() -> None:
    waiting, many = made(), transactions(2)
    waiting.add(many)
    assert waiting.queued == 0
    waiting.release_all()
    assert taken(waiting) == many


# --- time


def test_what_no_block_could_take_yet_waits_for_ledger_time() -> None:
    waiting = made(horizon_ms=HOUR_MS)
    soon, late = transactions(2, expires_at_ms=HOUR_MS + 1), transactions(1)
    added(waiting, [*soon, *late])
    assert taken(waiting) == late
    waiting.commit(0)
    assert waiting.queued == 0
    waiting.commit(1)
    assert taken(waiting) == soon


def test_what_is_answered_is_not_held_until_it_would_have_expired() -> None:
    waiting, many = made(), transactions(1_500)
    added(waiting, many)
    first = many[0]
    references = sys.getrefcount(first)
    for each in many[:1_400]:
        waiting.settle(each.raw)
    while waiting.queued:
        taken(waiting)
    assert sys.getrefcount(first) < references
    assert waiting.expired(MINUTE_MS) == many[1_400:]


def test_what_expires_is_told_once_and_in_time() -> None:
    waiting = made()
    first, second = transactions(2, expires_at_ms=100), transactions(1, expires_at_ms=200)
    added(waiting, [*second, *first])
    assert waiting.next_expiry_ms() == 100
    assert waiting.expired(99) == []
    waiting.settle(first[0].raw)
    assert waiting.expired(100) == first[1:]
    for each in first[1:]:
        waiting.settle(each.raw)
    assert waiting.next_expiry_ms() == 200
    waiting.settle(second[0].raw)
    assert waiting.next_expiry_ms() is None
    assert waiting.expired(1_000) == []
