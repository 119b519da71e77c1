"""A life of a node: making its folder, starting, stopping, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tallystick.audit import audit
from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.engine.cometbft.engine import OUTBOX
from tallystick.engine.cometbft.home import ABCI_SOCKET, HOME
from tallystick.engine.folder import BLOCKS, GENESIS, LIGHT, SNAPSHOTS, STATE, read_genesis
from tallystick.errors import (
    ClockWrong,
    Damage,
    DataFolderInUse,
    GenesisMismatch,
    Halted,
    NodeError,
    PortTaken,
    ReleaseTooOld,
    SettingsError,
    WrongPassphrase,
)
from tallystick.gateway.reply import Outcome
from tallystick.ledger.app import Message
from tallystick.node import Beginning, Node, init, read_passphrase, shipped
from tallystick.settings import Listen, Settings, load, split_address
from tests.till import APP
from tests.till.messages import Activate, Break, Pay
from tests.till.people import PEOPLE
from tests.till.process import make
from tests.till.running import keys_of, running

YEAR_MS = 366 * 86_400_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "data"
    make(made)
    return made


def opened(folder: Path, **options: object) -> Node:
    return Node.open(folder, apps=[APP], authority=PEOPLE, **options)  # type: ignore[arg-type]


# --- making the folder


def test_init_makes_what_a_node_needs_for_its_owner_alone(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert {"genesis.json", "node.key", "passphrase", "tls", "keys"} <= names
    for name in ("genesis.json", "node.key", "passphrase"):
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    genesis = read_genesis(folder, [APP])
    assert genesis.node_key == KeyStore(folder, "").public_key("node")
    assert len(genesis.records) == 3


def test_init_never_replaces_a_chain_that_is_no_demonstration(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    init(folder, Beginning(name="real"), apps=[APP])
    before = (folder / GENESIS).read_bytes()
    for replace_demo in (False, True):
        with pytest.raises(NodeError, match="holds a chain already"):
            init(folder, Beginning(name="real"), apps=[APP], replace_demo=replace_demo)
    assert (folder / GENESIS).read_bytes() == before


def test_init_replaces_a_demonstration_when_asked(folder: Path) -> None:
    with running(folder) as till:
        till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
        old = till.client.chain_id()
    with pytest.raises(NodeError, match="holds a chain already"):
        init(folder, Beginning(name="till", demo=True), apps=[APP])
    init(folder, Beginning(name="till", demo=True), apps=[APP], replace_demo=True)
    assert not (folder / BLOCKS).exists()
    with running(folder) as till:
        assert till.client.chain_id() != old
        assert till.client.status().height == 1


def test_init_leaves_blocks_without_a_genesis_alone(folder: Path) -> None:
    with running(folder):
        pass
    (folder / GENESIS).unlink()
    with pytest.raises(NodeError, match="holds blocks or an engine, but no genesis"):
        init(folder, Beginning(name="till"), apps=[APP])


def make_consortiums(folder: Path) -> None:
    """What a node of a consortium has besides."""
    for name in (HOME, OUTBOX, SNAPSHOTS, LIGHT):
        (folder / name).mkdir()
        (folder / name / "kept").touch()
    (folder / ABCI_SOCKET).touch()


def test_a_demonstration_that_is_replaced_is_wholly_gone(tmp_path: Path) -> None:
    """What its engine kept would be another chain's to the new one."""
    folder = tmp_path / "data"
    init(folder, Beginning(name="till", demo=True), apps=[APP])
    new = {path.name for path in folder.iterdir()}
    make_consortiums(folder)
    init(folder, Beginning(name="till", demo=True), apps=[APP], replace_demo=True)
    assert {path.name for path in folder.iterdir()} == new


