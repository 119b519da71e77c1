"""The doctor: one story for each check, made of what it would see."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tallystick.api import tls
from tallystick.cli.main import run
from tallystick.engine.cometbft.install import VERSION
from tallystick.engine.folder import forget_halt, note_halt
from tallystick.errors import Halted
from tallystick.gateway.standing import NodeStatus
from tallystick.operations.backup.folder import STAGE
from tallystick.operations.doctor import files, machine, network
from tallystick.operations.doctor.examine import CHECKS, examine, is_well
from tallystick.operations.doctor.finding import Finding, Level
from tallystick.operations.doctor.patient import Ordering, Patient, Running, ask_engine, look_at
from tallystick.settings import EngineSettings, Listen, Settings
from tests.till.messages import Break
from tests.till.running import running

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
IDS = tuple(f"{number:040x}" for number in range(1, 5))
OURS, THEIRS = "AA" * 20, ("BB" * 20, "CC" * 20, "DD" * 20)


def status(**changes: Any) -> NodeStatus:
    """What a node says that is well."""
    usual = NodeStatus(
        chain_id="till-1",
        genesis_hash=bytes(32),
        release="0.1.0",
        height=100,
        block_ms=NOW_MS - 1_000,
        ledger_ms=NOW_MS,
        committed_ms=NOW_MS,
        horizon_ms=DAY_MS,
        state_root=bytes(32),
        queued=0,
    )
    return msgspec.structs.replace(usual, **changes)


def at(ms: int) -> str:
    """A time as CometBFT writes it."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def vote(address: str, ms: int = NOW_MS, flag: int = 2) -> dict[str, Any]:
    """One validator's place in a commit; an absent one is nameless."""
    return {
        "validator_address": address if flag != 1 else "",
        "timestamp": at(ms),
        "block_id_flag": flag,
    }


def commits(mine: dict[str, Any], count: int = 100) -> tuple[dict[str, Any], ...]:
    """Blocks that the three others voted for, and we perhaps."""
    votes = [mine, *(vote(address) for address in THEIRS)]
    one = {"signed_header": {"commit": {"signatures": votes}}}
    return tuple(one for _ in range(count))


def ordering(**changes: Any) -> Ordering:
    """What an engine says that is well: a validator among four, three peers."""
    said = {
        "height": 100,
        "catching_up": False,
        "address": OURS,
        "validators": (OURS, *THEIRS),
        "peers": IDS[:3],
        "versions": (VERSION, VERSION, VERSION),
        "commits": commits(vote(OURS)),
        **changes,
    }
    return Ordering(
        status={
            "node_info": {"version": VERSION},
            "sync_info": {
                "latest_block_height": str(said["height"]),
                "catching_up": said["catching_up"],
            },
            "validator_info": {"address": said["address"]},
        },
        net_info={
            "peers": [
                {"node_info": {"id": name, "moniker": f"n{name[-1]}", "version": version}}
                for name, version in zip(said["peers"], said["versions"], strict=False)
            ]
        },
        validators=tuple({"address": address} for address in said["validators"]),
        commits=said["commits"],
    )


def consortium(folder: Path, **changes: Any) -> Patient:
    """A validator that is well."""
    peers = tuple(f"{name}@127.0.0.1:26656" for name in IDS[:3])
    engine = EngineSettings(kind="cometbft", peers=peers)
    usual: dict[str, Any] = {
        "folder": folder,
        "settings": Settings(engine=engine),
        "holder": os.getpid(),
        "running": Running(status(), validators=({}, {}, {}, {})),
        "ordering": ordering(),
        "wall_ms": lambda: NOW_MS,
    }
    return Patient(**{**usual, **changes})


def level(found: Finding | None) -> Level:
    assert found is not None
    assert found.level is Level.OK or found.todo, "a bad finding says what to do"
    return found.level


def with_engine(folder: Path, **changes: Any) -> Patient:
    """A validator whose engine says something else."""
    return consortium(folder, ordering=ordering(**changes))


