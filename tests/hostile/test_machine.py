"""What a machine may do to a node: disk, log, folder, keys, ports, clocks and Ctrl-C."""

import json
import os
import resource
import shutil
import socket
from pathlib import Path

import pytest

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.cash.messages import Mint
from tallystick.audit import AuditReport, audit
from tallystick.engine.clock import AHEAD_MS_MAX, MachineClock, wall_ms
from tallystick.errors import (
    Damage,
    DataFolderInUse,
    DiskFull,
    Halted,
    PortTaken,
    WrongPassphrase,
)
from tallystick.gateway.reply import Outcome
from tallystick.ledger.refusals import Refusal
from tallystick.node import Node
from tallystick.settings import Listen, Settings
from tests.hostile.machine import interrupted, made, running, tally
from tests.hostile.net import CNY, Net

WHO = "CB.maker+checker"
MINTED = Mint(to="S1", money=CNY, amount_minor=100)
BLOCKS = 4


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a few blocks; tests work on copies of it."""
    folder = made(tmp_path_factory.mktemp("machine") / "data")
    with Node.open(folder) as node:
        net = Net(node)
        for _ in range(BLOCKS):
            net.accepts(WHO, MINTED)
        net.client.close()
    return folder


@pytest.fixture
def folder(played: Path, tmp_path: Path) -> Path:
    """A copy of the data folder."""
    copy = tmp_path / "data"
    shutil.copytree(played, copy)
    return copy


def audited(folder: Path) -> AuditReport:
    """What an audit finds."""
    return audit(folder, APPS, AUTHORITY)


def height_of(folder: Path) -> int:
    """Blocks of a sound data folder."""
    report = audited(folder)
    assert report.ok, report.problems
    return report.height


def lives(folder: Path) -> int:
    """A node comes up over the folder and takes a good transaction; the height it came up at."""
    with Node.open(folder) as node:
        net = Net(node)
        height = net.standing()[0]
        net.lives()
        net.client.close()
    return height


def log_of(folder: Path) -> Path:
    """The file of the block log."""
    return folder / "blocks" / "00000001.log"


def test_disk_full(folder: Path) -> None:
    """Nothing is committed, senders are told to come back, and with space again it goes on.

    Full once more, Ctrl-C ends it, and what it had is whole.
    """
    with running(folder) as (process, net):
        before = net.standing()
        had = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        full = (log_of(folder).stat().st_size + 100, had[1])
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, full)
        raw = net.signed((WHO, MINTED))
        assert net.client.offer([raw], wait_seconds=1)[0].outcome is Outcome.RECEIVED
        assert str(DiskFull(str(folder))).split(" of ")[0] in net.client.status().trouble
        later = net.client.offer([net.signed((WHO, MINTED))])[0]
        assert (later.outcome, later.code, later.retry) == (
            Outcome.REJECTED,
            Refusal.BUSY.number,
            True,
        )
        assert net.standing() == before
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, had)
        assert net.client.submit(raw).height == before[0] + 1
        net.lives()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, had[1]))
        net.client.offer([net.signed((WHO, MINTED))], wait_seconds=1)
        code, said = interrupted(process)
        assert "no space left" in said
        assert "Traceback" not in said
        assert code in {0, DiskFull.exit_code}
    assert lives(folder) == before[0] + 2


def test_log_cut_in_the_last_block(folder: Path) -> None:
    """A committed block that is gone is damage: the audit says so, and no node runs on it."""
    log = log_of(folder)
    log.write_bytes(log.read_bytes()[:-10])
    last = BLOCKS + 1
    report = audited(folder)
    assert not report.ok
    assert any(f"block {last}" in problem for problem in report.problems)
    with pytest.raises(Damage, match=f"block {last} ") as stopped:
        Node.open(folder)
    assert stopped.value.exit_code == 21


@pytest.mark.parametrize("part", (0.02, 0.3, 0.6, 0.98))
def test_log_byte_flipped(folder: Path, part: float) -> None:
    """The audit names the block; no node runs on it."""
    log = log_of(folder)
    stored = bytearray(log.read_bytes())
    stored[int(len(stored) * part)] ^= 0x20
    log.write_bytes(bytes(stored))
    report = audited(folder)
    assert not report.ok
    with pytest.raises(Damage) as stopped:
        Node.open(folder)
    assert any(f"block {stopped.value.height}" in problem for problem in report.problems)


def test_log_gone(folder: Path) -> None:
    """State without its log is not believed."""
    shutil.rmtree(folder / "blocks")
    assert not audited(folder).ok
    with pytest.raises(Halted, match="ahead of the log"):
        Node.open(folder)


def test_two_nodes_on_one_data_folder(folder: Path) -> None:
    """The second one, and an audit, are refused; the first one does not notice."""
    with Node.open(folder) as node:
        net = Net(node)
        for words in (("node", folder), ("audit", folder)):
            done = tally(*words)
            assert done.returncode == DataFolderInUse.exit_code
            assert f"in use by process {os.getpid()}" in done.stderr
        net.lives()
        net.client.close()


def test_wrong_passphrase(folder: Path) -> None:
    """As a terminal shows it: one line, an exit code of its own; nothing is spoilt."""
    kept = (folder / "passphrase").read_text()
    (folder / "passphrase").write_text("open sesame\n")
    done = tally("node", folder)
    assert done.returncode == WrongPassphrase.exit_code
    assert done.stderr == f"tally: the passphrase does not open {folder / 'node.key'}\n"
    (folder / "passphrase").write_text(kept)
    lives(folder)


def listening(address: str) -> Settings:
    """Settings of a node that listens at a TCP address too."""
    return Settings(listen=Listen(address=address))


def test_port_taken(folder: Path) -> None:
    """Somebody listens there: said, with its address, and the folder is free again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with (
            pytest.raises(PortTaken, match=address) as stopped,
            Node.open(folder, settings=listening(address)),
        ):
            pass
    assert stopped.value.exit_code == 31
    lives(folder)


