"""Who votes and with what weight, kept as CometBFT keeps it from the application's updates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.simulated.trace import require

Powers = Mapping[bytes, int]
"""Public key → weight."""

TOTAL_MAX = (2**63 - 1) // 8
"""CometBFT's limit on the sum of all weights."""
OVERHEAD_BYTES = 11 + 626
"""Bytes of a block beside transactions and last commit, at most: cometbft types/block.go."""
COMMIT_BYTES = 94
"""Bytes of a last commit without votes, at most."""
VOTE_BYTES = 109
"""Bytes of one validator's vote in a last commit, at most."""


def updated(powers: Powers, updates: Iterable[pb.ValidatorUpdate]) -> dict[bytes, int]:
    """The set after an application's updates; `Broken` where CometBFT would stop."""
    after = dict(powers)
    seen = set()
    for update in updates:
        key = update.pub_key.ed25519
        require(len(key) == 32, "a validator update without an Ed25519 key")
        require(key not in seen, "a validator is updated twice in one block")
        require(update.power >= 0, "a validator is given a negative power")
        require(update.power > 0 or key in after, "a validator is removed that is none")
        seen.add(key)
        if update.power:
            after[key] = update.power
        else:
            del after[key]
    require(bool(after), "the last validator is removed")
    require(sum(after.values()) <= TOTAL_MAX, "the validators have too much power together")
    return dict(sorted(after.items()))


def has_quorum(powers: Powers, keys: Iterable[bytes]) -> bool:
    """Whether these have more than two thirds of the power."""
    return 3 * sum(powers.get(key, 0) for key in keys) > 2 * sum(powers.values())


def proposer(powers: Powers, turn: int) -> bytes:
    """Whose turn it is: each as often as the others."""
    keys = sorted(powers)
    return keys[turn % len(keys)]


@dataclass(frozen=True, slots=True)
class Params:
    """The consensus parameters that bind the application."""

    block_bytes: int
    """Largest block, in bytes."""

    def data_bytes(self, validators: int) -> int:
        """Bytes that transactions may take in a block."""
        return self.block_bytes - OVERHEAD_BYTES - COMMIT_BYTES - VOTE_BYTES * validators

    def after(self, update: pb.ConsensusParams) -> Params:
        """The parameters after an application's update, whose sections must be whole."""
        if update.HasField("block"):
            require(update.block.max_bytes > 0, "an update of the block section is not whole")
            require(update.block.max_gas != 0, "an update of the block section names no gas")
        if update.HasField("evidence"):
            evidence = update.evidence
            whole = evidence.max_age_num_blocks > 0 and evidence.HasField("max_age_duration")
            require(whole, "an update of the evidence section is not whole")
        return Params(update.block.max_bytes) if update.HasField("block") else self


def proto_size(bundles: Iterable[bytes]) -> int:
    """Bytes of transactions as CometBFT counts them: each with its tag and length."""
    total = 0
    for raw in bundles:
        length, size = len(raw), 1
        while length := length >> 7:
            size += 1
        total += 1 + size + len(raw)
    return total
