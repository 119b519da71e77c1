"""What the engine of one peer does and keeps: CometBFT's order of writes, and its handshake.

    block stored → FinalizeBlock → results saved → Commit → mempool rechecked → state saved

Each step is a `yield`: there the peer may be stopped, and what is in `Kept` by then survives. The
table of the handshake is that of CometBFT 0.38 consensus/replay.go `ReplayBlocksWithContext`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.params import (
    app_state,
    consensus_of,
    consensus_params,
    validators_of,
)
from tallystick.engine.simulated.block import Block, timestamp
from tallystick.engine.simulated.judge import Judge
from tallystick.engine.simulated.powers import Params, Powers, updated
from tallystick.engine.simulated.trace import Broken, require


@dataclass(frozen=True)
class Founding:
    """What CometBFT's genesis file says."""

    request: pb.RequestInitChain
    """The request that tells the application of it."""
    powers: Powers
    """First validators."""
    params: Params
    """First consensus parameters."""

    @classmethod
    def of(cls, chain: Chain) -> Founding:
        """The genesis file that goes with a chain at its genesis."""
        ledger, powers = chain.ledger, validators_of(chain.state)
        consensus = consensus_of(chain.state)
        require(consensus is not None, "the genesis has no consensus parameters")
        said = consensus_params(consensus)  # type: ignore[arg-type]
        request = pb.RequestInitChain(
            time=timestamp(ledger.genesis.time_ms * 1_000_000),
            chain_id=ledger.chain_id,
            consensus_params=said,
            app_state_bytes=app_state(ledger),
            initial_height=1,
        )
        for key, power in sorted(powers.items()):
            request.validators.add(pub_key=pb.PublicKey(ed25519=key), power=power)
        return cls(request, powers, Params(said.block.max_bytes))


@dataclass
class Kept:
    """What a peer's CometBFT has on its disk; every write of it is durable."""

    blocks: dict[int, Block] = field(default_factory=dict)
    """Blocks by height."""
    voted: dict[int, Block] = field(default_factory=dict)
    """Decided blocks that this peer voted for: they are in its write-ahead log."""
    state_height: int = 0
    """Height of the state that was saved last."""
    app_hash: bytes = b""
    """App hash in that state."""
    replies: dict[int, pb.ResponseFinalizeBlock] = field(default_factory=dict)
    """Saved results; of the last height."""
    powers: dict[int, Powers] = field(default_factory=dict)
    """Validators by the height at which they vote, as far as they are known."""
    params: dict[int, Params] = field(default_factory=dict)
    """Consensus parameters by height, as far as they are known."""

    @property
    def height(self) -> int:
        """Height of the last stored block."""
        return max(self.blocks, default=0)

    @property
    def base(self) -> int:
        """Height of the first stored block."""
        return min(self.blocks, default=0)


class Call(Protocol):
    """Asks the application."""

    def __call__(self, name: str, request: Any) -> Any:
        """Send a request, wait for the reply."""
        ...


