"""A look at authority over the committed state, from any thread: may this be done, as of now?

What it says is a hint. A block asks again, over the state that it has then.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, cast

from tallystick.engine.chain import Chain
from tallystick.ledger.app import Record
from tallystick.ledger.context import Moment
from tallystick.ledger.keys import Keys
from tallystick.ledger.memory import Asked, Memory, Remembered
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.refusal import Refused
from tallystick.ledger.state import decoded_record
from tallystick.ledger.transaction import Transaction
from tallystick.store.base import StateReader

RECORDS_MAX = 50_000
"""Decoded records kept for looks: keys, officers, members, and what amounts are read from."""

ANSWERS_MAX = 100_000
"""Answers that are remembered for looks: who holds which keys, the plan of a call."""

_MISSING: Any = object()


class AuthorityGlance:
    """Asks the ledger's authority. Its records are its own: the state's are the executing thread's.

    Reads take no lock. A record that was read goes into the table only if no block has come
    meanwhile, so that an old one never stands there after `refresh` has put the new ones in.
    """

    def __init__(self, chain: Chain, *, records_max: int = RECORDS_MAX) -> None:
        """Look at a chain; nothing is read yet."""
        self._chain = chain
        self._records_max = records_max
        self._records: dict[bytes, Record | None] = {}
        self._keys = Keys()
        self._memory = _Seen()
        self._reader: StateReader | None = None
        self._blocks = 0
        self._lock = threading.Lock()

    def refused(self, transaction: Transaction, now_ms: int = 0) -> Refused | None:
        """Why the committed state does not authorise a transaction; None when it does.

        `now_ms` is ledger time if that is later than the last block's.
        """
        blocks = self._blocks
        no = self._look(transaction, now_ms)
        if no is not None and blocks != self._blocks:  # a block came: it may have seen half of it
            no = self._look(transaction, now_ms)
        return no

    def _look(self, transaction: Transaction, now_ms: int) -> Refused | None:
        """Ask once."""
        chain = self._chain
        moment = Moment(
            rules=chain.ledger.rules,
            budget=chain.ledger.genesis.budget,
            now_ms=max(now_ms, chain.ledger_ms),
            height=chain.state.tip.height + 1,
            keys=self._keys,
        )
        self._memory.begin()
        overlay = Overlay(self, memory=self._memory)
        return chain.ledger.unauthorised(overlay, moment, transaction)

    def refresh(self, changed: Mapping[bytes, Record | None] | None = None) -> None:
        """A block was committed, and changed these records; None when all may have changed."""
        with self._lock:
            self._blocks += 1
            self._reader = None
            records = self._records
            if changed is None:
                records.clear()
            else:
                for key, after in changed.items():
                    if key in records:
                        records[key] = after
            self._memory.end(changed)  # last: a look that begins now finds the new records

    # --- records

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""
        found = self._records.get(key, _MISSING)
        return self._read(name, key) if found is _MISSING else cast("Record | None", found)

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order."""
        decoders = self._chain.ledger.rules.decoders
        for key, raw in self._opened()[0].scan(prefix, start):
            yield key, decoded_record(decoders, name, raw)

    def _read(self, name: str, key: bytes) -> Record | None:
        """Read a record, and keep it unless a block came meanwhile."""
        reader, blocks = self._opened()
        raw = reader.get(key)
        decoders = self._chain.ledger.rules.decoders
        found = None if raw is None else decoded_record(decoders, name, raw)
        with self._lock:
            if blocks == self._blocks:
                if len(self._records) >= self._records_max:
                    for old in list(islice(self._records, self._records_max // 10 + 1)):
                        del self._records[old]
                self._records[key] = found
        return found

    def _opened(self) -> tuple[StateReader, int]:
        """A reader of the committed state, and how many blocks there were when it was opened."""
        with self._lock:
            if self._reader is None:
                self._reader = self._chain.reader()
            return self._reader, self._blocks


class _Seen(Memory):
    """What looks have found out, for many threads: nothing of a look that a block overtook."""

    def __init__(self) -> None:
        super().__init__(ANSWERS_MAX)
        self._lock = threading.Lock()
        self._blocks = 0
        self._looks = threading.local()

    def begin(self) -> None:
        """This thread begins a look."""
        self._looks.blocks = self._blocks

    def keep(self, asked: Asked, found: Remembered) -> None:
        """Remember an answer, unless a block came since the look began: it may be an old one."""
        with self._lock:
            if self._looks.blocks == self._blocks:
                super().keep(asked, found)

    def end(self, changed: Mapping[bytes, Record | None] | None) -> None:
        """A block changed these records: what follows from them is forgotten; None: all is."""
        with self._lock:
            self._blocks += 1
            if changed is None:
                self._by_key.clear()
                self.clear()
            else:
                self.forget(changed)


__all__ = ["AuthorityGlance"]
