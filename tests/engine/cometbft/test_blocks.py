"""Blocks: executed ahead, decided, made durable, and every transaction of them answered."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest

from tallystick.accel import StateTree, UnknownVersion
from tallystick.accel.merkle import merkle_root
from tallystick.engine.base import Answer
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.blocks import CANDIDATES_KEPT, KNOWN_ANSWERS_MAX
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.errors import DiskFull, Halted
from tallystick.ledger.genesis import HORIZON_MS
from tallystick.values.codec import encode
from tests.engine.cometbft.stand import (
    MINUTE_MS,
    OPENS_MS,
    Stand,
    time_of,
)
from tests.till.desk import outcome_of
from tests.till.messages import Fill, Leave, Pay
from tests.till.records import Note, Purse

FILL = ("A", Fill(currency="CNY", amount_minor=10))


@pytest.fixture
def stand() -> Stand:
    return Stand()


# --- blocks


def test_a_block_is_executed_while_the_others_vote_and_reused(stand: Stand) -> None:
    raw = stand.bundle(FILL)
    assert stand.process([raw])
    version = stand.chain.state.tree_version
    stand.finalize([raw])
    assert stand.application.reused == 1
    assert stand.chain.state.tree_version == version
    assert stand.published == []
    stand.commit()
    (committed,) = stand.published
    assert committed.header.height == 1
    assert stand.chain.view().get(Purse, "A").amount_minor == 10
    name = stand.chain.entry(1).block_hash
    assert committed.header_hash == name
    assert stand.block(stand.bundle(FILL)).header.previous_hash == name


def test_a_block_that_was_never_proposed_here_is_executed_when_it_is_decided(
    stand: Stand,
) -> None:
    committed = stand.block(stand.bundle(FILL), ahead=False)
    assert committed.header.height == 1
    assert stand.application.reused == 0


def test_reused_or_not_it_is_told_the_same() -> None:
    def told(*, ahead: bool) -> bytes:
        stand = Stand()
        raws = [stand.bundle(FILL, ("A", Pay(to="B", amount_minor=1))), encode_tick(1)]
        if ahead:
            stand.process([stand.bundle(FILL)])
            stand.process(raws)
        return stand.finalize(raws).SerializeToString(deterministic=True)

    assert told(ahead=True) == told(ahead=False)


def test_several_proposals_may_be_alive_and_all_but_one_are_dropped(stand: Stand) -> None:
    proposals = [[stand.bundle(FILL)] for _ in range(CANDIDATES_KEPT + 3)]
    for raws in proposals:
        assert stand.process(raws)
    blocks = stand.application._blocks
    assert len(blocks._candidates) == CANDIDATES_KEPT
    stand.finalize(proposals[-2])
    assert stand.application.reused == 1
    stand.finalize(proposals[0])
    assert stand.application.reused == 1
    stand.commit()
    assert blocks._candidates == {}
    assert stand.chain.view().get(Purse, "A").amount_minor == 10
    assert len(versions(stand.chain.state.tree)) == 3, "the empty one, genesis, block 1"


def versions(tree: StateTree) -> list[int]:
    """Versions that a tree holds, whatever its body."""
    found = []
    for number in range(50):
        with suppress(UnknownVersion):
            tree.root(number)
            found.append(number)
    return found


def test_a_decided_block_is_told_the_same_again(stand: Stand) -> None:
    raws = [stand.bundle(FILL)]
    first = stand.finalize(raws)
    assert stand.finalize(raws) == first
    stand.process([stand.bundle(FILL)])  # too late: another is decided
    assert stand.finalize(raws) == first
    stand.commit()
    assert stand.chain.view().get(Purse, "A").amount_minor == 10


def test_a_hash_that_stands_for_something_else_is_not_believed(stand: Stand) -> None:
    one, other = [stand.bundle(FILL)], [stand.bundle(FILL, FILL)]
    stand.process(one)
    hash_, _, _ = stand.named(one, None)
    stand.finalize(other, hash=hash_)
    stand.commit()
    assert stand.chain.view().get(Purse, "A").amount_minor == 20


def test_a_second_commit_does_nothing(stand: Stand) -> None:
    assert stand.commit().retain_height == 0
    stand.block(stand.bundle(FILL))
    stand.commit()
    assert stand.chain.state.tip.height == 1
    assert len(stand.published) == 1


def test_what_is_retained_is_the_nodes_choice() -> None:
    stand = Stand(retain=lambda height: max(0, height - 2))
    told = []
    for _ in range(4):
        stand.finalize([])
        told.append(stand.commit().retain_height)
    assert told == [0, 0, 1, 2]


@pytest.mark.parametrize(
    ("changes", "why"),
    (
        ({"height": 2}, "engine is at block 2, the ledger has done block 0"),
        ({"height": 0}, "engine is at block 0"),
        ({"height": -1}, "engine is at block -1"),
        ({"time": time_of(OPENS_MS - 1)}, "does not follow"),
        ({"time": abci.Timestamp(seconds=2**62)}, "does not follow"),
        ({"hash": b"short"}, "its hash has 5 bytes"),
        ({"txs": [b"junk"]}, "cannot accept"),
    ),
)
def test_what_the_engine_cannot_have_decided_halts(
    stand: Stand, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(Halted, match=why):
        stand.finalize([], **changes)
    assert stand.chain.state.tip.height == 0
    stand.block(stand.bundle(FILL))


def test_a_decided_block_with_a_bad_signature_halts(stand: Stand) -> None:
    with pytest.raises(Halted, match="signature"):
        stand.finalize([stand.tampered(FILL)])


def test_a_block_that_is_decided_again_after_its_commit_halts(stand: Stand) -> None:
    raws = [stand.bundle(FILL)]
    hash_, height, time = stand.named(raws, None)
    stand.block(*raws)
    with pytest.raises(Halted, match="has done block 1"):
        stand.finalize(raws, hash=hash_, height=height, time=time)


def test_an_empty_block_changes_no_app_hash(stand: Stand) -> None:
    stand.block(stand.bundle(FILL))
    before = stand.chain.app_hash()
    assert stand.finalize([]).app_hash == before
    stand.commit()
    assert stand.finalize([encode_tick(3)]).app_hash == before


def test_results_are_the_roots_of_each_bundles_receipts(stand: Stand) -> None:
    raws = [
        stand.bundle(FILL, ("A", Pay(to="B", amount_minor=1))),
        encode_tick(1),
        stand.bundle(("B", FILL[1])),
    ]
    raws.append(encode_bundle(9, [stand.bundles.read(raws[0]).transactions[0].raw]))
    results = stand.finalize(raws).tx_results
    stand.commit()
    receipts = [encode(receipt) for receipt in stand.chain.entry(1).receipts]
    expected = [receipts[:2], [], receipts[2:], []]
    assert [each.data for each in results] == [merkle_root(each) for each in expected]
    assert {each.code for each in results} == {0}


def test_timers_have_receipts_of_their_own_and_no_bundle(stand: Stand) -> None:
    stand.block(stand.bundle(("A", Leave(name="later", number=1, at_ms=OPENS_MS + 1))))
    (result,) = stand.finalize([encode_tick(2)], ms=OPENS_MS + 1).tx_results
    assert result.data == merkle_root([])
    stand.commit()
    assert stand.chain.view().get(Note, "later", 1).number == 1


def test_misbehaviour_is_told(stand: Stand, caplog: pytest.LogCaptureFixture) -> None:
    seen = abci.Misbehavior(
        type=abci.DUPLICATE_VOTE, height=7, validator=abci.Validator(address=b"\xab" * 20, power=1)
    )
    with caplog.at_level(logging.WARNING):
        stand.finalize([], misbehavior=[seen, abci.Misbehavior(type=99)])  # type: ignore[arg-type]
    assert "ABABAB" in caplog.text
    assert "two blocks in one round" in caplog.text


# --- what is published


def answers(committed: Sequence[Answer]) -> list[tuple[str, int | None]]:
    return [(outcome_of(each), each.height) for each in committed]


def test_every_transaction_of_every_bundle_is_answered_in_order(stand: Stand) -> None:
    old = stand.signed(FILL)
    stand.block(encode_bundle(0, [old]))
    stale = stand.signed(FILL, expires_at_ms=OPENS_MS)
    fresh, poor = stand.signed(FILL), stand.signed(("B", Pay(to="A", amount_minor=5)))
    stranger = stand.signed(FILL, keys=["B.clerk"])
    again = stand.signed(("B", FILL[1]), reference="twice")
    other = stand.signed(("B", Fill(currency="CNY", amount_minor=2)), reference="twice")
    raws = [fresh, old, poor, stale, fresh, stranger, again, other, stranger]
    first, second = encode_bundle(0, raws[:4]), encode_bundle(0, raws[4:])
    committed = stand.block(first, encode_tick(2), second)
    assert [each.raw for each in committed.answers] == raws
    assert answers(committed.answers) == [
        ("accepted", 2),
        ("accepted", 1),
        ("refused", 2),
        ("expired", None),
        ("accepted", 2),
        ("unauthorised", 2),
        ("accepted", 2),
        ("reused", 2),
        ("unauthorised", 2),
    ]


def test_of_what_may_still_come_nothing_is_said(stand: Stand) -> None:
    """Block time is that of the last votes: after a pause it is behind what the door went by."""
    far = stand.signed(FILL, expires_at_ms=OPENS_MS + HORIZON_MS + MINUTE_MS)
    near = stand.signed(FILL)
    bundle = encode_bundle(0, [far, near])
    assert [each.raw for each in stand.block(bundle).answers] == [near]
    assert stand.check(bundle).code == 0
    later = stand.block(encode_bundle(1, [far]), ms=OPENS_MS + MINUTE_MS)
    assert answers(later.answers) == [("accepted", 2)]


def test_looking_up_what_was_decided_long_ago_is_bounded(stand: Stand) -> None:
    count = KNOWN_ANSWERS_MAX + 40
    raws = [stand.signed(FILL) for _ in range(count)]
    stand.block(encode_bundle(0, raws))
    fresh = stand.signed(FILL)
    committed = stand.block(encode_bundle(1, [*raws, fresh]))
    assert [each.raw for each in committed.answers] == [*raws[:KNOWN_ANSWERS_MAX], fresh]


def test_nothing_is_published_of_a_block_that_is_not_durable(stand: Stand) -> None:
    raws = [stand.bundle(FILL)]
    stand.process(raws)
    stand.process([stand.bundle(FILL)])
    stand.finalize(raws)
    stand.disk.set_capacity(0)
    with pytest.raises(DiskFull):
        stand.commit()
    assert stand.published == []
    assert stand.application.info(abci.RequestInfo()).last_block_height == 0


def test_a_crash_before_commit_leaves_the_block_to_be_decided_again() -> None:
    stand = Stand()
    raws = [stand.bundle(FILL)]
    stand.block(stand.bundle(FILL))
    told = stand.finalize(raws)
    again = Stand(disk=stand.disk)
    assert again.application.info(abci.RequestInfo()).last_block_height == 1
    assert again.finalize(raws) == told
    again.commit()
    after = Stand(disk=stand.disk)
    assert after.application.info(abci.RequestInfo()).last_block_app_hash == told.app_hash
    assert after.chain.view().get(Purse, "A").amount_minor == 20


def test_after_the_engine_was_answered_the_rest_is_done() -> None:
    heights: list[int] = []
    stand = Stand(after_commit=heights.append)
    stand.application.execute_ahead()
    stand.block()
    assert heights == []
    stand.application.execute_ahead()
    stand.application.execute_ahead()
    assert heights == [1]
