"""A log that begins at a snapshot, and one whose oldest blocks were pruned, across any crash."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tallystick.errors import (
    Damage,
    DiskFailed,
    DiskFull,
    EntryTooLarge,
    LogSealed,
    NoSuchBlock,
    OutOfOrder,
)
from tallystick.store.check import ProblemKind, check
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.start import (
    NOTE_BYTES_MAX,
    Start,
    decode_start,
    encode_start,
    start_at,
)
from tallystick.testing.disk import Fate, PowerCut, SimulatedDisk, Write
from tests.store.worlds import FOLDER, GENESIS, SEGMENT_BYTES, body, made, open_log

NOTE = b"what is to be known of block 40"


def note_of(block: bytes) -> bytes:
    """What pruning notes in these tests."""
    return b"after " + block


def begun(height: int = 40) -> SimulatedDisk:
    """A log that begins above a height."""
    disk = SimulatedDisk()
    open_log(disk).begin_at(height, NOTE)
    return disk


def blocks_of(log: FileLog) -> list[tuple[int, bytes]]:
    """Every block that is there."""
    return list(log.entries(log.start.height + 1))


def test_the_file_reads_back_and_no_byte_of_it_may_change() -> None:
    for start in (start_at(40, NOTE), Start(2**40, bytes(range(32))), start_at(1, b"x" * 1000)):
        written = encode_start(start)
        assert decode_start(written) == start
        for at in range(len(written)):
            changed = bytearray(written)
            changed[at] ^= 1
            assert decode_start(bytes(changed)) is None
            assert decode_start(written[:at]) is None
        assert decode_start(written + b"\0") is None


def test_a_log_begins_above_a_height() -> None:
    disk = begun()
    log = open_log(disk)
    assert (log.height(), log.start.height, log.start.note) == (40, 40, NOTE)
    assert log.last_hash == log.start.link
    for height in range(41, 48):
        assert log.append(body(height)) == height
    log.close()
    again = open_log(disk)
    assert again.recovery.message == ""
    assert blocks_of(again) == [(height, body(height)) for height in range(41, 48)]
    assert again.start.note == NOTE
    assert check(disk, FOLDER, GENESIS).is_ok
    for height in (0, 1, 40):
        with pytest.raises(NoSuchBlock, match="begins with block 41"):
            again.read(height)
        with pytest.raises(NoSuchBlock, match="begins with block 41"):
            again.entries(height)


def test_the_same_on_the_file_system(tmp_path: Path) -> None:
    folder = str(tmp_path / "blocks")
    log = FileLog.open(OsDisk(), folder, GENESIS, segment_bytes=SEGMENT_BYTES)
    log.begin_at(40, NOTE)
    for height in range(41, 61):
        log.append(body(height))
    first = log.prune(50, note_of)
    assert 45 < first <= 50
    log.close()
    log = FileLog.open(OsDisk(), folder, GENESIS, segment_bytes=SEGMENT_BYTES)
    assert blocks_of(log) == [(height, body(height)) for height in range(first, 61)]
    assert check(OsDisk(), folder, GENESIS).is_ok
    log.close()


def test_a_log_without_blocks_may_begin_elsewhere_and_begin_anew() -> None:
    disk = begun()
    log = open_log(disk)
    log.begin_at(70, b"another")
    log = open_log(disk)
    assert (log.height(), log.start.note, log.recovery.message) == (70, b"another", "")
    log.begin_at(0, b"")
    log.append(body(1))
    log = open_log(disk)
    assert (log.start, log.height()) == (Start(0, GENESIS), 1)
    assert sorted(disk.files()) == [f"{FOLDER}/00000001.log", f"{FOLDER}/tip"]
    with pytest.raises(OutOfOrder):
        log.begin_at(80, NOTE)
    assert log.append(body(2)) == 2


def test_a_note_has_a_limit() -> None:
    log = open_log(SimulatedDisk())
    with pytest.raises(EntryTooLarge):
        log.begin_at(5, bytes(NOTE_BYTES_MAX + 1))


def test_pruning_removes_whole_segments_and_never_the_last() -> None:
    disk = made(9)  # two blocks a segment
    log = open_log(disk)
    assert [log.prune(below, note_of) for below in (0, 1, 2)] == [1, 1, 1]
    assert log.prune(4, note_of) == 3
    assert log.start.note == note_of(body(2))
    assert log.prune(5, note_of) == 5
    assert log.prune(5, note_of) == 5
    assert log.prune(3, note_of) == 5
    assert log.prune(10**9, note_of) == 9
    assert log.append(body(10)) == 10
    assert blocks_of(log) == [(9, body(9)), (10, body(10))]
    assert [name for name in disk.list(FOLDER) if name != "tip"] == [
        "00000005.base",
        "00000005.log",
    ]
    assert blocks_of(open_log(disk)) == blocks_of(log)
    assert check(disk, FOLDER, GENESIS).is_ok


def test_a_reader_that_is_overtaken_by_pruning_is_told() -> None:
    disk = made(9)
    log = open_log(disk)
    entries = log.entries(1)
    assert next(entries) == (1, body(1))
    log.prune(9, note_of)
    with pytest.raises(NoSuchBlock, match="begins with block 9"):
        list(entries)


def test_pruning_on_a_full_or_failing_disk_leaves_all_blocks() -> None:
    for failing, error in (("write", DiskFull), ("sync", DiskFailed), ("open", DiskFailed)):
        disk = made(9)
        log = open_log(disk)
        disk.fail(failing, 28 if error is DiskFull else 5)
        with pytest.raises(error):
            log.prune(5, note_of)
        assert log.append(body(10)) == 10
        assert blocks_of(log) == [(height, body(height)) for height in range(1, 11)]
        first = open_log(disk).start.height + 1
        assert first in (1, 5) if failing == "sync" else first == 1
        assert open_log(disk).prune(5, note_of) == 5


def test_what_cannot_be_removed_at_once_is_removed_on_open() -> None:
    disk = made(9)
    log = open_log(disk)
    disk.fail("remove", 5)
    assert log.prune(5, note_of) == 5
    kinds = {problem.kind for problem in check(disk, FOLDER, GENESIS).problems}
    assert kinds == {ProblemKind.LEFTOVER}
    again = open_log(disk)
    assert "left over" in again.recovery.message
    assert check(disk, FOLDER, GENESIS).is_ok


def test_beginning_on_a_failing_disk_seals_the_log() -> None:
    disk = SimulatedDisk()
    log = open_log(disk)
    disk.fail("sync", 5)
    with pytest.raises(DiskFailed):
        log.begin_at(40, NOTE)
    with pytest.raises(LogSealed):
        log.append(body(1))
    assert open_log(disk).height() in (0, 40)


def test_a_base_that_changed_is_damage() -> None:
    disk = made(9)
    open_log(disk).prune(5, note_of)
    path = f"{FOLDER}/00000003.base"
    written = disk.files()[path]
    for at in range(len(written)):
        changed = bytearray(written)
        changed[at] ^= 4
        disk.put(path, bytes(changed))
        with pytest.raises(Damage):
            open_log(disk)
    disk.put(path, written)
    assert open_log(disk).height() == 9


def test_a_tip_from_before_the_start_is_an_old_tip() -> None:
    """The tip is never flushed: after a power cut it may name a block that is pruned by now."""
    disk = made(2)
    old_tip = disk.files()[f"{FOLDER}/tip"]
    disk = made(9)
    open_log(disk).prune(7, note_of)
    disk.put(f"{FOLDER}/tip", old_tip)
    log = open_log(disk)
    assert (log.height(), log.recovery.tip_rewritten) == (9, True)


# --- every crash


def story(disk: SimulatedDisk) -> list[str]:
    """Begin at a snapshot, again at a later one, append, prune twice. What was acknowledged."""
    told: list[str] = []
    try:
        log = open_log(disk)
        log.begin_at(30, b"first")
        told.append("30")
        log.begin_at(40, NOTE)
        told.append("40")
        for height in range(41, 47):
            log.append(body(height))
            told.append(f"{height}")
            if height in (44, 46):
                log.prune(height, note_of)
                told.append("pruned")
    except PowerCut:
        pass
    return told


def acknowledged(told: Sequence[str]) -> int:
    """Height that the last acknowledged act left."""
    return max((int(each) for each in told if each != "pruned"), default=0)


def outcomes(pending: Sequence[Write]) -> list[tuple[Fate, ...]]:
    """All dropped, all kept, all torn, and the newest write torn at every byte."""
    rest = [(0, write.length) for write in pending]
    found = [[(0, 0) for _ in pending], rest, [(0, write.length // 2) for write in pending]]
    if pending:
        found += [[*rest[:-1], (0, end)] for end in range(pending[-1].length)]
        found += [[*rest[:-1], (end, pending[-1].length)] for end in range(pending[-1].length)]
    return sorted({tuple(fates) for fates in found})


def operations() -> int:
    """Changing operations of the whole story."""
    disk = SimulatedDisk()
    assert acknowledged(story(disk)) == 46
    return disk.operations


def require_whole(disk: SimulatedDisk, told: Sequence[str]) -> None:
    """The log opens, at what was acknowledged or one act later, whole; and it goes on."""
    kinds = {problem.kind for problem in check(disk, FOLDER, GENESIS).problems}
    assert kinds <= {ProblemKind.TORN, ProblemKind.TIP, ProblemKind.LEFTOVER}
    log = open_log(disk)
    last = acknowledged(told)
    after = {0: 30, 30: 40}.get(last, last + 1)
    assert log.height() in (last, after)
    assert check(disk, FOLDER, GENESIS).is_ok
    begins = log.start
    disk.restart([(0, 0)] * len(disk.pending()))
    disk.recall_names()
    log = open_log(disk)
    assert log.start == begins, "what was opened stays"
    expected = range(log.start.height + 1, log.height() + 1)
    assert blocks_of(log) == [(height, body(height)) for height in expected]
    notes = {0: b"", 30: b"first", 40: NOTE}
    start = log.start
    assert start.note == notes.get(start.height, note_of(body(start.height)))
    assert start.height == 0 or start.height <= max(last, after)
    height = log.append(body(log.height() + 1))
    assert open_log(disk).read(height) == body(height)


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_power_cut_at_every_write_point(cut: int) -> None:
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    told = story(disk)
    disk.kill()
    for fates in outcomes(disk.pending()):
        for names in ("kept", "forgotten", "recalled"):
            after = disk.clone()
            after.restart(fates)
            if names == "forgotten":
                after.forget_names()
            elif names == "recalled":
                after.recall_names()
            require_whole(after, told)


@pytest.mark.parametrize("cut", range(1, operations() + 1))
def test_a_process_killed_at_every_write_point(cut: int) -> None:
    """What it wrote is in the system's memory: readable, not yet durable, until it is opened."""
    disk = SimulatedDisk()
    disk.cut_power_at(cut)
    told = story(disk)
    disk.kill()
    require_whole(disk, told)


@pytest.mark.parametrize("seed", range(120))
def test_power_cuts_again_and_again(seed: int) -> None:
    """Drawn fates for writes, names and removals, while the log recovers too."""
    disk = SimulatedDisk(seed)
    steps = operations()
    told: list[str] = []
    for life in range(4):
        disk.cut_power_at(1 + (seed * 7 + life * 13) % (steps if not life else 9))
        if not life:
            told = story(disk)
        else:
            with contextlib.suppress(PowerCut):
                open_log(disk)
        disk.restart(is_shuffled=bool(seed % 2))
    require_whole(disk, told)
