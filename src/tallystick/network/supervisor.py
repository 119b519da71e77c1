"""Starts the nodes of a network, and starts again what dies without having been told to.

Runs as a process of its own (`python -m tallystick.network DIR`), apart from the command that
started it. The nodes do not depend on it: if it is killed they go on, and its successor takes
them over.
"""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from msgspec.structs import replace

from tallystick.errors import (
    Damage,
    DataFolderInUse,
    Halted,
    NodeError,
    ReachedHeight,
    ReleaseTooOld,
)
from tallystick.network.plan import (
    LOGS,
    PLAN,
    SUPERVISOR_LOCK,
    NodeWish,
    Plan,
    Run,
    read_plan,
    read_run,
    write_run,
)
from tallystick.network.processes import Process, kill_family
from tallystick.store.disk import OsDisk

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.1
PAUSE_SECONDS = 0.5
"""First pause before a node is started again; it doubles."""
PAUSE_SECONDS_MAX = 15.0
SOUND_SECONDS = 30.0
"""A node that ran so long is no longer one that fails at once."""
GRACE_SECONDS = 20.0
"""How long a node may take to stop in order."""
NO_USE = tuple(each.exit_code for each in (Damage, Halted, ReachedHeight, ReleaseTooOld))
"""Exit codes after which a restart would only fail again: a person must look."""
LAST_BYTES = 4_096


class _Node:
    """A node as the supervisor sees it."""

    def __init__(self, name: str, run: Run | None) -> None:
        self.name = name
        self.process = run.process if run else None
        self.child: subprocess.Popen[bytes] | None = None
        self.restarts = run.restarts if run else 0
        self.halted = ""
        self.healed = 0
        self.failures = 0
        self.begun = time.monotonic()
        self.not_before = 0.0
        self.may_die = False
        """Whether it is to be down."""
        self.stop_by = 0.0
        """When patience ends; 0 while nobody asked it to stop."""


