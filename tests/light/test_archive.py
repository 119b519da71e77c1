"""The archive: everything put is there, after any crash at least what was flushed."""

from __future__ import annotations

import itertools

import pytest

from tallystick.engine.cometbft.light.archive import LightArchive, retain
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.errors import Damage, DiskFull, OutOfOrder
from tallystick.store.base import Disk
from tallystick.store.disk import OsDisk
from tallystick.testing.disk import PowerCut, SimulatedDisk
from tests.light.forge import chain, signers

FOLDER = "light"
FEW = 4
"""Blocks of one file in these tests."""
BLOCKS = chain([signers(1)] * 5 + [signers(1, 2, 3)] * 5 + [signers(1)] * 4)


def opened(disk: Disk) -> LightArchive:
    return LightArchive(disk, FOLDER, segment_blocks=FEW)


def turns_of(block: LightBlock) -> tuple[int, ...]:
    return tuple([block.height * 7 - place * 3 for place in range(len(block.validators))])


def put_all(archive: LightArchive, blocks: list[LightBlock] = BLOCKS) -> None:
    for block in blocks:
        archive.put(block, turns_of(block))


def check_all(archive: LightArchive, last: int = len(BLOCKS)) -> None:
    assert archive.height() == last
    assert list(archive.range(1, last + 5)) == BLOCKS[:last]
    for block in BLOCKS[:last]:
        kept = archive.read(block.height)
        assert kept is not None
        assert kept.turns == turns_of(block)


def test_what_was_put_is_there_now_and_after_a_restart() -> None:
    disk = SimulatedDisk()
    archive = opened(disk)
    assert (archive.height(), archive.base(), archive.kept()) == (0, 0, 0)
    assert archive.get(1) is None
    put_all(archive)
    check_all(archive)
    assert archive.kept() == 12, "full files are flushed"
    archive.close()
    again = opened(disk)
    check_all(again)
    assert (again.base(), again.kept()) == (1, 14)
    put_all(again)  # what is there already is left as it is
    check_all(again)


def test_validator_sets_are_kept_once() -> None:
    disk = SimulatedDisk()
    put_all(opened(disk))
    assert disk.files()[f"{FOLDER}/sets"].count(BLOCKS[0].validators[0].public_key) == 2


def test_a_gap_begins_a_new_run() -> None:
    disk = SimulatedDisk()
    archive = opened(disk)
    put_all(archive, BLOCKS[:3])
    put_all(archive, BLOCKS[6:])
    for each in (archive, opened(disk)):
        assert (each.base(), each.height()) == (7, 14)
        assert [block.height for block in each.range(1, 14)] == [1, 2, 3, *range(7, 15)]
        assert each.get(3) == BLOCKS[2]
        assert each.get(4) is None
    with pytest.raises(OutOfOrder):
        archive.put(BLOCKS[4], turns_of(BLOCKS[4]))


@pytest.mark.parametrize("seed", range(6))
def test_a_power_cut_at_any_moment_leaves_at_least_what_was_flushed(seed: int) -> None:
    for operation in itertools.count(1):
        disk = SimulatedDisk(seed)
        kept = 0
        disk.cut_power_at(operation)
        try:
            archive = opened(disk)
            for block in BLOCKS:
                archive.put(block, turns_of(block))
                kept = max(kept, archive.kept())
                if block.height % 3 == 0:
                    archive.flush()
                    kept = archive.kept()
        except PowerCut:
            pass
        else:
            break
        disk.restart(is_shuffled=True)
        again = opened(disk)
        assert kept <= again.height()
        put_all(again, BLOCKS[again.height() :])
        check_all(again)
        check_all(opened(disk))
    assert operation > 20


def test_what_follows_an_unreadable_byte_at_the_end_is_fetched_again() -> None:
    disk = SimulatedDisk()
    put_all(opened(disk), BLOCKS[:7])
    name = f"{FOLDER}/more-{5:016d}"
    whole = disk.files()[name]
    for place in range(0, len(whole), 37):
        disk.put(name, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        again = opened(disk)
        assert 4 <= again.height() < 7
        put_all(again, BLOCKS[again.height() :])
        check_all(again)
        again.close()
        for made in (f"{FOLDER}/more-{9:016d}", f"{FOLDER}/more-{13:016d}"):
            disk.remove(made)


def test_damage_of_an_old_block_is_not_served() -> None:
    disk = SimulatedDisk()
    archive = opened(disk)
    put_all(archive)
    assert archive.get(2) is not None
    name = f"{FOLDER}/run-{1:016d}"
    whole = disk.files()[name]
    disk.put(name, whole[:20] + b"\xff" + whole[21:])
    with pytest.raises(Damage):
        archive.get(1)
    assert opened(disk).get(1) is None


def test_pruning_waits_for_the_archive() -> None:
    archive = opened(SimulatedDisk())
    put_all(archive, BLOCKS[:6])
    assert archive.kept() == 4
    assert retain(100, archive) == 4
    assert retain(3, archive) == 3
    archive.flush()
    assert retain(100, archive) == 6


def test_a_full_disk_is_said_and_the_archive_goes_on_later() -> None:
    disk = SimulatedDisk(capacity=6_000)
    archive = opened(disk)
    with pytest.raises(DiskFull):
        put_all(archive)
    kept = archive.height()
    assert kept > 1
    disk.set_capacity(None)
    put_all(archive, BLOCKS[kept:])
    check_all(archive)


def test_on_a_real_disk(tmp_path: object) -> None:
    archive = LightArchive(OsDisk(), f"{tmp_path}/deep/{FOLDER}", segment_blocks=FEW)
    put_all(archive)
    archive.close()
    check_all(LightArchive(OsDisk(), f"{tmp_path}/deep/{FOLDER}", segment_blocks=FEW))
