"""The engine of a consortium over a real CometBFT: what was kept is decided once, whatever dies."""

from __future__ import annotations

import errno
import json
import logging
import os
import re
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tallystick.engine.base import Busy
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.bundle import encode_bundle
from tallystick.engine.cometbft.install import install
from tallystick.engine.cometbft.process import READ_BYTES_MAX
from tallystick.engine.replay import replay
from tallystick.errors import DiskFull, Halted, PortTaken, ReachedHeight
from tallystick.gateway.reply import Outcome
from tallystick.ledger.execute import Ledger
from tallystick.network.ports import free_ports
from tallystick.settings import split_address
from tallystick.store.disk import OsDisk, OsFile
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tests.engine.cometbft.alone import Alone, settings_for
from tests.engine.cometbft.test_failures import OF_PEERS
from tests.engine.conformance import Bench, EngineConformance, Signer
from tests.till import APP
from tests.till.desk import MINUTE_MS, until, waited
from tests.till.messages import Fill, Leave, Wind
from tests.till.people import PEOPLE
from tests.till.records import Note, Purse

SECONDS = 60


def filled(alone: Alone, count: int) -> list[bytes]:
    """So many transactions that each put 1 into A's purse."""
    return [alone.signed(("A", Fill(currency="CNY", amount_minor=1))) for _ in range(count)]


def hand_in(alone: Alone, raws: list[bytes]) -> None:
    """Submit bytes."""
    alone.engine.submit([alone.transaction(raw) for raw in raws])


def purse(alone: Alone) -> int:
    """What A has."""
    found = alone.engine.view().peek(Purse, "A")
    return 0 if found is None else found.amount_minor


def all_decided(alone: Alone, raws: list[bytes], seconds: float = SECONDS) -> list[str]:
    """Wait for the answers."""
    until(lambda: alone.outcomes().keys() >= set(raws), seconds)
    return [alone.outcomes()[raw] for raw in raws]


class TestCometBFT(EngineConformance):
    """One validator, a real CometBFT."""

    @contextmanager
    def made(self, folder: Path) -> Iterator[Bench]:
        """Over real files."""
        with Alone(folder / "node") as alone:
            yield alone

    def signer(self, bench: Bench) -> Signer:
        """The bench itself: the chain's name has the validator's key in it."""
        assert isinstance(bench, Alone)
        return bench

    def pass_time(self, bench: Bench, ms: int) -> None:
        """Move ledger time by a message: block time is the real one."""
        assert isinstance(bench, Alone)
        raw = bench.signed(("A", Wind(by_ms=ms)), expires_at_ms=bench.engine.now_ms() + 10**7)
        assert self.send(bench, bench, raw) == ["accepted"]

    def root_after_story(self, bench: Bench) -> str:
        """That of the same blocks through the embedded engine's path."""
        assert isinstance(bench, Alone)
        genesis = bench.genesis
        log = FileLog.open(SimulatedDisk(), "blocks", genesis.hash)
        chain = Chain(Ledger([APP], PEOPLE, genesis), log, MemoryStore())
        height = bench.engine.standing().height
        assert replay((bench.engine.entry(each) for each in range(1, height + 1)), chain) == height
        return chain.state.root().hex()


# --- through crashes


def test_kept_transactions_survive_kills_of_the_engine(tmp_path: Path) -> None:
    with Alone(tmp_path / "node") as alone:
        raws = filled(alone, 900)
        for first in range(0, 900, 300):
            hand_in(alone, raws[first : first + 300])
            pid = alone.engine.child.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            until(lambda pid=pid: alone.engine.child.pid not in (None, pid), SECONDS)
        assert set(all_decided(alone, raws)) == {"accepted"}
        assert purse(alone) == 900
        assert alone.engine.child.starts == 4
        assert len(alone.engine.outbox) == 0
        assert alone.ended == []


def test_a_restarted_node_hands_in_what_it_kept(tmp_path: Path) -> None:
    """The engine's interface is closed to it the first time, as if it had died before sending."""
    alone = Alone(tmp_path / "node")
    with alone:
        sent = filled(alone, 50)
        hand_in(alone, sent)
        all_decided(alone, sent)
        alone.engine.waiting.pause(60)
        raws = filled(alone, 200)
        hand_in(alone, raws)
        again = list(alone.engine.kept())
        assert len(again) == 200
    later = alone.again()
    assert [each.raw for each in later.engine.kept()] == raws
    asked = later.gateway.ask(later.transaction(raws[0]).id)
    assert asked is not None
    assert asked.replies()[0].outcome is Outcome.KEPT
    with later:
        waited(asked)
        assert asked.replies()[0].outcome is Outcome.ACCEPTED
        assert set(all_decided(later, raws)) == {"accepted"}
        assert purse(later) == 250
        batch = later.gateway.offer([sent[0], raws[7]])
        waited(batch)
        assert {each.outcome for each in batch.replies()} == {Outcome.ACCEPTED}
        assert purse(later) == 250
    assert len(alone.again().engine.outbox) == 0


