"""Taking over a snapshot from others: each chunk is checked as it comes, against the app hash.

A chunk of records must build the part that the manifest names, and the manifest's parts fold to
the state root that the trusted app hash covers. A chunk of used references must be the one that
the manifest names, and when all is here the lists must be those of the ledger's own records: so
many references, this running hash; and ledger time is what the record of the clock makes of block
time. A subtree that was checked is kept: the tree is built once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from tallystick.accel import AccelProblem, StateTree, Subtree
from tallystick.engine.cometbft.kept import Kept, chunk_path, read_checked, write_checked
from tallystick.engine.cometbft.manifest import Manifest, Pairs, Uses
from tallystick.errors import DiskFailed
from tallystick.ledger.side import list_key, place_key, receipt_key
from tallystick.ledger.system import CLOCK, Clock, UsedMinute
from tallystick.store.base import Changes
from tallystick.values.codec import decode, decode_canonical, encode, encode_key
from tallystick.values.errors import CodecError

_MINUTES = encode_key(UsedMinute.spec.name)
_CLOCK = encode_key(Clock.spec.name, CLOCK)

Minutes = dict[int, tuple[int, bytes]]
"""Number of references and running hash of each expiry minute."""


class WrongChunk(Exception):
    """A chunk is not what the manifest says: who sent it made it up, or it changed on the way."""


class WrongSnapshot(Exception):
    """The manifest itself says what the app hash does not: who offered it made it up."""


def reread(kept: Kept, tree: StateTree) -> Receiving:
    """A snapshot of this node's own disk, checked like one of others; nothing is written."""
    found = Receiving(kept.manifest, kept.folder, tree)
    for index, chunk in enumerate(kept.chunks()):
        if chunk is None:
            raise WrongSnapshot(f"chunk {index} is missing or changed")
        try:
            found.check(index, chunk)
        except WrongChunk as problem:
            raise WrongSnapshot(f"chunk {index}: {problem}") from problem
    found.check_whole()
    return found


class Receiving:
    """One snapshot on its way in. It changes nothing of the chain."""

    def __init__(self, manifest: Manifest, folder: Path, tree: StateTree) -> None:
        """Begin; chunks are kept in the folder as they will be offered to others."""
        self.manifest = manifest
        self._folder = folder
        self._tree = tree
        self._subtrees: list[Subtree | None] = [None] * len(manifest.parts)
        self._lists = set[int]()
        self._minutes: Minutes = {}
        self._clock = Clock(name=CLOCK)
        self.senders = set[str]()
        """Who sent chunks that were taken."""

    @property
    def is_complete(self) -> bool:
        """Whether every chunk is here."""
        return None not in self._subtrees and len(self._lists) == len(self.manifest.lists)

    def take(self, index: int, chunk: bytes) -> None:
        """Check a chunk and keep it; a second time does no harm. `WrongChunk` when it is wrong."""
        self.check(index, chunk)
        write_checked(chunk_path(self._folder, index), chunk)

    def check(self, index: int, chunk: bytes) -> None:
        """Check a chunk that is in the folder, or will be."""
        place = index - len(self.manifest.parts)
        if not 0 <= index < self.manifest.chunks:
            raise WrongChunk(f"there is no chunk {index}")
        if place < 0:
            self._take_part(index, chunk)
        elif hashlib.sha256(chunk).digest() != self.manifest.lists[place]:
            raise WrongChunk("its bytes are not those that the manifest names")
        else:
            self._lists.add(place)

    def _take_part(self, index: int, chunk: bytes) -> None:
        """Build the subtree of a chunk of records; it must be the part that the manifest names."""
        sha256 = hashlib.sha256
        root, count = self.manifest.parts[index]
        try:
            pairs = decode_canonical(Pairs, chunk)
            hashes = ((sha256(key).digest(), sha256(record).digest()) for key, record in pairs)
            subtree = self._tree.grow(self.manifest.bits, index, hashes)
        except (CodecError, AccelProblem) as problem:
            raise WrongChunk(str(problem)) from problem
        if (subtree.root, subtree.size) != (root, count):
            raise WrongChunk("its records are not those of the part that the manifest names")
        self._subtrees[index] = subtree
        for key, record in pairs:
            if key.startswith(_MINUTES):
                kept = decode(UsedMinute, record)
                self._minutes[kept.minute] = (kept.count, kept.running_hash)
            elif key == _CLOCK:
                self._clock = decode(Clock, record)

    # --- when all is here

    def check_whole(self) -> None:
        """What no chunk shows by itself is what the ledger's records say, or `WrongSnapshot`."""
        self._check_clock()
        self._check_lists()

    def _check_clock(self) -> None:
        """Ledger time is block time and the offset; a trial's block may itself have raised that."""
        base, clock = self.manifest.base, self._clock
        ahead_ms = base.ledger_ms - base.time_ms
        if ahead_ms > clock.offset_ms or (ahead_ms < clock.offset_ms and not clock.trial):
            raise WrongSnapshot("its ledger time is not what the ledger's clock says")

    def _check_lists(self) -> None:
        """The used references are those of the ledger's own records."""
        made: Minutes = {}
        for minute, uses in self._uses():
            count, running = made.get(minute, (0, bytes(32)))
            for use in uses:
                running = hashlib.sha256(running + encode(use)).digest()
            made[minute] = (count + len(uses), running)
        if made != self._minutes:
            wrong = min(set(made.items()) ^ set(self._minutes.items()))[0]
            raise WrongSnapshot(f"the references used up to minute {wrong} are not the ledger's")

    def plant(self) -> tuple[StateTree, int]:
        """The tree over all records, and its version."""
        subtrees = [subtree for subtree in self._subtrees if subtree is not None]
        return self._tree, self._tree.plant(subtrees)

    def batches(self) -> Iterator[tuple[Changes, Changes]]:
        """Records, and what lies beside the state, chunk by chunk.

        References are listed under the snapshot's block: in which block up to it they were used is
        not known. Their transactions are known to be committed, their receipts are not here.
        """
        for index in range(len(self.manifest.parts)):
            yield dict(decode(Pairs, self._read(index))), {}
        height = self.manifest.base.height
        side: dict[bytes, bytes | None] = {}
        lists: dict[int, list[object]] = {}
        for minute, uses in self._uses():
            lists.setdefault(minute, []).extend(uses)
            side.update((receipt_key(use[2]), place_key(height, 0)) for use in uses)
        for minute, listed in lists.items():
            side[list_key(minute, height)] = encode(listed)
        yield {}, side

    def _uses(self) -> Iterable[tuple[int, tuple[tuple[str, str, bytes], ...]]]:
        """Minute and references of all lists, in order; `WrongSnapshot` when they are no lists."""
        last = -1
        for index in range(len(self.manifest.parts), self.manifest.chunks):
            try:
                lists = decode_canonical(Uses, self._read(index))
            except CodecError as problem:
                raise WrongSnapshot(f"chunk {index} holds no lists: {problem}") from problem
            for minute, uses in lists:
                if minute < last:
                    raise WrongSnapshot(f"chunk {index} is out of order")
                last = minute
                yield minute, uses

    def _read(self, index: int) -> bytes:
        """A chunk that was checked before."""
        path = chunk_path(self._folder, index)
        chunk = read_checked(path)
        if chunk is None:
            raise DiskFailed("read", str(path), "its bytes are not those that were written")
        return chunk