def test_clock_that_jumps_while_the_node_runs(folder: Path) -> None:
    """A jump of years is not followed, but told; the chain's time goes on as before."""
    ahead = [0]
    clock = MachineClock(wall=lambda: wall_ms() + ahead[0])
    with Node.open(folder, clock=clock) as node:
        net = Net(node)
        before = net.now_ms
        ahead[0] = 10 * AHEAD_MS_MAX
        net.lives()
        assert net.now_ms < before + 60_000
        assert "jumped ahead" in clock.trouble
        net.client.close()


def test_ctrl_c_under_load(folder: Path) -> None:
    """While transactions pour in: who was answered finds the answer kept, once."""
    with running(folder) as (process, net):
        raws = [net.signed((WHO, MINTED)) for _ in range(200)]
        replies = net.client.offer(raws[:20], wait_seconds=5) + net.client.offer(raws[20:])
        assert {reply.outcome for reply in replies} <= {Outcome.RECEIVED, Outcome.ACCEPTED}
        code, said = interrupted(process)
        assert code == 0, said
        told = [json.loads(line) for line in said.splitlines()]
        assert [line["event"] for line in told] == ["the node answers", "the node has stopped"]
    with Node.open(folder) as node:
        net = Net(node)
        again = list(net.client.submit_many(raws))
        assert {reply.outcome for reply in again} == {Outcome.ACCEPTED}
        pairs = [(a, r) for a, r in zip(again, replies, strict=True) if r.height is not None]
        assert len(pairs) >= 20
        assert all(now == then for now, then in pairs)
        [has] = net.client.query("cash", "balances", party="S1")
        assert has["available_minor"] == str(100 * (BLOCKS + len(raws)))
        net.client.close()
    height_of(folder)


def test_ctrl_c_during_an_audit(folder: Path) -> None:
    """An audit can be stopped like anything else: exit code 130, and the folder is free."""

    def stop(done: int, blocks: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(folder, APPS, AUTHORITY, progress=stop)
    lives(folder)
