"""Proposals: what one node prepares every node accepts; what is rejected is so by its bytes."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.engine.cometbft.checks import proto_size
from tallystick.errors import Halted
from tallystick.gateway.admit import Admission
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.system import CONSENSUS, Consensus
from tallystick.ledger.transaction import Transaction
from tallystick.values.codec import encode, replace
from tests.engine.cometbft.stand import (
    CONSENSUS_RECORD,
    MINUTE_MS,
    OPENS_MS,
    VALIDATOR,
    Stand,
    till_genesis,
)
from tests.till.messages import Activate, Fill, Mark
from tests.till.records import Note

FILL = ("A", Fill(currency="CNY", amount_minor=1))
TICKS = [encode_tick(note) for note in (1, 2, 3)]


def small_stand(most: int = 20) -> Stand:
    """A chain whose blocks take few transactions."""
    record: Consensus = replace(CONSENSUS_RECORD, block_transactions=most)
    assert record.name == CONSENSUS
    return Stand(begins=till_genesis(records=(encode(record), encode(VALIDATOR))))


@given(st.binary(max_size=20_000))
def test_the_size_of_a_bundle_is_what_protobuf_makes_of_it(raw: bytes) -> None:
    one = abci.ResponsePrepareProposal(txs=[raw]).ByteSize()
    assert proto_size(raw) == one


@pytest.mark.parametrize("size", (0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152))
def test_sizes_at_the_borders(size: int) -> None:
    assert proto_size(bytes(size)) == abci.ResponsePrepareProposal(txs=[bytes(size)]).ByteSize()


# --- what is prepared


def mempool(stand: Stand, seed: int) -> list[bytes]:
    """Bundles good and bad, as no mempool of ours would hold them."""
    chance = random.Random(seed)
    committed = [stand.signed(FILL) for _ in range(4)]
    stand.block(encode_bundle(0, committed))
    pool = list(committed)
    pool += [stand.signed(FILL) for _ in range(12)]
    pool.append(stand.signed(FILL, expires_at_ms=OPENS_MS))
    pool.append(stand.signed(FILL, keys=["B.clerk"]))
    bad = bytearray(stand.signed(FILL))
    bad[-1] ^= 1
    junk = [
        b"", b"junk", *TICKS, encode_bundle(0, [bytes(bad)])
    ]  # fmt: skip
    bundles = [
        encode_bundle(note, chance.choices(pool, k=chance.randint(1, 9)))
        for note in range(chance.randint(0, 12))
    ]
    mixed = bundles + chance.choices(junk, k=chance.randint(0, 5))
    chance.shuffle(mixed)
    return mixed


@settings(deadline=None, max_examples=100)
@given(seed=st.integers(0, 2**32), bytes_max=st.integers(0, 30_000), most=st.integers(4, 60))
def test_what_is_prepared_is_accepted_by_all(seed: int, bytes_max: int, most: int) -> None:
    stand = small_stand(most)
    pool = mempool(stand, seed)
    chosen = stand.prepare(pool, bytes_max)
    assert sum(map(proto_size, chosen)) <= bytes_max
    assert iter_contains(pool, [raw for raw in chosen if raw not in TICKS])
    assert stand.process(chosen)
    fresh = small_stand(most)
    assert fresh.process(chosen), "a node that has seen nothing of it before"
    assert len(stand.finalize(chosen).tx_results) == len(chosen)


def iter_contains(pool: list[bytes], chosen: list[bytes]) -> bool:
    """Whether what was chosen stands in the pool in the same order."""
    rest = iter(pool)
    return all(raw in rest for raw in chosen)


def test_whole_bundles_are_taken_in_order_and_what_does_not_fit_is_passed_over() -> None:
    stand = small_stand(10)
    large, small, tiny = [
        encode_bundle(0, [stand.signed(FILL) for _ in range(count)]) for count in (8, 5, 2)
    ]
    assert stand.prepare([large, small, tiny]) == [large, tiny]
    assert stand.prepare([small, large, tiny]) == [small, tiny]
    room = proto_size(small) + proto_size(tiny)
    assert stand.prepare([large, small, tiny], room) == [small, tiny]
    assert stand.prepare([large, small, tiny], room - 1) == [small]
    assert stand.prepare([large, small, tiny], proto_size(tiny) - 1) == []
    assert stand.prepare([large, small, tiny], -1) == []


def test_what_has_no_use_is_not_proposed_and_is_accepted_all_the_same() -> None:
    stand = Stand()
    old = stand.bundle(FILL)
    stand.block(old)
    stale = encode_bundle(0, [stand.signed(FILL, expires_at_ms=OPENS_MS)])
    ticks = [encode_tick(note) for note in (1, 2, 3)]
    assert stand.prepare([old, stale, *ticks]) == [encode_tick(2)]
    assert stand.process([old, stale, *ticks])


def test_preparing_changes_nothing() -> None:
    stand = Stand()
    before = stand.chain.app_hash()
    stand.prepare([stand.bundle(FILL)])
    stand.process([stand.bundle(FILL)])
    assert stand.chain.app_hash() == before
    assert stand.application.info(abci.RequestInfo()).last_block_height == 0


# --- what is rejected


def bad_proposals(stand: Stand) -> dict[str, list[bytes]]:
    """By what is wrong with them."""
    tampered = bytearray(stand.signed(FILL))
    tampered[-1] ^= 1
    good = stand.bundle(FILL)
    other = stand.signed(FILL, chain_id="till-00000000")
    return {
        "not a bundle": [b""],
        "not canonical": [b"\x93\x01\xcc\x07\x90"],
        "after a good one": [good, good[:-1]],
        "bad signature": [encode_bundle(0, [bytes(tampered)])],
        "another chain": [encode_bundle(0, [other])],
        "junk inside": [encode_bundle(0, [b"junk"])],
        "too many in one": [encode_bundle(0, [stand.signed(FILL)] * 21)],
        "too many together": [stand.bundle(*[FILL] * 11), stand.bundle(*[FILL] * 10)],
    }


@pytest.mark.parametrize("what", bad_proposals(small_stand()))
def test_what_no_correct_node_proposes_is_rejected(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    stand = small_stand()
    raws = bad_proposals(stand)[what]
    assert not stand.process(raws)
    assert "is rejected" in caplog.text
    assert stand.application._blocks._candidates == {}


def test_duplicates_expired_and_ticks_are_legal() -> None:
    stand = small_stand()
    raw = stand.signed(FILL)
    late = stand.signed(FILL, expires_at_ms=OPENS_MS + MINUTE_MS)
    raws = [
        encode_bundle(0, [raw, raw, late]),
        encode_bundle(0, [raw, raw, late]),
        encode_bundle(1, [raw]),
        encode_tick(99),
        encode_tick(99),
    ]
    assert stand.process(raws, ms=OPENS_MS + 2 * MINUTE_MS)
    stand.finalize(raws, ms=OPENS_MS + 2 * MINUTE_MS)
    stand.commit()
    entry = stand.chain.entry(1)
    assert entry.transactions == (raw,)
    assert len(stand.published[0].answers) == 7


def test_a_verdict_does_not_hang_on_what_was_seen_before() -> None:
    for raws in (*bad_proposals(small_stand()).values(), [small_stand().bundle(FILL)]):
        cold, warm = small_stand(), small_stand()
        for raw in raws:
            warm.check(raw)
        assert cold.process(raws) == warm.process(raws) == cold.process(raws)


def test_a_limit_that_was_voted_down_holds_from_the_next_block_on() -> None:
    stand = Stand()
    wide = stand.bundle(*[FILL] * 30)
    assert stand.check(wide).code == 0
    checks: Any = stand.application._checks
    checks.most = 20
    assert stand.check(wide, again=True).code == 4
    assert not stand.process([wide])
    stand.block()
    assert checks.most == CONSENSUS_RECORD.block_transactions


# --- rules that are not in force yet


def test_a_message_of_the_next_rules_waits_for_them() -> None:
    """Nodes of the release before could not read it: all refuse it alike until it is in force."""
    stand = Stand()
    early = stand.bundle(("A", Mark(name="early")))
    assert set(stand.application.early()) == {Mark}
    assert stand.check(early).code == 1
    assert stand.prepare([early]) == []
    assert not stand.process([early])
    with pytest.raises(Halted, match=r"till\.mark\.1 before its rules"):
        stand.finalize([early])
    stand.block(stand.bundle(("A", Activate(version=2, from_height=3))))
    assert stand.check(early).code == 1
    assert not stand.process([early])
    stand.block()
    assert stand.application.early() == {}
    assert stand.check(early).code == 0
    assert stand.prepare([early]) == [early]
    stand.block(early)
    assert stand.chain.view().get(Note, "early", 2).by == "A"


def test_the_door_refuses_it_alone_and_not_its_whole_bundle() -> None:
    stand = Stand()
    door = Admission(stand.ledger, stand.verdicts, early=stand.application.early)
    raws = [stand.signed(FILL), stand.signed(("A", Mark(name="early")), FILL), stand.signed(FILL)]
    first, no, last = door.admit(raws, OPENS_MS)
    assert isinstance(no, Refused)
    assert no.code is LedgerRefusal.NOT_ACTIVE
    assert no.values == {"message": "Mark", "version": 1}
    assert [each.raw for each in (first, last) if isinstance(each, Transaction)] == [
        raws[0],
        raws[2],
    ]