def with_settings(folder: Path, **changes: Any) -> Patient:
    """A validator whose engine is set up otherwise."""
    return consortium(folder, settings=Settings(engine=EngineSettings(kind="cometbft", **changes)))


def test_a_folder_without_a_chain_is_one_finding(tmp_path: Path) -> None:
    found = examine(look_at(tmp_path, {}))
    assert list(found) == ["folder"]
    assert not is_well(found)


def test_a_running_node_is_well(tmp_path: Path) -> None:
    with running(tmp_path / "data") as till:
        found = examine(look_at(till.folder, {"till": 1}))
    assert is_well(found), found
    assert found["node"].said.endswith("at block 1")
    assert {"rules", "trouble", "clock, blocks", "certificates"} <= set(found)


def test_a_stopped_node_is_looked_at_too(tmp_path: Path) -> None:
    with running(tmp_path / "data"):
        pass
    found = examine(look_at(tmp_path / "data", {}))
    assert is_well(found)
    assert found["node"].level is Level.WARN
    assert "rules" not in found


def test_a_validator_that_is_well_passes_every_check(tmp_path: Path) -> None:
    patient = consortium(tmp_path)
    checked = [check(patient) for name, check in CHECKS.items() if name in NETWORK]
    assert [each.level for each in checked if each is not None] == [Level.OK] * len(NETWORK)


NETWORK = (
    *("clock, blocks", "clock, votes", "node", "trouble", "rules", "engine runs", "releases"),
    *("peers", "allow-list", "signing", "heights", "pruning"),
)


