"""Light blocks kept for good, so that CometBFT may forget old blocks and proofs still work.

FOLDER/run-HEIGHT    up to 1,000 blocks from that height on; the first of an unbroken run
FOLDER/more-HEIGHT   the same, going on where the file before ended
FOLDER/sets          validator sets, each once

A file is a row of records: u32 length, first 8 bytes of SHA-256 of the body, body. Everything here
can be fetched from CometBFT again until it prunes: so blocks are flushed seldom (`flush`), and a
tail that cannot be read is cut when the archive is opened. CometBFT may prune below `kept()`.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from tallystick.engine.cometbft.light.blocks import (
    VALIDATORS_MAX,
    Commit,
    Header,
    LightBlock,
    Validators,
    validators_hash,
)
from tallystick.errors import Damage, OutOfOrder
from tallystick.store.base import Disk, DiskFile
from tallystick.store.disk import explain
from tallystick.values.codec import Struct, decode, encode
from tallystick.values.errors import CodecError
from tallystick.values.units import INT64_MAX, INT64_MIN

log = logging.getLogger(__name__)

SEGMENT_BLOCKS = 1_000
"""Blocks of one file."""
RECORD_BYTES_MAX = 64 * 1024 * 1024
SEGMENTS_CACHED = 8
SETS_CACHED = 16
_SETS = "sets"
_HEAD = 12

Turn = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]


class _Kept(Struct):
    """A light block on disk; its validators are in `sets`."""

    header: Header
    """The block's header."""
    commit: Commit
    """The votes for it."""
    turns: Annotated[tuple[Turn, ...], Meta(max_length=VALIDATORS_MAX)]
    """Whose turn it is to propose: a priority for each validator."""


class _Set(Struct):
    """A validator set on disk."""

    validators: Validators
    """The set, in CometBFT's order."""


@dataclass(frozen=True, slots=True)
class Archived:
    """A light block, and what CometBFT tells beside it that nobody signs."""

    block: LightBlock
    """The light block."""
    turns: tuple[int, ...]
    """Proposer priorities: state sync needs them, light clients do not."""


@dataclass(slots=True)
class _Segment:
    """Where the blocks of a file begin."""

    first: int
    """Height of its first block."""
    offsets: list[int]
    """Offset of each block's record."""
    end: int
    """Offset behind the last record that can be read."""


