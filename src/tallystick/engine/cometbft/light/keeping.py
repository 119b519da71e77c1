"""Keeps the archive of light blocks up with the chain, and compares every header with our log.

CometBFT signs, we execute: that both mean the same block is checked here for every height. A
header that names another block or another app hash than our log halts the node.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.engine.base import Committed
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.rpcform import light_block, priorities
from tallystick.engine.cometbft.light.verify import check_block
from tallystick.engine.cometbft.rpc import RpcRefused, RpcUnavailable
from tallystick.errors import (
    BadAnswer,
    DiskFull,
    GenesisMismatch,
    Halted,
    HeaderRefused,
    NoSuchBlock,
    StoreError,
)
from tallystick.ledger.block import Entry, Header

log = logging.getLogger(__name__)

FLUSH_BLOCKS = 100
"""Blocks after which the archive is made durable, and so may be pruned by CometBFT."""
FLUSH_SECONDS = 5.0
PAUSE_SECONDS = 0.25
"""How long to wait before asking again an engine that does not answer."""
HEADS_KEPT = 64
"""Blocks whose headers are remembered until they are compared."""


class Source(Protocol):
    """What is asked of CometBFT: `rpc.Rpc`."""

    def status(self) -> dict[str, Any]:
        """The result of `status`."""

    def commit(self, height: int | None = None) -> dict[str, Any]:
        """The result of `commit`."""

    def validators(self, height: int | None = None) -> list[dict[str, Any]]:
        """The validators of a height, all pages."""


class Head(Protocol):
    """What is asked of a block of our log; an `Entry` says it too."""

    @property
    def header(self) -> Header:
        """Its header."""

    @property
    def block_hash(self) -> bytes:
        """Name of the block."""


@dataclass(frozen=True, slots=True)
class _Head:
    header: Header
    block_hash: bytes


class Heads:
    """Headers of our log: of the last blocks as they were committed, else read from it.

    A whole block would be read and decoded for the sake of its header. For any thread.
    """

    def __init__(self, entry: Callable[[int], Entry]) -> None:
        """`entry` reads our log."""
        self._entry = entry
        self._last: dict[int, Head] = {}

    def seen(self, committed: Committed) -> None:
        """A block is durable."""
        height = committed.header.height
        if committed.header_hash:
            self._last[height] = _Head(committed.header, committed.header_hash)
            self._last.pop(height - HEADS_KEPT, None)

    def __call__(self, height: int) -> Head:
        """The head of a block; `NoSuchBlock` below where the log begins."""
        return self._last.get(height) or self._entry(height)


class Archiver:
    """Fetches light blocks and puts them into an archive; for one thread."""

    def __init__(
        self, archive: LightArchive, source: Source, entry: Callable[[int], Head], chain_id: str
    ) -> None:
        """`entry` reads our log; it raises `NoSuchBlock` below where the log begins.

        `GenesisMismatch` when the archive is of another chain.
        """
        last = archive.get(archive.height())
        if last is not None and last.header.chain_id != chain_id:
            raise GenesisMismatch(expected=chain_id, found=last.header.chain_id)
        self._archive = archive
        self._source = source
        self._entry = entry
        self._chain_id = chain_id

    def next_height(self) -> int:
        """Height of the block to be fetched next."""
        return self._archive.height() + 1

    def step(self) -> None:
        """Fetch the next block that there is.

        Raises `Halted` when it is not the block of our log, RpcUnavailable when nobody answers.
        """
        height = self.next_height()
        entry = self._known(height)
        if entry is None:
            height, entry = self._first_known(height)
        try:
            found = self._fetch(height)
        except RpcRefused:
            earliest = int(self._source.status()["sync_info"]["earliest_block_height"])
            if earliest <= height:
                raise
            log.warning("light blocks %d to %d are gone for good", height, earliest - 1)
            height, entry = self._first_known(earliest)
            found = self._fetch(height)
        block, turns = found
        self._compare(block, entry)
        self._archive.put(block, turns)

    def _fetch(self, height: int) -> tuple[LightBlock, tuple[int, ...]]:
        """A light block as the engine has it."""
        validators = self._source.validators(height)
        block = light_block(self._source.commit(height), validators)
        if block.height != height:
            raise BadAnswer(f"block {block.height} was answered for block {height}")
        return block, priorities(validators)

    def _compare(self, block: LightBlock, entry: Head) -> None:
        """Halt unless the engine's block and app hash are ours."""
        height = block.height
        try:
            check_block(block, self._chain_id)
        except HeaderRefused as problem:
            raise Halted(height, f"the engine's own block does not verify: {problem}") from None
        if block.header.hash != entry.block_hash:
            raise Halted(
                height,
                f"the engine's block is {block.header.hash.hex()},"
                f" our log's is {entry.block_hash.hex()}: the data folders of engine and"
                " ledger do not belong together",
            )
        if height > 1 and block.header.last_block_id.hash != entry.header.previous_hash:
            raise Halted(
                height,
                f"block {height - 1} is {block.header.last_block_id.hash.hex()} to the validators"
                f" and {entry.header.previous_hash.hex()} to this node: it began with a snapshot"
                " that told another",
            )
        before = self._known(height - 1) if height > 1 else None
        if before is not None and block.header.app_hash != before.header.app_hash:
            raise Halted(
                height,
                f"the validators agreed on app hash {block.header.app_hash.hex()} after block"
                f" {height - 1}, this node has {before.header.app_hash.hex()}: its state is not"
                " the network's",
            )

    def _known(self, height: int) -> Head | None:
        """A block of our log; None where it does not begin yet."""
        try:
            return self._entry(height)
        except NoSuchBlock:
            return None

    def _first_known(self, height: int) -> tuple[int, Head]:
        """The first block of a log that begins above a height."""
        last = int(self._source.status()["sync_info"]["latest_block_height"])
        low, high = height, last
        while low < high:
            middle = (low + high) // 2
            if self._known(middle) is None:
                low = middle + 1
            else:
                high = middle
        return low, self._entry(low)


