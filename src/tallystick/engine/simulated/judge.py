"""What must always hold, whoever asks and whatever crashed: one history, no transaction twice.

The first node that commits a height writes the history of it; every other one is held to that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

from tallystick.accel.merkle import merkle_root
from tallystick.engine.base import Answer, Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft import abci_pb2 as pb
from tallystick.engine.cometbft.bundle import Wire
from tallystick.engine.replay import replay
from tallystick.engine.simulated.block import Block
from tallystick.engine.simulated.trace import require
from tallystick.ledger.block import Entry
from tallystick.ledger.execute import Ledger
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.ledger.transaction import Transaction
from tallystick.values.codec import decode_canonical, encode

FINAL = (Outcome.ACCEPTED, Outcome.REFUSED)
"""Outcomes after which a transaction never has another."""


class Judge:
    """The one history that all nodes of a run must have."""

    def __init__(self, ledger: Ledger, genesis_hash: bytes) -> None:
        """Begin at the genesis, with its app hash."""
        self.ledger = ledger
        self.app_hashes: dict[int, bytes] = {0: genesis_hash}
        """App hash after each height."""
        self.entries: dict[int, Entry] = {}
        """The block as the log of the first node has it."""
        self.final: dict[bytes, tuple[int, Receipt]] = {}
        """Height and receipt of each transaction that is decided for good."""
        self.turned_away: set[bytes] = set()
        """Transactions that were unauthorised or reused a reference, at least once."""
        self.ledger_ms = 0
        """Ledger time of the last block."""
        self._replies: dict[int, bytes] = {}
        self._digests: dict[int, bytes] = {}

    # --- what a node answers

    def informed(self, info: pb.ResponseInfo, *, least: int, most: int) -> None:
        """A node that begins has every block whose Commit it answered, and none that is not."""
        height = info.last_block_height
        require(least <= height, f"block {least} was committed, after a restart it is {height}")
        require(height <= most, f"the application is at {height}, the engine has {most}")
        known = self.app_hashes.get(height)
        require(known is not None, f"nobody committed block {height}")
        if height:
            require(info.last_block_app_hash == known, f"another app hash after block {height}")

    def finalized(self, block: Block, reply: pb.ResponseFinalizeBlock) -> None:
        """FinalizeBlock answers the same bytes wherever and however often it is asked."""
        height = block.height
        require(len(reply.tx_results) == len(block.bundles), f"results are missing at {height}")
        require(all(each.code == 0 for each in reply.tx_results), f"a code at {height} is not 0")
        raw = reply.SerializeToString(deterministic=True)
        first = self._replies.setdefault(height, raw)
        require(raw == first, f"FinalizeBlock of {height} was answered otherwise before: a fork")

    def committed(self, block: Block, chain: Chain) -> None:
        """A node's log holds the block that all others have, and its state has the same root."""
        height = block.height
        require(chain.state.tip.height == height, f"block {height} is not the last one")
        entry = chain.entry(height)
        digest = hashlib.sha256(encode(entry)).digest()
        require(
            digest == self._digests.setdefault(height, digest),
            f"two logs differ at {height}: a fork",
        )
        if height not in self.entries:
            self._first(block, entry)
        require(self.app_hashes[height] == chain.app_hash(), f"two app hashes at {height}: a fork")

    def _first(self, block: Block, entry: Entry) -> None:
        """The first node commits a height: the history goes on."""
        height = block.height
        require(height == len(self.entries) + 1, f"block {height} does not follow")
        require(height in self._replies, f"block {height} is committed, it was not finalized")
        require(entry.header.time_ms == block.time_ms, f"block {height} has another time")
        require(entry.block_hash == block.hash, f"block {height} has another name")
        require(entry.header.app_hash != b"", f"block {height} has no app hash")
        self.entries[height] = entry
        self.app_hashes[height] = entry.header.app_hash
        self.ledger_ms = entry.ledger_ms
        for receipt in entry.receipts:
            self._receipt(height, receipt)
        self._results(block, entry)

    def _receipt(self, height: int, receipt: Receipt) -> None:
        """A transaction is accepted or refused once."""
        identity = receipt.transaction_id
        if identity is None:
            return
        before = self.final.get(identity)
        require(before is None, f"{identity.hex()[:8]} was decided before, and again at {height}")
        if receipt.outcome in FINAL:
            self.final[identity] = height, receipt
        else:
            self.turned_away.add(identity)

    def _results(self, block: Block, entry: Entry) -> None:
        """Data of each result is the root over the receipts of that bundle."""
        reply = pb.ResponseFinalizeBlock.FromString(self._replies[block.height])
        receipts = list(entry.receipts[len(entry.receipts) - len(entry.transactions) :])
        ordered = iter(zip(entry.transactions, receipts, strict=True))
        waiting = next(ordered, None)
        for bundle, result in zip(block.bundles, reply.tx_results, strict=True):
            own = []
            for raw in transactions_of(bundle):
                if waiting is not None and raw == waiting[0]:
                    own.append(encode(waiting[1]))
                    waiting = next(ordered, None)
            require(result.data == merkle_root(own), "a result is not the root of its receipts")
        require(waiting is None, "a receipt belongs to no bundle")

    # --- what a node tells its gateway

    def published(self, block: Block, told: Committed) -> None:
        """Everything that was ordered is answered, and nothing is answered that is not so."""
        height = told.header.height
        require(height == block.height, f"block {height} is told of while {block.height} is made")
        for answer in told.answers:
            self._answer(answer, told.ledger_ms)
        answered = {answer.raw for answer in told.answers}
        for transaction in self.ordered(block):
            is_late = transaction.body.expires_at_ms > told.ledger_ms
            beyond = (
                transaction.body.expires_at_ms > told.ledger_ms + self.ledger.genesis.horizon_ms
            )
            require(
                transaction.raw in answered or (is_late and beyond),
                f"{transaction.id.hex()[:8]} was ordered at {height} and not answered",
            )

    def _answer(self, answer: Answer, ledger_ms: int) -> None:
        """One answer of a node."""
        name = answer.transaction_id.hex()[:8]
        if answer.receipt is None and answer.height is not None:
            known = self.final.get(answer.transaction_id)
            is_so = known is not None and known[0] <= answer.height
            require(is_so, f"{name} is said to be in a block that is not here")
        elif answer.receipt is None:
            expires = self.ledger.codec.decode(answer.raw).body.expires_at_ms
            require(expires <= ledger_ms, f"{name} is said to have expired, and has not")
            require(
                answer.transaction_id not in self.final, f"{name} did not expire: it is decided"
            )
        elif answer.receipt.outcome in FINAL:
            known = self.final.get(answer.transaction_id)
            if known is not None:  # the first node tells before the history is written
                require(known == (answer.height, answer.receipt), f"{name} was answered otherwise")

    def ordered(self, block: Block) -> Iterator[Transaction]:
        """Transactions of a block's bundles, duplicates included."""
        for bundle in block.bundles:
            for raw in transactions_of(bundle):
                yield self.ledger.codec.decode(raw)

    # --- at the end

    def ended(self, chains: Sequence[Chain], embedded: Chain) -> None:
        """The whole history again through the embedded engine's path, and every invariant."""
        replay((self.entries[height] for height in sorted(self.entries)), embedded)
        view = embedded.view()
        for app in self.ledger.rules.apps:
            for invariant in app.invariant_functions:
                for sentence in invariant(view):
                    require(False, f"{app.name}.{invariant.__name__}: {sentence}")
        root = embedded.state.root()
        for chain in chains:
            require(chain.state.root() == root, "a node's state is not that of the replay")
            self._proofs(chain)

    def _proofs(self, chain: Chain) -> None:
        """Some records and receipts are proved against the app hash that validators signed."""
        height = chain.state.tip.height
        changed = [key for entry in self.entries.values() for key, _ in entry.own_changes]
        keys = [*changed[-2:], b"no such key"]
        for key in keys:
            proof = chain.prove_record(key)
            require(proof is not None and proof.holds(), "a proof of a record does not hold")
            require(
                proof is None or proof.seal.header.app_hash == self.app_hashes[height],
                "a proof of a record is of another app hash",
            )
        for identity in sorted(self.final)[:3]:
            known_at, receipt = self.final[identity]
            if known_at < chain.first_height:
                continue
            told = chain.prove_receipt(identity)
            require(told is not None and told.holds(), "a proof of a receipt does not hold")
            if told is not None:
                require(told.receipt == receipt, "a proof is of another receipt")
                app_hash = told.seal.header.app_hash
                require(app_hash == self.app_hashes[known_at], "a proof is of another app hash")


def transactions_of(bundle: bytes) -> tuple[bytes, ...]:
    """Transactions of a bundle, read apart from the engine's own reader."""
    return decode_canonical(Wire, bundle).transactions
