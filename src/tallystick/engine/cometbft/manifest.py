"""What a snapshot consists of, byte by byte: its manifest and two kinds of chunks.

    manifest        the metadata that nodes tell each other; its SHA-256 names the snapshot
    chunk 0 … 2^b-1 all records whose key hash begins with the b bits of the chunk's number, as
                    [[key, record], …] in the order of the key hashes
    chunks after    used references as [[minute, [[sender, reference, transaction id], …]], …], by
                    minute and in order of use; a minute may go on in the next chunk

The app hash commits to the roots of state and receipts. The roots of the parts fold to the state
root, so each chunk of records is checked alone, as it comes. The lists are checked against the
ledger's own records, `UsedMinute`, which are among the records: number and running hash.

All is determined by the state alone, not by the node that takes the snapshot: which blocks used a
reference is left out, for a node that was itself restored does not know it.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated

from msgspec import Meta

from tallystick.accel import BITS_MAX, fold
from tallystick.engine.base_block import BaseBlock
from tallystick.ledger.block import app_hash_of
from tallystick.ledger.side import Use
from tallystick.ledger.transaction import ChainId
from tallystick.values.codec import Struct, decode_canonical, encode
from tallystick.values.errors import CodecError
from tallystick.values.units import Count, Hash32

FORMAT = 1
"""Number of this format."""
CHUNK_BYTES = 4 * 1024 * 1024
"""Bytes that a chunk has at most on average."""
CHUNK_BYTES_MAX = 14_000_000
"""Bytes that no chunk may exceed: the engine's messages end at 16 MB."""
PAIR_BYTES = 10
"""What a record takes in a chunk beyond its key and its value, at most."""
LISTS_MAX = 4_096
"""Most chunks of used references."""

Pairs = tuple[tuple[bytes, bytes], ...]
"""(key, record) of a chunk of records."""
Uses = tuple[tuple[int, tuple[Use, ...]], ...]
"""(minute, references) of a chunk of used references."""


class Manifest(Struct):
    """What a receiver needs to know to check the chunks of a snapshot."""

    chain_id: ChainId
    """Chain of which it is the state."""
    base: BaseBlock
    """Block after which it was taken; of this the app hash covers the two roots."""
    bits: Annotated[int, Meta(ge=0, le=BITS_MAX)]
    """So many first bits of the key hash tell a record's chunk, e.g. 7 for 128 chunks."""
    parts: Annotated[tuple[tuple[Hash32, Count], ...], Meta(max_length=1 << BITS_MAX)]
    """Root and number of records of each part, in order."""
    lists: Annotated[tuple[Hash32, ...], Meta(max_length=LISTS_MAX)] = ()
    """SHA-256 of each chunk of used references, in order; empty when none are in use."""

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return len(self.parts) + len(self.lists)

    @property
    def app_hash(self) -> bytes:
        """App hash after its block, as far as it can be trusted to say so."""
        return app_hash_of(self.base.receipts_root, self.base.state_root)


def name_of(metadata: bytes) -> bytes:
    """Name of a snapshot."""
    return hashlib.sha256(metadata).digest()


def read_manifest(metadata: bytes) -> Manifest:
    """A manifest that agrees with itself; `CodecError` says why it does not."""
    manifest = decode_canonical(Manifest, metadata)
    if len(manifest.parts) != 1 << manifest.bits:
        raise CodecError("the number of parts is not that of its bits")
    if fold(manifest.parts) != manifest.base.state_root:
        raise CodecError("its parts do not fold to its state root")
    return manifest


class Sizes:
    """How large the records are, by the first bits of their key hashes: so they are divided."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._bytes = array("Q", bytes(8 << BITS_MAX))

    def add(self, key_hash: bytes, size: int) -> None:
        """Count a record of so many bytes, key and value."""
        self._bytes[key_hash[0] << 8 | key_hash[1]] += size + PAIR_BYTES

    def bits(self) -> int:
        """The fewest bits with which chunks are small enough on average, and none too large."""
        sizes = list(self._bytes)
        total, bits = sum(sizes), BITS_MAX
        while bits and total <= CHUNK_BYTES << bits - 1:
            sizes = [left + right for left, right in zip(sizes[::2], sizes[1::2], strict=True)]
            if max(sizes) > CHUNK_BYTES_MAX:
                break
            bits -= 1
        return bits


def divide_uses(lists: Iterable[tuple[int, Sequence[Use]]]) -> Iterator[bytes]:
    """Chunks of used references from (minute, references), minutes in order."""
    chunk: list[tuple[int, tuple[Use, ...]]] = []
    room = CHUNK_BYTES
    for minute, uses in lists:
        kept: list[Use] = []
        for use in uses:
            kept.append(use)
            room -= len(encode(use))
            if room <= 0:
                chunk.append((minute, tuple(kept)))
                yield encode(tuple(chunk))
                chunk, kept, room = [], [], CHUNK_BYTES
        if kept:
            chunk.append((minute, tuple(kept)))
    if chunk:
        yield encode(tuple(chunk))


__all__ = [
    "CHUNK_BYTES",
    "CHUNK_BYTES_MAX",
    "FORMAT",
    "Manifest",
    "Pairs",
    "Sizes",
    "Uses",
    "divide_uses",
    "name_of",
    "read_manifest",
]
