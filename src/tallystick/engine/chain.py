"""One chain on one disk: recover, execute the next block, make it durable, publish it.

What every engine that runs in this process is made of. One thread writes; any thread may read.
Another may execute the blocks after the one being written (`run`).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

from tallystick.accel import Body, StateTree, load
from tallystick.engine.base import Answer, Answers, Committed
from tallystick.engine.base_block import BaseBlock, base_of
from tallystick.engine.redo import bring_up
from tallystick.engine.timing import Timing
from tallystick.errors import Halted, NoSuchBlock, OutOfOrder, StoreError
from tallystick.ledger.ahead import Ahead
from tallystick.ledger.app import Record
from tallystick.ledger.block import Entry, app_hash_of, header_bytes
from tallystick.ledger.candidate import Candidate, LeftOut, Run, entry_bytes, entry_of
from tallystick.ledger.execute import Ledger
from tallystick.ledger.proof import (
    ReceiptProof,
    RecordProof,
    Seal,
    receipt_proof,
    record_proof,
    seal_of,
)
from tallystick.ledger.side import place_of, receipt_key
from tallystick.ledger.state import CACHE_MAX, State, Tip, genesis_tip
from tallystick.ledger.transaction import Transaction
from tallystick.ledger.view import Past, View
from tallystick.store.base import BlockLog, Changes, StateReader, StateStore
from tallystick.values.codec import decode, encode
from tallystick.values.units import AT_MS_MAX

CHECKPOINT_BYTES = 64 * 1024 * 1024
"""Log bytes after which the state store is flushed."""
ENTRIES_KEPT = 4
"""Blocks kept decoded, for answers to what is asked again."""

Sign = Callable[[bytes], bytes]
"""Signs a header with the node's key."""
Batch = tuple[Changes, Changes]
"""Some records of a snapshot, and what lies beside the state."""


