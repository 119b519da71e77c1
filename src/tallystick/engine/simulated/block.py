"""A block as the simulated engine orders it, and the ABCI requests that tell of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from tallystick.engine.cometbft import abci_pb2 as pb

NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class Block:
    """What validators vote on."""

    height: int
    """1 for the first block."""
    time_ns: int
    """Block time that the engine agreed, in nanoseconds since 1970."""
    proposer: bytes
    """Key of the validator that proposes it."""
    app_hash: bytes
    """App hash after the block before."""
    previous: bytes
    """Hash of the block before; empty at height 1."""
    bundles: tuple[bytes, ...]
    """What is ordered, in order."""

    @cached_property
    def hash(self) -> bytes:
        """Name of the block."""
        said = hashlib.sha256(f"{self.height} {self.time_ns}".encode())
        for part in (self.proposer, self.app_hash, self.previous, *self.bundles):
            said.update(len(part).to_bytes(8, "big") + part)
        return said.digest()

    @property
    def time_ms(self) -> int:
        """Block time as the ledger takes it."""
        return self.time_ns // NS_PER_MS

    def finalize(self) -> pb.RequestFinalizeBlock:
        """The request that has it executed."""
        return pb.RequestFinalizeBlock(
            txs=self.bundles, hash=self.hash, height=self.height, time=timestamp(self.time_ns)
        )

    def process(self) -> pb.RequestProcessProposal:
        """The request that asks whether to vote for it."""
        return pb.RequestProcessProposal(
            txs=self.bundles, hash=self.hash, height=self.height, time=timestamp(self.time_ns)
        )


def timestamp(time_ns: int) -> pb.Timestamp:
    """A moment as ABCI tells it."""
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return pb.Timestamp(seconds=seconds, nanos=nanos)
