"""A check finds every flipped byte and every cut, names the block, and changes nothing."""

import pytest

from tallystick.errors import Damage
from tallystick.store.check import LogCheck, ProblemKind, check
from tallystick.store.entry import Tip, encode_entry, encode_tip
from tallystick.testing.disk import SimulatedDisk
from tests.store.worlds import FOLDER, GENESIS, body, made, open_log

BLOCKS = 4
TIP = f"{FOLDER}/tip"
SEGMENTS = (f"{FOLDER}/00000001.log", f"{FOLDER}/00000002.log")


def looked_over(disk: SimulatedDisk) -> LogCheck:
    """What a check says, having changed nothing."""
    files, operations = disk.files(), disk.operations
    report = check(disk, FOLDER, GENESIS)
    assert (disk.files(), disk.operations) == (files, operations)
    return report


def kinds(report: LogCheck) -> list[tuple[ProblemKind, int]]:
    """Kind and height of every problem."""
    return [(problem.kind, problem.height) for problem in report.problems]


def places() -> list[tuple[str, int, int]]:
    """Every byte of a small log: file, offset, and the block that it belongs to."""
    disk, found = made(BLOCKS), []
    sizes = [len(encode_entry(height, GENESIS, body(height))[0]) for height in range(1, 5)]
    blocks = {SEGMENTS[0]: (1, 2), SEGMENTS[1]: (3, 4)}
    for path, heights in blocks.items():
        owners = [height for height in heights for _ in range(sizes[height - 1])]
        assert len(owners) == len(disk.files()[path])
        found += [(path, offset, height) for offset, height in enumerate(owners)]
    found += [(TIP, offset, BLOCKS) for offset in range(len(disk.files()[TIP]))]
    assert len(found) == sum(len(stored) for stored in disk.files().values())
    return found


def flipped(path: str, offset: int, mask: int) -> SimulatedDisk:
    """A disk on which one byte was flipped."""
    disk = made(BLOCKS)
    stored = bytearray(disk.files()[path])
    stored[offset] ^= mask
    disk.put(path, bytes(stored))
    return disk


def test_a_whole_log_is_ok() -> None:
    report = looked_over(made(BLOCKS))
    assert report.is_ok
    assert report.height == BLOCKS
    assert [block for _, block in report.log.entries(1)] == [body(h) for h in range(1, 5)]
    assert report.last_hash == open_log(made(BLOCKS)).last_hash == report.log.last_hash


def test_no_log_is_ok() -> None:
    report = looked_over(SimulatedDisk())
    assert report.is_ok
    assert (report.height, report.last_hash) == (0, GENESIS)


def test_every_flipped_byte_is_found_and_its_block_named() -> None:
    for number, (path, offset, height) in enumerate(places()):
        masks = range(1, 256) if number % 29 == 0 else (0x01, 0x80, 0xFF)
        for mask in masks:
            report = looked_over(flipped(path, offset, mask))
            kind = ProblemKind.TIP if path == TIP else ProblemKind.DAMAGE
            assert kinds(report) == [(kind, height)], (path, offset, mask)
            assert f"block {height}" in report.problems[0].message


def test_the_node_stops_at_every_flipped_byte_of_a_block_and_repairs_the_tip() -> None:
    for path, offset, height in places():
        disk = flipped(path, offset, 0x40)
        if path == TIP:
            assert open_log(disk).recovery.tip_rewritten
            assert looked_over(disk).is_ok
            continue
        before = disk.files()
        with pytest.raises(Damage) as damage:
            open_log(disk)
        assert damage.value.height == height
        assert disk.files() == before


def test_a_cut_at_every_length_is_found_and_stops_the_node() -> None:
    for path, offset, height in places():
        if path == TIP:
            continue
        disk = made(BLOCKS)
        disk.put(path, disk.files()[path][:offset])
        assert kinds(looked_over(disk)) == [(ProblemKind.DAMAGE, height)]
        with pytest.raises(Damage, match=f"block {height} "):
            open_log(disk)


