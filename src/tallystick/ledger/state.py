"""Committed state: bytes in a store, records in a bounded cache, the tree in memory.

One thread commits. Another may execute the blocks after it meanwhile (`ahead.py`): it never asks
for what the block being committed changes, and all else is the same before and after. Every step
that both may take at once is one step of a dict.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import msgspec
from msgspec.structs import astuple, force_setattr

from tallystick.accel import Body, StateTree, load
from tallystick.errors import StateDamaged
from tallystick.ledger.app import Record
from tallystick.ledger.block import ZERO_HASH, receipts_root_of
from tallystick.ledger.cache import MISSING, Cache
from tallystick.ledger.candidate import Candidate
from tallystick.ledger.few import FEW_MAX, Few, First
from tallystick.ledger.memory import TEXTS, Memory
from tallystick.ledger.overlay import Changed, Committed
from tallystick.ledger.side import (
    USED,
    is_over,
    list_key,
    list_of,
    over_ms,
    used_lists,
)
from tallystick.ledger.system import CLOCK, Clock, PendingTimer
from tallystick.values.codec import encode_key

CACHE_MAX = 400_000
"""Decoded records kept in memory, unless it is said how many."""
VERSIONS_KEPT = 64
"""Versions of the tree from which proofs can be made."""


class Source(Protocol):
    """What is read of a store."""

    def get(self, key: bytes) -> bytes | None:
        """Value of a key."""

    def scan(
        self, prefix: bytes, start: bytes | None = None, limit: int | None = None
    ) -> Iterator[tuple[bytes, bytes]]:
        """Keys with a prefix, from `start` on, in key order."""

    def side_scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Keys of the side namespace with a prefix."""


class Store(Source, Protocol):
    """What a committed block is written to."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """Values of keys, None where there is none, in the order asked."""

    def apply(
        self, height: int, changes: Mapping[bytes, bytes | None], side: Mapping[bytes, bytes | None]
    ) -> None:
        """Write a block's changes atomically, without fsync."""


@dataclass(frozen=True, slots=True)
class Tip:
    """Where a chain stands."""

    height: int
    """Height of the last committed block; 0 after genesis."""
    time_ms: int
    """Its block time."""
    header_hash: bytes
    """Its hash; zeros after genesis."""
    receipts_root: bytes
    """Root over the receipts of the last block that had any."""


def genesis_tip(time_ms: int) -> Tip:
    """Where a chain stands before its first block."""
    return Tip(0, time_ms, ZERO_HASH, receipts_root_of(()))


