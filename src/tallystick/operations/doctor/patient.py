"""What the checks look at: a data folder, the node that runs over it, and the node's engine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tallystick import settings as node_settings
from tallystick.client.client import Client
from tallystick.client.http import Transport
from tallystick.engine.clock import wall_ms
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.engine.folder import LOCK
from tallystick.errors import ClientError, DataFolderInUse, SettingsError
from tallystick.gateway.standing import NodeStatus
from tallystick.settings import Settings, rpc_address
from tallystick.store.disk import OsDisk

COMMITS = 100
"""Last blocks whose votes are looked at."""
PATIENCE_SECONDS = 3.0
"""How long the node and its engine have to answer."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Running:
    """What a running node says."""

    status: NodeStatus
    """How it is doing."""
    validators: tuple[Json, ...] = ()
    """Validators on the ledger."""
    activations: tuple[Json, ...] = ()
    """Versions of rules in force, and those to come."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Its figures without labels, e.g. `tally_light_height`."""


@dataclass(frozen=True)
class Ordering:
    """What CometBFT says."""

    status: Json
    """Its node, last block, and whether it is catching up."""
    net_info: Json
    """Peers that it is connected with."""
    validators: tuple[Json, ...] = ()
    """Validators of the last block."""
    commits: tuple[Json, ...] = ()
    """Headers and votes of the last blocks, newest first."""

    @property
    def height(self) -> int:
        """Its last block."""
        return int(self.status["sync_info"]["latest_block_height"])

    @property
    def address(self) -> str:
        """Name of its validator key: 40 hex digits, upper case."""
        return str(self.status["validator_info"]["address"])


@dataclass(frozen=True)
class Patient:
    """A node as far as it can be seen from outside."""

    folder: Path
    """Data folder."""
    settings: Settings = field(default_factory=Settings)
    """How it is set up; the usual settings where the file cannot be read."""
    settings_trouble: str = ""
    """Why `node.toml` cannot be read; empty when it can."""
    holder: int | None = None
    """Process that has the folder; None when none has."""
    running: Running | None = None
    """What the node says; None when it does not answer."""
    ordering: Ordering | None = None
    """What its engine says; None when there is none, or it does not answer."""
    is_synchronised: bool | None = None
    """Whether the system keeps the clock by others'; None when it does not say."""
    versions: Mapping[str, int] = field(default_factory=dict)
    """Newest version of each application's rules that this release has."""
    wall_ms: Callable[[], int] = wall_ms
    """The machine's clock."""

    @property
    def is_consortium(self) -> bool:
        """Whether CometBFT orders."""
        return self.settings.engine.kind == "cometbft"


def look_at(folder: Path, versions: Mapping[str, int]) -> Patient:
    """Gather what can be seen of a node, whether it runs or not."""
    settings, trouble = Settings(), ""
    try:
        settings = node_settings.load(folder, os.environ)
    except SettingsError as problem:
        trouble = str(problem)
    holder = holder_of(folder)
    is_consortium = settings.engine.kind == "cometbft"
    return Patient(
        folder=folder,
        settings=settings,
        settings_trouble=trouble,
        holder=holder,
        running=None if holder is None else ask_node(folder, settings),
        ordering=ask_engine(rpc_address(folder, settings.engine))
        if holder and is_consortium
        else None,
        is_synchronised=ask_system(),
        versions=versions,
    )


def holder_of(folder: Path) -> int | None:
    """The process that has a data folder; None when none has."""
    if not (folder / LOCK).exists():
        return None
    try:
        OsDisk().lock(str(folder / LOCK)).release()
    except DataFolderInUse as held:
        return int(held.holder) if held.holder.isdigit() else 0
    return None


def ask_node(folder: Path, settings: Settings) -> Running | None:
    """What the node of a folder says on its own socket; None when it does not answer."""
    if not settings.listen.socket:
        return None
    client = Client(f"unix:{folder / settings.listen.socket}", patience_seconds=PATIENCE_SECONDS)
    try:
        return Running(
            status=client.status(),
            validators=tuple(client.find("ledger", "validator")),
            activations=tuple(client.find("ledger", "activation")),
            figures=ask_figures(client.address),
        )
    except ClientError:
        return None
    finally:
        client.close()


def ask_figures(address: str) -> dict[str, float]:
    """A node's own figures that have no labels."""
    transport = Transport(address, timeout=PATIENCE_SECONDS)
    try:
        page = transport.request("GET", "/metrics").body.decode("utf-8", "replace")
    finally:
        transport.close()
    pairs = [line.split(" ") for line in page.splitlines() if line.startswith("tally_")]
    return {pair[0]: float(pair[1]) for pair in pairs if len(pair) == 2 and "{" not in pair[0]}


def ask_engine(address: str) -> Ordering | None:
    """What CometBFT says on its own interface; None when it does not answer."""
    rpc = Rpc(address, timeout_seconds=PATIENCE_SECONDS)
    try:
        status = rpc.status()
        last = int(status["sync_info"]["latest_block_height"])
        first = max(int(status["sync_info"]["earliest_block_height"]), last - COMMITS + 1, 1)
        return Ordering(
            status=status,
            net_info=rpc.net_info(),
            validators=tuple(rpc.validators(last)) if last else (),
            commits=tuple(rpc.commit(height) for height in range(last, first - 1, -1)),
        )
    except (RpcUnavailable, RpcRefused):
        return None
    finally:
        rpc.close()


def ask_system() -> bool | None:
    """Whether the system keeps its clock by others'; None where it does not say."""
    program = shutil.which("timedatectl")
    if program is None:
        return None
    command = [program, "show", "--property=NTPSynchronized", "--value"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(told.stdout.strip())