class Comet:
    """The engine of one peer, as far as the application can tell it from the real one."""

    def __init__(
        self, founding: Founding, judge: Judge, call: Call, committed: Callable[[Block], None]
    ) -> None:
        """An engine that has never run; `committed` looks at a block that the application has."""
        self.kept = Kept()
        self._founding = founding
        self._judge = judge
        self._call = call
        self._committed = committed
        self.answered = 0
        """Height of the last Commit that was answered to this engine."""
        self.finalizing: Block | None = None
        """Block that the application was given last."""

    # --- a block

    def apply(self, block: Block) -> Iterator[str]:
        """Store a decided block, have it executed and committed, save the state."""
        kept = self.kept
        require(block.height == kept.state_height + 1, "a block is applied out of order")
        require(block.app_hash == kept.app_hash, f"the app hash in header {block.height} differs")
        kept.blocks[block.height] = block
        yield "block stored"
        yield from self._execute(block)

    def _execute(
        self, block: Block, saved: pb.ResponseFinalizeBlock | None = None
    ) -> Iterator[str]:
        """ApplyBlock; with saved results the application is not called (the mock of replay.go)."""
        reply = saved if saved is not None else self._finalize(block)
        yield "finalized"
        self.kept.replies = {block.height: reply}
        yield "results saved"
        retain = 0
        if saved is None:
            retain = self._commit(block, reply)
            yield "committed"
        self._save(block, reply)
        yield "state saved"
        self._prune(retain)

    def _finalize(self, block: Block) -> pb.ResponseFinalizeBlock:
        """Ask for the results."""
        self.finalizing = block
        reply: pb.ResponseFinalizeBlock = self._call("finalize_block", block.finalize())
        self._judge.finalized(block, reply)
        return reply

    def _commit(self, block: Block, reply: pb.ResponseFinalizeBlock) -> int:
        """Have the block made durable; the height from which on blocks are to be kept."""
        done: pb.ResponseCommit = self._call("commit", pb.RequestCommit())
        self.answered = block.height
        known = self._judge.app_hashes.get(block.height)
        require(known is not None, f"block {block.height} is not committed")
        require(reply.app_hash == known, f"block {block.height} has another app hash")
        return done.retain_height

    def _save(self, block: Block, reply: pb.ResponseFinalizeBlock) -> None:
        """The state after a block."""
        kept, height = self.kept, block.height
        kept.powers[height + 2] = updated(kept.powers[height + 1], reply.validator_updates)
        params = kept.params[height]
        if reply.HasField("consensus_param_updates"):
            params = params.after(reply.consensus_param_updates)
        kept.params[height + 1] = params
        kept.app_hash = reply.app_hash
        kept.state_height = height

    def _prune(self, retain: int) -> None:
        """Drop the blocks below a height."""
        require(retain <= self.kept.height, f"blocks below {retain} are given up, too far")
        for kept in (self.kept.blocks, self.kept.voted):
            for height in [height for height in kept if height < retain]:
                del kept[height]

    # --- a start

    def handshake(self) -> Iterator[str]:
        """Bring the application up to what is stored."""
        kept = self.kept
        info: pb.ResponseInfo = self._call("info", pb.RequestInfo(abci_version="2.0.0"))
        app = info.last_block_height
        if app in kept.blocks:
            self._committed(kept.blocks[app])
        most = max(kept.height, kept.state_height)  # no block yet after a snapshot
        self._judge.informed(info, least=self.answered, most=most)
        if app == 0:
            yield from self._initialise()
        stored, state = kept.height or kept.state_height, kept.state_height
        require(stored in (state, state + 1), "the engine's own store is broken")
        if app and app < kept.base - 1:
            raise Broken(f"the application is at {app}, blocks are kept from {kept.base} on")
        for height in range(app + 1, state + 1):
            yield from self._again(kept.blocks[height])
        if stored == state + 1:
            block = kept.blocks[stored]
            is_known = app < stored or stored in kept.replies
            require(is_known, f"block {stored} was committed before the engine has its results")
            yield from self._execute(block, kept.replies[stored] if app == stored else None)

    def _initialise(self) -> Iterator[str]:
        """The application has no block: it is told of the genesis, the first time or once more."""
        reply: pb.ResponseInitChain = self._call("init_chain", self._founding.request)
        require(reply.app_hash == self._judge.app_hashes[0], "InitChain gives another app hash")
        kept = self.kept
        if kept.state_height == 0:
            kept.app_hash = reply.app_hash
            powers = updated({}, reply.validators) if reply.validators else self._founding.powers
            kept.powers = {1: powers, 2: powers}
            kept.params = {1: self._founding.params}
        yield "initialised"

    def _again(self, block: Block) -> Iterator[str]:
        """A block that the engine has done with, for an application that is behind."""
        reply = self._finalize(block)
        yield "finalized again"
        self._commit(block, reply)
        yield "committed again"
