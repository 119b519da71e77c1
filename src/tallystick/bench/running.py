"""A node of the bench: a process of its own over a data folder, and what is known of it."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tallystick import settings as settings_module
from tallystick.accel import Body
from tallystick.accel import load as load_body
from tallystick.apps import APPS, AUTHORITY
from tallystick.audit import audit
from tallystick.bench.machine import cpu_seconds, machine, resident_mb, say
from tallystick.client.client import Client
from tallystick.engine.folder import BLOCKS, STATE
from tallystick.errors import AuditFailed, NodeError, Unreachable
from tallystick.ledger.app import Record
from tallystick.settings import SOCKET, Settings
from tallystick.store.kinds import kind_for, open_state
from tallystick.testing.filled import fill

START_SECONDS = 600.0
"""How long a node may take to start over a large state."""
LOOK_SECONDS = 0.02
NOWHERE = Path("/nonexistent")
"""A folder without a file of settings."""


@dataclass(frozen=True)
class Serving:
    """A node that answers."""

    folder: Path
    """Its data folder."""
    process: subprocess.Popen[bytes]
    """Its process."""
    client: Client
    """Talks to it."""
    start_seconds: float
    """How long it took from the start of its process to its first answer."""

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"unix:{self.folder / SOCKET}"

    def cpu_seconds(self) -> float | None:
        """Processor time that it used so far."""
        return cpu_seconds(self.process.pid)

    def resident_mb(self) -> float | None:
        """Memory that it holds."""
        return resident_mb(self.process.pid)

    def log_bytes(self) -> int:
        """Length of its block log."""
        return sum(path.stat().st_size for path in (self.folder / BLOCKS).rglob("*"))

    def must_be_idle(self) -> None:
        """Nothing may be left in the queue."""
        queued = self.client.status().queued
        if queued:
            raise NodeError(f"{queued} transactions were still queued at the end")


@contextmanager
def serving(folder: Path) -> Iterator[Serving]:
    """Run a node over a data folder in a process of its own; ended in the end."""
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "tallystick.bench", "--serve", str(folder)])
    try:
        client = _answers(f"unix:{folder / SOCKET}", process)
        yield Serving(folder, process, client, time.monotonic() - began)
        client.close()
    finally:
        process.terminate()
        process.wait()


def _answers(address: str, process: subprocess.Popen[bytes]) -> Client:
    """A client, once the node answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        client = Client(address, patience_seconds=1)
        try:
            client.status()
        except Unreachable:
            time.sleep(LOOK_SECONDS)
        else:
            return Client(address)
    raise NodeError("the node of the bench does not answer")


def fill_state(folder: Path, records: Iterable[Record]) -> int:
    """Put records into a node's state before its first block; how many there were."""
    store = open_state(folder / STATE, kind_of_nodes(), begins=0, tell=say)
    try:
        return fill(store, records)
    finally:
        store.close()


def settings_of_nodes() -> Settings:
    """What every node of the bench runs with: the usual settings, and the environment."""
    return settings_module.load(NOWHERE, os.environ)


def body_of_nodes() -> Body:
    """The body that really runs in a node of the bench."""
    return load_body(settings_of_nodes().accel)


def kind_of_nodes() -> str:
    """What keeps the state of a new node of the bench."""
    is_native = body_of_nodes().name != "python"
    return kind_for(NOWHERE, settings_of_nodes().store.kind, is_native=is_native)


def facts() -> dict[str, object]:
    """The machine as the figures name it, and the bodies that really ran."""
    return {**machine(), "accel": body_of_nodes().name, "store": kind_of_nodes()}


def replayed(folder: Path) -> float:
    """Replay everything that a stopped node wrote, and compare; how many seconds it took.

    In a process of its own, for it holds the whole state. `AuditFailed` when one byte, signature,
    receipt, change or root is not what comes out of it.
    """
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawned) as worker:
        problems, seconds = worker.submit(_audit, folder).result()
    if problems:
        raise AuditFailed(problems)
    return seconds


def _audit(folder: Path) -> tuple[tuple[str, ...], float]:
    """What an audit finds wrong, and how long it took."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # as a node does
    report = audit(folder, APPS, AUTHORITY, accel=body_of_nodes().name)
    return tuple(report.problems), report.seconds