def test_a_kept_transaction_decided_behind_our_back_is_answered_at_the_start(
    tmp_path: Path,
) -> None:
    with Alone(tmp_path / "node") as alone:
        raws = filled(alone, 3)
        hand_in(alone, raws)
        all_decided(alone, raws)
    alone.engine = alone.again().engine
    alone.engine.outbox.append(raws)
    alone.engine.stop()
    with alone.again() as later:
        assert set(all_decided(later, raws)) == {"accepted"}
        assert purse(later) == 3
        assert not later.engine.kept()


# --- several gateways


def test_what_another_gateway_brought_happens_once_and_is_answered_here(tmp_path: Path) -> None:
    with Alone(tmp_path / "node") as alone:
        alone.engine.waiting.pause(5)
        raws = filled(alone, 20)
        batches = [alone.gateway.offer(raws), alone.gateway.offer(raws[:10])]
        assert {each.outcome for each in batches[1].replies()} == {Outcome.KEPT}
        alone.engine.rpc.broadcast(encode_bundle(1, raws))
        for batch in batches:
            waited(batch)
            assert {each.outcome for each in batch.replies()} == {Outcome.ACCEPTED}
        assert purse(alone) == 20
        assert len(alone.engine.outbox) == 0


def test_better_signatures_answer_the_same_transaction_under_worse_ones(tmp_path: Path) -> None:
    with Alone(tmp_path / "node") as alone:
        both = (
            ("A", Fill(currency="CNY", amount_minor=1)),
            ("B", Fill(currency="CNY", amount_minor=1)),
        )
        expires_at_ms = alone.engine.now_ms() + MINUTE_MS
        said = {"reference": "one", "expires_at_ms": expires_at_ms}
        whole = alone.signed(*both, **said)  # type: ignore[arg-type]
        stripped = alone.signed(*both, keys=["A.clerk"], **said)  # type: ignore[arg-type]
        assert alone.transaction(whole).id == alone.transaction(stripped).id
        first = alone.gateway.offer([stripped])
        waited(first)
        assert first.replies()[0].outcome is Outcome.UNAUTHORISED
        second = alone.gateway.offer([whole])
        waited(second)
        assert second.replies()[0].outcome is Outcome.ACCEPTED
        third = alone.gateway.offer([stripped])
        waited(third)
        assert third.replies()[0].outcome is Outcome.ACCEPTED


# --- time


def test_an_idle_chain_makes_blocks_for_what_is_due_and_for_what_expires(tmp_path: Path) -> None:
    settings = settings_for(heartbeat_seconds=3_600)
    with Alone(tmp_path / "node", settings=settings) as alone:
        due_ms = alone.engine.now_ms() + 3_000
        raw = alone.signed(("A", Leave(name="later", number=1, at_ms=due_ms)))
        hand_in(alone, [raw])
        all_decided(alone, [raw])
        alone.engine.waiting.pause(20)
        late = alone.signed(
            ("A", Fill(currency="CNY", amount_minor=1)),
            expires_at_ms=alone.engine.now_ms() + 4_000,
        )
        batch = alone.gateway.offer([late])
        assert batch.replies()[0].outcome is Outcome.KEPT
        until(lambda: alone.engine.view().peek(Note, "later", 1) is not None, SECONDS)
        waited(batch)
        assert batch.replies()[0].outcome is Outcome.EXPIRED
        assert alone.engine.standing().ledger_ms >= alone.transaction(late).body.expires_at_ms
        height = alone.engine.standing().height
        assert height < 40
        assert purse(alone) == 0


def test_what_lies_beyond_the_horizon_of_the_last_block_waits_until_it_does_not(
    tmp_path: Path,
) -> None:
    with Alone(tmp_path / "node") as alone:
        horizon_ms = alone.genesis.horizon_ms
        raw = alone.signed(
            ("A", Fill(currency="CNY", amount_minor=1)),
            expires_at_ms=alone.engine.chain.ledger_ms + horizon_ms + 60_000,
        )
        hand_in(alone, [raw])
        assert alone.engine.waiting.queued == 0
        wound = alone.signed(("A", Wind(by_ms=100_000)))
        hand_in(alone, [wound])
        assert all_decided(alone, [wound, raw]) == ["accepted", "accepted"]


# --- limits and faults