class LightArchive:
    """Light blocks by height. One thread puts; any thread may get."""

    def __init__(self, disk: Disk, folder: str, *, segment_blocks: int = SEGMENT_BLOCKS) -> None:
        """Open the archive of a folder, or make it; an unreadable tail is cut, and said.

        `segment_blocks` stays what it was when the archive was made.
        """
        self._disk = disk
        self._segment_blocks = segment_blocks
        self._folder = folder
        self._lock = threading.RLock()
        self._segments: OrderedDict[int, _Segment] = OrderedDict()
        self._decoded: OrderedDict[bytes, Validators] = OrderedDict()
        try:
            disk.mkdir(folder)
            names = disk.list(folder)
            self._sets_file = self._open(_SETS)
            disk.sync_folder(folder)
            self._sets, self._sets_end = self._read_sets()
            self._names = dict(sorted(_firsts(names)))
            self._last: _Segment | None = None
            self._last_file: DiskFile | None = None
            if self._names:
                self._continue(max(self._names))
        except OSError as problem:
            raise explain(problem, "open", folder) from problem
        self._flushed = self.height()

    # --- writing

    def put(self, block: LightBlock, turns: tuple[int, ...]) -> None:
        """Keep a block that was verified. A height that is there already is left as it is.

        A height beyond the next one begins a new run: what lies between is missing for good.
        """
        with self._lock:
            height = block.height
            if height <= self.height():
                if self.get(height) is None:
                    raise OutOfOrder(height=height, last=self.height())
                return
            try:
                self._put_set(block)
                segment, file = self._segment_for(height)
                body = encode(_Kept(header=block.header, commit=block.commit, turns=turns))
                file.write(segment.end, _record(body))
            except OSError as problem:
                raise explain(problem, "write", self._folder) from problem
            segment.offsets.append(segment.end)
            segment.end += _HEAD + len(body)

    def flush(self) -> None:
        """Make everything put so far durable."""
        with self._lock:
            try:
                if self._last_file is not None:
                    self._last_file.sync()
            except OSError as problem:
                raise explain(problem, "flush", self._folder) from problem
            self._flushed = self.height()

    def close(self) -> None:
        """Flush, and let go of the files."""
        with self._lock:
            self.flush()
            self._sets_file.close()
            if self._last_file is not None:
                self._last_file.close()

    # --- reading

    def height(self) -> int:
        """Height of the last block; 0 when there is none."""
        if self._last is None:
            return 0
        return self._last.first + len(self._last.offsets) - 1

    def base(self) -> int:
        """First height of the unbroken run up to the last block; 0 when there is none."""
        with self._lock:
            return max((first for first, kind in self._names.items() if kind == "run"), default=0)

    def kept(self) -> int:
        """Height up to which everything is durable: blocks below it may be pruned elsewhere."""
        return self._flushed

    def get(self, height: int) -> LightBlock | None:
        """The block of a height, or None when it is not kept."""
        found = self.read(height)
        return None if found is None else found.block

    def read(self, height: int) -> Archived | None:
        """The block of a height with its proposer priorities, or None when it is not kept."""
        with self._lock:
            segment = self._holding(height)
            if segment is None:
                return None
            kept = self._decode(segment, height)
            validators = self._set(kept.header.validators_hash, height)
            block = LightBlock(header=kept.header, commit=kept.commit, validators=validators)
            return Archived(block, kept.turns)

    def range(self, first: int, last: int) -> Iterator[LightBlock]:
        """The blocks of these heights that are kept, in order."""
        for height in range(first, last + 1):
            block = self.get(height)
            if block is not None:
                yield block

    # --- files

    def _segment_for(self, height: int) -> tuple[_Segment, DiskFile]:
        """The file that takes the next block; a new one when the last is full, or does not fit."""
        last, file = self._last, self._last_file
        is_next = last is not None and height == self.height() + 1
        if last is not None and file is not None:
            if is_next and len(last.offsets) < self._segment_blocks:
                return last, file
            self.flush()
            file.close()
        name = f"{'more' if is_next else 'run'}-{height:016d}"
        made = self._open(name)
        made.truncate(0)
        self._disk.sync_folder(self._folder)
        self._names[height] = name.partition("-")[0]
        self._last, self._last_file = _Segment(height, [], 0), made
        return self._last, made

    def _continue(self, first: int) -> None:
        """Open the last file for more blocks; what cannot be read at its end is cut."""
        file = self._open(self._name(first))
        segment = self._scan(file, first)
        if segment.end < file.size():
            height = first + len(segment.offsets)
            log.warning(
                "the light blocks from %d on cannot be read: they are fetched again", height
            )
            file.truncate(segment.end)
            file.sync()
        self._last, self._last_file = segment, file
        if not segment.offsets:
            file.close()
            self._disk.remove(f"{self._folder}/{self._name(first)}")
            self._disk.sync_folder(self._folder)
            del self._names[first]
            self._last = self._last_file = None
            if self._names:
                self._continue(max(self._names))

    def _holding(self, height: int) -> _Segment | None:
        """The segment that has a height."""
        if self._last is not None and self._last.first <= height:
            return self._last if height <= self.height() else None
        first = max((each for each in self._names if each <= height), default=0)
        if not first or height >= first + self._segment_blocks:
            return None
        segment = self._segments.get(first)
        if segment is None:
            file = self._disk.open(f"{self._folder}/{self._name(first)}")
            try:
                segment = self._scan(file, first)
            finally:
                file.close()
            self._segments[first] = segment
            if len(self._segments) > SEGMENTS_CACHED:
                self._segments.popitem(last=False)
        self._segments.move_to_end(first)
        return segment if height < first + len(segment.offsets) else None

    def _scan(self, file: DiskFile, first: int) -> _Segment:
        """Where the records of a file begin, up to the first that cannot be read."""
        raw = file.read(0, file.size())
        segment = _Segment(first, [], 0)
        for offset, body in _bodies(raw):
            if not self._is_block(body, first + len(segment.offsets)):
                break
            segment.offsets.append(offset)
            segment.end = offset + _HEAD + len(body)
        return segment

    def _is_block(self, body: bytes, height: int) -> bool:
        """Whether a record holds the block of a height, and its validators are kept."""
        try:
            header = decode(_Kept, body).header
        except CodecError:
            return False
        return header.height == height and header.validators_hash in self._sets

    def _decode(self, segment: _Segment, height: int) -> _Kept:
        """The record of a height."""
        offset = segment.offsets[height - segment.first]
        if segment is self._last and self._last_file is not None:
            return self._decode_at(self._last_file, offset, height)
        file = self._disk.open(f"{self._folder}/{self._name(segment.first)}")
        try:
            return self._decode_at(file, offset, height)
        finally:
            file.close()

    def _decode_at(self, file: DiskFile, offset: int, height: int) -> _Kept:
        length = int.from_bytes(file.read(offset, 4), "big")
        raw = file.read(offset, _HEAD + length)
        for _, body in _bodies(raw):
            return decode(_Kept, body)
        raise Damage(height, f"its light block in {self._folder} cannot be read")

    # --- validator sets

    def _put_set(self, block: LightBlock) -> None:
        """Keep a set that is new, durably, before the first block that names it."""
        name = block.header.validators_hash
        if name in self._sets:
            return
        body = encode(_Set(validators=block.validators))
        self._sets_file.write(self._sets_end, _record(body))
        self._sets_file.sync()
        self._sets[name] = self._sets_end
        self._sets_end += _HEAD + len(body)

    def _read_sets(self) -> tuple[dict[bytes, int], int]:
        """Where each set stands; an unreadable tail is cut."""
        file, found, end = self._sets_file, dict[bytes, int](), 0
        for offset, body in _bodies(file.read(0, file.size())):
            try:
                kept = decode(_Set, body)
            except CodecError:
                break
            found[validators_hash(kept.validators)] = offset
            end = offset + _HEAD + len(body)
        if end < file.size():
            file.truncate(end)
            file.sync()
        return found, end

    def _set(self, name: bytes, height: int) -> Validators:
        """A set by its hash; the last few asked for are kept decoded."""
        found = self._decoded.get(name)
        if found is None:
            offset = self._sets[name]
            length = int.from_bytes(self._sets_file.read(offset, 4), "big")
            bodies = list(_bodies(self._sets_file.read(offset, _HEAD + length)))
            if not bodies:
                raise Damage(height, f"its validators in {self._folder} cannot be read")
            found = decode(_Set, bodies[0][1]).validators
            self._decoded[name] = found
            if len(self._decoded) > SETS_CACHED:
                self._decoded.popitem(last=False)
        self._decoded.move_to_end(name)
        return found

    def _name(self, first: int) -> str:
        return f"{self._names[first]}-{first:016d}"

    def _open(self, name: str) -> DiskFile:
        return self._disk.open(f"{self._folder}/{name}", create=True, write=True)


def retain(wanted: int, archive: LightArchive) -> int:
    """The height below which CometBFT may prune: what is wanted, but nothing that is not kept."""
    return min(wanted, archive.kept())


def _firsts(names: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """First height and kind of each file of blocks."""
    for name in names:
        kind, _, digits = name.partition("-")
        if kind in {"run", "more"} and digits.isdigit():
            yield int(digits), kind


def _record(body: bytes) -> bytes:
    """A record: length, checksum, body."""
    return len(body).to_bytes(4, "big") + hashlib.sha256(body).digest()[:8] + body


def _bodies(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """Records from the first on (offset, body), up to one that cannot be read."""
    offset = 0
    while offset + _HEAD <= len(raw):
        length = int.from_bytes(raw[offset : offset + 4], "big")
        body = raw[offset + _HEAD : offset + _HEAD + length]
        is_whole = 0 < length == len(body) <= RECORD_BYTES_MAX
        if not is_whole or hashlib.sha256(body).digest()[:8] != raw[offset + 4 : offset + _HEAD]:
            return
        yield offset, body
        offset += _HEAD + length
