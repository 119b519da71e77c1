"""Processes by their identity: a number may be given to another process once its owner is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_STATE, _PARENT, _STARTED = 0, 1, 19
"""Places in /proc/PID/stat, counted after the name."""
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, and when it was started."""

    pid: int
    """Its number."""
    started: str
    """When it was started, as the system tells it; with the number, never given again."""

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """The process that has a number now; None when there is none, or only its remains."""
        if (_PROC / "self" / "stat").exists():
            fields = _fields(pid)
            if not fields or fields[_STATE] in "ZX":
                return None
            return cls(pid, fields[_STARTED])
        told = _ps("stat=,lstart=", "-p", str(pid))
        if not told or told.startswith("Z"):
            return None
        return cls(pid, told.partition(" ")[2].strip())

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return Process.of(self.pid) == self

    def family(self) -> tuple[Process, ...]:
        """Itself and all that it and its children started, as long as it runs."""
        if not self.is_alive:
            return ()
        parents = _parents()
        found, new = {self.pid}, {self.pid}
        while new:
            new = {pid for pid, parent in parents.items() if parent in new} - found
            found |= new
        made = [Process.of(pid) for pid in sorted(found)]
        return tuple(each for each in made if each is not None)

    def send(self, number: int) -> None:
        """Send a signal; nothing when it is gone."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait_gone(self, seconds: float) -> bool:
        """Whether it ends within a time."""
        end = time.monotonic() + seconds
        while self.is_alive:
            if time.monotonic() >= end:
                return False
            time.sleep(POLL_SECONDS)
        return True


def kill_family(process: Process) -> None:
    """SIGKILL to a process and all that it started, at once."""
    for each in process.family():
        each.send(signal.SIGKILL)


def _fields(pid: int) -> list[str]:
    """/proc/PID/stat after the name, which may hold anything; empty when the process is gone."""
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _parents() -> dict[int, int]:
    """Every process, with its parent."""
    if (_PROC / "self" / "stat").exists():
        numbers = [int(each.name) for each in _PROC.iterdir() if each.name.isdigit()]
        fields = [(pid, _fields(pid)) for pid in numbers]
        return {pid: int(each[_PARENT]) for pid, each in fields if each}
    rows = [line.split() for line in _ps("pid=,ppid=", "-A").splitlines()]
    return {int(pid): int(parent) for pid, parent in rows}


def _ps(columns: str, *words: str) -> str:
    """What `ps` says, where there is no /proc."""
    told = subprocess.run(
        ["ps", "-o", columns, *words], capture_output=True, text=True, check=False, timeout=10
    )
    return told.stdout.strip()
