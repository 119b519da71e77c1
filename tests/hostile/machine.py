"""`tally` as a process of its own, as a terminal starts it: output, exit code, signals."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.apps import APPS
from tallystick.apps.founding import first_records, supervised
from tallystick.client.client import Client
from tallystick.engine.clock import wall_ms
from tallystick.node import Beginning, init
from tallystick.testing.cast import CALENDAR, CAST, founder
from tallystick.testing.world import OPENS, ZONE_MINUTES
from tallystick.values.time import at
from tests.hostile.net import Net

PATIENCE_SECONDS = 60
TALLY = (sys.executable, "-m", "tallystick.cli")


def made(folder: Path, *, began_ms: int | None = None) -> Path:
    """A data folder of the shipped applications; its genesis may lie in the past."""
    now_ms = at(*OPENS, ZONE_MINUTES)
    founders = [founder(party, *CAST[party]) for party in ("CB", "SUP", "D1", "D3", "S1")]
    records = first_records(APPS, supervised(founders, CALENDAR), now_ms)
    beginning = Beginning(name="machine", records=records, opens_at_ms=now_ms, trial=True)
    init(folder, beginning, clock=wall_ms if began_ms is None else lambda: began_ms)
    return folder


def tally(*words: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*TALLY, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A node's process, at once; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*TALLY, "node", str(folder), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def running(folder: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], Net]]:
    """A node's process that answers, and what the tests do to it."""
    with started(folder, *words) as process:
        said = process.stdout.readline() if process.stdout is not None else ""
        assert "listening at" in said
        client = Client(f"unix:{folder / 'api.sock'}", patience_seconds=PATIENCE_SECONDS)
        try:
            yield process, RemoteNet(client)
        finally:
            client.close()


class RemoteNet(Net):
    """The same, where only the socket can be reached."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.chain_id = client.chain_id()
        self.name_references()


def interrupted(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Press Ctrl-C and wait: exit code and what was said on the error stream."""
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE_SECONDS)
    return process.returncode, said
