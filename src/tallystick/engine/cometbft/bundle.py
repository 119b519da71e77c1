"""Bundles: what the engine orders. Many signed transactions travel in one.

`bundle = [format, note, [transaction, …]]`, MessagePack, canonical. A bundle without transactions
is a *tick*: it asks for a block, and its note is the height that the block is to have.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from tallystick.accel import Opened, OpenedBatch, open_batch
from tallystick.engine.verdicts import OpenBatch
from tallystick.ledger.execute import Ledger
from tallystick.ledger.refusal import Refused
from tallystick.ledger.transaction import BYTES_MAX, Transaction
from tallystick.values.codec import Struct, decode_canonical, encode
from tallystick.values.errors import CodecError

FORMAT = 1
"""Format number of bundles."""
TRANSACTIONS_MAX = 2_000
"""Most transactions of a bundle."""
BUNDLE_BYTES_MAX = 1_000_000
"""Largest bundle, in bytes."""
CACHE_BYTES = 32 * 1024 * 1024
"""Bytes of bundles that are kept decoded; decoded they take about five times as much."""


class BadBundle(Exception):
    """Bytes that are no bundle of this chain; every node finds the same."""


class Wire(Struct, array_like=True):
    """What travels: `[format, note, transactions]`."""

    format: Annotated[int, Meta(ge=1, le=255)]
    """Format number, 1."""
    note: Annotated[int, Meta(ge=0)]
    """Makes the bytes differ: number of the attempt; of a tick, the height that it is for."""
    transactions: Annotated[
        tuple[Annotated[bytes, Meta(max_length=BYTES_MAX)], ...], Meta(max_length=TRANSACTIONS_MAX)
    ]
    """Signed transactions as they travel."""


class Bundle:
    """A bundle that was read: canonical, and each transaction of it is one of this chain."""

    __slots__ = ("batch", "is_verified", "note", "raw", "transactions")

    def __init__(
        self,
        raw: bytes,
        note: int,
        transactions: tuple[Transaction, ...],
        batch: OpenedBatch | None = None,
    ) -> None:
        """Hold what was read."""
        self.raw = raw
        """The bytes."""
        self.note = note
        """Number of the attempt; of a tick, the height that it is for."""
        self.transactions = transactions
        """Its transactions, in order."""
        self.batch = batch
        """What its signatures are verified from; None when they were."""
        self.is_verified = False
        """Whether all its signatures were found good. Never set by guessing."""

    @property
    def is_tick(self) -> bool:
        """Whether it only asks for a block."""
        return not self.transactions


def encode_bundle(note: int, raws: Sequence[bytes]) -> bytes:
    """The bytes of a bundle."""
    return encode(Wire(format=FORMAT, note=note, transactions=tuple(raws)))


def encode_tick(height: int) -> bytes:
    """The bytes of the tick that asks for the block of a height; every node makes the same."""
    return encode_bundle(height, ())


class BundleCache:
    """Reads bundles, those seen lately without work. For any thread."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        open_batch: OpenBatch = open_batch,
        bytes_max: int = CACHE_BYTES,
    ) -> None:
        """Read for one chain, with what opens transactions; nothing is kept yet."""
        self._open_batch = open_batch
        self._codec = ledger.codec
        self._chain_id = ledger.chain_id
        self._bytes_max = bytes_max
        self._kept: OrderedDict[bytes, Bundle] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def read(self, raw: bytes) -> Bundle:
        """The bundle of some bytes; `BadBundle` if they are none of this chain's."""
        digest = hashlib.sha256(raw).digest()
        with self._lock:
            known = self._kept.get(digest)
            if known is not None:
                self._kept.move_to_end(digest)
                return known
        made = self._decode(raw)
        self._keep(digest, made)
        return made

    def remember(self, bundle: Bundle) -> None:
        """Keep a bundle that was made here, so that it is not decoded again."""
        self._keep(hashlib.sha256(bundle.raw).digest(), bundle)

    def _decode(self, raw: bytes) -> Bundle:
        """Read bytes, strictly."""
        if len(raw) > BUNDLE_BYTES_MAX:
            raise BadBundle(f"{len(raw)} bytes: a bundle has at most {BUNDLE_BYTES_MAX}")
        try:
            wire = decode_canonical(Wire, raw)
        except (CodecError, RecursionError) as problem:
            raise BadBundle(f"not a bundle: {problem}") from None
        if wire.format != FORMAT:
            raise BadBundle(f"format {wire.format} is unknown")
        batch = self._open_batch(wire.transactions)
        both = zip(wire.transactions, batch.opened, strict=True)
        return Bundle(raw, wire.note, tuple([self._transaction(*each) for each in both]), batch)

    def _transaction(self, raw: bytes, opened: Opened | None) -> Transaction:
        """Read one transaction."""
        try:
            transaction = self._codec.decode_opened(raw, opened)
        except Refused as no:
            raise BadBundle(f"a transaction is {no.code.name}: {no.values}") from None
        if transaction.body.chain_id != self._chain_id:
            raise BadBundle(f"a transaction is for chain {transaction.body.chain_id}")
        return transaction

    def _keep(self, digest: bytes, bundle: Bundle) -> None:
        """Keep a bundle; the ones not asked for longest go when there are too many bytes."""
        with self._lock:
            if digest in self._kept or len(bundle.raw) > self._bytes_max:
                return
            self._kept[digest] = bundle
            self._bytes += len(bundle.raw)
            while self._bytes > self._bytes_max:
                _, old = self._kept.popitem(last=False)
                self._bytes -= len(old.raw)