@pytest.mark.parametrize("height", (1, 2, 3, 4))
def test_damage_below_an_unreadable_tip_is_damage_while_valid_blocks_follow(height: int) -> None:
    """Only the very last block could be a torn one; so could bytes in its place."""
    path, offset, _ = next(place for place in places() if place[2] == height)
    disk = flipped(path, offset, 0x01)
    disk.put(TIP, b"")
    found = kinds(looked_over(disk))
    if height == BLOCKS:
        assert found == [(ProblemKind.TORN, height), (ProblemKind.TIP, height - 1)]
        assert open_log(disk).height() == height - 1
    else:
        assert found[0] == (ProblemKind.DAMAGE, height)
        with pytest.raises(Damage):
            open_log(disk)


def test_bytes_after_an_unreadable_block_are_damage() -> None:
    """An unfinished append leaves nothing behind its own end."""
    disk = made(BLOCKS)
    disk.lose(TIP)
    stored = bytearray(disk.files()[SEGMENTS[1]])
    stored[-1] ^= 1
    disk.put(SEGMENTS[1], bytes(stored) + b"\x00")
    assert kinds(looked_over(disk))[0] == (ProblemKind.DAMAGE, BLOCKS)


def test_a_torn_tail_is_said_and_left() -> None:
    disk = made(BLOCKS)
    torn = encode_entry(5, open_log(disk).last_hash, body(5))[0]
    for size in range(1, len(torn)):
        disk = made(BLOCKS)
        disk.put(SEGMENTS[1], disk.files()[SEGMENTS[1]] + torn[:size])
        report = looked_over(disk)
        assert kinds(report) == [(ProblemKind.TORN, 5)]
        assert f"({size} bytes)" in report.problems[0].message
        log = open_log(disk)
        assert (log.height(), log.recovery.cut_bytes) == (BLOCKS, size)


def test_an_entry_inside_a_torn_body_is_not_taken_for_a_block() -> None:
    """A member may send the bytes of a log entry as a text; its header tells where a block ends."""
    inner = encode_entry(9, GENESIS, b"forged")[0]
    disk = made(BLOCKS)
    torn = encode_entry(5, open_log(disk).last_hash, inner + b"rest")[0]
    disk.put(SEGMENTS[1], disk.files()[SEGMENTS[1]] + torn[:-1])
    assert kinds(looked_over(disk)) == [(ProblemKind.TORN, 5)]
    disk.put(SEGMENTS[1], disk.files()[SEGMENTS[1]][: -len(torn) + 1] + b"?" + inner[:-1] + b"?")
    assert kinds(looked_over(disk)) == [(ProblemKind.TORN, 5)]


@pytest.mark.parametrize("before", (b"\x00", bytes(200)))
def test_bytes_in_front_of_the_last_block_are_damage(before: bytes) -> None:
    """The block is still there, though not in its place: it is not cut, even below an old tip."""
    disk, three = made(BLOCKS), made(3).files()
    stored = disk.files()[SEGMENTS[1]]
    at = len(three[SEGMENTS[1]])
    disk.put(SEGMENTS[1], stored[:at] + before + stored[at:])
    disk.put(TIP, three[TIP])
    assert kinds(looked_over(disk)) == [(ProblemKind.DAMAGE, BLOCKS)]


@pytest.mark.parametrize("height", (0, 3, 6, 9))
def test_an_entry_in_the_wrong_place_is_damage(height: int) -> None:
    disk = made(BLOCKS)
    wrong = encode_entry(height, open_log(disk).last_hash, b"")[0]
    disk.put(SEGMENTS[1], disk.files()[SEGMENTS[1]] + wrong)
    assert kinds(looked_over(disk)) == [(ProblemKind.DAMAGE, 5)]


def test_a_block_that_does_not_follow_the_one_before_is_damage() -> None:
    disk = made(BLOCKS)
    disk.put(SEGMENTS[1], disk.files()[SEGMENTS[1]] + encode_entry(5, GENESIS, b"")[0])
    assert kinds(looked_over(disk)) == [(ProblemKind.DAMAGE, 5)]


