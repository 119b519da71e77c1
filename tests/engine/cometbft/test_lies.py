"""Snapshots refused when anything is wrong with an offer, a chunk or a list; who lied is named."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallystick.engine.cometbft.bundle import encode_bundle
from tallystick.engine.cometbft.manifest import (
    Manifest,
    Pairs,
    Uses,
    name_of,
)
from tallystick.engine.cometbft.seam import Applied, ChunkResult, Offered, Signed, SnapshotInfo
from tallystick.engine.cometbft.snapshots import TRIES_MAX
from tallystick.errors import Halted
from tallystick.values.codec import decode, encode, replace
from tallystick.values.units import AT_MS_MAX
from tests.engine.cometbft.shelves import (
    BLOCKS,
    Given,
    Shelved,
    follow,
    hand_over,
)


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    made = Given(tmp_path_factory.mktemp("given"))
    yield made
    made.node.shelf.close()


# --- lies


@pytest.fixture
def taker(given: Given, tmp_path: Path) -> Iterator[Shelved]:
    made = given.taker(tmp_path / "taker")
    yield made
    made.shelf.close()


def forged(info: SnapshotInfo, **changes: object) -> SnapshotInfo:
    """The same offer with another manifest, whose hash is right."""
    manifest = decode(Manifest, info.metadata)
    metadata = encode(replace(manifest, **changes))
    return SnapshotInfo(info.height, info.format, info.chunks, name_of(metadata), metadata)


def test_offers_that_are_refused(given: Given, taker: Shelved) -> None:
    info, offer = given.info, taker.shelf.offer
    manifest = decode(Manifest, info.metadata)
    base = manifest.base
    said = (info.height, info.format, info.chunks, info.hash, info.metadata)
    wrong = [
        SnapshotInfo(info.height + 1, *said[1:]),
        SnapshotInfo(*said[:2], info.chunks + 1, *said[3:]),
        SnapshotInfo(*said[:3], bytes(32), info.metadata),
        forged(info, chain_id="till-00000000"),
        forged(info, base=replace(base, state_root=bytes(32))),
        forged(info, base=replace(base, receipts_root=bytes(32))),
        forged(info, base=replace(base, height=base.height + 1)),
        forged(info, parts=(manifest.parts[1], manifest.parts[0], *manifest.parts[2:])),
        forged(info, parts=((bytes(32), 1), *manifest.parts[1:])),
        forged(info, parts=manifest.parts[:2]),
        forged(info, bits=3),
    ]
    for each in wrong:
        assert offer(each, given.app_hash) is Offered.REJECT_SENDER
        assert taker.shelf.apply(0, given.chunk(0), "x").result is Applied.ABORT
    assert offer(info, bytes(32)) is Offered.REJECT_SENDER, "not the trusted app hash"
    other = SnapshotInfo(info.height, 2, *said[2:])
    assert offer(other, given.app_hash) is Offered.REJECT_FORMAT
    assert taker.stand.chain.state.tip.height == 0
    assert offer(info, given.app_hash) is Offered.ACCEPT


def test_metadata_cut_or_changed_anywhere_is_refused(given: Given, taker: Shelved) -> None:
    """But for what no root covers, name and times, and for what the chunks will find out."""
    whole, truth = given.info.metadata, decode(Manifest, given.info.metadata)
    accepted = 0
    for at in range(len(whole)):
        for metadata in (whole[:at], whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :]):
            info = SnapshotInfo(BLOCKS, 1, given.info.chunks, name_of(metadata), metadata)
            if taker.shelf.offer(info, given.app_hash) is Offered.ACCEPT:
                accepted += 1
                said = decode(Manifest, metadata)
                base = replace(
                    said.base,
                    name=truth.base.name,
                    time_ms=truth.base.time_ms,
                    ledger_ms=truth.base.ledger_ms,
                )
                assert [root for root, _ in said.parts] == [root for root, _ in truth.parts]
                same = replace(said, base=base, lists=truth.lists, parts=truth.parts)
                assert same == truth
    assert 32 + 32 < accepted < 100


def with_base(info: SnapshotInfo, **changes: object) -> SnapshotInfo:
    """The same offer that tells something else of its block."""
    return forged(info, base=replace(decode(Manifest, info.metadata).base, **changes))


def told_otherwise(info: SnapshotInfo) -> list[SnapshotInfo]:
    """Offers with a name or a time that no validator signed."""
    base = decode(Manifest, info.metadata).base
    later = base.time_ms + 86_400_000
    return [
        with_base(info, name=bytes(32)),
        with_base(info, time_ms=later, ledger_ms=later),
        with_base(info, time_ms=AT_MS_MAX, ledger_ms=AT_MS_MAX),
        with_base(info, time_ms=base.time_ms - 1, ledger_ms=base.ledger_ms - 1),
    ]


def test_a_block_that_nobody_signed_so_costs_a_retry(given: Given, taker: Shelved) -> None:
    """Asked of who has the header; the node goes on with the next snapshot."""
    base = decode(Manifest, given.info.metadata).base
    asked = []

    def vouch(height: int, app_hash: bytes) -> Signed:
        asked.append((height, app_hash))
        return Signed(base.name, base.time_ms)

    taker.shelf.vouch = vouch
    for lie in told_otherwise(given.info):
        assert taker.shelf.offer(lie, given.app_hash) is Offered.REJECT_SENDER
        assert taker.shelf.apply(0, given.chunk(0), "liar").result is Applied.ABORT
    hand_over(given.node, taker, given.info, given.app_hash)
    assert set(asked) == {(BLOCKS, given.app_hash)}
    follow(given.node.stand, taker.stand)


def test_a_snapshot_for_which_nobody_vouches_now_is_left(given: Given, taker: Shelved) -> None:
    taker.shelf.vouch = lambda height, app_hash: None
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.REJECT
    assert taker.shelf.apply(0, given.chunk(0), "giver").result is Applied.ABORT
    assert taker.stand.chain.state.tip.height == 0


def test_the_time_of_a_snapshots_block_binds_nobody(given: Given, taker: Shelved) -> None:
    """Even where nobody vouches, the next block has the time that consensus gives it."""
    honest = given.node.stand.chain
    lie = told_otherwise(given.info)[2]
    assert taker.shelf.offer(lie, given.app_hash) is Offered.ACCEPT
    for index in range(given.info.chunks):
        assert taker.shelf.apply(index, given.chunk(index), "liar").result is Applied.ACCEPT
    assert taker.stand.chain.state.tip.time_ms == AT_MS_MAX
    first = honest.entry(BLOCKS + 1)
    taker.stand.block(encode_bundle(0, first.transactions), ms=first.header.time_ms)
    made = taker.stand.chain.entry(BLOCKS + 1)
    assert (made.state_root, made.ledger_ms) == (first.state_root, first.ledger_ms)
    earlier = taker.stand.chain.state.tip.time_ms - 1
    with pytest.raises(Halted, match="does not follow"):
        taker.stand.finalize([], ms=earlier)


@pytest.mark.parametrize("by_ms", (-1, 1, 86_400_000))
def test_ledger_time_is_what_the_record_of_the_clock_says(
    given: Given, taker: Shelved, by_ms: int
) -> None:
    base = decode(Manifest, given.info.metadata).base
    lie = with_base(given.info, ledger_ms=base.ledger_ms + by_ms)
    assert taker.shelf.offer(lie, given.app_hash) is Offered.ACCEPT
    said = [
        taker.shelf.apply(index, given.chunk(index), "liar") for index in range(given.info.chunks)
    ]
    assert said[-1] == ChunkResult(Applied.REJECT_SNAPSHOT, reject_senders=("liar",))
    hand_over(given.node, taker, given.info, given.app_hash)


def wrong_chunks(chunk: bytes) -> dict[str, bytes]:
    """A chunk of records with one thing wrong."""
    pairs = decode(Pairs, chunk)
    (key, record), last = pairs[0], pairs[-1]
    return {
        "nothing": b"",
        "no encoding": b"\xff" * 20,
        "cut": chunk[:-1],
        "longer": chunk + b"\0",
        "missing": encode(pairs[1:]),
        "twice": encode((pairs[0], *pairs)),
        "other record": encode(((key, record + b"\0"), *pairs[1:])),
        "other key": encode(((key + b"\0", record), *pairs[1:])),
        "order": encode((last, *pairs[1:-1], pairs[0])),
        "swapped": encode(((key, last[1]), *pairs[1:-1], (last[0], record))),
        "one more": encode((*pairs, (b"more", b"more"))),
        "empty": encode(()),
    }


def test_a_wrong_chunk_is_refused_and_its_sender_named(given: Given, taker: Shelved) -> None:
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
    chunks = [given.chunk(index) for index in range(given.info.chunks)]
    wrong = [*wrong_chunks(chunks[0]).values(), chunks[1], chunks[4]]
    for number, chunk in enumerate(wrong):
        verdict = taker.shelf.apply(0, chunk, f"liar-{number}")
        assert verdict.result is Applied.RETRY
        assert (verdict.refetch, verdict.reject_senders) == ((0,), (f"liar-{number}",))
    verdict = taker.shelf.apply(4, chunks[4][:-1], "")
    assert (verdict.result, verdict.reject_senders) == (Applied.RETRY, ())
    for index, chunk in enumerate(chunks):
        assert taker.shelf.apply(index, chunk, "honest").result is Applied.ACCEPT
    assert taker.root() == given.root


def test_too_many_wrong_chunks_and_the_snapshot_is_given_up(given: Given, taker: Shelved) -> None:
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
    results = [taker.shelf.apply(0, b"x", "liar").result for _ in range(TRIES_MAX + 2)]
    assert results[:-2] == [Applied.RETRY] * TRIES_MAX
    assert results[-2:] == [Applied.REJECT_SNAPSHOT, Applied.ABORT]
    assert taker.shelf.apply(99, b"x", "liar").result is Applied.ABORT
    hand_over(given.node, taker, given.info, given.app_hash)


def test_a_lone_leaf_that_was_made_up_is_never_found(given: Given, taker: Shelved) -> None:
    """A manifest may say that a subtree's root is one record's: then no record builds it."""
    empty = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
    root = decode(Manifest, given.info.metadata).base.state_root
    lie = forged(given.info, bits=1, parts=((root, 1), (empty, 0)), lists=())
    lie = SnapshotInfo(lie.height, 1, 2, lie.hash, lie.metadata)
    assert taker.shelf.offer(lie, given.app_hash) is Offered.ACCEPT
    for chunk in (encode(()), given.chunk(0), encode(decode(Pairs, given.chunk(0))[:1])):
        assert taker.shelf.apply(0, chunk, "liar").result is Applied.RETRY


@pytest.mark.parametrize("lie", ("none", "fewer", "other", "swapped", "minute", "no lists"))
def test_lists_that_are_not_the_ledgers(given: Given, taker: Shelved, lie: str) -> None:
    """The manifest names the made-up lists: only the ledger's own records tell."""
    lists = decode(Uses, given.chunk(4))
    minute, uses = lists[0]
    made = {
        "none": (),
        "fewer": ((minute, uses[1:]), *lists[1:]),
        "other": ((minute, (("A", "made up", bytes(32)), *uses[1:])), *lists[1:]),
        "swapped": ((minute, (uses[1], uses[0], *uses[2:])), *lists[1:]),
        "minute": ((minute - 1, uses), *lists[1:]),
        "no lists": 7,
    }[lie]
    chunk = encode(made)
    offer = forged(given.info, lists=(hashlib.sha256(chunk).digest(),))
    assert taker.shelf.offer(offer, given.app_hash) is Offered.ACCEPT
    for index in range(4):
        assert taker.shelf.apply(index, given.chunk(index), "liar").result is Applied.ACCEPT
    verdict = taker.shelf.apply(4, chunk, "liar too")
    assert verdict.result is Applied.REJECT_SNAPSHOT
    assert verdict.reject_senders == ("liar", "liar too")
    assert taker.stand.chain.state.tip.height == 0
    hand_over(given.node, taker, given.info, given.app_hash)


def test_chunks_may_come_again_and_in_any_order(given: Given, taker: Shelved) -> None:
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ACCEPT
    for index in (4, 2, 2, 0, 4, 3, 1):
        assert taker.shelf.apply(index, given.chunk(index), "giver").result is Applied.ACCEPT
    assert taker.root() == given.root


def test_a_node_with_blocks_of_its_own_takes_none(given: Given, taker: Shelved) -> None:
    taker.blocks(1)
    assert taker.shelf.offer(given.info, given.app_hash) is Offered.ABORT
    assert taker.stand.chain.state.tip.height == 1
