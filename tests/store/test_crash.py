"""After any crash the log opens at exactly the last committed block, and the state follows it.

The power is cut at every operation of a run. At each, every write that was not flushed meets every
fate: dropped, torn at every byte from either end, kept; whatever became of the others.
"""

import contextlib
import errno
import random
from collections.abc import Iterator, Sequence

import pytest

from tallystick.errors import DiskFailed, DiskFull, LogSealed
from tallystick.store.check import LogCheck, ProblemKind, check
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import Fate, PowerCut, SimulatedDisk, Write
from tests.store.worlds import FOLDER, GENESIS, body, changes, content, open_log, redo

BLOCKS = 4
EXPECTED = [(height, body(height)) for height in range(1, BLOCKS + 3)]


def run(disk: SimulatedDisk, blocks: int = BLOCKS) -> int:
    """Open the log and append until the power goes. The height that was last acknowledged."""
    acknowledged = 0
    try:
        log = open_log(disk)
        acknowledged = log.height()
        while log.height() < blocks:
            acknowledged = log.append(body(log.height() + 1))
        log.close()
    except PowerCut:
        pass
    return acknowledged


def operations() -> int:
    """Changing operations of a run that nothing interrupts."""
    disk = SimulatedDisk()
    assert run(disk) == BLOCKS
    return disk.operations


def every_fate(write: Write) -> list[Fate]:
    """Dropped, torn at every byte from either end, kept."""
    length = write.length
    return [(0, end) for end in range(length + 1)] + [(at, length) for at in range(1, length)]


