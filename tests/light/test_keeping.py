"""Fetching light blocks, and halting when the engine's blocks are not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tallystick.engine.base import Committed
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.keeping import HEADS_KEPT, Archiver, Head, Heads, Keeper
from tallystick.engine.cometbft.light.rpcform import commit_result, validators_result
from tallystick.engine.cometbft.rpc import RpcRefused, RpcUnavailable
from tallystick.errors import BadAnswer, GenesisMismatch, Halted, NoSuchBlock
from tallystick.ledger.block import ZERO_HASH, Entry, Header
from tallystick.testing.disk import SimulatedDisk
from tallystick.values.codec import replace
from tests.light.forge import CHAIN_ID, chain, header, signed, signers

WHO = signers(1, 2, 3, 4)
APP_HASHES = [bytes([number]) * 32 for number in range(1, 13)]
BLOCKS = chain([WHO] * 12, [bytes(32), *APP_HASHES])


class Engine:
    """What CometBFT's RPC would say, from height `earliest` on."""

    def __init__(self, blocks: list[LightBlock] = BLOCKS, earliest: int = 1) -> None:
        self.blocks = {block.height: block for block in blocks if block.height >= earliest}
        self.earliest = earliest
        self.silent_calls = 0
        self.lies: dict[int, LightBlock] = {}

    def status(self) -> dict[str, Any]:
        last = str(max(self.blocks))
        return {
            "sync_info": {
                "earliest_block_height": str(self.earliest),
                "latest_block_height": last,
            }
        }

    def _block(self, height: int | None) -> LightBlock:
        assert height is not None
        if self.silent_calls:
            self.silent_calls -= 1
            raise RpcUnavailable("starting")
        if height not in self.blocks:
            raise RpcRefused(-32603, f"height {height} is not available")
        return self.lies.get(height, self.blocks[height])

    def commit(self, height: int | None = None) -> dict[str, Any]:
        return commit_result(self._block(height))

    def validators(self, height: int | None = None) -> list[dict[str, Any]]:
        block = self._block(height)
        told = validators_result(block, (0,) * len(block.validators), page=1, per_page=100)
        return list(told["validators"])


def log_of(blocks: list[LightBlock], first: int = 1) -> Callable[[int], Entry]:
    """Our log of the same blocks."""

    def entry(height: int) -> Entry:
        if not first <= height <= len(blocks):
            raise NoSuchBlock(height=height, last=len(blocks))
        made = Header(
            chain_id=CHAIN_ID,
            height=height,
            time_ms=blocks[height - 1].header.time_ns // 1_000_000,
            previous_hash=blocks[height - 2].header.hash if height > 1 else ZERO_HASH,
            transactions_root=ZERO_HASH,
            app_hash=APP_HASHES[height - 1],
        )
        return Entry(
            header=made,
            ledger_ms=0,
            receipts_root=ZERO_HASH,
            state_root=ZERO_HASH,
            engine_hash=blocks[height - 1].header.hash,
        )

    return entry


def archiver(
    engine: Engine, entry: Callable[[int], Head] | None = None
) -> tuple[Archiver, LightArchive]:
    archive = LightArchive(SimulatedDisk(), "light")
    return Archiver(archive, engine, entry or log_of(BLOCKS), CHAIN_ID), archive


def test_blocks_are_fetched_one_by_one() -> None:
    fetching, archive = archiver(Engine())
    for block in BLOCKS:
        fetching.step()
        assert archive.get(block.height) == block


def test_heads_of_the_last_blocks_are_known_without_reading_the_log() -> None:
    log, read = log_of(BLOCKS), []

    def entry(height: int) -> Entry:
        read.append(height)
        return log(height)

    heads = Heads(entry)
    for height in range(2, len(BLOCKS) + 1):
        heads.seen(Committed(log(height).header, log(height).block_hash, 0, ()))
    heads.seen(Committed(log(1).header, b"", 0, ()))  # an answer that needed no block
    fetching, archive = archiver(Engine(), heads)
    for block in BLOCKS:
        fetching.step()
        assert archive.get(block.height) == block
    assert set(read) == {1}


def test_only_so_many_heads_are_kept() -> None:
    first, read = log_of(BLOCKS)(1).header, []

    def entry(height: int) -> Entry:
        read.append(height)
        return log_of(BLOCKS)(1)

    heads = Heads(entry)
    for height in range(1, HEADS_KEPT + 2):
        heads.seen(Committed(replace(first, height=height), bytes(32), 0, ()))
    assert [heads(height).header.height for height in (2, HEADS_KEPT + 1)] == [2, HEADS_KEPT + 1]
    assert heads(1).block_hash == BLOCKS[0].header.hash
    assert read == [1]