class Keeper:
    """A thread that runs an archiver up to the last committed block."""

    def __init__(
        self,
        archiver: Archiver,
        archive: LightArchive,
        halted: Callable[[BaseException], None],
    ) -> None:
        """`halted` is called on its thread when a block is not ours, or the disk fails."""
        self._archiver = archiver
        self._archive = archive
        self._halted = halted
        self._told = 0
        self._is_stopping = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="light", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def tell(self, height: int) -> None:
        """A block was committed; returns at once. Heights only grow."""
        with self._changed:
            self._told = max(self._told, height)
            self._changed.notify_all()

    def stop(self) -> None:
        """Flush what was fetched, and end; the archive stays open."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def wait(self, height: int, seconds: float) -> bool:
        """Whether a block is in the archive, now or within so many seconds."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._archive.height() >= height or self._is_stopping, seconds
            )
            return self._archive.height() >= height

    def _run(self) -> None:
        flushed_at = time.monotonic()
        try:
            while self._wait():
                self._advance()
                is_due = time.monotonic() - flushed_at > FLUSH_SECONDS
                if is_due or self._archive.height() - self._archive.kept() >= FLUSH_BLOCKS:
                    self._archive.flush()
                    flushed_at = time.monotonic()
            self._archive.flush()
        except (Halted, StoreError, BadAnswer) as problem:
            self._halted(problem)
        finally:
            with self._changed:
                self._is_stopping = True
                self._changed.notify_all()

    def _wait(self) -> bool:
        """Wait for something to do; False when it is time to end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_stopping or self._told > self._archive.height(), FLUSH_SECONDS
            )
            return not self._is_stopping

    def _advance(self) -> None:
        """One block further, if there is one."""
        if self._told <= self._archive.height():
            return
        try:
            self._archiver.step()
        except (RpcUnavailable, RpcRefused) as problem:
            log.debug("no light block yet: %s", problem)
            self._pause(PAUSE_SECONDS)
            return
        except DiskFull as problem:
            log.error("no light block can be kept: %s", problem)
            self._pause(FLUSH_SECONDS)
            return
        with self._changed:
            self._changed.notify_all()

    def _pause(self, seconds: float) -> None:
        """Wait before it is tried again, or until it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, seconds)
