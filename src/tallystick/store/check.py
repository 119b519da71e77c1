"""Looking a block log over without changing it: what `tally audit` says of it."""

import enum
from dataclasses import dataclass

from tallystick.store.base import Disk
from tallystick.store.log import LogReader
from tallystick.store.scan import Progress, Scan, damage, scan


class ProblemKind(enum.Enum):
    """What is wrong with a block log."""

    DAMAGE = "damage"
    """A committed block is unreadable or gone."""
    TORN = "torn"
    """Bytes of an append that never finished; the node cuts them when it starts."""
    TIP = "tip"
    """The tip is missing, unreadable or old; the node writes it again when it starts."""
    LEFTOVER = "leftover"
    """A file of a restore or a pruning that was cut short; the node removes it when it starts."""
    STRANGER = "stranger"
    """A file that is no part of a log."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    kind: ProblemKind
    """What is wrong."""
    height: int
    """Block concerned; for the tip and for strangers the last readable one."""
    message: str
    """One sentence for people; it names the block."""


@dataclass(frozen=True, slots=True)
class LogCheck:
    """What a check found."""

    height: int
    """Height of the last readable block; where the log begins when there is none."""
    last_hash: bytes
    """Hash of its entry; what the first one would follow when there is none."""
    problems: tuple[Problem, ...]
    """What is wrong, empty when nothing is."""
    log: LogReader
    """The readable blocks."""

    @property
    def is_ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(
    disk: Disk, folder: str, genesis_hash: bytes, progress: Progress | None = None
) -> LogCheck:
    """Read every byte of a log and change none. The caller holds the data folder."""
    found = scan(disk, folder, genesis_hash, deep=True, progress=progress)
    problems = [*_blocks(disk, found), *_tip(found)]
    problems += [
        Problem(ProblemKind.LEFTOVER, found.height, f"{name} should have been removed")
        for name in found.leftovers
    ]
    problems += [
        Problem(ProblemKind.STRANGER, found.height, f"{name} is no part of a block log")
        for name in found.strangers
    ]
    return LogCheck(found.height, found.last_hash, tuple(problems), LogReader(disk, found))


def _blocks(disk: Disk, found: Scan) -> list[Problem]:
    lost = damage(disk, found)
    if lost is not None:
        return [Problem(ProblemKind.DAMAGE, lost.height, str(lost))]
    if found.rest is None:
        return []
    height = found.height + 1
    message = f"block {height} was never finished: {found.rest.reason} ({found.rest.size} bytes)"
    return [Problem(ProblemKind.TORN, height, message)]


def _tip(found: Scan) -> list[Problem]:
    """A tip one block behind is what a crash between the flush and the tip leaves."""
    height = found.height
    if found.tip is not None and found.tip.height >= height - 1:
        return []
    if found.tip is not None:
        reason = f"names block {found.tip.height}"
    elif found.is_tip_there:
        reason = "is unreadable"
    elif len(found.index) > 1:
        reason = "is missing"
    else:
        return []
    return [Problem(ProblemKind.TIP, height, f"the tip {reason}; the last block is block {height}")]
