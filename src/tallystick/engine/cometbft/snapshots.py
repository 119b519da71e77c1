"""A node's snapshots: taken beside the chain, kept, offered to others, and taken over from them.

What may be believed of an offered snapshot. The app hash comes from a header that the engine
verified; it covers the roots of state and receipts, and through them every record and every used
reference. It does not cover the block's name and times, which the metadata also tells:

* *Name* and *block time* stand in the block's own header. `vouch` asks for it, as validators signed
  it, before anything is fetched: who says otherwise is refused, and another snapshot is tried.
* *Ledger time* is block time and what the ledger's own record of the clock adds. It is only
  compared: the chain goes by the record.

None of them is believed further than it must be: the first block after the snapshot has the time
that consensus gives it, and what a node answers about transactions that it does not know
(`Chain.not_here_until_ms`) rests on that block.

A snapshot is named by the hash of its metadata, so only nodes that gave the same metadata are asked
for its chunks: a chunk that does not build its part was made up by its sender, who is named; so is
who offers metadata that contradicts itself or the app hash.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tallystick.engine.base_block import base_of
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.kept import (
    MANIFEST,
    Kept,
    find_kept,
    fresh_folder,
    settle,
    write_checked,
)
from tallystick.engine.cometbft.manifest import FORMAT, Manifest, name_of, read_manifest
from tallystick.engine.cometbft.receiving import Receiving, WrongChunk, WrongSnapshot
from tallystick.engine.cometbft.seam import (
    Applied,
    ChunkResult,
    Offered,
    SnapshotInfo,
    Vouch,
)
from tallystick.engine.cometbft.taking import Source, Taking
from tallystick.errors import Halted, StoreError
from tallystick.values.errors import CodecError

log = logging.getLogger(__name__)

KEEP = 2
"""Snapshots kept."""
OFFERED_MAX = 10
"""Snapshots of which others are told: the engine looks at no more of one node."""
BEHIND = 2
"""A snapshot is offered once so many blocks follow it: a receiver needs their headers."""
TRIES_MAX = 16
"""So many wrong chunks and a snapshot is given up."""
PAUSE_SECONDS = 0.002
"""How long taking a snapshot rests after every few records: the interpreter is shared."""
INCOMING = "incoming"
"""Folder of a snapshot on its way in."""
OUTGOING = "taking"
"""Folder of a snapshot on its way to the disk."""


class _Stopped(Exception):
    """The node stops: the snapshot at hand is given up."""


class SnapshotShelf:
    """Snapshots of one chain in one folder.

    `list`, `load` and `heights` from any thread; the others on the thread that writes the chain.
    """

    def __init__(
        self,
        folder: Path,
        chain: Chain,
        *,
        every: int,
        keep: int = KEEP,
        pause_seconds: float = PAUSE_SECONDS,
    ) -> None:
        """Find what is there; what was never finished is removed. `every` 0 takes none."""
        self._folder = folder
        self._chain = chain
        self._every = every
        self._keep = keep
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="snapshot")
        self._taking: Future[None] | None = None
        self._receiving: Receiving | None = None
        self._wrong: Counter[int] = Counter()
        self._kept: tuple[Kept, ...] = ()
        self.vouch: Vouch | None = None
        """Who says what validators signed of a snapshot's block; None takes the sender's word."""
        self.trouble = ""
        """Why the last snapshot could not be taken; empty when it could."""
        for name in (INCOMING, OUTGOING):
            shutil.rmtree(folder / name, ignore_errors=True)
        self._look()

    # --- taking

    def after_commit(self, height: int) -> None:
        """Begin to take a snapshot if one is due after a block, and none is at hand."""
        if self._every and height % self._every == 0:
            if self._taking is not None and not self._taking.done():
                log.warning("block %d: no snapshot, the last one is still being taken", height)
                return
            self.take()

    def take(self) -> Future[None]:
        """Take a snapshot of the last committed block in the background."""
        chain = self._chain
        state = chain.state
        height = state.tip.height
        base = base_of(chain.entry(height)) if height >= chain.first_height else chain.base
        if base is None:
            raise Halted(height, "a snapshot needs a block")
        source = Source(
            chain_id=chain.ledger.chain_id,
            base=base,
            reader=chain.reader(),
            tree=state.tree,
            version=state.tree.apply(state.tree_version, ()),
        )
        self._taking = self._threads.submit(self._take, source)
        return self._taking

    def _take(self, source: Source) -> None:
        """Write a snapshot; what goes wrong is said, and the chain goes on."""
        height = source.base.height
        try:
            folder = fresh_folder(self._folder / OUTGOING)
            manifest = Taking(source, folder, self._pause).run()
            settle(folder, height)
            self._look()
            self.trouble = ""
            log.info("snapshot of block %d: %d chunks", height, manifest.chunks)
        except (StoreError, OSError) as problem:
            self.trouble = f"snapshot of block {height}: {problem}"
            log.error(self.trouble)
        except _Stopped:
            log.info("snapshot of block %d given up: the node stops", height)
        finally:
            shutil.rmtree(self._folder / OUTGOING, ignore_errors=True)
            source.close()

    def _pause(self) -> None:
        """Let others run; end when the node stops."""
        if self._stopping.wait(self._pause_seconds):
            raise _Stopped

    def _look(self) -> None:
        """What is on the disk; the oldest ones beyond those kept are removed."""
        found = find_kept(self._folder, self._chain.ledger.chain_id)
        self._kept = tuple(found[: self._keep])
        for old in found[self._keep :]:
            shutil.rmtree(old.folder, ignore_errors=True)

    # --- for others

    def heights(self) -> tuple[int, ...]:
        """Blocks of the snapshots that are kept, newest first."""
        return tuple(kept.manifest.base.height for kept in self._kept)

    def list(self) -> tuple[SnapshotInfo, ...]:
        """What this node has for others, newest first; never one at the tip."""
        newest = self._chain.state.tip.height - BEHIND
        infos = [kept.info for kept in self._kept if kept.manifest.base.height <= newest]
        return tuple(infos[:OFFERED_MAX])

    def load(self, height: int, format_: int, chunk: int) -> bytes:
        """A chunk for another node; empty when there is none."""
        kept = next((each for each in self._kept if each.manifest.base.height == height), None)
        if kept is None or format_ != FORMAT or not 0 <= chunk < kept.manifest.chunks:
            return b""
        data = kept.chunk(chunk)
        if data is None:
            log.error("snapshot %d: chunk %d changed on the disk: not offered", height, chunk)
            self._kept = tuple(each for each in self._kept if each is not kept)
        return data or b""

    # --- from others

    def offer(self, snapshot: SnapshotInfo, app_hash: bytes) -> Offered:
        """Begin to take over a snapshot; of all that is told only `app_hash` can be trusted."""
        self._receiving = None
        self._wrong.clear()
        chain = self._chain
        if chain.state.tip.height >= chain.first_height:
            log.error("a snapshot was offered, but this node has blocks of its own")
            return Offered.ABORT
        if snapshot.format != FORMAT:
            return Offered.REJECT_FORMAT
        try:
            manifest = self._checked(snapshot, app_hash)
            if not self._is_vouched(manifest):
                log.warning("snapshot of block %d: nobody vouches for it now", snapshot.height)
                return Offered.REJECT
        except CodecError as problem:
            log.warning("snapshot of block %d refused: %s", snapshot.height, problem)
            return Offered.REJECT_SENDER
        folder = fresh_folder(self._folder / INCOMING)
        write_checked(folder / MANIFEST, snapshot.metadata)
        self._receiving = Receiving(manifest, folder, chain.empty_tree())
        log.info(
            "taking over the snapshot of block %d: %d chunks", snapshot.height, snapshot.chunks
        )
        return Offered.ACCEPT

    def _checked(self, snapshot: SnapshotInfo, app_hash: bytes) -> Manifest:
        """The manifest, if all that is said of it agrees; `CodecError` says what does not."""
        manifest = read_manifest(snapshot.metadata)
        base = manifest.base
        if snapshot.hash != name_of(snapshot.metadata):
            raise CodecError("its hash is not that of its metadata")
        if (snapshot.height, snapshot.chunks) != (base.height, manifest.chunks):
            raise CodecError("it is said to have another height or number of chunks")
        if manifest.chain_id != self._chain.ledger.chain_id:
            raise CodecError("it is of another chain", chain_id=manifest.chain_id)
        if manifest.app_hash != app_hash:
            raise CodecError("its roots do not give the app hash")
        return manifest

    def _is_vouched(self, manifest: Manifest) -> bool:
        """Whether its block is what validators signed; `CodecError` when they signed another."""
        if self.vouch is None:
            return True
        base = manifest.base
        signed = self.vouch(base.height, manifest.app_hash)
        if signed is None:
            return False
        if (signed.name, signed.time_ms) != (base.name, base.time_ms):
            raise CodecError("name or time of its block is not what the validators signed")
        return True

    def apply(self, index: int, chunk: bytes, sender: str) -> ChunkResult:
        """Take the next chunk; after the last one the chain stands at the snapshot's block."""
        receiving = self._receiving
        if receiving is None:
            return ChunkResult(Applied.ABORT)
        senders = (sender,) if sender else ()
        try:
            receiving.take(index, chunk)
            receiving.senders.update(senders)
            if receiving.is_complete:
                self._finish(receiving)
        except WrongChunk as problem:
            log.warning("chunk %d from %s is wrong: %s", index, sender or "nobody", problem)
            self._wrong[index] += 1
            if self._wrong.total() > TRIES_MAX:
                return self._give_up(senders)
            return ChunkResult(Applied.RETRY, refetch=(index,), reject_senders=senders)
        except WrongSnapshot as problem:
            log.warning("snapshot of block %d: %s", receiving.manifest.base.height, problem)
            return self._give_up(tuple(sorted(receiving.senders)))
        return ChunkResult(Applied.ACCEPT)

    def _give_up(self, senders: tuple[str, ...]) -> ChunkResult:
        """Forget the snapshot at hand: another one may be offered."""
        self._receiving = None
        shutil.rmtree(self._folder / INCOMING, ignore_errors=True)
        return ChunkResult(Applied.REJECT_SNAPSHOT, reject_senders=senders)

    def _finish(self, receiving: Receiving) -> None:
        """All is here and checked: the chain stands at the block; the snapshot is ours as well."""
        receiving.check_whole()
        base = receiving.manifest.base
        self._chain.restore(base, receiving.plant(), receiving.batches())
        self._receiving = None
        settle(self._folder / INCOMING, base.height)
        self._look()
        log.info("the chain stands at block %d, from a snapshot", base.height)

    # --- end

    def close(self) -> None:
        """Give up what is being taken, and wait until it is."""
        self._stopping.set()
        self._threads.shutdown(wait=True)
