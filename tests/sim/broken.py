"""Nodes that are wrong on purpose: each mistake is one that somebody could make."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.application import Application
from tallystick.engine.simulated.judge import transactions_of
from tallystick.store.base import DiskFile
from tallystick.store.log import FileLog
from tests.sim.machine import SimulatedMachine
from tests.sim.runs import Make, Published, make_application


class NoFlushLog(FileLog):
    """Answers before what it wrote is flushed."""

    def _write(self, file: DiskFile, entry: bytes) -> None:
        file.write(self._end, entry)


class NoFlushMachine(SimulatedMachine):
    """Loses committed blocks when the power goes."""

    log_type = NoFlushLog


class ForgetfulMachine(SimulatedMachine):
    """A restart does not read the used references again."""

    def start(self) -> Chain:
        chain = super().start()
        chain.state.used = chain.state.body.used_references()
        return chain


class OtherStateMachine(SimulatedMachine):
    """A restart finds another state now and then."""

    def start(self) -> Chain:
        chain = super().start()
        if chain.state.tip.height and self._chance.random() < 0.2:
            state = chain.state
            state.tree_version = state.tree.apply(state.tree_version, [(bytes(32), bytes(32))])
        return chain


def silent_on_duplicates(
    machine: SimulatedMachine, chain: Chain, published: Published
) -> Application:
    """Does not answer what was decided in an earlier block."""

    def told(made: Committed) -> None:
        here = tuple(each for each in made.answers if each.height == made.header.height)
        published(Committed(made.header, made.header_hash, made.ledger_ms, here))

    return make_application(machine, chain, told)


def of_kind(kind: type[Application]) -> Make:
    """Makes applications of a kind that is wrong."""

    def make(machine: SimulatedMachine, chain: Chain, published: Published) -> Application:
        return make_application(machine, chain, published, kind)

    return make


class TakesDuplicates(Application):
    """What was decided before is executed again."""

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Forget what was used before executing."""
        self.chain.state.used = self.chain.state.body.used_references()
        return super().finalize_block(request)


class AnyCandidate(Application):
    """A block that was executed ahead stands for whatever is decided."""

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Take the first candidate there is."""
        for kept in self._blocks._candidates.values():
            self._blocks._decided = kept
            return kept.response
        return super().finalize_block(request)


class EarlyCommit(Application):
    """Writes in FinalizeBlock already."""

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Answer, and commit at once."""
        reply = super().finalize_block(request)
        self.commit(pb.RequestCommit())
        return reply


class EarlyNews(Application):
    """Tells of a block before it is durable."""

    def commit(self, request: pb.RequestCommit) -> pb.ResponseCommit:
        """Tell, then commit."""
        decided, told = self._blocks._decided, self._blocks._published
        if decided is not None:
            candidate = decided.candidate
            told(Committed(candidate.header, b"", candidate.ledger_ms, ()))
        self._blocks._published = lambda committed: None
        try:
            return super().commit(request)
        finally:
            self._blocks._published = told


class ForgetsOverhead(Application):
    """Counts the bytes of bundles without their lengths and tags."""

    def prepare_proposal(self, request: pb.RequestPrepareProposal) -> pb.ResponsePrepareProposal:
        """Take bundles while their own bytes fit."""
        request.max_tx_bytes += 3 * len(request.txs)
        return super().prepare_proposal(request)


class RejectsDuplicates(Application):
    """Votes against a block with something that it has seen decided."""

    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """Look at the state, which differs from node to node."""
        reply = super().process_proposal(request)
        if reply.status == reply.ACCEPT:
            raws = [raw for bundle in request.txs for raw in transactions_of(bundle)]
            ids = [self.chain.ledger.codec.decode(raw).id for raw in raws]
            if any(self.chain.answer(each) is not None for each in ids):
                return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.REJECT)
        return reply


class TrustsEverybody(Application):
    """Votes for whatever is proposed."""

    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """Say yes."""
        return pb.ResponseProcessProposal(status=pb.ResponseProcessProposal.ACCEPT)


class OldCandidate(Application):
    """A block with the same transactions counts as the same block."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answered: dict[tuple[bytes, ...], pb.ResponseFinalizeBlock] = {}

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Answer what was answered when the transactions were decided before."""
        reply = super().finalize_block(request)
        return self._answered.setdefault(tuple(request.txs), reply)


class VoteChanges(Application):
    """Looking at a proposal changes the state."""

    def process_proposal(self, request: pb.RequestProcessProposal) -> pb.ResponseProcessProposal:
        """Accept, and leave a mark in the tree."""
        reply = super().process_proposal(request)
        state = self.chain.state
        state.tree_version = state.tree.apply(state.tree_version, [(bytes(32), bytes(32))])
        return reply


class LosesUpdates(Application):
    """Does not tell of changed validators when a block was executed ahead."""

    def finalize_block(self, request: pb.RequestFinalizeBlock) -> pb.ResponseFinalizeBlock:
        """Leave them out."""
        before = self.reused
        reply = super().finalize_block(request)
        if self.reused > before:
            reply = pb.ResponseFinalizeBlock.FromString(reply.SerializeToString())
            reply.ClearField("validator_updates")
        return reply


APPLICATIONS: Sequence[tuple[str, Make, str]] = (
    ("takes duplicates", of_kind(TakesDuplicates), "answered otherwise|a fork|decided before"),
    ("any candidate will do", of_kind(AnyCandidate), "a fork|are missing|otherwise"),
    (
        "commits in FinalizeBlock",
        of_kind(EarlyCommit),
        "the engine has|was not finalized|before the engine",
    ),
    ("tells before it is durable", of_kind(EarlyNews), "told, and not durable|not answered"),
    ("does not answer duplicates", silent_on_duplicates, "was ordered at .* and not answered"),
    ("forgets overhead", of_kind(ForgetsOverhead), "larger than it may be"),
    ("rejects duplicates", of_kind(RejectsDuplicates), "says False to True"),
    ("trusts everybody", of_kind(TrustsEverybody), "says True to False"),
    ("answers from another block", of_kind(OldCandidate), "a fork|otherwise|another app hash"),
    ("a vote changes the state", of_kind(VoteChanges), "ProcessProposal changed the state"),
    ("loses updates of validators", of_kind(LosesUpdates), "a fork"),
)
"""What is wrong with an application, how it is made, and what is found."""

MACHINES: Sequence[tuple[str, type[SimulatedMachine], str]] = (
    ("does not flush", NoFlushMachine, "told, and not durable"),
    ("forgets used references", ForgetfulMachine, "a fork|decided before|answered otherwise"),
    ("finds another state", OtherStateMachine, "another app hash|a fork"),
)
"""What is wrong with a machine, the machine, and what is found."""