class State:
    """The state after the last committed block, as the executing thread reads it."""

    def __init__(
        self,
        store: Store,
        decoders: Mapping[str, msgspec.msgpack.Decoder[Any]],
        tip: Tip,
        *,
        tree: StateTree,
        tree_version: int | None = None,
        body: Body | None = None,
        cache_max: int = CACHE_MAX,
        few_max: int = FEW_MAX,
    ) -> None:
        """Read the used references and build the tree from what the store holds.

        `tree_version` is given when the tree holds these records already.
        """
        self._store = store
        self._decoders = decoders
        self._cache = Cache(cache_max)
        self._few = Few(store, decoders, few_max=few_max)
        self._first_timer = First(store, PendingTimer.spec.name)
        self.memory = Memory()
        """What follows from committed records."""
        self.ahead: tuple[Changed, ...] = ()
        """Nothing is changed here that is not committed."""
        self.tip = tip
        self.tree = tree
        self.body = body or load()
        """What hashes and encodes in batches: the body of accel that the tree is of."""
        if tree_version is None:
            tree_version = self.tree.apply_records(0, store.scan(b""))
        self.tree_version = tree_version
        self._versions = deque([(tip.height, self.tree_version)])
        self.used = self.body.used_references()
        """References that are used up, by what was committed."""
        self._lists: dict[int, list[int]] = {}
        self._load_used()

    @property
    def height(self) -> int:
        """Height of the last committed block."""
        return self.tip.height

    def load(self, name: str, key: bytes) -> Record | None:
        """The record of a key; `name` is its record name."""
        found: Record | None = self._cache.young.get(key, MISSING)
        if found is MISSING:
            found = self._cache.get(key)
            if found is MISSING:
                found = self._read(name, key)
        return found

    def _read(self, name: str, key: bytes) -> Record | None:
        """The record of a key that is not at hand.

        A record that is about to be made is looked for, too: that it is not there is known to the
        tree, in memory, sooner than to the store.
        """
        if self._few.lacks(name, key) or not self.tree.holding(self.tree_version, (key,)):
            return None
        raw, found = self._store.get(key), None
        if raw is not None:
            found = _sharing(decoded_record(self._decoders, name, raw))
        self._cache.keep(key, found)
        return found

    def absent(self) -> set[str]:
        """Names of which it is known that nothing is kept."""
        return self._few.absent()

    def fetch(
        self, wanted: Mapping[bytes, str], but: Sequence[Mapping[bytes, Record | None]] = ()
    ) -> list[Record]:
        """Read at once what is not at hand of these keys (to record names); the records read.

        What is in one of `but` is left alone: it may be being committed. Many keys are of records
        that the block itself will make: the tree, in memory, says so sooner than the store. It may
        be that of the block before the one being committed: what that makes or changes is in `but`.
        """
        cache, lacks = self._cache, self._few.lacks
        unknown = cache.without(wanted)
        for records in but:
            unknown = unknown.difference(records)
        asked = [key for key in wanted if key in unknown and not lacks(wanted[key], key)]
        if not asked:
            return []
        cold = sorted(self.tree.holding(self.tree_version, asked))  # near ones together
        if not cold:
            return []
        read = []
        for key, raw in zip(cold, self._store.get_many(cold), strict=True):
            if raw is not None:
                found = decoded_record(self._decoders, wanted[key], raw)
                cache.keep(key, found)
                read.append(found)
        return read

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        """Records whose key begins with the prefix, from `start` on, in key order.

        What it decodes is not remembered: a block may be committed between two steps of it.
        """
        listed = self._few.listed(name, prefix, start or prefix)
        if listed is not None:
            yield from self._at_keys(name, listed)
            return
        for key, raw in self._store.scan(prefix, start):
            found = self._cache.peek(key)
            is_new = found is MISSING or found is None
            yield key, decoded_record(self._decoders, name, raw) if is_new else found

    def _at_keys(self, name: str, keys: Sequence[bytes]) -> Iterator[tuple[bytes, Record]]:
        """Records of these keys; one that is deleted meanwhile is not among them."""
        for key in keys:
            found = self._cache.peek(key)
            if found is MISSING or found is None:
                raw = self._store.get(key)
                found = None if raw is None else decoded_record(self._decoders, name, raw)
            if found is not None:
                yield key, found

    def used_by(self, sender: str, reference: str, now_ms: int) -> bytes | None:
        """Id of the transaction that used a reference, until its minute of expiry is over."""
        return self.used.used_by(sender, reference, now_ms)

    def used_among(
        self, references: Sequence[tuple[str, str]], now_ms: int
    ) -> dict[tuple[str, str], bytes]:
        """Those of many (sender, reference) that are used up, until their minutes are over.

        Each with the id of the transaction that used it.
        """
        return self.used.used_among(references, now_ms)

    def minutes_over(self, now_ms: int) -> tuple[int, ...]:
        """Expiry minutes that have a list and are over, in order."""
        return tuple(sorted([minute for minute in self._lists if is_over(minute, now_ms)]))

    def next_minute_over_ms(self) -> int | None:
        """Ledger time at which the first list of used references is to be dropped."""
        return over_ms(min(self._lists)) if self._lists else None

    def first_timer(self) -> bytes:
        """A key before which no timer waits: that of the first, or what sorts behind all."""
        return self._first_timer.key

    def minutes(self) -> set[int]:
        """Expiry minutes that have a list."""
        return set(self._lists)

    def root(self) -> bytes:
        """Root of the state tree."""
        return self.tree.root(self.tree_version)

    def size(self) -> int:
        """How many records there are."""
        return self.tree.size(self.tree_version)

    def used_count(self) -> int:
        """How many references are used up and not yet expired."""
        return self.used.count

    def version_at(self, height: int) -> int | None:
        """Version of the tree after a block, if it is still kept."""
        return next((version for at, version in self._versions if at == height), None)

    def offset_ms(self) -> int:
        """Ledger time less block time."""
        return offset_of(self)

    def commit(self, candidate: Candidate, header_hash: bytes) -> None:
        """Make a candidate the state. Its block must be durable already."""
        header = candidate.header
        self.memory.forget(self._asked_for(candidate))
        self._store.apply(header.height, candidate.writes, self._side(candidate))
        self._cache.commit(candidate.records)
        self._few.note(candidate.touched, candidate.records)
        self._first_timer.note(candidate.touched)
        for minute in candidate.minutes_dropped:
            self._lists.pop(minute, None)
        self.used.forget(candidate.minutes_dropped)
        for minute, uses in candidate.used.items():
            self._note_list(minute, header.height, uses)
        self.tip = Tip(header.height, header.time_ms, header_hash, candidate.receipts_root)
        self._keep_version(header.height, candidate.tree_version)

    def _asked_for(self, candidate: Candidate) -> list[bytes]:
        """Keys that a block changed, of those names alone from which something was remembered."""
        memory, touched = self.memory, candidate.touched.items()
        return [key for name, keys in touched if memory.read(name) for key in tuple(keys)]

    def drop(self, candidate: Candidate) -> None:
        """Forget a candidate that will not be committed."""
        if candidate.writes:
            self.tree.drop(candidate.tree_version)

    def _keep_version(self, height: int, version: int) -> None:
        """Remember the tree after a block; let go of the oldest."""
        self._versions.append((height, version))
        self.tree_version = version
        while len(self._versions) > VERSIONS_KEPT:
            _, old = self._versions.popleft()
            if old != self._versions[0][1]:
                self.tree.drop(old)

    def _side(self, candidate: Candidate) -> dict[bytes, bytes | None]:
        """Side entries of a block: what it adds, and the lists that it drops."""
        height = candidate.header.height
        side = candidate.done.places(height)
        side.update(used_lists(height, candidate.used))
        for minute in candidate.minutes_dropped:
            side.update((list_key(minute, at), None) for at in self._lists.get(minute, ()))
        return side

    def _load_used(self) -> None:
        """Read the lists of used references."""
        for key, raw in self._store.side_scan(USED):
            self._note_list(*list_of(key), raw)

    def _note_list(self, minute: int, height: int, uses: bytes) -> None:
        """Note the references that a block used and that expire within a minute: encoded."""
        self._lists.setdefault(minute, []).append(height)
        self.used.note(minute, uses)


def decoded_record(
    decoders: Mapping[str, msgspec.msgpack.Decoder[Any]], name: str, raw: bytes
) -> Record:
    """The record that the store holds. What cannot be read is damage of this node, no refusal.

    A rule that met it would otherwise end in a FAULT here and in nothing elsewhere.
    """
    try:
        return cast(Record, decoders[name].decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise StateDamaged("state", f"{name}: {problem}") from problem


def _sharing(found: Record) -> Record:
    """A record that was just decoded, with the copies of its texts that other tables hold."""
    for name, value in zip(found.__struct_fields__, astuple(found), strict=True):
        if type(value) is str and value in TEXTS:
            force_setattr(found, name, TEXTS[value])
    return found


def offset_of(records: Committed) -> int:
    """Ledger time less block time, as the clock's record says."""
    clock = records.load(Clock.spec.name, encode_key(Clock.spec.name, CLOCK))
    return clock.offset_ms if isinstance(clock, Clock) else 0