def test_more_than_may_wait_is_busy(tmp_path: Path) -> None:
    with Alone(tmp_path / "node", kept_max=100) as alone:
        alone.engine.waiting.pause(60)
        hand_in(alone, filled(alone, 100))
        batch = alone.gateway.offer(filled(alone, 1))
        assert batch.replies()[0].outcome is Outcome.REJECTED
        assert batch.replies()[0].retry
        assert "full" in str(batch.replies()[0].value("reason"))
        assert alone.engine.standing().queued == 100


class Full(OsDisk):
    """The real disk, full when told to."""

    def __init__(self) -> None:
        self.is_full = False

    def open(self, path: str, *, create: bool = False, write: bool = False) -> OsFile:
        disk = self
        opened = super().open(path, create=create, write=write)

        class File(OsFile):
            """A file on it."""

            def write(self, offset: int, data: bytes) -> None:
                """Write unless it is full."""
                if disk.is_full:
                    raise OSError(errno.ENOSPC, "full")
                super().write(offset, data)

        return File(os.dup(opened._open()))


def test_a_full_disk_takes_nothing_more(tmp_path: Path) -> None:
    disk = Full()
    with Alone(tmp_path / "node", disk=disk) as alone:
        disk.is_full = True
        raws = filled(alone, 2)
        with pytest.raises(Busy, match="no space"):
            hand_in(alone, raws)
        assert not alone.engine.kept()
        disk.is_full = False
        hand_in(alone, raws)
        assert set(all_decided(alone, raws)) == {"accepted"}


def test_a_full_disk_at_a_commit_halts_and_a_restart_catches_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Full()
    with Alone(tmp_path / "node", log_disk=disk) as alone:
        raws = filled(alone, 10)
        disk.is_full = True
        with caplog.at_level(logging.CRITICAL):
            hand_in(alone, raws)
            until(lambda: alone.ended, SECONDS)
        assert isinstance(alone.ended[0], DiskFull)
        assert "no space left" in caplog.text
        assert alone.engine.child.pid is None
        assert "halted" in alone.engine.standing().trouble
        with pytest.raises(Busy):
            hand_in(alone, filled(alone, 1))
    with alone.again() as later:
        assert set(all_decided(later, raws)) == {"accepted"}
        assert purse(later) == 10


def consensus_failure(expected: str) -> str:
    """What CometBFT writes when +2/3 have committed a block with another app hash."""
    wrong = f"wrong Block.Header.AppHash.  Expected {expected}, got {'CD' * 32}"
    told = {
        "_msg": "CONSENSUS FAILURE!!!",
        "err": f"+2/3 committed an invalid block: {wrong}",
        "level": "error",
        "module": "consensus",
    }
    return json.dumps(told)


def write_log(alone: Alone, *lines: str) -> None:
    """Lines in CometBFT's log."""
    with (alone.folder / "engine" / "cometbft.log").open("a") as out:
        out.write("".join(f"{line}\n" for line in lines))


def test_a_node_that_disagrees_with_the_others_halts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Alone(tmp_path / "node") as alone, caplog.at_level(logging.CRITICAL):
        write_log(alone, consensus_failure(alone.chain.app_hash().hex().upper()))
        until(lambda: alone.ended, SECONDS)
        assert isinstance(alone.ended[0], Halted)
        words = "disagrees with the other validators: +2/3 committed an invalid block"
        assert words in caplog.text
        assert alone.engine.child.pid is None


def test_no_word_of_a_peer_in_the_log_halts_a_node(tmp_path: Path) -> None:
    """Nor hides what comes after it, however long the line that a peer had it write."""
    with Alone(tmp_path / "node") as alone:
        ours = alone.chain.app_hash().hex().upper()
        long = "x" * (2 * READ_BYTES_MAX - 9)
        write_log(alone, f"{long}panic: {consensus_failure(ours)}", *OF_PEERS)
        raws = filled(alone, 5)
        hand_in(alone, raws)
        assert set(all_decided(alone, raws)) == {"accepted"}
        pid = alone.engine.child.pid
        write_log(alone, consensus_failure("AB" * 32))
        until(lambda: alone.engine.child.pid not in (None, pid), SECONDS)
        assert "the engine cannot go on" in alone.engine.standing().trouble
        raws = filled(alone, 5)
        hand_in(alone, raws)
        assert set(all_decided(alone, raws)) == {"accepted"}
        until(lambda: not alone.engine.standing().trouble, SECONDS)
        assert alone.ended == []


