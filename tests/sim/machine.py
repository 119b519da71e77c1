"""What a simulated peer runs on: a disk and a state store that lose what was not flushed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random

from tallystick.engine.chain import Chain
from tallystick.ledger.execute import Ledger
from tallystick.store.base import Changes
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import PowerCut, SimulatedDisk
from tallystick.testing.world import chosen_body

SEGMENT_BYTES = 4_000
"""So small that a run fills several segments."""
COPY_EVERY = 3
"""After so many blocks the store may be found as it was, as if it had been flushed by itself."""
LOG_FOLDER = "blocks"


class LaggingStore(MemoryStore):
    """A state store in memory with an older self, to which a loss of power goes back."""

    def __init__(self) -> None:
        super().__init__()
        self.older: MemoryStore | None = None
        self.is_bound = False
        """Whether the log may have lost what would make the store again."""
        self.is_filling = False
        """Whether it is being filled from a snapshot: what is cut short then is empty."""

    def apply(self, height: int, changes: Changes, side: Changes) -> None:
        """Move on; now and then the system flushes by itself."""
        super().apply(height, changes, side)
        if height and height % COPY_EVERY == 0:
            self.older = self.copy()

    def refill(
        self,
        height: int,
        batches: Iterable[tuple[Changes, Changes]],
        settled: Callable[[], None],
    ) -> None:
        """Replace everything, durably."""
        self.is_filling = True
        super().refill(height, batches, settled)
        self.is_filling = False
        self.older, self.is_bound = self.copy(), True

    def checkpoint(self) -> None:
        """What is here is durable."""
        super().checkpoint()
        self.older, self.is_bound = self.copy(), True


class SimulatedMachine:
    """A disk, a state store, and a chain over them while it runs."""

    stops: type[Exception] = PowerCut
    log_type: type[FileLog] = FileLog
    """What writes the log; a test may put in one that is wrong."""

    def __init__(self, ledger: Ledger, seed: str) -> None:
        """A new machine with empty disks."""
        self._ledger = ledger
        self._chance = Random(seed)
        self.disk = SimulatedDisk(self._chance.randrange(2**32))
        self._store = LaggingStore()
        self.keep = self._chance.choice((0, 0, 4, 7))
        """Blocks that are kept; 0 keeps all."""
        self.folder: Path | None = None
        """Where snapshots are kept; None for none."""
        self._closing: list[Callable[[], None]] = []
        self._copy: tuple[SimulatedDisk, LaggingStore] | None = None

    def start(self) -> Chain:
        """Open the chain as the start of a process does."""
        genesis = self._ledger.genesis.hash
        log = self.log_type.open(self.disk, LOG_FOLDER, genesis, segment_bytes=SEGMENT_BYTES)
        return Chain(self._ledger, log, self._store, body=chosen_body())

    def at_stop(self, close: Callable[[], None]) -> None:
        """Have something closed when the process ends."""
        self._closing.append(close)

    def stop(self, *, power: bool) -> None:
        """End the process; without power, what was not flushed is lost, torn or kept by chance."""
        while self._closing:
            self._closing.pop()()
        if self._store.is_filling:
            self._store = LaggingStore()
        if power:
            self.disk.kill()
            return
        self.disk.restart(is_shuffled=self._chance.random() < 0.5)
        older, store = self._store.older, self._store
        back = self._chance.choice((older, store) if store.is_bound else (None, older, store))
        self._store = lagging(back, is_bound=store.is_bound)

    def back_up(self) -> None:
        """Copy disk and store."""
        self._copy = self.disk.clone(), lagging(self._store, is_bound=self._store.is_bound)

    def restore(self) -> int:
        """Put the last copy in the place of what is there, or nothing; the copy's height."""
        if self._copy is None:
            self.wipe()
            return 0
        disk, store = self._copy
        self.disk, self._store = disk.clone(), lagging(store, is_bound=store.is_bound)
        self.disk.kill()
        return self.height_without_power()

    def wipe(self) -> None:
        """Begin with empty disks."""
        self.disk, self._store = SimulatedDisk(self._chance.randrange(2**32)), LaggingStore()
        self._copy = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def stop_after(self, operations: int) -> None:
        """Stop at one of the next changing operations of the disk; 0: at none."""
        self.disk.cut_power_at(operations)

    def height_without_power(self) -> int:
        """Height at which the chain would come back if nothing that waits were written."""
        twin = self.disk.clone()
        twin.restart([(0, 0) for _ in twin.pending()])
        twin.forget_names()
        genesis = self._ledger.genesis.hash
        return FileLog.open(twin, LOG_FOLDER, genesis, segment_bytes=SEGMENT_BYTES).height()


def lagging(store: MemoryStore | None, *, is_bound: bool = False) -> LaggingStore:
    """A store with the content of another one; empty without one."""
    made = LaggingStore()
    if store is not None and store.height():
        made.apply(store.height(), dict(store.scan(b"")), dict(store.side_scan(b"")))
        made.older, made.is_bound = made.copy(), is_bound
    return made
