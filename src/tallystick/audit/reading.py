"""Blocks as a log has them: read, opened, and every signature checked, some ahead of the replay.

On a thread of its own. The native body lets go of Python's lock meanwhile, so that signatures are
checked beside the block that is being executed; with the Python body it is the same work in turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Raw

from tallystick.accel import Body
from tallystick.ledger.block import BLOCK_TRANSACTIONS_MAX, Header, header_bytes, header_hash
from tallystick.ledger.execute import Ledger
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import BYTES_MAX, Transaction
from tallystick.values.units import AtMs, Hash32, Signature64

BLOCKS_AHEAD = 3
"""Blocks that are read before the replay comes to them."""

NO_LIST = Raw(b"\x90")
"""An empty list in MessagePack."""

T = TypeVar("T")


class Wrong(Exception):
    """A block is not what it says."""


class Said(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """An entry of the log whose results are left as bytes: they are compared with what comes out.

    The fields are those of `Entry`.
    """

    header: Header
    """The block's header."""
    ledger_ms: AtMs
    """Ledger time while it was executed, in milliseconds."""
    transactions: Annotated[
        tuple[Annotated[bytes, Meta(max_length=BYTES_MAX)], ...],
        Meta(max_length=BLOCK_TRANSACTIONS_MAX),
    ] = ()
    """Transactions as they travelled, in order."""
    receipts: Raw = NO_LIST
    """Receipts, not read."""
    changes: Raw = NO_LIST
    """Changes of each receipt, not read."""
    own_changes: Raw = NO_LIST
    """Changes of the ledger itself, not read."""
    receipts_root: Hash32
    """Root over the receipts of the last block that had any."""
    state_root: Hash32
    """Root of the state tree after this block."""
    signature: Signature64 | None = None
    """The node's signature over the header; None under CometBFT."""
    engine_hash: Hash32 | None = None
    """Hash of the engine's block; None under the embedded engine."""

    @property
    def block_hash(self) -> bytes:
        """Name of the block, to which the next header refers."""
        return self.engine_hash or header_hash(self.header)


_DECODER = msgspec.msgpack.Decoder(Said)


@dataclass(frozen=True, slots=True)
class Block:
    """A block that is what it should be as far as can be told without executing it."""

    raw: bytes
    """The entry's bytes."""
    said: Said
    """The entry."""
    transactions: list[Transaction]
    """Its transactions."""
    signatures: int
    """How many signatures were checked: all of them are good."""


class Reader:
    """Reads the blocks of one chain."""

    def __init__(self, ledger: Ledger, body: Body) -> None:
        """Check with one body of accel."""
        self._ledger = ledger
        self._body = body

    def read(self, height: int, raw: bytes) -> Block:
        """Read a block and check all its signatures; `Wrong` says what is not good."""
        try:
            said = _DECODER.decode(raw)
            batch = self._body.open_batch(said.transactions)
            transactions = list(
                map(self._ledger.codec.decode_opened, said.transactions, batch.opened)
            )
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, Refused) as problem:
            raise Wrong(f"it cannot be read: {problem}") from None
        must(said.header.height == height, "its header names another height")
        signatures = sum([len(each.public_keys) for each in transactions])
        key = self._ledger.genesis.node_key
        if key is not None:
            must(said.signature is not None, "its header is not signed")
            is_good = self._body.verify(key, header_bytes(said.header), said.signature or b"")
            must(is_good, "the signature under its header is not the node's")
            signatures += 1
        bad = max(batch.verify(range(len(transactions))), default=-1)
        must(bad < 0, "a signature under one of its transactions is not good")
        return Block(raw, said, transactions, signatures)


def ahead(items: Iterator[tuple[int, bytes]], read: Callable[[int, bytes], T]) -> Generator[T]:
    """What is read of each item, in order, some of them ahead of who asks, on another thread.

    What fails, in the items or in reading them, is raised when its turn comes.
    """

    def step() -> T | None:
        found = next(items, None)
        return None if found is None else read(*found)

    with ThreadPoolExecutor(1, thread_name_prefix="audit") as worker:
        waiting = deque(worker.submit(step) for _ in range(BLOCKS_AHEAD))
        while (made := waiting.popleft().result()) is not None:
            waiting.append(worker.submit(step))
            yield made


def must(holds: bool, otherwise: str) -> None:
    """A statement about a block."""
    if not holds:
        raise Wrong(otherwise)