@dataclass
class Supervisor:
    """Makes what runs agree with the plan, again and again."""

    folder: Path
    """The network's folder."""
    command: Sequence[str]
    """What runs a node; its data folder is added."""
    lifeline: Process | None = None
    """The network ends with this process; None lets it go on by itself."""
    _last: Plan | None = None
    _said: str = ""
    _nodes: dict[str, _Node] = field(default_factory=dict)
    _ending: threading.Event = field(default_factory=threading.Event)

    def run(self, ready: Callable[[], None]) -> None:
        """Until the plan says down, a signal comes, or the lifeline is gone; then stop all.

        `ready` is called once it has the folder.
        """
        with ExitStack() as stack:
            lock = stack.enter_context(_hold(self.folder))
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: self._ending.set())
            log.info("supervisor %s of %s", os.getpid(), self.folder)
            ready()
            while not self._should_end():
                self._tend_all()
                self._ending.wait(LOOK_SECONDS)
            self._stop_all()
            log.info("supervisor %s: all nodes are down", os.getpid())
            lock.truncate(0)

    def _should_end(self) -> bool:
        """Whether the network is to go down."""
        if self.lifeline is not None and not self.lifeline.is_alive:
            log.info("process %s, for which this network ran, is gone", self.lifeline.pid)
            return True
        return self._ending.is_set() or self._plan().wanted == "down"

    def _plan(self) -> Plan:
        """What is wanted: down when the folder is gone, as before while the file is unreadable."""
        try:
            self._last = read_plan(self.folder)
        except NodeError as problem:
            if self._last is None:
                raise
            if not (self.folder / PLAN).exists():
                return replace(self._last, wanted="down")
            if str(problem) != self._said:
                self._said = str(problem)
                log.error("%s", problem)
        return self._last

    def _tend_all(self) -> None:
        """One look at every node."""
        for wish in self._plan().nodes:
            node = self._nodes.get(wish.name)
            if node is None:
                node = self._nodes[wish.name] = _Node(wish.name, read_run(self.folder, wish.name))
            self._tend(node, wish)

    def _tend(self, node: _Node, wish: NodeWish) -> None:
        """Bring one node nearer to what is wanted."""
        node.may_die = wish.wanted != "up"
        is_up = self._is_up(node)
        if wish.wanted != "up" or wish.healed > node.healed:
            node.halted, node.not_before, node.failures = "", 0.0, 0
            node.healed = wish.healed
        if wish.wanted == "up":
            node.stop_by = 0.0
            if not is_up and not node.halted and time.monotonic() >= node.not_before:
                self._start(node)
        elif is_up and node.process is not None:
            if wish.wanted == "killed":
                kill_family(node.process)
            else:
                self._ask_to_stop(node)

    def _is_up(self, node: _Node) -> bool:
        """Whether a node runs; one that has just died is looked at."""
        if node.process is None:
            return False
        if node.child is not None:
            node.child.poll()
        if node.process.is_alive:
            return True
        self._died(node)
        return False

    def _died(self, node: _Node) -> None:
        """Say so, and decide when it is started again."""
        code = node.child.returncode if node.child is not None else None
        node.process = node.child = None
        if node.stop_by or node.may_die:
            node.stop_by = 0.0
            # Of a node that a former supervisor started nobody hears how it ended.
            log.info("%s has %s", node.name, f"ended with {code}" if code else "stopped")
            return
        is_early = time.monotonic() - node.begun < SOUND_SECONDS
        node.failures = node.failures + 1 if is_early else 1
        pause = min(PAUSE_SECONDS * 2 ** (node.failures - 1), PAUSE_SECONDS_MAX)
        node.not_before = time.monotonic() + pause
        if code in NO_USE:
            node.halted = self._last_line(node.name) or f"it ended with exit code {code}"
            log.error("%s halted: %s", node.name, node.halted)
            run = read_run(self.folder, node.name)
            if run is not None:
                write_run(
                    self.folder, node.name, Run(run.pid, run.started, node.restarts, node.halted)
                )
        else:
            node.restarts += 1
            log.warning("%s ended with %s; starting it again in %.1f s", node.name, code, pause)

    def _start(self, node: _Node) -> None:
        """Start a node's process, unless one that nobody knew of has its folder."""
        data = self.folder / node.name
        try:
            OsDisk().lock(str(data / "lock")).release()
        except DataFolderInUse as used:
            node.process = Process.of(int(used.holder)) if used.holder.isdigit() else None
            node.not_before = time.monotonic() + PAUSE_SECONDS
        else:
            node.process = self._spawn(node, data)
        node.begun = time.monotonic()
        if node.process is not None:
            run = Run(node.process.pid, node.process.started, node.restarts)
            write_run(self.folder, node.name, run)
            log.info("%s runs as process %s", node.name, node.process.pid)

    def _spawn(self, node: _Node, data: Path) -> Process | None:
        """A process in a session of its own, with its words in its log."""
        logs = self.folder / LOGS
        logs.mkdir(mode=0o700, exist_ok=True)
        with (logs / f"{node.name}.log").open("ab") as out:
            node.child = subprocess.Popen(
                [*self.command, str(data)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        found = Process.of(node.child.pid)
        if found is None:
            node.process = Process(node.child.pid, "")
            self._died(node)
        return found

    def _last_line(self, name: str) -> str:
        """What a node said last."""
        try:
            with (self.folder / LOGS / f"{name}.log").open("rb") as said:
                said.seek(max(0, said.seek(0, os.SEEK_END) - LAST_BYTES))
                lines = said.read().decode(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1].removeprefix("tally: ") if lines else ""

    # --- stopping

    def _ask_to_stop(self, node: _Node) -> None:
        """SIGTERM first, SIGKILL when patience ends."""
        if node.process is None:
            return
        if not node.stop_by:
            node.stop_by = time.monotonic() + GRACE_SECONDS
            node.process.send(signal.SIGTERM)
        elif time.monotonic() >= node.stop_by:
            log.warning("%s does not stop: killing it", node.name)
            kill_family(node.process)

    def _stop_all(self) -> None:
        """Stop every node, all at once, and wait."""
        running = [node for node in self._nodes.values() if self._is_up(node)]
        while running:
            for node in running:
                self._ask_to_stop(node)
            time.sleep(LOOK_SECONDS)
            running = [node for node in running if self._is_up(node)]


def _hold(folder: Path) -> TextIO:
    """The supervisor's lock of a folder, with its number in it; `NodeError` when it is held."""
    lock = (folder / SUPERVISOR_LOCK).open("a+", encoding="ascii")
    # A command that only looks holds it for an instant.
    end = time.monotonic() + 2
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                lock.close()
                raise NodeError(f"another supervisor has {folder}") from None
            time.sleep(LOOK_SECONDS)
        else:
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            return lock
