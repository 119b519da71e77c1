"""What the application answers to each call of ABCI, as one node's story."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tallystick.accel.ics23 import encode_proof
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.bundle import encode_bundle, encode_tick
from tallystick.engine.cometbft.params import timestamp_ms
from tallystick.engine.cometbft.seam import Applied, ChunkResult, Offered, SnapshotInfo
from tallystick.errors import Halted, NodeError
from tallystick.ledger.app import key_bytes
from tallystick.ledger.ics23 import state_proof
from tests.engine.cometbft.stand import (
    MINUTE_MS,
    OPENS_MS,
    VALIDATOR,
    Stand,
    time_of,
)
from tests.till.desk import genesis, outcome_of
from tests.till.messages import Fill, Pay
from tests.till.records import Purse

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
    assert stand.check(encode_bundle(1, [stranger]), again=True).code == 5


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
    assert "signature" in stand.check(stand.tampered(FILL)).log
    assert stand.check(encode_bundle(0, [stand.signed(FILL)] * 1_001)).code == 4


def test_signatures_are_checked_once_in_a_node(stand: Stand) -> None:
    raw = stand.bundle(FILL, FILL)
    stand.check(raw)
    stand.check(raw, again=True)
    stand.prepare([raw])
    stand.block(raw)
    stand.check(encode_bundle(5, [each.raw for each in stand.bundles.read(raw).transactions]))
    assert stand.verdicts.signatures == 2


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