def test_the_command_tells_and_ends_with_1_when_something_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    assert run(["init", str(data)]) == 0
    assert run(["doctor", str(data)]) == 0
    assert "all is well" in capsys.readouterr().out
    (data / "node.key").chmod(0o644)
    assert run(["doctor", "--data", str(data), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert not told["ok"]
    bad = [each for each in told["checks"] if each["level"] == "fail"]
    assert [each["name"] for each in bad] == ["keys"]
    assert "chmod 600" in bad[0]["todo"]
    assert run(["doctor", str(data)]) == 1
    assert "NOT OK: keys" in capsys.readouterr().out


# --- files


def test_a_setting_that_means_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text('[engine]\nrpc = "0.0.0.0:26657"\n')
    patient = look_at(tmp_path, {})
    assert level(files.settings_are_readable(patient)) is Level.FAIL
    assert "loopback" in patient.settings_trouble


def test_probes_beyond_this_machine_are_a_warning(tmp_path: Path) -> None:
    far = Settings(listen=Listen(probes="10.0.0.1:7480"))
    near = Settings(listen=Listen(probes="127.0.0.1:7480"))
    assert level(files.doors_are_closed(Patient(tmp_path, far))) is Level.WARN
    assert level(files.doors_are_closed(Patient(tmp_path, near))) is Level.OK


def test_an_engine_that_every_user_may_ask_is_named(tmp_path: Path) -> None:
    assert level(files.doors_are_closed(consortium(tmp_path))) is Level.OK
    engine = EngineSettings(kind="cometbft", rpc="127.0.0.1:26657")
    found = files.doors_are_closed(consortium(tmp_path, settings=Settings(engine=engine)))
    assert level(found) is Level.WARN
    assert found is not None
    assert "every user of this machine reads all at 127.0.0.1:26657" in found.said


@pytest.mark.parametrize(
    "name",
    (
        *("passphrase", "node.key", "keys/A.clerk.key", "tls/node.key"),
        "engine/config/priv_validator_key.json",
        "engine/config/node_key.json",
        "engine/data/priv_validator_state.json",
    ),
)
def test_a_key_that_others_may_read_fails(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    assert level(files.keys_are_private(Patient(tmp_path))) is Level.OK
    path.chmod(0o640)
    found = files.keys_are_private(Patient(tmp_path))
    assert level(found) is Level.FAIL
    assert found is not None
    assert name in found.said


@pytest.mark.parametrize(
    ("days", "expected"), ((31, Level.OK), (29, Level.WARN), (6, Level.FAIL), (-1, Level.FAIL))
)
def test_certificates_are_warned_of_in_time(tmp_path: Path, days: int, expected: Level) -> None:
    tls.make(tmp_path / "tls", datetime.fromtimestamp(NOW_MS / 1000, UTC), ["localhost"])
    then_ms = NOW_MS + (tls.DAYS - days) * DAY_MS
    patient = Patient(tmp_path, wall_ms=lambda: then_ms)
    assert level(files.certificates(patient)) is expected


def test_a_folder_without_certificates_has_none_to_end(tmp_path: Path) -> None:
    assert files.certificates(Patient(tmp_path)) is None


def test_a_socket_must_be_there_while_the_node_runs_and_be_short(tmp_path: Path) -> None:
    assert level(files.sockets(Patient(tmp_path))) is Level.OK
    assert level(files.sockets(Patient(tmp_path, holder=17))) is Level.FAIL
    assert level(files.sockets(Patient(tmp_path / ("x" * 100)))) is Level.FAIL
    none = Settings(listen=Listen(socket=""))
    assert level(files.sockets(Patient(tmp_path, none))) is Level.WARN


def test_what_a_cut_off_work_left_is_told(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    assert level(files.nothing_is_unfinished(Patient(data))) is Level.OK
    (tmp_path / "data.part").mkdir()
    assert level(files.nothing_is_unfinished(Patient(data))) is Level.WARN
    (tmp_path / "data.part").rmdir()
    (data / STAGE).mkdir()
    assert level(files.nothing_is_unfinished(Patient(data))) is Level.WARN


def test_why_a_node_halted_is_told_until_it_goes_on(tmp_path: Path) -> None:
    assert level(files.why_it_halted(Patient(tmp_path))) is Level.OK
    note_halt(tmp_path, 16, "halted at block 17: the root is another")
    found = files.why_it_halted(Patient(tmp_path))
    assert level(found) is Level.FAIL
    assert found is not None
    assert "the root is another" in found.said
    forget_halt(tmp_path)
    assert level(files.why_it_halted(Patient(tmp_path))) is Level.OK


def test_a_node_that_halts_leaves_word_and_takes_it_back_when_it_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(Halted), running(data) as till:
        till.client.send(("A.clerk", Break(how="memory")))
    assert level(files.why_it_halted(Patient(data))) is Level.FAIL
    with running(data):
        pass
    assert level(files.why_it_halted(Patient(data))) is Level.OK


@pytest.mark.parametrize(
    ("retain", "every", "expected"),
    ((0, 0, Level.OK), (5_000, 1_000, Level.OK), (1_500, 1_000, Level.WARN), (5, 0, Level.FAIL)),
)
def test_pruning_needs_snapshots(tmp_path: Path, retain: int, every: int, expected: Level) -> None:
    patient = with_settings(tmp_path, retain_blocks=retain, snapshot_every=every)
    assert level(files.what_is_kept(patient)) is expected


@pytest.mark.parametrize(("told", "expected"), ((True, Level.OK), (False, Level.WARN)))
def test_a_clock_that_nobody_keeps(tmp_path: Path, told: bool, expected: Level) -> None:
    assert level(machine.clock_synchronised(Patient(tmp_path, is_synchronised=told))) is expected
    assert machine.clock_synchronised(Patient(tmp_path)) is None


@pytest.mark.parametrize(
    ("block_ms", "expected"),
    (
        (NOW_MS + 500, Level.OK),
        (NOW_MS + 600_000, Level.FAIL),
        (NOW_MS - 60_000, Level.OK),
        (NOW_MS - 600_000, Level.WARN),
    ),
)
def test_a_clock_that_disagrees_with_the_blocks(
    tmp_path: Path, block_ms: int, expected: Level
) -> None:
    patient = consortium(tmp_path, running=Running(status(block_ms=block_ms)))
    assert level(machine.clock_and_blocks(patient)) is expected


def test_an_idle_node_of_its_own_may_have_an_old_block(tmp_path: Path) -> None:
    old = Running(status(block_ms=NOW_MS - DAY_MS))
    patient = Patient(tmp_path, running=old, wall_ms=lambda: NOW_MS)
    assert level(machine.clock_and_blocks(patient)) is Level.OK
    jumped = Running(status(clock_trouble="this machine's clock jumped ahead by 600 s"))
    assert level(machine.clock_and_blocks(Patient(tmp_path, running=jumped))) is Level.FAIL


@pytest.mark.parametrize(
    ("drift_ms", "expected"),
    ((300, Level.OK), (-300, Level.OK), (5_000, Level.WARN), (600_000, Level.FAIL)),
)
def test_a_clock_that_disagrees_with_the_other_validators(
    tmp_path: Path, drift_ms: int, expected: Level
) -> None:
    patient = with_engine(tmp_path, commits=commits(vote(OURS, NOW_MS + drift_ms)))
    assert level(machine.clock_and_validators(patient)) is expected


def test_votes_that_are_not_there_say_nothing_of_the_clock(tmp_path: Path) -> None:
    patient = with_engine(tmp_path, commits=commits(vote(OURS, flag=1)))
    assert machine.clock_and_validators(patient) is None


@pytest.mark.parametrize(
    ("free", "percent", "expected"),
    (
        (100 * 2**30, 50, Level.OK),
        (100 * 2**30, 5, Level.WARN),
        (5 * 2**30, 50, Level.WARN),
        (2**20, 50, Level.FAIL),
    ),
)
def test_room_on_the_disk(free: int, percent: int, expected: Level) -> None:
    assert level(machine.told_free(free, percent)) is expected


def test_the_disk_is_really_asked(tmp_path: Path) -> None:
    assert level(machine.disk_space(Patient(tmp_path))) in {Level.OK, Level.WARN}
    assert machine.disk_flush(Patient(tmp_path)) is not None
    assert list(tmp_path.iterdir()) == []
    assert level(machine.disk_flush(Patient(tmp_path / "gone"))) is Level.FAIL


@pytest.mark.parametrize(
    ("took_ms", "expected"), ((3.0, Level.OK), (80.0, Level.WARN), (900.0, Level.FAIL))
)
def test_slow_flushes(took_ms: float, expected: Level) -> None:
    assert level(machine.told_flush(took_ms)) is expected


def test_a_low_limit_of_files(tmp_path: Path) -> None:
    assert level(machine.told_files(1_024)) is Level.WARN
    assert level(machine.told_files(65_536)) is Level.OK
    limits = tmp_path / "limits"
    limits.write_text("Limit  Soft  Hard  Units\nMax open files   1024   4096   files\n")
    assert machine.limit_of(limits) == 1_024
    assert machine.limit_of(tmp_path / "none") is None
    assert machine.open_files(Patient(tmp_path, holder=os.getpid())) is not None


# --- node and network


def test_a_node_that_does_not_answer(tmp_path: Path) -> None:
    assert level(network.node_answers(Patient(tmp_path))) is Level.WARN
    assert level(network.node_answers(Patient(tmp_path, holder=17))) is Level.FAIL


def test_trouble_is_told(tmp_path: Path) -> None:
    full = Patient(tmp_path, running=Running(status(trouble="no space left")))
    assert level(network.node_has_no_trouble(full)) is Level.FAIL


def test_rules_to_come_that_the_release_lacks(tmp_path: Path) -> None:
    coming = {"app": "cash", "version": 1, "next_version": 2, "from_height": 500}
    told = Running(status(), activations=(coming, {"app": "till", "version": 1}))
    old = Patient(tmp_path, running=told, versions={"cash": 1})
    found = network.rules_to_come(old)
    assert level(found) is Level.FAIL
    assert found is not None
    assert "cash version 2 from block 500" in found.said
    assert level(network.rules_to_come(Patient(tmp_path, running=told, versions={"cash": 2}))) is (
        Level.OK
    )


def test_an_engine_of_another_version(tmp_path: Path) -> None:
    other = tmp_path / "cometbft"
    other.write_text("#!/bin/sh\necho 0.37.0\n")
    other.chmod(0o755)
    assert level(network.engine_version(with_settings(tmp_path, binary=str(other)))) is Level.FAIL
    gone = with_settings(tmp_path, binary=str(tmp_path / "none"))
    found = network.engine_version(gone)
    assert level(found) is Level.FAIL
    assert found is not None
    assert found.todo == "tally engine install"
    assert network.engine_version(Patient(tmp_path)) is None


def test_an_engine_that_does_not_answer_or_is_behind(tmp_path: Path) -> None:
    silent = consortium(tmp_path, ordering=None)
    assert level(network.engine_answers(silent)) is Level.FAIL
    behind = with_engine(tmp_path, catching_up=True)
    assert level(network.engine_answers(behind)) is Level.WARN
    assert ask_engine("127.0.0.1:1") is None


def test_peers_of_another_release(tmp_path: Path) -> None:
    mixed = with_engine(tmp_path, versions=(VERSION, "0.38.1", VERSION))
    found = network.peer_versions(mixed)
    assert level(found) is Level.WARN
    assert found is not None
    assert "n2 0.38.1" in found.said


@pytest.mark.parametrize(
    ("peers", "expected"), ((IDS[:3], Level.OK), (IDS[:1], Level.WARN), ((), Level.FAIL))
)
def test_peers_that_are_not_connected(
    tmp_path: Path, peers: tuple[str, ...], expected: Level
) -> None:
    patient = with_engine(tmp_path, peers=peers)
    assert level(network.peers_are_connected(patient)) is expected


def test_validators_that_may_not_connect(tmp_path: Path) -> None:
    assert level(network.allow_list(consortium(tmp_path))) is Level.OK
    few = with_settings(tmp_path, allow=IDS[:1])
    assert level(network.allow_list(few)) is Level.WARN


@pytest.mark.parametrize(
    ("missed", "expected"),
    ((0, Level.OK), (5, Level.OK), (6, Level.WARN), (51, Level.FAIL), (100, Level.FAIL)),
)
def test_a_validator_that_does_not_vote(tmp_path: Path, missed: int, expected: Level) -> None:
    votes = commits(vote(OURS, flag=1), missed) + commits(vote(OURS), 100 - missed)
    found = network.validator_signs(with_engine(tmp_path, commits=votes))
    assert level(found) is expected
    assert found is not None
    assert f"missed {missed} of the last 100" in found.said


def test_a_node_that_is_no_validator_need_not_vote(tmp_path: Path) -> None:
    found = network.validator_signs(with_engine(tmp_path, validators=THEIRS))
    assert level(found) is Level.OK


def seen(folder: Path, **figures: float) -> Patient:
    """A validator whose figures say something else."""
    usual = {
        "tally_height": 5_000.0,
        "tally_light_height": 4_990.0,
        "tally_snapshots": 2.0,
        "tally_snapshot_height": 5_000.0,
        "tally_engine_restarts_total": 0.0,
    }
    named = {f"tally_{name}": value for name, value in figures.items()}
    return consortium(folder, running=Running(status(), figures=usual | named))


def test_light_blocks_and_snapshots_are_there_for_others(tmp_path: Path) -> None:
    assert level(network.what_others_need(seen(tmp_path))) is Level.OK
    assert level(network.what_others_need(seen(tmp_path, light_height=4_000))) is Level.WARN
    assert level(network.what_others_need(seen(tmp_path, snapshot_height=1_000))) is Level.WARN
    assert network.what_others_need(consortium(tmp_path)) is None


def test_an_engine_that_ends_again_and_again(tmp_path: Path) -> None:
    assert level(network.engine_is_steady(seen(tmp_path))) is Level.OK
    assert level(network.engine_is_steady(seen(tmp_path, engine_restarts_total=9))) is Level.WARN


def test_a_ledger_ahead_of_its_engine(tmp_path: Path) -> None:
    assert level(network.heights_agree(with_engine(tmp_path, height=99))) is Level.FAIL
    assert level(network.heights_agree(with_engine(tmp_path, height=101))) is Level.OK
