"""`tally` as a process: quick, clean when stopped, clean when nobody reads, never a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

TWINS = Path(__file__).parents[1] / "formats" / "twins"
TALLY = (sys.executable, "-m", "tallystick.cli")
QUICK_CPU_SECONDS = 0.5
ENTERED_CPU_SECONDS = 2.0
"""After so much work a case file is being played."""


def tally(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command line to its end."""
    return subprocess.run(
        [*TALLY, *words], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )


def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines of Python."""
    command = [sys.executable, "-c", code, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_help_is_quick() -> None:
    """The work that it takes, whatever else the machine does."""
    before = os.times()
    assert tally("--help").returncode == 0
    after = os.times()
    spent = after.children_user + after.children_system
    spent -= before.children_user + before.children_system
    assert spent < QUICK_CPU_SECONDS, spent


def test_help_imports_no_application() -> None:
    code = (
        "import sys; from tallystick.cli.main import run; run(['--help'])\n"
        "bad = [m for m in sys.modules if m.startswith(('tallystick.apps', 'rich', 'msgspec'))]\n"
        "sys.exit(str(bad) if bad else 0)"
    )
    told = python(code)
    assert told.returncode == 0, told.stderr


def test_nobody_reads_the_output() -> None:
    with subprocess.Popen(
        [*TALLY, "invoices", "import", str(TWINS), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 141


def test_ctrl_c_stops_a_node_cleanly(tmp_path: Path) -> None:
    assert tally("init", cwd=tmp_path).returncode == 0
    with subprocess.Popen(
        [*TALLY, "node"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert "Ctrl-C stops" in process.stdout.readline()
        second = tally("node", cwd=tmp_path)
        assert second.returncode == 23
        assert "is in use" in second.stderr
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) in (0, 130)
        assert "Traceback" not in process.stderr.read()
    data = tmp_path / ".tally"
    folders = [data / name for name in ("blocks", "state")]
    written = [path for each in folders for path in (each, *each.rglob("*"))]
    assert len(written) > 4
    assert not [path for path in written if path.stat().st_mode & 0o077]
    told = tally("audit", ".tally", cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "all is well" in told.stdout


def cpu_seconds(pid: int) -> float:
    """How much a process has worked, however busy the machine is."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_ctrl_c_at_any_moment_leaves_one_line(tmp_path: Path) -> None:
    case = tmp_path / "long.case"
    mint = "$ tally --as CB.maker+checker cash mint --money CNY@CB --to D1 --amount 1.00\n"
    case.write_text(mint * 5_000, encoding="utf-8")
    for spent_s in (0.02, 0.3, ENTERED_CPU_SECONDS):
        with subprocess.Popen(
            [*TALLY, "cases", str(case)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            while process.poll() is None and cpu_seconds(process.pid) < spent_s:
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        if spent_s == ENTERED_CPU_SECONDS:
            assert process.returncode == 130
            assert errors.strip() == "tally: stopped"


def test_a_bug_of_ours_is_one_line() -> None:
    code = (
        "import sys; import tallystick.cli.main as main\n"
        "main.root.callback = lambda: 1 // 0\n"
        "main.root.invoke_without_command = True\n"
        "main.main()"
    )
    told = python(code, "explain", "cash", "1")
    assert told.returncode == 70
    assert told.stderr.startswith("tally: a bug of ours: ZeroDivisionError: ")
    assert "Traceback" not in told.stderr
    shown = python(code, "--debug", "explain", "cash", "1")
    assert shown.returncode == 70
    assert "Traceback" in shown.stderr


@pytest.mark.parametrize("encoding", ("ascii", "utf-8"))
def test_names_in_any_script_are_printed(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    told = subprocess.run(
        [*TALLY, "--lang", "zh", "cash", "--help"],
        env=environment,
        capture_output=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