def test_nobody_else_may_ask_the_engine(tmp_path: Path) -> None:
    """CometBFT's own interface is a socket of this user, also after a kill, and no port."""
    node = tmp_path / "node"
    node.mkdir(mode=0o755)
    with Alone(node) as alone:
        pid = alone.engine.child.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        until(lambda: alone.engine.child.starts == 2, SECONDS)
        raws = filled(alone, 3)
        hand_in(alone, raws)
        assert set(all_decided(alone, raws)) == {"accepted"}
        assert stat.S_IMODE((node / "rpc.sock").stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE((node / "engine").stat().st_mode) == 0o700
        assert stat.S_IMODE((node / "engine" / "cometbft.log").stat().st_mode) == 0o600
        assert listening(alone.engine.child.pid) == {split_address(alone.settings.p2p)[1]}


def listening(pid: int | None) -> set[int]:
    """TCP ports at which a process listens (Linux: /proc/net/tcp, state 0A)."""
    holds = {
        str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()
    }
    rows = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    return {
        int(row[1].rpartition(":")[2], 16)
        for row in rows
        if row[3] == "0A" and f"socket:[{row[9]}]" in holds
    }


def test_a_port_that_is_taken_is_told_at_the_start(tmp_path: Path) -> None:
    ports = [f"127.0.0.1:{port}" for port in free_ports(3)]
    with socket.create_server(("127.0.0.1", split_address(ports[2])[1])):
        for name in ("p2p", "rpc", "metrics"):
            free = {"p2p": ports[0], "rpc": ports[1]} | {name: ports[2]}
            alone = Alone(tmp_path / name, settings=settings_for(**free))
            try:
                with pytest.raises(PortTaken, match=ports[2]):
                    alone.start(wait=False)
            finally:
                alone.stop()
            assert alone.engine.child.starts == 0


def test_another_engine_at_the_address_is_not_taken_for_ours(tmp_path: Path) -> None:
    """Ours never listens, and another node's CometBFT comes to have its port."""
    rpc = f"127.0.0.1:{free_ports(1)[0]}"
    mute = tmp_path / "mute.sh"
    asked = f'[ "$1" = start ] || exec {install()} "$@"'
    mute.write_text(f"#!/bin/sh\n{asked}\nexec sleep 600\n")
    mute.chmod(0o755)
    ours = Alone(tmp_path / "ours", settings=settings_for(rpc=rpc, binary=str(mute)))
    ours.start(wait=False)
    try:
        until(lambda: ours.engine.child.pid is not None, SECONDS)
        assert ours.engine.watcher.engine_trouble() == "the engine is starting"
        with Alone(tmp_path / "another", settings=settings_for(rpc=rpc)):
            told = f"another CometBFT answers at {rpc}"
            until(lambda: ours.engine.standing().trouble == told, SECONDS)
            assert not ours.engine.watcher.is_up
        until(lambda: ours.engine.watcher.engine_trouble() == "the engine is starting", SECONDS)
    finally:
        ours.stop()


def test_each_transaction_may_travel_alone(tmp_path: Path) -> None:
    settings = settings_for(bundle=1, timeout_commit_ms=100)
    with Alone(tmp_path / "node", settings=settings) as alone:
        raws = filled(alone, 600)
        hand_in(alone, raws)
        assert set(all_decided(alone, raws)) == {"accepted"}
        assert purse(alone) == 600


def test_a_node_told_to_halt_at_a_height_stops_there(tmp_path: Path) -> None:
    settings = settings_for(halt_height=6)
    with Alone(tmp_path / "node", settings=settings) as alone:
        while not alone.ended:
            alone.gateway.offer(filled(alone, 1))
            threading.Event().wait(0.05)
        assert isinstance(alone.ended[0], ReachedHeight)
        assert alone.engine.standing().height == 6
    refused = alone.again()
    try:
        with pytest.raises(ReachedHeight):
            refused.start(wait=False)
    finally:
        refused.stop()
    kept = len(refused.engine.kept())
    with alone.again(settings=settings_for()) as later:
        until(lambda: not later.engine.kept(), SECONDS)
        assert later.engine.standing().height > 6
        assert kept == 0 or purse(later) >= kept


def test_a_node_whose_engine_cannot_start_says_why_and_takes_transactions(tmp_path: Path) -> None:
    """An address that is not this machine's (RFC 5737): CometBFT ends again and again."""
    alone = Alone(tmp_path / "node", settings=settings_for(p2p="192.0.2.1:26656"))
    try:
        alone.start(wait=False)
        raws = filled(alone, 3)
        batch = alone.gateway.offer(raws)
        assert {each.outcome for each in batch.replies()} == {Outcome.KEPT}
        said = re.compile("exit code.*cannot assign requested address")  # last words come last
        until(lambda: said.search(alone.engine.standing().trouble), SECONDS)
    finally:
        alone.stop()
    with alone.again(settings=settings_for()) as later:
        assert set(all_decided(later, raws)) == {"accepted"}
