"""`make run` as a user runs it: a process, a node, real files; twice, and on others' invoices."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.demo.test_story import TWINS

pytestmark = pytest.mark.timeout(600)
STARTED_SECONDS = 60


def play(data: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Run the story to its end."""
    command = [sys.executable, "-m", "tallystick.demo", "--data", str(data), *more]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def audit(data: Path) -> dict[str, object]:
    """What `tally audit` says of a folder."""
    command = [sys.executable, "-m", "tallystick.cli", "audit", str(data), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    report: dict[str, object] = json.loads(done.stdout)
    return report | {"exit": done.returncode}


def test_the_story_runs_twice_and_its_data_is_whole(tmp_path: Path) -> None:
    """The second run replaces a demonstration's data; the audit agrees with the story."""
    data = tmp_path / "data"
    for _ in range(2):
        done = play(data)
        assert done.returncode == 0, done.stderr
        assert "all is well" in done.stdout
        assert "documents 15 DFIN" in done.stdout
        report = audit(data)
        assert (report["ok"], report["exit"]) == (True, 0)
        assert f"State root {report['state_root']}" in done.stdout
    assert (data / "passphrase").stat().st_mode & 0o777 == 0o600
    assert any((data / "blocks").iterdir())


def test_others_invoices(tmp_path: Path) -> None:
    """A folder of published invoices plays as far as it goes."""
    done = play(tmp_path / "data", "--invoices", str(TWINS))
    assert done.returncode == 0, done.stderr
    assert "784,516.93" in done.stdout


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Said in a sentence, with an exit code."""
    done = play(tmp_path / "data", "--invoices", str(tmp_path / "nowhere"))
    assert done.returncode not in (0, 1)
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_data_of_a_real_chain_is_left_alone(tmp_path: Path) -> None:
    """A folder whose genesis is no demonstration's is not replaced."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "tallystick.cli", "init", str(data)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    genesis = (data / "genesis.json").read_bytes()
    done = play(data)
    assert done.returncode != 0
    assert "holds a chain already" in done.stderr
    assert (data / "genesis.json").read_bytes() == genesis


def test_ctrl_c_leaves_whole_data(tmp_path: Path) -> None:
    """Interrupted in the middle, the node stops and what it wrote passes an audit."""
    data = tmp_path / "data"
    command = [sys.executable, "-m", "tallystick.demo", "--data", str(data)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as story:
        end = time.monotonic() + STARTED_SECONDS
        while not (data / "blocks" / "tip").exists() and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.3)
        os.kill(story.pid, signal.SIGINT)
        _, errors = story.communicate(timeout=120)
    assert story.returncode == 130, errors
    assert "Traceback" not in errors
    assert audit(data)["ok"] is True


def test_the_three_commands_at_the_end(tmp_path: Path) -> None:
    """They are typed here as they are printed, with this interpreter's `tally`."""
    data = tmp_path / "data"
    told = play(data).stdout.splitlines()
    first = next(n for n, line in enumerate(told) if "Three commands" in line) + 1
    commands = [line.strip().removeprefix(".venv/bin/tally ") for line in told[first : first + 3]]
    tally = [sys.executable, "-m", "tallystick.cli"]
    node, *others = [shlex.split(command) for command in commands]
    assert node[0] == "node"
    assert node[-1] == "&"
    with subprocess.Popen([*tally, *node[:-1]]) as running:
        try:
            wait_for(data / "api.sock")
            for command in others:
                done = subprocess.run(
                    [*tally, *command], capture_output=True, text=True, check=False, timeout=120
                )
                assert done.returncode == 0, done.stderr
        finally:
            running.send_signal(signal.SIGINT)


def wait_for(socket: Path) -> None:
    """Wait until a node listens."""
    end = time.monotonic() + STARTED_SECONDS
    while not socket.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.5)
