"""Which ABCI call may follow which on the consensus connection: CometBFT's grammar of 0.38.

    start      = clean-start / recovery
    clean      = (info init-chain / state-sync) consensus
    recovery   = info [init-chain] consensus
    state-sync = 1*(offer-snapshot *apply-chunk) info
    consensus  = *height
    height     = *round finalize-block commit
    round      = [prepare-proposal] [process-proposal]

A process that dies begins again at `start`. The order of calls within a round is free here, because
a peer may be asked about several proposals of one round and about none.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from tallystick.engine.simulated.trace import Broken

CALLS: dict[str, dict[str, str]] = {
    "begun": {"info": "greeted", "offer_snapshot": "offered"},
    "greeted": {
        "info": "greeted",
        "init_chain": "ready",
        "prepare_proposal": "ready",
        "process_proposal": "ready",
        "finalize_block": "finalized",
    },
    "offered": {
        "offer_snapshot": "offered",
        "apply_snapshot_chunk": "offered",
        "info": "ready",
    },
    "ready": {
        "info": "ready",
        "prepare_proposal": "ready",
        "process_proposal": "ready",
        "finalize_block": "finalized",
    },
    "finalized": {"info": "finalized", "commit": "ready"},
}
"""State → call → next state."""
FREE = frozenset({"echo", "flush", "check_tx", "query", "list_snapshots", "load_snapshot_chunk"})
"""Calls of the other connections: at any time."""


class Grammar:
    """The calls of one process, checked one by one."""

    def __init__(self) -> None:
        """A process that has just begun."""
        self._state = "begun"

    def called(self, name: str) -> None:
        """Note a call; `Broken` when the grammar does not allow it here."""
        if name in FREE:
            return
        following = CALLS[self._state].get(name)
        if following is None:
            raise Broken(f"the grammar has no {name} after {self._state}")
        self._state = following


def height_sentence(chance: Random, rounds_max: int = 3) -> Iterator[str]:
    """Calls of one height at one peer: rounds as proposer or not, then the decision."""
    for _ in range(chance.randrange(rounds_max + 1)):
        if chance.random() < 0.4:
            yield "prepare_proposal"
        if chance.random() < 0.8:
            yield "process_proposal"
    yield "finalize_block"
    yield "commit"
