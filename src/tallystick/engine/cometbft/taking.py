"""Taking a snapshot beside the running chain, from a reader that stays at its block.

Records come in the order of their keys and leave in the order of their key hashes: they pass
through files, one for each of so many first bits, so that memory stays bounded. Each record is
compared with the state tree on the way: what the disk gives back wrong is found here, not by
whoever fetches the snapshot.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path

from tallystick.accel import BITS_MAX, StateTree
from tallystick.engine.base_block import BaseBlock
from tallystick.engine.cometbft.kept import MANIFEST, chunk_path, write_checked
from tallystick.engine.cometbft.manifest import (
    CHUNK_BYTES_MAX,
    Manifest,
    Pairs,
    Sizes,
    divide_uses,
)
from tallystick.errors import EntryTooLarge, StateDamaged
from tallystick.ledger.side import USED, Use, read_list
from tallystick.store.base import StateReader
from tallystick.store.disk import explain
from tallystick.values.codec import decode, encode

BATCH = 256
"""Records between two pauses."""
BUCKET_RECORDS = 8_192
"""So many records pass through one file, about."""
BUFFER_BYTES = 16 * 1024 * 1024
"""Bytes of records in memory before they go to their files."""

Triple = tuple[bytes, bytes, bytes]
"""(key hash, key, record)."""


@dataclass(frozen=True, slots=True)
class Source:
    """The state of one block, held while it is read."""

    chain_id: str
    """Chain of which it is the state."""
    base: BaseBlock
    """The block."""
    reader: StateReader
    """What the state store holds after it."""
    tree: StateTree
    """The state tree."""
    version: int
    """Its version after that block; nobody else drops it."""

    def close(self) -> None:
        """Let go."""
        self.reader.close()
        self.tree.drop(self.version)


class Taking:
    """One snapshot on its way to the disk."""

    def __init__(self, source: Source, folder: Path, pause: Callable[[], None]) -> None:
        """Write into an empty folder; `pause` is called every few records and may raise."""
        self._source = source
        self._folder = folder
        self._pause = pause
        self._sizes = Sizes()
        self._count = 0
        size = source.tree.size(source.version)
        self._bucket_bits = min((size // BUCKET_RECORDS).bit_length(), BITS_MAX)

    def run(self) -> Manifest:
        """Write everything; what was written is durable but for the folder's name."""
        self._fill_buckets()
        bits = self._sizes.bits()
        counts = self._write_parts(bits)
        source = self._source
        if self._count != source.tree.size(source.version):
            raise StateDamaged("state", f"records are missing: it holds {self._count}")
        roots = source.tree.parts(source.version, bits)
        manifest = Manifest(
            chain_id=source.chain_id,
            base=source.base,
            bits=bits,
            parts=tuple(zip(roots, counts, strict=True)),
            lists=tuple(self._write_lists(1 << bits)),
        )
        write_checked(self._folder / MANIFEST, encode(manifest))
        return manifest

    # --- records

    def _fill_buckets(self) -> None:
        """Every record into the file of its first bits."""
        shift = 16 - self._bucket_bits
        buffers: dict[int, list[tuple[bytes, bytes]]] = {}
        room = BUFFER_BYTES
        for key_hash, key, record in self._records():
            self._sizes.add(key_hash, len(key) + len(record))
            bucket = (key_hash[0] << 8 | key_hash[1]) >> shift
            buffers.setdefault(bucket, []).append((key, record))
            room -= len(key) + len(record)
            if room <= 0:
                self._flush(buffers)
                room = BUFFER_BYTES
        self._flush(buffers)

    def _records(self) -> Iterator[Triple]:
        """All records with their key hashes, each compared with the tree; pauses on the way."""
        tree, version, sha256 = self._source.tree, self._source.version, hashlib.sha256
        scan = self._source.reader.scan(b"")
        while batch := list(islice(scan, BATCH)):
            for key, record in batch:
                key_hash = sha256(key).digest()
                if tree.get(version, key_hash) != sha256(record).digest():
                    raise StateDamaged("state", f"under key {key!r} is not what was committed")
                yield key_hash, key, record
            self._count += len(batch)
            self._pause()

    def _flush(self, buffers: dict[int, list[tuple[bytes, bytes]]]) -> None:
        """Append what is in memory to the files."""
        for bucket, pairs in sorted(buffers.items()):
            path = self._bucket(bucket)
            data = encode(pairs)
            try:
                with path.open("ab") as out:
                    out.write(len(data).to_bytes(8, "big"))
                    out.write(data)
            except OSError as problem:
                raise explain(problem, "write", str(path)) from problem
        buffers.clear()

    def _bucket(self, number: int) -> Path:
        return self._folder / f"bucket-{number}"

    def _write_parts(self, bits: int) -> list[int]:
        """The chunks of records; how many records each has."""
        shared = min(bits, self._bucket_bits)
        per_group, per_bucket = 1 << bits - shared, 1 << self._bucket_bits - shared
        counts = []
        for group in range(1 << shared):
            triples: list[Triple] = []
            for bucket in range(group * per_bucket, (group + 1) * per_bucket):
                triples += self._read_bucket(bucket)
            triples.sort(key=itemgetter(0))
            parts: list[list[tuple[bytes, bytes]]] = [[] for _ in range(per_group)]
            for key_hash, key, record in triples:
                number = (key_hash[0] << 8 | key_hash[1]) >> 16 - bits
                parts[number % per_group].append((key, record))
            for at, part in enumerate(parts):
                chunk = encode(part)
                if len(chunk) > CHUNK_BYTES_MAX:
                    raise EntryTooLarge(size_bytes=len(chunk), limit_bytes=CHUNK_BYTES_MAX)
                write_checked(chunk_path(self._folder, group * per_group + at), chunk)
                counts.append(len(part))
                self._pause()
        return counts

    def _read_bucket(self, number: int) -> Iterator[Triple]:
        """What went into a file, which is removed."""
        path = self._bucket(number)
        if not path.exists():
            return
        data = path.read_bytes()
        path.unlink()
        at = 0
        while at < len(data):
            end = at + 8 + int.from_bytes(data[at : at + 8], "big")
            for key, record in decode(Pairs, data[at + 8 : end]):
                yield hashlib.sha256(key).digest(), key, record
            at = end

    # --- used references

    def _write_lists(self, first: int) -> Iterator[bytes]:
        """The chunks of used references, from a number on; the hash of each."""
        for number, chunk in enumerate(divide_uses(self._lists()), first):
            write_checked(chunk_path(self._folder, number), chunk)
            yield hashlib.sha256(chunk).digest()
            self._pause()

    def _lists(self) -> Iterator[tuple[int, list[Use]]]:
        """Minute and references in order of use; which block used them is left out."""
        stored: Iterable[tuple[bytes, bytes]] = self._source.reader.side_scan(USED)
        lists = (read_list(key, raw) for key, raw in stored)
        for minute, blocks in groupby(lists, key=itemgetter(0)):
            yield minute, [use for _, _, uses in blocks for use in uses]
