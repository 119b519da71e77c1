"""The ledger as CometBFT's application: one method for each call of ABCI 2.0.

    query connection     info, query                          any thread
    mempool              check_tx                             any thread
    snapshot             list_snapshots, load_snapshot_chunk  any thread
                         offer_snapshot, apply_snapshot_chunk the executing thread
    consensus            all the others                       the executing thread

https://docs.cometbft.com/v0.38/spec/abci/ says what each must do.
What is wrong with this node is raised, never answered: `server.py` then stops the engine, and
`halted` hears of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from importlib.metadata import version

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.authority_glance import AuthorityGlance
from tallystick.engine.cometbft.blocks import Blocks, Ordered
from tallystick.engine.cometbft.bundle import BundleCache
from tallystick.engine.cometbft.checks import Checks
from tallystick.engine.cometbft.params import (
    APP_VERSION,
    check_genesis,
    timestamp_ms,
)
from tallystick.engine.cometbft.query import answer_query
from tallystick.engine.cometbft.seam import Offered, SnapshotInfo, Snapshots
from tallystick.engine.verdicts import Verdicts
from tallystick.errors import Halted, TallystickError
from tallystick.ledger.app import Message

log = logging.getLogger(__name__)

ABCI_VERSION = "2."
"""How the versions of ABCI begin that this application speaks."""
CODESPACE = "tallystick"

MISBEHAVIOUR: dict[int, str] = {
    abci.DUPLICATE_VOTE: "it voted for two blocks in one round",
    abci.LIGHT_CLIENT_ATTACK: "it signed a block for light clients that is not the chain's",
}
"""What the engine may have evidence of."""

_ACCEPT = abci.ResponseProcessProposal.ACCEPT
_REJECT = abci.ResponseProcessProposal.REJECT
_NO_SNAPSHOTS = "this node takes no snapshots"


def _nobody(_: object) -> None:
    """Hear of something, and do nothing."""


class Application:
    """One node's ledger, as its engine sees it."""

    def __init__(
        self,
        chain: Chain,
        verdicts: Verdicts,
        *,
        bundles: BundleCache,
        published: Callable[[Committed], None],
        snapshots: Snapshots | None = None,
        retain: Callable[[int], int] = lambda height: 0,
        allow: frozenset[str] | None = None,
        halted: Callable[[BaseException], None] = _nobody,
        after_commit: Callable[[int], None] = _nobody,
    ) -> None:
        """Stand at the last committed block.

        `published` hears of every block once it is durable, before the engine does; `after_commit`
        of its height, on the executing thread too, when the engine was told. `retain` says from
        which height on the engine has to keep its blocks; 0 keeps all. `halted` hears, on any
        thread, of what ended the application.
        """
        self.chain = chain
        self.allow = allow
        """Ids of the nodes whose engines may connect; None allows all. May be set anew."""
        self.problem: BaseException | None = None
        """What halted the application; None while it runs."""
        self._checks = Checks(chain, verdicts, bundles)
        self._blocks = Blocks(chain, self._checks, published)
        self._snapshots = snapshots
        self._retain = retain
        self._halted = halted
        self._after_commit = after_commit
        self._settled_height = chain.state.tip.height

    @property
    def reused(self) -> int:
        """Blocks that had been executed before they were decided."""
        return self._blocks.reused

    @property
    def ordered_max(self) -> int:
        """Most transactions in the bundles of the next block; for any thread."""
        return self._checks.most

    @property
    def glance(self) -> AuthorityGlance:
        """What the committed state authorises; for any thread."""
        return self._checks.glance

    def early(self) -> Mapping[type[Message], int]:
        """Messages of rules that are not in force yet, and which version is; for any thread."""
        return self._checks.early

    def fail(self, problem: BaseException) -> None:
        """Answer nothing more that matters: say once why, and tell `halted`."""
        if self.problem is None:
            self.problem = problem
            is_bug = not isinstance(problem, TallystickError)
            log.critical("the ledger has halted: %s", problem, exc_info=problem if is_bug else None)
            self._halted(problem)

    # --- any connection

    def echo(self, request: abci.RequestEcho) -> abci.ResponseEcho:
        """Say the same."""
        return abci.ResponseEcho(message=request.message)

    def flush(self, request: abci.RequestFlush) -> abci.ResponseFlush:
        """Say that all before was answered."""
        return abci.ResponseFlush()

    # --- query

    def info(self, request: abci.RequestInfo) -> abci.ResponseInfo:
        """Say after which block the ledger stands."""
        if request.abci_version and not request.abci_version.startswith(ABCI_VERSION):
            log.warning("the engine speaks ABCI %s, not 2.x", request.abci_version)
        height, app_hash = self._standing()
        return abci.ResponseInfo(
            data=self.chain.ledger.chain_id,
            version=version("tallystick"),
            app_version=APP_VERSION,
            last_block_height=height,
            last_block_app_hash=app_hash,
        )

    def _standing(self) -> tuple[int, bytes]:
        """Height and app hash of one and the same block, whatever is committed meanwhile."""
        while True:
            tip = self.chain.state.tip
            app_hash = self.chain.app_hash()
            if self.chain.state.tip is tip:
                return tip.height, app_hash

    def query(self, request: abci.RequestQuery) -> abci.ResponseQuery:
        """Say whether a peer may connect, or what a record is."""
        return answer_query(self.chain, self.allow, request)

    # --- mempool

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """Say whether a bundle may wait for a block."""
        said = self._checks.admit(request.tx, is_new=request.type == abci.NEW)
        return abci.ResponseCheckTx(code=said.code, log=said.reason, codespace=CODESPACE)

    # --- consensus

    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """Begin, if the engine's genesis says what ours does. May be asked again before block 1."""
        height = self.chain.state.tip.height
        if height:
            raise Halted(height, "the engine begins at its genesis, the ledger does not")
        check_genesis(request, self.chain.ledger, self.chain.state)
        return abci.ResponseInitChain(app_hash=self.chain.app_hash())

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Choose whole bundles for a block."""
        chosen = self._checks.choose(request.txs, request.max_tx_bytes, request.height)
        return abci.ResponsePrepareProposal(txs=chosen)

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Vote for what a correct node can have proposed; `execute_ahead` then executes it."""
        against = self._checks.judge(request.txs)
        if against:
            log.warning("the proposal for block %d is rejected: %s", request.height, against)
            return abci.ResponseProcessProposal(status=_REJECT)
        self._blocks.propose(_ordered(request))
        return abci.ResponseProcessProposal(status=_ACCEPT)

    def execute_ahead(self) -> None:
        """Do what could wait until the engine was answered; nothing if there is nothing.

        The last accepted proposal is executed while the others vote, and `after_commit` hears of a
        new block.
        """
        self._blocks.execute_ahead()
        height = self.chain.state.tip.height
        if height > self._settled_height:
            self._settled_height = height
            self._after_commit(height)

    def extend_vote(self, request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Add nothing to a vote."""
        return abci.ResponseExtendVote()

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """Accept votes to which nothing was added."""
        kinds = abci.ResponseVerifyVoteExtension
        return kinds(status=kinds.REJECT if request.vote_extension else kinds.ACCEPT)

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Say what comes of a decided block; nothing of it is durable yet."""
        for each in request.misbehavior:
            log.warning(
                "validator %s misbehaved at block %d: %s",
                each.validator.address.hex().upper(),
                each.height,
                MISBEHAVIOUR.get(each.type, f"in the way that ABCI numbers {each.type}"),
            )
        return self._blocks.finalize(_ordered(request))

    def commit(self, request: abci.RequestCommit) -> abci.ResponseCommit:
        """Make the decided block durable; a second time for the same block does nothing."""
        self._blocks.commit()
        return abci.ResponseCommit(retain_height=self._retain(self.chain.state.tip.height))

    # --- snapshots

    def list_snapshots(self, request: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """Say which snapshots this node has for others."""
        kept = () if self._snapshots is None else self._snapshots.list()
        return abci.ResponseListSnapshots(
            snapshots=[
                abci.Snapshot(
                    height=each.height,
                    format=each.format,
                    chunks=each.chunks,
                    hash=each.hash,
                    metadata=each.metadata,
                )
                for each in kept
            ]
        )

    def load_snapshot_chunk(
        self, request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """Hand a chunk to another node; an empty one when there is none."""
        if self._snapshots is None:
            return abci.ResponseLoadSnapshotChunk()
        chunk = self._snapshots.load(request.height, request.format, request.chunk)
        return abci.ResponseLoadSnapshotChunk(chunk=chunk)

    def offer_snapshot(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Say whether an offered snapshot is to be fetched."""
        if self._snapshots is None:
            log.warning("a snapshot was offered: %s", _NO_SNAPSHOTS)
            return abci.ResponseOfferSnapshot(result=Offered.ABORT.name)
        said = request.snapshot
        info = SnapshotInfo(said.height, said.format, said.chunks, said.hash, said.metadata)
        result = self._snapshots.offer(info, request.app_hash)
        return abci.ResponseOfferSnapshot(result=result.name)

    def apply_snapshot_chunk(
        self, request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """Take a chunk that another node sent."""
        kinds = abci.ResponseApplySnapshotChunk
        if self._snapshots is None:
            log.warning("a chunk of a snapshot came: %s", _NO_SNAPSHOTS)
            return kinds(result=kinds.ABORT)
        said = self._snapshots.apply(request.index, request.chunk, request.sender)
        self._blocks.reset()
        self._checks.refresh()
        return kinds(
            result=said.result.name,
            refetch_chunks=said.refetch,
            reject_senders=said.reject_senders,
        )


def _ordered(request: abci.RequestProcessProposal | abci.RequestFinalizeBlock) -> Ordered:
    """The block that a request is about."""
    return Ordered(request.hash, request.height, timestamp_ms(request.time), tuple(request.txs))