@pytest.mark.parametrize("name", (HOME, OUTBOX))
def test_init_leaves_an_engine_without_a_genesis_alone(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "data"
    (folder / name).mkdir(parents=True)
    with pytest.raises(NodeError, match="holds blocks or an engine, but no genesis"):
        init(folder, Beginning(name="till", demo=True), apps=[APP], replace_demo=True)
    assert (folder / name).is_dir()


def test_init_never_touches_the_engine_of_a_chain_that_is_no_demonstration(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    init(folder, Beginning(name="real"), apps=[APP])
    make_consortiums(folder)
    before = sorted(folder.rglob("*"))
    with pytest.raises(NodeError, match="holds a chain already"):
        init(folder, Beginning(name="real"), apps=[APP], replace_demo=True)
    assert sorted(folder.rglob("*")) == before


def test_init_in_a_folder_in_use_is_refused(folder: Path) -> None:
    with running(folder), pytest.raises(DataFolderInUse):
        init(folder, Beginning(name="till", demo=True), apps=[APP], replace_demo=True)


def test_the_applications_of_the_release_are_the_default(tmp_path: Path) -> None:
    apps, authority = shipped()
    made = init(tmp_path / "data", Beginning(name="empty", demo=True))
    assert {each.app for each in made.genesis.apps} == {app.name for app in apps}
    with Node.open(tmp_path / "data") as node:
        client = Client(node.address)
        assert client.status().chain_id == made.genesis.chain_id
        assert len(client.catalogue()["apps"]) == len(apps)
        assert node.ledger.authority is authority
        client.close()


# --- starting and stopping


def test_a_restarted_node_goes_on_where_it_was(folder: Path) -> None:
    with running(folder) as till:
        reply = till.client.send(("A.clerk", Pay(to="B", amount_minor=7)))
        before = till.client.status()
    with running(folder) as till:
        after = till.client.status()
        assert (after.height, after.state_root) == (before.height, before.state_root)
        assert till.client.ask(reply.transaction_id or b"") == reply
        purse = till.client.record("till", "purse", "B")
        assert purse is not None
        assert purse["amount_minor"] == "10000000007"


def test_a_node_that_is_not_started_can_be_stopped(folder: Path) -> None:
    node = opened(folder)
    node.stop()
    with opened(folder):
        pass


def test_a_client_is_answered_through_a_restart(folder: Path) -> None:
    process = started(folder)
    client = Client(f"unix:{folder / 'api.sock'}", keys=keys_of(folder))
    assert client.send(("A.clerk", Pay(to="B", amount_minor=1))).outcome is Outcome.ACCEPTED
    raw = client.sign(("A.clerk", Pay(to="B", amount_minor=2)))
    process.kill()
    process.communicate()
    again = started(folder)
    assert client.submit(raw).outcome is Outcome.ACCEPTED
    client.close()
    ended(again)


def started(folder: Path, action: str = "run") -> subprocess.Popen[str]:
    """The node as a process, once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.till.process", action, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def ended(process: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str]:
    """Exit code and what was said, after a signal."""
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_a_signal_stops_it_in_order(folder: Path, number: int) -> None:
    process = started(folder)
    assert (folder / "api.sock").is_socket()
    assert ended(process, number) == (0, "")
    assert not (folder / "api.sock").exists()
    node = opened(folder)
    assert node.engine.standing().height == 1
    node.stop()


def test_ctrl_c_while_it_starts_leaves_the_folder_whole(folder: Path) -> None:
    for delay in (0.2, 0.5, 0.8, 1.1):
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.till.process", "run", str(folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
    opened(folder).stop()


def test_a_full_disk_is_said_and_nothing_is_lost(folder: Path) -> None:
    process = started(folder, "run-small")
    client = Client(f"unix:{folder / 'api.sock'}", keys=keys_of(folder), patience_seconds=1)
    raws = [client.sign(("A.clerk", Pay(to="B", amount_minor=1))) for _ in range(600)]
    accepted = 0
    for place in range(0, len(raws), 50):
        replies = client.offer(raws[place : place + 50], wait_seconds=2)
        accepted += sum(reply.outcome is Outcome.ACCEPTED for reply in replies)
    assert 0 < accepted < len(raws)
    assert "no space left" in client.status().trouble
    purse = client.record("till", "purse", "B")
    assert purse is not None
    assert purse["amount_minor"] == str(10**10 + accepted), "it still reads"
    code, said = ended(process)
    assert code == 0
    assert "no space left" in said
    with running(folder) as till:
        replies = list(till.client.submit_many(raws))
        assert {reply.outcome for reply in replies} == {Outcome.ACCEPTED}
        purse = till.client.record("till", "purse", "B")
        assert purse is not None
        assert purse["amount_minor"] == str(10**10 + len(raws)), "each of them once"
    client.close()
    assert audit(folder, [APP], PEOPLE).ok


def test_two_nodes_on_one_folder_are_refused(folder: Path) -> None:
    with running(folder) as till:
        with pytest.raises(DataFolderInUse, match="in use by process"):
            opened(folder)
        assert till.client.status().height == 1


def test_a_socket_that_somebody_answers_is_taken_and_a_dead_one_is_replaced(
    folder: Path, tmp_path: Path
) -> None:
    make(tmp_path / "other")
    with running(folder) as till:
        settings = Settings(listen=Listen(socket=str(till.node.socket_path)))
        with pytest.raises(PortTaken, match="is taken"):
            opened(tmp_path / "other", settings=settings).run()
    process = started(folder)
    process.kill()
    process.communicate()
    assert (folder / "api.sock").is_socket()
    with running(folder) as till:
        assert till.client.status().height == 1


def test_a_socket_path_that_is_too_long_is_said(folder: Path) -> None:
    settings = Settings(listen=Listen(socket="x" * 120))
    with pytest.raises(SettingsError, match="too long"):
        opened(folder, settings=settings).run()


def test_a_body_that_is_not_there_is_said(folder: Path) -> None:
    with pytest.raises(SettingsError, match="setting accel: no body called 'abacus' is installed"):
        opened(folder, settings=Settings(accel="abacus"))


def test_the_body_that_runs_is_said(folder: Path) -> None:
    with opened(folder, settings=Settings(accel="python")) as node:
        assert node.body == "python"
    with opened(folder) as node:
        assert node.body in {"python", "native"}


def test_a_node_needs_somewhere_to_listen(folder: Path) -> None:
    with pytest.raises(NodeError, match="no address"):
        opened(folder, settings=Settings(listen=Listen(socket=""))).run()


# --- what it refuses to start on


def test_no_folder_no_chain(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="tally init"):
        opened(tmp_path / "nowhere")


def test_a_wrong_or_missing_passphrase(folder: Path) -> None:
    (folder / "passphrase").write_text("wrong\n")
    with pytest.raises(WrongPassphrase) as caught:
        opened(folder)
    assert caught.value.exit_code == 51
    (folder / "passphrase").unlink()
    with pytest.raises(NodeError, match="cannot be read"):
        opened(folder)


def test_another_nodes_key(folder: Path) -> None:
    (folder / "node.key").unlink()
    KeyStore(folder, read_passphrase(folder, Settings())).create("node")
    with pytest.raises(GenesisMismatch):
        opened(folder)


def test_a_damaged_log_names_the_block(folder: Path) -> None:
    with running(folder) as till:
        for amount in range(1, 4):
            till.client.send(("A.clerk", Pay(to="B", amount_minor=amount)))
    path = folder / BLOCKS / "00000001.log"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    shutil.rmtree(folder / STATE)
    with pytest.raises(Damage, match=r"block \d is damaged") as caught:
        opened(folder)
    assert caught.value.exit_code == 21
    assert path.read_bytes() == raw, "nothing was cut"


def test_a_torn_end_is_cut_and_said(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    with running(folder) as till:
        till.client.send(("A.clerk", Pay(to="B", amount_minor=1)))
        height = till.client.status().height
    with (folder / BLOCKS / "00000001.log").open("ab") as log:
        log.write(b"tallyb\x00\x01 torn")
    with running(folder) as till:
        assert till.client.status().height == height
    assert "cut 13 bytes" in caplog.text


def test_a_clock_years_ahead_is_refused_and_may_be_vouched_for(folder: Path) -> None:
    now = time.time_ns() // 1_000_000
    with pytest.raises(ClockWrong) as caught:
        opened(folder, clock=lambda: now + 2 * YEAR_MS)
    assert caught.value.exit_code == 34
    vouched = Settings(clock_is_right=True)
    with running(folder, vouched, clock=lambda: now + 2 * YEAR_MS) as till:
        assert till.client.status().block_ms == now + 2 * YEAR_MS
    with running(folder) as till:
        assert "stands still" in till.client.status().clock_trouble
        assert till.client.send(("A.clerk", Pay(to="B", amount_minor=1))).height == 2


def until_it_ends(folder: Path, *messages: Message) -> None:
    """Send messages to a node until it answers no more."""
    with running(folder) as till:
        for message in messages:
            till.client.send(("A.clerk", message))


def test_rules_that_this_release_lacks_stop_it(folder: Path) -> None:
    with pytest.raises(ReleaseTooOld, match="version 3") as caught:
        until_it_ends(folder, Activate(version=3, from_height=3), Pay(to="B", amount_minor=1))
    assert caught.value.exit_code == 32


def test_a_dead_engine_stops_the_node_which_says_why(folder: Path) -> None:
    with pytest.raises(Halted, match="MemoryError") as caught:
        until_it_ends(folder, Break(how="memory"))
    assert caught.value.exit_code == 33
    with running(folder) as till:
        assert till.client.status().height == 1


def test_the_process_ends_with_the_errors_code(folder: Path) -> None:
    with running(folder):
        done = subprocess.run(
            [sys.executable, "-m", "tests.till.process", "run", str(folder)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 23
    assert "in use by process" in done.stderr


# --- settings


def test_settings_come_from_the_file_and_the_environment(tmp_path: Path) -> None:
    assert load(tmp_path, {}) == Settings()
    (tmp_path / "node.toml").write_text('accel = "python"\n[listen]\naddress = "[::1]:7443"\n')
    assert load(tmp_path, {}).listen.address == "[::1]:7443"
    changed = load(tmp_path, {"TALLY_LISTEN": "", "TALLY_SOCKET": "x.sock"})
    assert changed.listen == Listen(socket="x.sock", address="")


@pytest.mark.parametrize(
    "text", ("colour = 1", "[limits]\nqueue = 0", "accel = 3", "= broken", "\xff")
)
def test_a_setting_that_means_nothing_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.toml").write_text(text, encoding="latin-1")
    with pytest.raises(SettingsError, match=r"node\.toml"):
        load(tmp_path, {})


@pytest.mark.parametrize("address", ("", "7443", "host:", "host:port", ":1", "host:70000", "h:²"))
def test_an_address_is_host_and_port(address: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        split_address(address)


def test_addresses_are_split() -> None:
    assert split_address("[::1]:7443") == ("::1", 7443)
    assert split_address("127.0.0.1:0") == ("127.0.0.1", 0)


def test_the_environment_of_the_process_is_used(folder: Path) -> None:
    before = os.environ.get("TALLY_SOCKET")
    os.environ["TALLY_SOCKET"] = "other.sock"
    try:
        node = opened(folder)
        assert node.address.endswith("other.sock")
        node.stop()
    finally:
        os.environ.pop("TALLY_SOCKET")
        if before is not None:
            os.environ["TALLY_SOCKET"] = before