def test_an_archive_of_another_chain_is_not_gone_on_with() -> None:
    fetching, archive = archiver(Engine())
    fetching.step()
    with pytest.raises(GenesisMismatch, match="of chain forge-01234567, not of forge-76543210"):
        Archiver(archive, Engine(), log_of(BLOCKS), "forge-76543210")


def test_another_block_than_ours_halts() -> None:
    other = signed(replace(BLOCKS[3].header, data_hash=bytes(32)), WHO)
    engine = Engine()
    engine.lies[4] = other
    fetching, archive = archiver(engine)
    for _ in range(3):
        fetching.step()
    with pytest.raises(Halted, match="do not belong together"):
        fetching.step()
    assert archive.height() == 3


def test_another_app_hash_than_ours_halts() -> None:
    """This node executed something else than the validators that signed."""
    log = log_of(BLOCKS)

    def ours(height: int) -> Entry:
        entry = log(height)
        if height != 3:
            return entry
        return replace(entry, header=replace(entry.header, app_hash=b"\x99" * 32))

    fetching, _ = archiver(Engine(), ours)
    for _ in range(3):
        fetching.step()
    with pytest.raises(Halted, match="halted at block 4: the validators agreed on app hash 0303"):
        fetching.step()


def test_a_snapshot_that_told_another_block_name_halts() -> None:
    log = log_of(BLOCKS)

    def ours(height: int) -> Entry:
        entry = log(height)
        if height != 2:
            return entry
        return replace(entry, header=replace(entry.header, previous_hash=b"\x99" * 32))

    fetching, _ = archiver(Engine(), ours)
    fetching.step()
    with pytest.raises(Halted, match="snapshot that told another"):
        fetching.step()


def test_a_block_that_its_validators_did_not_sign_halts() -> None:
    engine = Engine()
    engine.lies[1] = replace(BLOCKS[0], commit=replace(BLOCKS[0].commit, round=3))
    fetching, _ = archiver(engine)
    with pytest.raises(Halted, match="does not verify"):
        fetching.step()


def test_a_block_of_another_height_is_no_answer() -> None:
    engine = Engine()
    engine.lies[1] = BLOCKS[1]
    fetching, _ = archiver(engine)
    with pytest.raises(BadAnswer, match="block 2 was answered"):
        fetching.step()


def test_what_the_engine_has_forgotten_is_passed_over() -> None:
    fetching, archive = archiver(Engine(earliest=5))
    fetching.step()
    assert (archive.base(), archive.height()) == (5, 5)


def test_a_node_that_began_with_a_snapshot_begins_where_its_log_does() -> None:
    fetching, archive = archiver(Engine(), log_of(BLOCKS, first=7))
    fetching.step()
    assert (archive.base(), archive.height()) == (7, 7)


@pytest.fixture
def halts() -> list[BaseException]:
    return []


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def keeper(engine: Engine, halts: list[BaseException]) -> Iterator[tuple[Keeper, LightArchive]]:
    fetching, archive = archiver(engine)
    made = Keeper(fetching, archive, halts.append)
    made.start()
    try:
        yield made, archive
    finally:
        made.stop()


def test_the_keeper_follows_what_it_is_told(
    keeper: tuple[Keeper, LightArchive], halts: list[BaseException]
) -> None:
    keeping, archive = keeper
    assert not keeping.wait(1, 0.01)
    keeping.tell(4)
    assert keeping.wait(4, 60)
    assert archive.height() == 4
    keeping.tell(12)
    assert keeping.wait(12, 60)
    keeping.stop()
    assert archive.kept() == 12
    assert halts == []


def test_the_keeper_waits_for_an_engine_that_does_not_answer(
    keeper: tuple[Keeper, LightArchive], engine: Engine
) -> None:
    engine.silent_calls = 2
    keeper[0].tell(2)
    assert keeper[0].wait(2, 60)


def test_the_keeper_waits_for_room_on_the_disk(engine: Engine, halts: list[BaseException]) -> None:
    """A full disk stops no node: what is missing here is kept by CometBFT until there is room."""
    disk = SimulatedDisk()
    archive = LightArchive(disk, "light")
    made = Keeper(Archiver(archive, engine, log_of(BLOCKS), CHAIN_ID), archive, halts.append)
    made.start()
    made.tell(3)
    assert made.wait(3, 60)
    disk.set_capacity(0)
    made.tell(5)
    assert not made.wait(4, 0.2)
    disk.set_capacity(None)
    made.stop()
    assert halts == []


def test_the_keeper_halts_the_node_once(
    keeper: tuple[Keeper, LightArchive], engine: Engine, halts: list[BaseException]
) -> None:
    engine.lies[2] = signed(header(2, WHO, WHO), WHO)
    keeper[0].tell(3)
    assert not keeper[0].wait(2, 60)
    assert keeper[1].height() == 1
    keeper[0].stop()
    assert [type(each) for each in halts] == [Halted]
