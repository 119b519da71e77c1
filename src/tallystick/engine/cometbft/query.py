"""Answers to the engine's Query: whether a peer may connect, and what a record is."""

from __future__ import annotations

from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as abci

ADDRESS_FILTER = "/p2p/filter/addr/"
"""Asked of every address that connects, before it has said who it is."""
ID_FILTER = "/p2p/filter/id/"
"""Asked of every peer, by the id of its node key."""
STATE = "/state"
"""Asks for a record by its key."""

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
    return abci.ResponseQuery(key=request.data, value=proof.record or b"", height=height)


def _no(code: int, reason: str) -> abci.ResponseQuery:
    """An answer that says why there is none."""
    return abci.ResponseQuery(code=code, log=reason)