def test_the_log_of_another_genesis_is_damage() -> None:
    report = check(made(BLOCKS), FOLDER, bytes(32))
    assert kinds(report) == [(ProblemKind.DAMAGE, 1)]


@pytest.mark.parametrize(("behind", "is_ok"), ((0, True), (1, True), (2, False), (4, False)))
def test_the_tip_may_be_one_block_behind(behind: int, is_ok: bool) -> None:
    disk = made(BLOCKS)
    height = BLOCKS - behind
    log = open_log(made(height))
    disk.put(TIP, encode_tip(Tip(height, log.last_hash)))
    assert kinds(looked_over(disk)) == ([] if is_ok else [(ProblemKind.TIP, BLOCKS)])
    log = open_log(disk)
    assert log.recovery.tip_rewritten == (behind > 0)
    assert looked_over(disk).is_ok


def test_a_tip_ahead_means_that_a_block_is_gone() -> None:
    disk = made(BLOCKS)
    disk.put(TIP, encode_tip(Tip(BLOCKS + 2, bytes(32))))
    report = looked_over(disk)
    assert kinds(report) == [(ProblemKind.DAMAGE, BLOCKS + 1)]
    assert "it is gone, though block 6 was committed" in report.problems[0].message
    with pytest.raises(Damage):
        open_log(disk)


@pytest.mark.parametrize("height", (0, 1, 3, 4))
def test_a_tip_that_names_another_block_is_damage(height: int) -> None:
    disk = made(BLOCKS)
    disk.put(TIP, encode_tip(Tip(height, b"\xaa" * 32)))
    assert kinds(looked_over(disk))[0] == (ProblemKind.DAMAGE, height)


def test_a_missing_tip_is_said_once_there_are_two_blocks() -> None:
    for blocks in range(4):
        disk = made(blocks)
        if blocks:
            disk.lose(TIP)
        assert looked_over(disk).is_ok == (blocks < 2)
        open_log(disk)
        assert looked_over(disk).is_ok


@pytest.mark.parametrize("stored", (b"", b"\x00" * 56, b"long" * 30))
def test_an_unreadable_tip_is_said_and_written_again(stored: bytes) -> None:
    for blocks in (0, 1, BLOCKS):
        disk = made(blocks)
        disk.put(TIP, stored)
        assert kinds(looked_over(disk)) == [(ProblemKind.TIP, blocks)]
        assert open_log(disk).recovery.message == f"block log at {blocks}: wrote the tip again"
        assert looked_over(disk).is_ok


def test_a_missing_segment_is_damage() -> None:
    disk = made(8)
    disk.lose(SEGMENTS[1])
    assert kinds(looked_over(disk)) == [(ProblemKind.DAMAGE, 3)]
    with pytest.raises(Damage, match=r"segment 00000002\.log is missing"):
        open_log(disk)


def test_an_emptied_segment_is_damage() -> None:
    disk = made(8)
    disk.put(SEGMENTS[1], b"")
    assert kinds(looked_over(disk)) == [(ProblemKind.DAMAGE, 3)]


def test_strangers_are_said() -> None:
    disk = made(BLOCKS)
    for name in ("00000001.log.bak", "00000000.log", "notes"):
        disk.put(f"{FOLDER}/{name}", b"?")
    report = looked_over(disk)
    assert kinds(report) == [(ProblemKind.STRANGER, BLOCKS)] * 3
    assert open_log(disk).height() == BLOCKS


def test_tells_how_far_it_is() -> None:
    told: list[tuple[int, int]] = []
    disk = made(BLOCKS)
    check(disk, FOLDER, GENESIS, progress=lambda done, total: told.append((done, total)))
    size = sum(len(disk.files()[path]) for path in SEGMENTS)
    assert len(told) == BLOCKS
    assert told == sorted(told)
    assert told[-1] == (size, size)
