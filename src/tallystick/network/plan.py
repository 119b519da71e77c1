"""What a network on one machine should be: which nodes there are, and which of them should run.

DIR/network.json    this plan                 DIR/node1 … data folders, one for each node
DIR/run/node1.json  the process of a node     DIR/logs/node1.log  what a node says
DIR/keys/           officers' keys            DIR/supervisor.log  what starts and restarts them

Commands write the plan; the supervisor makes it so. Neither needs the other to be there.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from tallystick.engine.folder import write_private
from tallystick.errors import NodeError
from tallystick.network.processes import Process

PLAN = "network.json"
RUN = "run"
LOGS = "logs"
LOCK = "network.lock"
SUPERVISOR_LOCK = "supervisor.lock"
SUPERVISOR_LOG = "supervisor.log"

Wanted = Literal["up", "stopped", "killed", "gone"]
"""`up`; `stopped` in order; `killed` at once; `gone`: no longer of this network."""


class NodeWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A node, and what should become of it."""

    name: Annotated[str, Meta(pattern=r"^node[0-9]{1,3}$")]
    """Name of its folder, e.g. `node1`."""
    wanted: Wanted = "up"
    """Whether it should run."""
    healed: int = 0
    """How often it was asked to run again: a node that halted is then tried anew."""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network on one machine."""

    format: Literal[1]
    """Format number, 1."""
    chain_id: str
    """Name of its chain."""
    wanted: Literal["up", "down"]
    """Whether the network as a whole should run."""
    nodes: tuple[NodeWish, ...]
    """Its nodes, in order; a number is never given again."""

    def wish(self, name: str) -> NodeWish:
        """A node of the plan; `NodeError` when there is none of that name."""
        for each in self.nodes:
            if each.name == name and each.wanted != "gone":
                return each
        names = ", ".join(each.name for each in self.nodes if each.wanted != "gone")
        raise NodeError(f"this network has no {name}; it has {names}")

    def wanting(self, name: str, wanted: Wanted) -> Plan:
        """The plan with another wish for a node."""
        self.wish(name)
        nodes = tuple(
            NodeWish(name, wanted, each.healed + (wanted == "up")) if each.name == name else each
            for each in self.nodes
        )
        return msgspec.structs.replace(self, nodes=nodes)


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The process that runs a node, or that ran it last."""

    pid: int
    """Its number."""
    started: str
    """When it was started, as the system tells it."""
    restarts: int = 0
    """How often it was started again after it had died by itself."""
    halted: str = ""
    """Why it is not started again; empty when it is."""

    @property
    def process(self) -> Process | None:
        """The process, if it still runs."""
        found = Process(self.pid, self.started)
        return found if found.is_alive else None


def read_plan(folder: Path) -> Plan:
    """The plan of a network's folder; `NodeError` when there is none."""
    path = folder / PLAN
    try:
        return msgspec.json.decode(path.read_bytes(), type=Plan)
    except (FileNotFoundError, NotADirectoryError):
        raise NodeError(
            f"there is no network in {folder}: make one with `tally network up --data {folder}`"
        ) from None
    except (msgspec.DecodeError, OSError) as problem:
        raise NodeError(f"{path} cannot be read: {problem}") from None


def write_plan(folder: Path, plan: Plan) -> None:
    """Write the plan whole or not at all."""
    raw = msgspec.json.format(msgspec.json.encode(plan), indent=1) + b"\n"
    _replace(folder / PLAN, raw)


def read_run(folder: Path, name: str) -> Run | None:
    """The process that runs a node, or ran it last; None when it was never started."""
    try:
        return msgspec.json.decode((folder / RUN / f"{name}.json").read_bytes(), type=Run)
    except (OSError, msgspec.DecodeError):
        return None


def write_run(folder: Path, name: str, run: Run) -> None:
    """Write down a node's process."""
    _replace(folder / RUN / f"{name}.json", msgspec.json.encode(run) + b"\n")


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, exist_ok=True)
    new = path.with_name(path.name + ".new")
    write_private(new, data)
    new.replace(path)


@contextmanager
def changing(folder: Path) -> Iterator[Plan]:
    """Hold the network's lock, with the plan as it is: one command changes it at a time."""
    read_plan(folder)
    with (folder / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield read_plan(folder)


def supervisor_of(folder: Path) -> Process | None:
    """The supervisor that has the folder now; None when there is none."""
    path = folder / SUPERVISOR_LOCK
    try:
        with path.open("r+", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                text = lock.read().strip()
                return Process.of(int(text)) if text.isdigit() else None
    except FileNotFoundError:
        return None
    return None
