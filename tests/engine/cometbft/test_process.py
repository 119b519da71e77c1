"""A child process: started again when it dies, gone when its parent is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tallystick.engine.cometbft import leash
from tallystick.engine.cometbft.process import LOG_BYTES_MAX, Child
from tests.till.desk import until

SLEEP = "import time; print('up', flush=True); time.sleep(60)"


def program(code: str) -> list[str]:
    """A program of Python."""
    return [sys.executable, "-I", "-S", "-c", code]


@contextmanager
def child(folder: Path, command: list[str]) -> Iterator[Child]:
    """A child that runs."""
    made = Child(command, log_path=folder / "home" / "log", folder=folder)
    made.start()
    try:
        yield made
    finally:
        made.stop(1)


def is_alive(pid: int) -> bool:
    """Whether a process is there and no mere remains."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def said(folder: Path) -> str:
    """What the child wrote."""
    path = folder / "home" / "log"
    return path.read_text() if path.exists() else ""


def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    with child(tmp_path, program(SLEEP)) as made:
        for times in (1, 2):
            until(lambda times=times: said(tmp_path).count("up") == times)
            pid = made.pid
            assert pid is not None
            made.kill()
            until(lambda pid=pid: not is_alive(pid))
        until(lambda: said(tmp_path).count("up") == 3)
        assert made.starts == 3
        assert made.ending.startswith(f"{Path(sys.executable).name} ended with signal SIGKILL")
        last = made.pid
    assert last is not None
    assert not is_alive(last)
    assert made.pid is None


def test_how_it_ended_is_told_with_its_last_words(tmp_path: Path) -> None:
    with child(tmp_path, program("print('no port left'); raise SystemExit(3)")) as made:
        until(lambda: "exit code 3" in made.ending)
        assert made.ending.endswith("its last words: no port left")


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with child(tmp_path, [str(tmp_path / "nothing")]) as made:
        until(lambda: made.ending)
        assert "nothing" in made.ending


def test_a_child_that_does_not_heed_is_killed(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(15, signal.SIG_IGN);" + SLEEP
    with child(tmp_path, program(deaf)) as made:
        until(lambda: "up" in said(tmp_path))
        pid = made.pid
        began = time.monotonic()
        made.stop(0.3)
        assert time.monotonic() - began < 30
        assert pid is not None
        assert not is_alive(pid)
        made.stop()


def test_a_child_that_was_never_started_is_stopped_without_ado(tmp_path: Path) -> None:
    made = Child(program(SLEEP), log_path=tmp_path / "log", folder=tmp_path)
    made.kill()
    made.stop()
    assert made.pid is None


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "home" / "log"
    path.parent.mkdir()
    with path.open("wb") as out:
        out.truncate(LOG_BYTES_MAX + 1)
    with child(tmp_path, program(SLEEP)):
        until(lambda: path.exists() and path.stat().st_size < 100 and "up" in said(tmp_path))
    assert path.with_name("log.1").stat().st_size > LOG_BYTES_MAX


# --- the leash


def test_the_child_of_a_killed_parent_is_killed(tmp_path: Path) -> None:
    parent = f"""
import sys, threading, time
from pathlib import Path
from tallystick.engine.cometbft.process import Child
command = [sys.executable, "-I", "-S", "-c", {SLEEP!r}]
made = Child(command, log_path=Path("log"), folder=Path("."))
threading.Thread(target=made.start).start()
while made.pid is None or not Path("log").read_text():
    time.sleep(0.01)
print(made.pid, flush=True)
time.sleep(60)
"""
    began = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=tmp_path, stdout=subprocess.PIPE, text=True
    )
    try:
        assert began.stdout is not None
        pid = int(began.stdout.readline())
        assert is_alive(pid)
        began.kill()
        began.wait()
        until(lambda: not is_alive(pid))
    finally:
        began.kill()
        began.wait()
        if began.stdout is not None:
            began.stdout.close()
        with suppress(NameError, ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_a_leash_whose_parent_is_gone_already_starts_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", leash.__file__, "1", "/bin/true"], check=False, timeout=60
    )
    assert done.returncode == 1


def test_a_leash_becomes_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), "/bin/echo", "here"],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "here\n"


def test_a_log_is_put_aside_while_it_is_written(tmp_path: Path) -> None:
    """However much a peer has CometBFT write, two logs are the most there is on the disk."""
    talk = "import time\nwhile True: print('word', flush=True); time.sleep(0.01)"
    with child(tmp_path, program(talk)) as made:
        path = tmp_path / "home" / "log"
        until(lambda: "word" in said(tmp_path))
        os.truncate(path, LOG_BYTES_MAX + 1)
        assert all(line.endswith("word") for line in made.new_lines())
        assert path.stat().st_size < LOG_BYTES_MAX
        assert path.with_name("log.1").stat().st_size > LOG_BYTES_MAX
        until(lambda: "word" in list(made.new_lines()))
        assert made.starts == 1
