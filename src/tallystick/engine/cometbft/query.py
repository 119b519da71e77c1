"""Answers to the engine's Query: whether a peer may connect, and what a record is."""

from __future__ import annotations

import hashlib

from tallystick.accel.ics23 import encode_proof
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.ledger.ics23 import STATE_KEY, state_proof
from tallystick.ledger.proof import RecordProof

ADDRESS_FILTER = "/p2p/filter/addr/"
"""Asked of every address that connects, before it has said who it is."""
ID_FILTER = "/p2p/filter/id/"
"""Asked of every peer, by the id of its node key."""
STATE = "/state"
"""Asks for a record by its key."""

RECORD_OP = "ics23:jmt"
"""Type of the proof of a record: the specification is that of `accel/ics23.py`."""
STATE_OP = "ics23:simple"
"""Type of the proof of the state root: specification `tendermint` of ICS 23."""

UNKNOWN_PATH = 1
NOT_ALLOWED = 2
NOT_THIS_HEIGHT = 3
NO_BLOCK_YET = 4


def answer_query(
    chain: Chain, allow: frozenset[str] | None, request: abci.RequestQuery
) -> abci.ResponseQuery:
    """Answer a query; a code that is not 0 says why not."""
    path = request.path
    if path.startswith(ADDRESS_FILTER):
        return abci.ResponseQuery()  # by its id a peer is known for certain
    if path.startswith(ID_FILTER):
        node_id = path.removeprefix(ID_FILTER)
        if allow is None or node_id in allow:
            return abci.ResponseQuery()
        return _no(NOT_ALLOWED, f"node {node_id[:80]} is not on this node's list of peers")
    if path == STATE:
        return _record(chain, request)
    return _no(UNKNOWN_PATH, f"there is no path {path[:80]}")


def _record(chain: Chain, request: abci.RequestQuery) -> abci.ResponseQuery:
    """A record by its key; its value is empty when there is none."""
    proof = chain.prove_record(request.data)
    if proof is None:
        return _no(NO_BLOCK_YET, "there is no block yet")
    height = proof.seal.header.height
    if request.height not in (0, height):
        return _no(NOT_THIS_HEIGHT, f"only the state after block {height} can be asked for")
    answer = abci.ResponseQuery(key=request.data, value=proof.record or b"", height=height)
    if request.prove:
        answer.proof_ops.ops.extend(_proof_ops(proof))
    return answer


def _proof_ops(proof: RecordProof) -> list[abci.ProofOp]:
    """The record, or its absence, under the state root, and that under the next app hash."""
    roots = proof.seal
    upper = state_proof(receipts_root=roots.receipts_root, state_root=roots.state_root)
    key_hash = hashlib.sha256(proof.key).digest()
    return [
        abci.ProofOp(type=RECORD_OP, key=key_hash, data=encode_proof(proof.evidence())),
        abci.ProofOp(type=STATE_OP, key=STATE_KEY, data=upper),
    ]


def _no(code: int, reason: str) -> abci.ResponseQuery:
    """An answer that says why there is none."""
    return abci.ResponseQuery(code=code, log=reason)
