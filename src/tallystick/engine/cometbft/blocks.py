"""Ordered blocks: executed, perhaps before they are decided, then decided, then made durable.

All of it on the executing thread, the only writer of the chain.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tallystick.engine.base import Answer, Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as abci
from tallystick.engine.cometbft.bundle import BadBundle, Bundle
from tallystick.engine.cometbft.checks import Checks
from tallystick.engine.cometbft.params import param_updates, validator_updates
from tallystick.errors import Halted
from tallystick.ledger.candidate import Candidate
from tallystick.ledger.state import State
from tallystick.values.units import AT_MS_MAX

CANDIDATES_KEPT = 4
"""Proposals of one height that are kept executed."""
HASH_BYTES = 32
ENTRY_BYTES_MAX = 96 * 1024 * 1024
"""Most bytes that may come of one block. Part of the protocol: every node must have the same."""
KNOWN_ANSWERS_MAX = 256
"""Transactions of a block, decided in earlier ones, whose answers are looked up in the log."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """A block as the engine has it."""

    hash: bytes
    """Its name."""
    height: int
    """Its height."""
    time_ms: int
    """Its time, in milliseconds."""
    raws: tuple[bytes, ...]
    """Its bundles."""


@dataclass(frozen=True, slots=True)
class Executed:
    """A block that was executed and is not committed."""

    block: Ordered
    """The block."""
    bundles: tuple[Bundle, ...]
    """Its bundles, decoded."""
    candidate: Candidate
    """What came of it."""
    response: abci.ResponseFinalizeBlock
    """What the engine is told."""


class Blocks:
    """The next block of one chain."""

    def __init__(
        self,
        chain: Chain,
        checks: Checks,
        published: Callable[[Committed], None],
        *,
        entry_bytes_max: int = ENTRY_BYTES_MAX,
    ) -> None:
        """`published` hears of every block once it is durable."""
        self._chain = chain
        self._checks = checks
        self._published = published
        self._entry_bytes_max = entry_bytes_max
        self._candidates: OrderedDict[bytes, Executed] = OrderedDict()
        self._proposed: Ordered | None = None
        self._decided: Executed | None = None
        self.reused = 0
        """Blocks that had been executed before they were decided."""

    # --- before it is decided

    def propose(self, block: Ordered) -> None:
        """Note a proposal that was accepted; `execute_ahead` executes it."""
        is_open = self._decided is None and not self._trouble(block)
        self._proposed = block if is_open else None

    def execute_ahead(self) -> None:
        """Execute the last proposal that was accepted, if it was not yet."""
        block, self._proposed = self._proposed, None
        if block is None or self._trouble(block) or block.hash in self._candidates:
            return
        self._keep(self._execute(block))

    def _trouble(self, block: Ordered) -> str:
        """Why it cannot be executed over the committed state; empty when it can."""
        tip, first = self._chain.state.tip, self._chain.first_height
        if block.height != tip.height + 1:
            return f"the engine is at block {block.height}, the ledger has done block {tip.height}"
        # The time of a snapshot's block is hearsay: the engine has compared it with the next one's.
        since_ms = 0 if tip.height == first - 1 > 0 else tip.time_ms
        if not since_ms <= block.time_ms <= AT_MS_MAX:
            return f"its time {block.time_ms} does not follow {since_ms}, that of the last block"
        return "" if len(block.hash) == HASH_BYTES else f"its hash has {len(block.hash)} bytes"

    def _keep(self, executed: Executed) -> None:
        """Keep a candidate; the oldest goes when there are too many."""
        self._candidates[executed.block.hash] = executed
        if len(self._candidates) > CANDIDATES_KEPT:
            _, old = self._candidates.popitem(last=False)
            self._chain.state.drop(old.candidate)

    # --- decided

    def finalize(self, block: Ordered) -> abci.ResponseFinalizeBlock:
        """What comes of a decided block; nothing is durable. Asked again, it says the same."""
        trouble = self._trouble(block)
        if trouble:
            raise Halted(block.height, trouble)
        known = self._candidates.get(block.hash)
        if known is None or known.block != block:
            known = self._execute(block)
            self._forget(block.hash)
            self._candidates[block.hash] = known
        elif known is not self._decided:
            self.reused += 1
        self._decided = known
        return known.response

    def commit(self) -> Committed | None:
        """Make the decided block durable, then tell of it; None when there is none to make."""
        decided, self._decided = self._decided, None
        if decided is None:
            return None
        candidate = decided.candidate
        candidate.left_out = ()  # they are answered below, in order
        self._candidates.pop(decided.block.hash, None)
        made = self._chain.commit(candidate, engine_hash=decided.block.hash)
        self.reset()
        self._checks.refresh(candidate.records)
        answers = tuple(self._answers(decided, made))
        committed = Committed(made.header, made.header_hash, made.ledger_ms, answers)
        self._published(committed)
        return committed

    def reset(self) -> None:
        """Forget what was executed over a state that is no longer the last one."""
        for digest in list(self._candidates):
            self._forget(digest)
        self._proposed = self._decided = None

    def _forget(self, digest: bytes) -> None:
        """Forget one candidate."""
        old = self._candidates.pop(digest, None)
        if old is not None:
            self._chain.state.drop(old.candidate)

    # --- executing

    def _execute(self, block: Ordered) -> Executed:
        """Execute a block; `Halted` when it holds what no correct node proposes.

        When more comes of it than the log takes at once, every node executes the first half alone,
        and so on. The others are left out as if they had never been ordered.
        """
        try:
            bundles = tuple([self._checks.good(raw) for raw in block.raws])
        except BadBundle as problem:
            raise Halted(
                block.height, f"the validators decided what this release cannot accept: {problem}"
            ) from None
        chain = self._chain
        transactions = [each for bundle in bundles for each in bundle.transactions]
        candidate = chain.execute(block.time_ms, transactions)
        while entry_size(candidate) > self._entry_bytes_max and len(transactions) > 1:
            chain.state.drop(candidate)
            transactions = transactions[: len(transactions) // 2]
            candidate = chain.execute(block.time_ms, transactions)
        return Executed(block, bundles, candidate, _response(bundles, candidate, chain.state))

    # --- answers

    def _answers(self, decided: Executed, made: Committed) -> Iterator[Answer]:
        """What became of each transaction of the bundles, in order.

        Of one that is neither in the block nor expired nor decided before nothing can be said yet:
        its expiry lies beyond the horizon of this block's time.
        """
        kept = deque(zip(decided.candidate.raws, made.answers, strict=True))
        here = {each.transaction_id: each for each in made.answers}
        lookups = KNOWN_ANSWERS_MAX
        for transaction in (each for bundle in decided.bundles for each in bundle.transactions):
            if kept and kept[0][0] is transaction.raw:
                yield kept.popleft()[1]
                continue
            known = here.get(transaction.id)
            if known is None:
                lookups -= 1
                if lookups < 0:
                    continue
                known = self._chain.answer(transaction.id)
            if known is not None:
                yield Answer(transaction.id, known.told, known.height, transaction.raw)
            elif transaction.body.expires_at_ms <= made.ledger_ms:
                yield Answer(transaction.id, None, None, transaction.raw)


def entry_size(candidate: Candidate) -> int:
    """Bytes of a block's transactions, receipts and changes; the log adds a little to them."""
    return candidate.done.sealed.size


def _response(
    bundles: tuple[Bundle, ...], candidate: Candidate, before: State
) -> abci.ResponseFinalizeBlock:
    """What the engine is told of an executed block."""
    root = before.body.merkle_root
    return abci.ResponseFinalizeBlock(
        tx_results=[
            abci.ExecTxResult(data=root(receipts))
            for receipts in _receipts_by_bundle(bundles, candidate)
        ],
        validator_updates=validator_updates(candidate.records, before),
        consensus_param_updates=param_updates(candidate.records),
        app_hash=candidate.header.app_hash,
    )


def _receipts_by_bundle(bundles: tuple[Bundle, ...], candidate: Candidate) -> Iterator[list[bytes]]:
    """For each bundle the receipts of its transactions that are in the block."""
    done = candidate.done
    timers = len(done) - len(candidate.raws)
    kept = deque(zip(candidate.raws, range(timers, len(done)), strict=True))
    for bundle in bundles:
        yield [
            done.sealed.receipt(kept.popleft()[1])
            for transaction in bundle.transactions
            if kept and kept[0][0] is transaction.raw
        ]