class Chain:
    """A ledger, its block log and its state store, at the last committed block."""

    def __init__(
        self,
        ledger: Ledger,
        log: BlockLog,
        store: StateStore,
        *,
        sign: Sign | None = None,
        body: Body | None = None,
        cache_max: int = CACHE_MAX,
    ) -> None:
        """Bring the store up to the log, rebuild the tree, and compare with the last block's root.

        Raises `Halted` when the state is not the one that the log says.
        """
        self.ledger = ledger
        self._log = log
        self._store = store
        self._sign = sign
        self._body = body or load()
        self._cache_max = cache_max
        self._lock = threading.Lock()
        self._unflushed = 0
        self._last_ledger_ms = 0
        self.offset_ms = 0
        """Ledger time less block time, from the next block on."""
        self._seal: Seal | None = None
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._not_here = (0, 0)
        self.executed = Timing()
        """How long executing blocks took."""
        self.committed = Timing()
        """How long making them durable took."""
        self.state = self._recover()

    # --- recovery

    def _recover(self) -> State:
        """Genesis if the store is empty, then the blocks that the store has not seen."""
        store, log = self._store, self._log
        bring_up(store, log, self.ledger)
        tip = genesis_tip(self.ledger.genesis.time_ms)
        expected = None
        ledger_ms = 0
        base = self.base
        if base is not None:
            tip, expected = base.tip(), base.state_root
        if log.height() >= self.first_height:
            last = decode(Entry, log.read(log.height()))
            header = last.header
            tip = Tip(header.height, header.time_ms, last.block_hash, last.receipts_root)
            expected = last.state_root
            ledger_ms = last.ledger_ms
            self._seal = seal_of(last)
        state = State(
            store,
            self.ledger.rules.decoders,
            tip,
            tree=self._body.tree(),
            body=self._body,
            cache_max=self._cache_max,
        )
        self._stand(state, ledger_ms)
        if expected is not None and state.root() != expected:
            raise Halted(
                tip.height, f"the state root is {state.root().hex()}, the log says {expected.hex()}"
            )
        return state

    def _stand(self, state: State, ledger_ms: int) -> None:
        """Note the times that go with a state; `ledger_ms` is 0 where there is no block here."""
        self.offset_ms = state.offset_ms()
        self._last_ledger_ms = ledger_ms or state.tip.time_ms + self.offset_ms

    # --- where the log begins

    @property
    def base(self) -> BaseBlock | None:
        """The last block that this node does not have; None when its log begins at the genesis."""
        start = self._log.start
        return decode(BaseBlock, start.note) if start.height else None

    @property
    def first_height(self) -> int:
        """Height of the first block that this node has, or will have."""
        return self._log.start.height + 1

    @property
    def not_here_until_ms(self) -> int:
        """A transaction unknown here that expires no later than this may be in a block not here.

        0 when the log begins at the genesis. Else the ledger time of the first block that is here
        (consensus gave it; a snapshot's own word is not needed), and the horizon: nothing committed
        before could expire later. While there is no block here, nothing can be told.
        """
        first = self.first_height
        if first == 1:
            return 0
        if self._log.height() < first:
            return AT_MS_MAX
        if self._not_here[0] != first:
            first_ms = decode(Entry, self._log.read(first)).ledger_ms
            self._not_here = (first, first_ms + self.ledger.genesis.horizon_ms)
        return self._not_here[1]

    def restore(
        self, base: BaseBlock, planted: tuple[StateTree, int], batches: Iterable[Batch]
    ) -> None:
        """Become the state after a block, from a snapshot that was verified; this object stays.

        `planted` is the tree over the records and its version, so that it is not built twice. Only
        a node without blocks of its own may do so. What a crash leaves is begun anew at the next
        start; what fails halts.
        """
        log = self._log
        if log.height() >= self.first_height:
            raise OutOfOrder(height=base.height, last=log.height())
        tree, version = planted
        if tree.root(version) != base.state_root:
            raise Halted(base.height, "the snapshot's records do not have its state root")
        with self._lock:
            try:
                self._store.refill(
                    base.height, batches, lambda: log.begin_at(base.height, encode(base))
                )
            except (StoreError, OSError, MemoryError) as problem:
                raise Halted(base.height, f"the snapshot could not be kept: {problem}") from problem
            decoders = self.ledger.rules.decoders
            state = State(
                self._store,
                decoders,
                base.tip(),
                tree=tree,
                tree_version=version,
                body=self._body,
                cache_max=self._cache_max,
            )
            self._entries.clear()
            self._seal = None
            self._unflushed = 0
            self._stand(state, 0)
            self.state = state

    def prune(self, retain_height: int) -> int:
        """Remove old blocks below a height, as far as whole files go; the first height left.

        The state is made durable first: blocks removed can never be redone.
        """

        def note(body: bytes) -> bytes:
            self.checkpoint()
            return encode(base_of(decode(Entry, body)))

        return self._log.prune(retain_height, note)

    # --- writing

    def next_block(
        self, time_ms: int, transactions: Sequence[Transaction], *, force: bool = False
    ) -> Committed | None:
        """Execute, append, fsync, publish. None when there is nothing to make a block of.

        A block that changes nothing is made when `force` asks for it.
        """
        run, is_block = self.run(time_ms, transactions)
        if is_block or force:
            return self.keep(run)
        return self.say(run) if run.left_out else None

    def run(
        self, time_ms: int, transactions: Sequence[Transaction], ahead: Sequence[Run] = ()
    ) -> tuple[Run, bool]:
        """Execute the block after those ahead, which are not committed; is it to be made?

        Block time never goes back: an earlier `time_ms` stands for that of the block before. A
        block that changes nothing is made before anybody is told that a transaction expired: else
        it might be ordered after all, once the clock were set back.
        """
        before_ms, told_ms = self.state.tip.time_ms, self._last_ledger_ms
        if ahead:
            before_ms, told_ms = ahead[-1].time_ms, ahead[-1].ledger_ms
        with self.executed.taken():
            run = self.ledger.run(
                Ahead(self.state, ahead) if ahead else self.state,
                max(time_ms, before_ms),
                transactions,
                proposing=True,
            )
        is_expiry_news = any(
            left.receipt is None and told_ms < left.transaction.body.expires_at_ms <= run.ledger_ms
            for left in run.left_out
        )
        return run, bool(run.done or run.writes or is_expiry_news)

    def next_wake_ms(self, ahead: Sequence[Run]) -> int | None:
        """Block time at which something is due after the blocks ahead; None if nothing is."""
        return self.ledger.next_wake_ms(Ahead(self.state, ahead) if ahead else self.state)

    def keep(self, run: Run) -> Committed:
        """Compute the roots of the next block, which was executed, and make it durable."""
        with self.committed.taken():
            return self._commit(self.ledger.seal(run, self.state), None)

    def say(self, run: Run) -> Committed:
        """The answers to what was left out of a block that is not made."""
        return self._answered(self.ledger.seal(run, self.state))

    def execute(
        self, time_ms: int, transactions: Sequence[Transaction], *, proposing: bool = False
    ) -> Candidate:
        """Execute the next block; nothing is kept of it until it is committed."""
        with self.executed.taken():
            return self.ledger.execute(self.state, time_ms, transactions, proposing=proposing)

    def commit(self, candidate: Candidate, engine_hash: bytes | None = None) -> Committed:
        """Make a candidate durable, then the state; `engine_hash` names an ordering engine's block.

        `DiskFull` and other errors of the log leave everything as it was. What fails after the
        block is durable halts: the state is redone from the log at the next start.
        """
        with self.committed.taken():
            return self._commit(candidate, engine_hash)

    def _commit(self, candidate: Candidate, engine_hash: bytes | None) -> Committed:
        sign = self._sign
        signature = None if sign is None else sign(header_bytes(candidate.header))
        entry = entry_of(candidate, signature=signature, engine_hash=engine_hash)
        body = entry_bytes(candidate, entry)
        try:
            self._log.append(body)
        except (StoreError, OSError, MemoryError):
            self.state.drop(candidate)
            raise
        name = entry.block_hash
        try:
            with self._lock:
                self.state.commit(candidate, name)
                self._last_ledger_ms = candidate.ledger_ms
                self.offset_ms = self.state.offset_ms()
                self._seal = seal_of(entry)
            self._unflushed += len(body)
            if self._unflushed >= CHECKPOINT_BYTES:
                self._store.checkpoint_soon()
                self._unflushed = 0
        except (StoreError, OSError) as problem:
            raise Halted(
                candidate.header.height, f"the block is kept, the state store is not: {problem}"
            ) from problem
        return self._answered(candidate, name)

    def checkpoint(self) -> None:
        """Make the state store durable up to now."""
        self._store.checkpoint()
        self._unflushed = 0

    def _answered(self, candidate: Candidate, name: bytes = b"") -> Committed:
        """The answers of a block; without a name it was not made, and all were left out."""
        answers = Answers(candidate.header.height, candidate.ids, candidate.raws, candidate.done)
        if candidate.left_out:
            here = {answer.transaction_id: answer for answer in answers}
            others = [self._answer_left_out(left, here) for left in candidate.left_out]
            answers = replace(answers, others=tuple(others))
        return Committed(candidate.header, name, candidate.ledger_ms, answers)

    def _answer_left_out(self, left: LeftOut, here: dict[bytes, Answer]) -> Answer:
        """Of a duplicate the first one's answer; else what the ledger said, or that it expired."""
        transaction = left.transaction
        if left.receipt is not None:
            return Answer(transaction.id, left.receipt, None, transaction.raw)
        known = here.get(transaction.id) or self.answer(transaction.id)
        if known is None:
            return Answer(transaction.id, None, None, transaction.raw)
        return Answer(transaction.id, known.told, known.height, transaction.raw)

    # --- reading

    def app_hash(self) -> bytes:
        """App hash after the last committed block, or after genesis."""
        with self._lock:
            return app_hash_of(self.state.tip.receipts_root, self.state.root())

    def view(
        self, *, now_ms: int | None = None, asker: str | None = None, sees_all: bool = True
    ) -> View:
        """State after the last committed block; `now_ms` is ledger time if later than its."""
        with self._lock:
            reader = self._store.snapshot()
            height = self.state.tip.height
            ledger_ms = self._last_ledger_ms
        return View(
            Decoded(reader, self.ledger.rules.decoders),
            height=height,
            now_ms=max(now_ms or 0, ledger_ms),
            asker=asker,
            sees_all=sees_all,
            history=self.history,
        )

    def reader(self) -> StateReader:
        """What the state store holds after the last committed block, for as long as it is read."""
        with self._lock:
            return self._store.snapshot()

    def empty_tree(self) -> StateTree:
        """A new tree of the body that this chain uses."""
        return self._body.tree()

    @property
    def ledger_ms(self) -> int:
        """Ledger time of the last committed block; at genesis, of the opening."""
        return self._last_ledger_ms

    def seal(self) -> Seal | None:
        """The last block's signed header and roots; None before block 1."""
        return self._seal

    def answer(self, transaction_id: bytes) -> Answer | None:
        """The receipt of a committed transaction, or None.

        Of a block that is not here there is no receipt; the height is then that of a block at or
        before which it was committed.
        """
        where = self._store.side_get(receipt_key(transaction_id))
        if where is None:
            return None
        height, position = place_of(where)
        try:
            return Answer(transaction_id, self.entry(height).receipts[position], height)
        except NoSuchBlock:
            return Answer(transaction_id, None, height)

    def prove_record(self, key: bytes) -> RecordProof | None:
        """Proof that a key has its record, or none, after the last block; None before block 1."""
        with self._lock:
            if self._seal is None:
                return None
            proof = self.state.tree.prove(self.state.tree_version, hashlib.sha256(key).digest())
            return record_proof(key, self._store.get(key), proof, self._seal)

    def prove_receipt(self, transaction_id: bytes) -> ReceiptProof | None:
        """Proof of a committed transaction's receipt; None when its block is not here."""
        where = self._store.side_get(receipt_key(transaction_id))
        if where is None:
            return None
        height, position = place_of(where)
        try:
            return receipt_proof(self.entry(height), position)
        except NoSuchBlock:
            return None

    def entry(self, height: int) -> Entry:
        """A block as the log holds it; the last few asked for are kept decoded."""
        with self._lock:
            kept = self._entries.get(height)
        if kept is None:
            kept = decode(Entry, self._log.read(height))
            with self._lock:
                self._entries[height] = kept
                if len(self._entries) > ENTRIES_KEPT:
                    self._entries.popitem(last=False)
        return kept

    def entries(self, from_height: int) -> Iterator[Entry]:
        """Blocks from a height to the last one there is."""
        for _, raw in self._log.entries(from_height):
            yield decode(Entry, raw)

    def history(self, key: bytes, name: str) -> Iterable[Past]:
        """Changes of a key since the log begins, found by reading the whole of it."""
        decoder = self.ledger.rules.decoders[name]
        for entry in self.entries(self.first_height):
            for receipt, changes in zip(entry.receipts, entry.changes, strict=True):
                for changed, raw in changes:
                    if changed == key:
                        after = None if raw is None else decoder.decode(raw)
                        yield Past(
                            entry.header.height, entry.ledger_ms, receipt.transaction_id, after
                        )

    def close(self) -> None:
        """Flush the state store and let go of the files, all of them whatever fails."""
        try:
            self._store.checkpoint()
        finally:
            try:
                self._store.close()
            finally:
                self._log.close()


class Decoded:
    """A store's reader, records decoded."""

    def __init__(self, reader: StateReader, decoders: dict[str, Any]) -> None:
        """Read through the decoders of the chain's records."""
        self._reader = reader
        self._decoders = decoders

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""
        raw = self._reader.get(key)
        return None if raw is None else cast(Record, self._decoders[name].decode(raw))

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""
        decoder = self._decoders[name]
        for key, raw in self._reader.scan(prefix, start):
            yield key, decoder.decode(raw)
