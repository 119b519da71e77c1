"""Chains with snapshots, and how one is handed from a node to another, for the tests of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tallystick.engine.cometbft.seam import Applied, Offered, SnapshotInfo
from tallystick.engine.cometbft.snapshots import SnapshotShelf
from tallystick.ledger.genesis import Genesis
from tallystick.store.base import StateStore
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.testing.filled import fill
from tests.engine.cometbft.stand import Stand
from tests.till.messages import Fill, Leave
from tests.till.records import Note

MANY = 36_000
"""Records of the large state: enough for four chunks."""


def notes(count: int) -> Iterator[Note]:
    """Records of about 290 bytes with their keys."""
    for number in range(count):
        mark = hashlib.sha256(b"%d" % number).digest()
        yield Note(name=f"{number:>90}", number=number, by="A", mark=mark)


@dataclass
class Shelved:
    """A node and its snapshots."""

    stand: Stand
    """The node."""
    shelf: SnapshotShelf
    """Its snapshots."""

    def blocks(self, count: int) -> None:
        """Make blocks, each with two transactions."""
        for _ in range(count):
            height = self.stand.next_height
            bundle = self.stand.bundle(
                ("A", Fill(currency="CNY", amount_minor=height)),
                ("B", Leave(name=f"block {height}", number=height)),
            )
            self.stand.block(bundle, ms=self.stand.chain.state.tip.time_ms + 1_000)

    def snapshot(self) -> SnapshotInfo:
        """Take one now, and make it one that others are told of."""
        height = self.stand.chain.state.tip.height
        self.shelf.take().result(60)
        assert self.shelf.trouble == ""
        self.blocks(2)
        return next(info for info in self.shelf.list() if info.height == height)

    def root(self) -> bytes:
        """Root of the state."""
        return self.stand.chain.state.root()


def shelved(
    folder: Path,
    *,
    records: int = 0,
    every: int = 0,
    begins: Genesis | None = None,
    disk: SimulatedDisk | None = None,
    store: StateStore | None = None,
    references: int = 0,
) -> Shelved:
    """A node over a folder for its snapshots; `records` of a large state before its first block."""
    store = store or MemoryStore()
    if records and not store.height():
        fill(store, notes(records))
    stand = Stand(begins=begins, disk=disk, store=store, references=references)
    shelf = SnapshotShelf(folder, stand.chain, every=every, pause_seconds=0)
    return Shelved(stand, shelf)


Change = Callable[[int, bytes], bytes]


def hand_over(giver: Shelved, taker: Shelved, info: SnapshotInfo, app_hash: bytes) -> None:
    """The whole of a snapshot from a node to another, as an engine does it."""
    assert taker.shelf.offer(info, app_hash) is Offered.ACCEPT
    for index in range(info.chunks):
        chunk = giver.shelf.load(info.height, info.format, index)
        assert chunk
        assert taker.shelf.apply(index, chunk, "giver").result is Applied.ACCEPT


def follow(giver: Stand, taker: Stand) -> None:
    """The blocks after the snapshot, as the network orders them."""
    for height in range(taker.chain.state.tip.height + 1, giver.chain.state.tip.height + 1):
        entry = giver.chain.entry(height)
        transactions = [taker.ledger.codec.decode(raw) for raw in entry.transactions]
        candidate = taker.chain.execute(entry.header.time_ms, transactions)
        taker.chain.commit(candidate, entry.engine_hash)
        assert taker.chain.entry(height).header == entry.header
        assert taker.chain.entry(height).state_root == entry.state_root


BLOCKS = 6
"""Blocks before the snapshot that is given."""


class Given:
    """A node with a snapshot of many records, and what a receiver is told of it."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        self.node = shelved(folder, records=MANY)
        self.node.blocks(BLOCKS)
        self.app_hash = self.node.stand.chain.app_hash()
        self.root = self.node.root()
        self.info = self.node.snapshot()

    def chunk(self, index: int) -> bytes:
        """A chunk as it is handed out."""
        return self.node.shelf.load(self.info.height, self.info.format, index)

    def taker(self, folder: Path, **options: object) -> Shelved:
        """A new node of the same chain."""
        return shelved(folder, begins=self.node.stand.genesis, **options)  # type: ignore[arg-type]
