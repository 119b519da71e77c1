"""What the bench asks of the machine: its name, and how much of it a process used."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

PROC = Path("/proc")
"""Where Linux tells of processes; elsewhere what is read there is unknown."""


def say(sentence: str) -> None:
    """Tell how far it is, beside the figures."""
    print(sentence, file=sys.stderr, flush=True)


def machine() -> dict[str, object]:
    """The machine as the figures name it."""
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "memory_gb": memory_gb(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def cpu_name() -> str:
    """Model of the processor, as the system tells it."""
    try:
        lines = (PROC / "cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def memory_gb() -> int | None:
    """Memory of the machine in whole GB; None where the system does not tell."""
    found = _line(PROC / "meminfo", "MemTotal:")
    return None if found is None else round(found / 1e6)


def cpu_seconds(process: int) -> float | None:
    """Processor time that a process used so far, all its threads; None where unknown."""
    try:
        stat = (PROC / str(process) / "stat").read_text(encoding="utf-8")
    except OSError:
        return None
    after_name = stat.rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float | None:
    """Processor time that everything on the machine used so far; None where unknown.

    What a hypervisor gave to others while this machine wanted it counts as used.
    """
    try:
        first = (PROC / "stat").read_text(encoding="utf-8").splitlines()[0].split()
    except OSError:
        return None
    user, nice, system, _idle, _waiting, *others = map(int, first[1:9])
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    """Processor time of this process and of all its children that have ended."""
    return sum(os.times()[:4])


def resident_mb(process: int) -> float | None:
    """Memory that a process holds now, in MB; None where unknown."""
    found = _line(PROC / str(process) / "status", "VmRSS:")
    return None if found is None else found / 1e3


def _line(path: Path, name: str) -> int | None:
    """The number of kilobytes that a line of such a file tells."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next(
        (int(line.split()[1]) * 1024 // 1000 for line in lines if line.startswith(name)), None
    )