def some_outcomes(pending: Sequence[Write]) -> list[tuple[Fate, ...]]:
    """All alike (dropped, kept, torn from either end), and the newest write unlike the others."""
    dropped = [(0, 0) for _ in pending]
    kept = [(0, write.length) for write in pending]
    head = [(0, write.length // 2) for write in pending]
    tail = [(write.length // 2, write.length) for write in pending]
    mixed = [dropped, kept, head, tail, dropped[:-1] + kept[-1:], kept[:-1] + dropped[-1:]]
    return sorted({tuple(fates) for fates in mixed})


def every_outcome(pending: Sequence[Write]) -> Iterator[tuple[Fate, ...]]:
    """Every fate of each of the three newest writes, while the others are dropped or kept."""
    yield from some_outcomes(pending)
    for others in (0, 1):
        rest = [(0, write.length * others) for write in pending]
        for number in range(len(pending))[-3:]:
            for fate in every_fate(pending[number]):
                yield (*rest[:number], fate, *rest[number + 1 :])


def require_no_damage(disk: SimulatedDisk) -> LogCheck:
    """A check reads a crashed disk, finds nothing worse than a crash, and changes nothing."""
    before, operations_before = disk.files(), disk.operations
    report = check(disk, FOLDER, GENESIS)
    assert {problem.kind for problem in report.problems} <= {ProblemKind.TORN, ProblemKind.TIP}
    assert (disk.files(), disk.operations) == (before, operations_before)
    return report


def require_recovery(disk: SimulatedDisk, acknowledged: int) -> int:
    """Open after a crash: nothing acknowledged is lost, at most the next block is there as well."""
    report = require_no_damage(disk)
    log = open_log(disk)
    height = log.height()
    assert acknowledged <= height <= acknowledged + 1
    assert height == report.height
    assert list(log.entries(1)) == EXPECTED[:height]
    has_torn = any(problem.kind is ProblemKind.TORN for problem in report.problems)
    assert (log.recovery.cut_bytes > 0) == has_torn
    assert bool(log.recovery.message) == (has_torn or log.recovery.tip_rewritten)
    assert check(disk, FOLDER, GENESIS).is_ok
    return height


def require_durable(disk: SimulatedDisk, height: int) -> None:
    """What an opened log shows survives that the power goes at once, and the log goes on."""
    disk.restart([(0, 0)] * len(disk.pending()))
    assert require_recovery(disk, height) == height
    log = open_log(disk)
    assert log.append(body(height + 1)) == height + 1
    assert [block for _, block in open_log(disk).entries(height + 1)] == [body(height + 1)]


def test_the_run_reaches_every_write_point() -> None:
    """Segments made and their names flushed, writes, flushes, tips, with a roll in between."""
    disk = SimulatedDisk()
    run(disk)
    assert [name for name in disk.list(FOLDER) if name.endswith(".log")] == [
        "00000001.log",
        "00000002.log",
    ]


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_power_cut_at_every_write_point_with_every_fate(cut: int) -> None:
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    acknowledged = run(disk)
    disk.kill()
    outcomes = 0
    for fates in every_outcome(disk.pending()):
        after = disk.clone()
        after.restart(fates)
        require_recovery(after, acknowledged)
        outcomes += 1
    assert outcomes >= 1


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_names_that_were_not_flushed_may_be_gone(cut: int) -> None:
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    acknowledged = run(disk)
    disk.kill()
    for fates in some_outcomes(disk.pending()):
        after = disk.clone()
        after.restart(fates)
        after.forget_names()
        require_durable(after, require_recovery(after, acknowledged))


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_what_was_opened_stays(cut: int) -> None:
    """A killed process leaves all it wrote in the system's memory: readable, not yet durable."""
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    acknowledged = run(disk)
    disk.kill()
    require_durable(disk, require_recovery(disk, acknowledged))


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_power_cut_again_while_the_log_recovers(cut: int) -> None:
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    acknowledged = run(disk)
    disk.kill()
    for fates in some_outcomes(disk.pending()):
        first = disk.clone()
        first.restart(fates)
        whole = first.clone()
        steps = -whole.operations
        open_log(whole)
        steps += whole.operations
        for step in range(1, steps + 1):
            second = first.clone()
            second.cut_power_at(step)
            with pytest.raises(PowerCut):
                open_log(second)
            second.kill()
            for again in some_outcomes(second.pending()):
                third = second.clone()
                third.restart(again)
                require_recovery(third, acknowledged)


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_the_state_follows_from_any_earlier_checkpoint(cut: int) -> None:
    """The log alone, and any older state, give the state of the last committed block."""
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    acknowledged = run(disk)
    disk.kill()
    for fates in some_outcomes(disk.pending()):
        after = disk.clone()
        after.restart(fates)
        log = open_log(after)
        assert log.height() >= acknowledged
        expected = MemoryStore()
        redo(expected, log)
        assert expected.height() == log.height()
        store = MemoryStore()
        for height in range(log.height() + 1):
            checkpoint = store.copy()
            assert checkpoint.height() == height
            redo(checkpoint, log)
            assert content(checkpoint) == content(expected)
            if height < log.height():
                block = log.read(height + 1)
                store.apply(height + 1, changes(block), {b"height": b"%d" % (height + 1)})


class Life:
    """A log on a bad disk, and what was acknowledged of it."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.disk = SimulatedDisk(seed)
        self.acknowledged = 0

    def day(self) -> None:
        """Orders to fail, blocks, and an end that is a kill or a power cut."""
        for action in ("write", "sync", "sync_folder", "cut", "open"):
            if self.draw.random() < 0.15:
                number = self.draw.choice((errno.EIO, errno.ENOSPC))
                self.disk.fail(action, *[0] * self.draw.randrange(5), number)
        if self.draw.random() < 0.5:
            self.disk.cut_power_at(self.draw.randrange(1, 30))
        with contextlib.suppress(PowerCut, DiskFull, DiskFailed, LogSealed):
            self.work(self.opened())
        if self.draw.random() < 0.5:
            self.disk.kill()
        else:
            self.disk.restart(is_shuffled=self.draw.random() < 0.5)

    def opened(self) -> FileLog:
        """The log, at what was acknowledged or at the block after it."""
        log = open_log(self.disk)
        assert self.acknowledged <= log.height() <= self.acknowledged + 1
        self.acknowledged = log.height()
        return log

    def work(self, log: FileLog) -> None:
        """Append a few blocks; some fail."""
        for _ in range(self.draw.randrange(6)):
            with contextlib.suppress(DiskFull, DiskFailed, LogSealed):
                self.acknowledged = log.append(body(log.height() + 1))
        log.close()


@pytest.mark.parametrize("seed", range(400))
def test_long_lives(seed: int) -> None:
    """Blocks, full disks, failing writes and flushes, kills and power cuts, in any order."""
    life = Life(seed)
    for _ in range(8):
        life.day()
    life.disk = in_order(life.disk)
    height = life.opened().height()
    assert [block for _, block in life.opened().entries(1)] == [
        body(number) for number in range(1, height + 1)
    ]
    assert check(life.disk, FOLDER, GENESIS).is_ok


def in_order(disk: SimulatedDisk) -> SimulatedDisk:
    """The same files on a disk without orders to fail."""
    good = SimulatedDisk()
    for path, stored in disk.files().items():
        good.put(path, stored)
    return good
