"""One chain on one disk: recover, execute the next block, make it durable, publish it.

What every engine that runs in this process is made of. Not thread-safe by itself but for reading.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from tallystick.accel import Body, load
from tallystick.engine.base import Answer, Committed
from tallystick.engine.redo import redo_writes
from tallystick.errors import Halted
from tallystick.ledger.app import Record
from tallystick.ledger.block import Entry, header_bytes, header_hash
from tallystick.ledger.candidate import Candidate
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import first_records
from tallystick.ledger.side import place_of, receipt_key
from tallystick.ledger.state import State, Tip, genesis_tip
from tallystick.ledger.transaction import Transaction
from tallystick.ledger.view import Past, View
from tallystick.store.base import BlockLog, StateReader, StateStore
from tallystick.values.codec import decode, encode

CHECKPOINT_BYTES = 64 * 1024 * 1024
"""Log bytes after which the state store is flushed."""

Sign = Callable[[bytes], bytes]
"""Signs a header with the node's key."""


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
    ) -> None:
        """Bring the store up to the log, rebuild the tree, and compare with the last block's root.

        Raises `Halted` when the state is not the one that the log says.
        """
        self.ledger = ledger
        self._log = log
        self._store = store
        self._sign = sign
        self._body = body or load()
        self._lock = threading.Lock()
        self._unflushed = 0
        self._last_ledger_ms = 0
        self.state = self._recover()

    # --- recovery

    def _recover(self) -> State:
        """Genesis if the store is empty, then the blocks that the store has not seen."""
        store, log, types = self._store, self._log, self.ledger.rules.record_types
        if store.height() == 0:
            store.apply(0, first_records(self.ledger.genesis, types), {})
        for _, raw in log.entries(store.height() + 1):
            entry = decode(Entry, raw)
            writes, side = redo_writes(entry, store, self.ledger.codec)
            store.apply(entry.header.height, writes, side)
        tip = genesis_tip(self.ledger.genesis.time_ms)
        expected = None
        ledger_ms = 0
        if log.height():
            last = decode(Entry, log.read(log.height()))
            header = last.header
            tip = Tip(header.height, header.time_ms, header_hash(header), last.receipts_root)
            expected = last.state_root
            ledger_ms = last.ledger_ms
        state = State(store, self.ledger.rules.decoders, tip, tree=self._body.tree())
        if expected is not None and state.root() != expected:
            raise Halted(tip.height, f"the state root is {state.root().hex()}, the log says {expected.hex()}")
        self._last_ledger_ms = ledger_ms or tip.time_ms + state.offset_ms()
        return state

    # --- writing

    def next_block(self, time_ms: int, transactions: Sequence[Transaction]) -> Committed | None:
        """Execute, append, fsync, publish. None when there is nothing to make a block of.

        Block time never goes back: an earlier `time_ms` stands for that of the last block.
        """
        time_ms = max(time_ms, self.state.tip.time_ms)
        candidate = self.ledger.execute(self.state, time_ms, transactions, proposing=True)
        if not (candidate.done or candidate.writes):
            self.state.drop(candidate)
            return None if not candidate.left_out else self._answered(candidate)
        return self.commit(candidate)

    def commit(self, candidate: Candidate) -> Committed:
        """Make a candidate durable, then the state."""
        body = encode(self._entry(candidate))
        try:
            self._log.append(body)
        except BaseException:
            self.state.drop(candidate)
            raise
        name = header_hash(candidate.header)
        with self._lock:
            self.state.commit(candidate, name)
            self._last_ledger_ms = candidate.ledger_ms
        self._unflushed += len(body)
        if self._unflushed >= CHECKPOINT_BYTES:
            self.checkpoint()
        return self._answered(candidate, name)

    def checkpoint(self) -> None:
        """Make the state store durable up to now."""
        self._store.checkpoint()
        self._unflushed = 0

    def _entry(self, candidate: Candidate) -> Entry:
        """What the log keeps of a block."""
        header = candidate.header
        return Entry(
            header=header,
            ledger_ms=candidate.ledger_ms,
            transactions=tuple([transaction.raw for transaction in candidate.transactions]),
            receipts=tuple([done.receipt for done in candidate.done]),
            changes=tuple([done.changes for done in candidate.done]),
            own_changes=candidate.own_changes,
            receipts_root=candidate.receipts_root,
            state_root=candidate.state_root,
            signature=None if self._sign is None else self._sign(header_bytes(header)),
        )

    def _answered(self, candidate: Candidate, name: bytes = b"") -> Committed:
        """The answers of a block; without a name it was not made, and only what was left out counts."""
        height = candidate.header.height
        answers = [
            Answer(done.receipt.transaction_id, done.receipt, height)
            for done in candidate.done
            if done.receipt.transaction_id is not None
        ]
        for left in candidate.left_out:
            known = self.answer(left.transaction.id) if left.receipt is None else None
            answers.append(known or Answer(left.transaction.id, left.receipt, None))
        return Committed(candidate.header, name, candidate.ledger_ms, tuple(answers))

    # --- reading

    def view(
        self, *, now_ms: int | None = None, asker: str | None = None, sees_all: bool = True
    ) -> View:
        """State after the last committed block; `now_ms` is ledger time if later than that block's."""
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

    def answer(self, transaction_id: bytes) -> Answer | None:
        """The receipt of a committed transaction, or None."""
        where = self._store.side_get(receipt_key(transaction_id))
        if where is None:
            return None
        height, position = place_of(where)
        return Answer(transaction_id, self.entry(height).receipts[position], height)

    def entry(self, height: int) -> Entry:
        """A block as the log holds it."""
        return decode(Entry, self._log.read(height))

    def entries(self, from_height: int) -> Iterator[Entry]:
        """Blocks from a height to the last one there is."""
        for _, raw in self._log.entries(from_height):
            yield decode(Entry, raw)

    def history(self, key: bytes, name: str) -> Iterable[Past]:
        """Changes of a key, found by reading the whole log."""
        decoder = self.ledger.rules.decoders[name]
        for entry in self.entries(1):
            for receipt, changes in zip(entry.receipts, entry.changes, strict=True):
                for changed, raw in changes:
                    if changed == key:
                        after = None if raw is None else decoder.decode(raw)
                        yield Past(
                            entry.header.height, entry.ledger_ms, receipt.transaction_id, after
                        )

    def close(self) -> None:
        """Flush the state store and let go of the files."""
        self._store.checkpoint()
        self._store.close()
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
