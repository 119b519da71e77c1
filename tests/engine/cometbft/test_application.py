"""What the application answers to each call of ABCI, as one node's story."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from tallystick.accel.ics23 import encode_proof
from tallystick.engine.base import Answer
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.blocks import CANDIDATES_KEPT, KNOWN_ANSWERS_MAX
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.engine.cometbft.params import timestamp_ms
from tallystick.engine.cometbft.seam import Applied, ChunkResult, Offered, SnapshotInfo
from tallystick.errors import DiskFull, Halted, NodeError
from tallystick.ledger.app import key_bytes
from tallystick.ledger.genesis import HORIZON_MS
from tallystick.ledger.ics23 import state_proof
from tallystick.ledger.receipt import merkle_root
from tallystick.values.codec import encode
from tests.engine.cometbft.stand import (
    MINUTE_MS,
    OPENS_MS,
    VALIDATOR,
    Stand,
    time_of,
)
from tests.till.desk import genesis, outcome_of
from tests.till.messages import Fill, Leave, Pay
from tests.till.records import Note, Purse

FILL = ("A", Fill(currency="CNY", amount_minor=10))


@pytest.fixture
def stand() -> Stand:
    return Stand()


# --- any connection, query


def test_echo_and_flush(stand: Stand) -> None:
    app = stand.application
    assert app.echo(abci.RequestEcho(message="hello")).message == "hello"
    assert app.flush(abci.RequestFlush()) == abci.ResponseFlush()


def test_info_tells_the_last_committed_block_and_nothing_later(stand: Stand) -> None:
    ask = abci.RequestInfo(abci_version="2.0.0")
    first = stand.application.info(ask)
    assert (first.last_block_height, first.app_version) == (0, 1)
    assert first.last_block_app_hash == stand.chain.app_hash()
    raw = stand.bundle(FILL)
    stand.process([raw])
    told = stand.finalize([raw]).app_hash
    assert stand.application.info(ask).last_block_height == 0
    stand.commit()
    after = stand.application.info(ask)
    assert (after.last_block_height, after.last_block_app_hash) == (1, told)
    assert after.data == stand.ledger.chain_id


def test_an_engine_of_another_generation_is_told_of(
    stand: Stand, caplog: pytest.LogCaptureFixture
) -> None:
    stand.application.info(abci.RequestInfo(abci_version="1.0.0"))
    assert "1.0.0" in caplog.text


def test_peers_are_allowed_by_their_node_id(stand: Stand) -> None:
    def code(path: str) -> int:
        return stand.application.query(abci.RequestQuery(path=path)).code

    assert code("/p2p/filter/addr/10.0.0.1:26656") == 0
    assert code("/p2p/filter/id/abc") == 0
    stand.application.allow = frozenset({"abc"})
    assert code("/p2p/filter/addr/10.0.0.1:26656") == 0
    assert code("/p2p/filter/id/abc") == 0
    assert code("/p2p/filter/id/abcd") == 2
    assert code("/p2p/filter/id/") == 2
    assert code("/elsewhere") == 1
    assert code("") == 1


def test_a_record_is_asked_for_by_its_key(stand: Stand) -> None:
    def ask(key: bytes, **more: Any) -> abci.ResponseQuery:
        return stand.application.query(abci.RequestQuery(path="/state", data=key, **more))

    key = key_bytes(Purse(party="A"))
    assert ask(key).code == 4
    stand.block(stand.bundle(FILL))
    found = ask(key)
    assert (found.code, found.height, found.key) == (0, 1, key)
    assert b"till.purse.1" in found.value
    assert ask(key, height=1).value == found.value
    assert ask(key, height=7).code == 3
    assert ask(key_bytes(Purse(party="B"))).value == b""
    assert ask(b"garbage").value == b""


def test_a_record_is_proved_when_asked(stand: Stand) -> None:
    stand.block(stand.bundle(FILL))
    for key in (key_bytes(Purse(party="A")), key_bytes(Purse(party="B"))):
        request = abci.RequestQuery(path="/state", data=key, prove=True)
        record, state = stand.application.query(request).proof_ops.ops
        assert (record.type, record.key) == ("ics23:jmt", hashlib.sha256(key).digest())
        proof = stand.chain.prove_record(key)
        assert proof is not None
        assert proof.holds()
        assert record.data == encode_proof(proof.evidence())
        seal = proof.seal
        assert (state.type, state.key) == ("ics23:simple", b"state")
        assert state.data == state_proof(
            receipts_root=seal.receipts_root, state_root=seal.state_root
        )


# --- the beginning


def test_a_chain_begins_with_its_own_genesis_as_often_as_asked(stand: Stand) -> None:
    assert stand.init_chain().app_hash == stand.chain.app_hash()
    assert stand.init_chain().validators == []
    stand.block(stand.bundle(FILL))
    with pytest.raises(Halted, match="begins at its genesis"):
        stand.init_chain()


def other_params(**sections: Any) -> abci.ConsensusParams:
    params = Stand().beginning().consensus_params
    for name, section in sections.items():
        getattr(params, name).MergeFrom(section)
    return params


STRANGER = abci.ValidatorUpdate(pub_key=abci.PublicKey(ed25519=bytes(32)), power=10)
OTHER_KIND = abci.ValidatorUpdate(pub_key=abci.PublicKey(secp256k1=VALIDATOR.public_key), power=10)


@pytest.mark.parametrize(
    ("changes", "what"),
    (
        ({"chain_id": "till-00000000"}, "chain_id"),
        ({"app_state_bytes": b'{"genesis": "00"}'}, "app_state"),
        ({"app_state_bytes": b"{}"}, "app_state"),
        ({"app_state_bytes": b""}, "app_state"),
        ({"app_state_bytes": b"[" * 100_000}, "app_state"),
        ({"initial_height": 2}, "initial_height"),
        ({"time": time_of(OPENS_MS + 1)}, "genesis_time"),
        ({"validators": []}, "validators"),
        ({"validators": [STRANGER]}, "validators"),
        ({"validators": [OTHER_KIND]}, "validators"),
        ({"consensus_params": abci.ConsensusParams()}, "consensus_params.block"),
        (
            {"consensus_params": other_params(evidence=abci.EvidenceParams(max_bytes=1))},
            "consensus_params.evidence",
        ),
        (
            {"consensus_params": other_params(version=abci.VersionParams(app=2))},
            "consensus_params.version",
        ),
        (
            {
                "consensus_params": other_params(
                    abci=abci.ABCIParams(vote_extensions_enable_height=5)
                )
            },
            "vote_extensions",
        ),
    ),
)
def test_another_genesis_is_refused_and_said_where(
    stand: Stand, changes: dict[str, Any], what: str
) -> None:
    with pytest.raises(NodeError, match=what):
        stand.init_chain(**changes)


def test_a_chain_of_one_node_cannot_be_ordered_by_an_engine() -> None:
    stand = Stand(begins=genesis())
    with pytest.raises(NodeError, match="consensus_params"):
        stand.init_chain(validators=[])


# --- bundles that wait


def test_a_bundle_may_wait_while_something_may_come_of_it(stand: Stand) -> None:
    mine, theirs = stand.signed(FILL), stand.signed(("B", FILL[1]))
    bundle = encode_bundle(0, [mine, theirs])
    assert stand.check(bundle).code == 0
    stand.block(encode_bundle(0, [mine]))
    assert stand.check(bundle).code == 0
    assert stand.check(bundle, again=True).code == 0
    stand.block(encode_bundle(0, [theirs]))
    assert stand.check(bundle).code == 3
    assert stand.check(bundle, again=True).code == 3


def test_a_refused_transaction_is_decided_too_and_an_unauthorised_one_is_not(
    stand: Stand,
) -> None:
    refused = stand.signed(("A", Pay(to="B", amount_minor=1)))
    stranger = stand.signed(FILL, keys=["B.clerk"])
    committed = stand.block(encode_bundle(0, [refused, stranger]))
    assert [outcome_of(each) for each in committed.answers] == ["refused", "unauthorised"]
    assert stand.check(encode_bundle(1, [refused])).code == 3
    assert stand.check(encode_bundle(1, [stranger])).code == 0


def test_expired_bundles_are_dropped(stand: Stand) -> None:
    soon = stand.signed(FILL, expires_at_ms=OPENS_MS + MINUTE_MS)
    bundle = encode_bundle(0, [soon])
    assert stand.check(bundle).code == 0
    stand.block(ms=OPENS_MS + MINUTE_MS)
    assert stand.check(bundle).code == 3
    assert stand.check(bundle, again=True).code == 3


def test_ticks_wait_for_the_next_blocks_alone(stand: Stand) -> None:
    assert [stand.check(encode_tick(note)).code for note in range(5)] == [2, 0, 0, 2, 2]
    assert stand.check(encode_tick(1), again=True).code == 0
    stand.block(encode_tick(1))
    assert stand.check(encode_tick(1), again=True).code == 2
    assert stand.check(encode_tick(3)).code == 0


def test_bad_bundles_do_not_wait(stand: Stand) -> None:
    good = stand.bundle(FILL)
    assert stand.check(b"").code == 1
    assert stand.check(good + b"\x00").code == 1
    assert "signature" in stand.check(tampered(stand)).log
    assert stand.check(encode_bundle(0, [stand.signed(FILL)] * 1_001)).code == 4


def tampered(stand: Stand) -> bytes:
    """A bundle in which one signature has one wrong bit."""
    raw = bytearray(stand.signed(FILL))
    raw[-1] ^= 1
    return encode_bundle(0, [stand.signed(FILL), bytes(raw)])


def test_signatures_are_checked_once_in_a_node(stand: Stand) -> None:
    raw = stand.bundle(FILL, FILL)
    stand.check(raw)
    stand.check(raw, again=True)
    stand.prepare([raw])
    stand.block(raw)
    stand.check(encode_bundle(5, [each.raw for each in stand.bundles.read(raw).transactions]))
    assert stand.verdicts.signatures == 2


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
    assert len(stand.chain.state.tree._versions) == 3  # type: ignore[attr-defined]  # of the Python tree: empty, genesis, block 1


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
        stand.finalize([tampered(stand)])


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


# --- votes, snapshots


def test_votes_carry_nothing_of_ours(stand: Stand) -> None:
    app = stand.application
    assert app.extend_vote(abci.RequestExtendVote(height=1)).vote_extension == b""
    kinds = abci.ResponseVerifyVoteExtension
    request = abci.RequestVerifyVoteExtension
    assert app.verify_vote_extension(request()).status == kinds.ACCEPT
    assert app.verify_vote_extension(request(vote_extension=b"x")).status == kinds.REJECT


def test_a_node_without_snapshots_has_none(stand: Stand) -> None:
    app = stand.application
    assert app.list_snapshots(abci.RequestListSnapshots()).snapshots == []
    assert app.load_snapshot_chunk(abci.RequestLoadSnapshotChunk(height=1)).chunk == b""
    assert app.offer_snapshot(abci.RequestOfferSnapshot()).result == (
        abci.ResponseOfferSnapshot.ABORT
    )
    assert app.apply_snapshot_chunk(abci.RequestApplySnapshotChunk()).result == (
        abci.ResponseApplySnapshotChunk.ABORT
    )


class Shelf:
    """Snapshots that say what they are told to."""

    def __init__(self) -> None:
        """Have one."""
        self.offered: list[tuple[SnapshotInfo, bytes]] = []
        self.verdict = Offered.ACCEPT
        self.result = ChunkResult(Applied.ACCEPT)

    def list(self) -> list[SnapshotInfo]:
        """One."""
        return [SnapshotInfo(10, 1, 3, b"hash", b"data")]

    def load(self, height: int, format_: int, chunk: int) -> bytes:
        """Its chunks."""
        return f"{height}/{format_}/{chunk}".encode()

    def offer(self, snapshot: SnapshotInfo, app_hash: bytes) -> Offered:
        """Note it."""
        self.offered.append((snapshot, app_hash))
        return self.verdict

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkResult:
        """Say what was told to."""
        return self.result


def test_snapshots_are_passed_on_as_they_are() -> None:
    shelf = Shelf()
    app = Stand(snapshots=shelf).application
    (kept,) = app.list_snapshots(abci.RequestListSnapshots()).snapshots
    request = abci.RequestLoadSnapshotChunk(height=10, format=1, chunk=2)
    assert app.load_snapshot_chunk(request).chunk == b"10/1/2"
    for verdict in Offered:
        shelf.verdict = verdict
        offer = abci.RequestOfferSnapshot(snapshot=kept, app_hash=b"root")
        assert app.offer_snapshot(offer).result == verdict.value
    assert shelf.offered[0] == (shelf.list()[0], b"root")
    for applied in Applied:
        shelf.result = ChunkResult(applied, refetch=(1, 2), reject_senders=("a",))
        said = app.apply_snapshot_chunk(abci.RequestApplySnapshotChunk(index=0))
        assert said.result == applied.value
        assert (list(said.refetch_chunks), list(said.reject_senders)) == ([1, 2], ["a"])


def test_times_are_cut_to_milliseconds() -> None:
    assert timestamp_ms(time_of(1_234)) == 1_234
    assert timestamp_ms(abci.Timestamp(seconds=-1, nanos=999_999_999)) == -1
