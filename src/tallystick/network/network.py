"""A network of nodes on one machine: make it, start it, stop it, hurt it, heal it.

network = Network.make(folder, members, begin)      # or Network.open(folder)
network.start()                                     # returns once all are live and agree
network.nodes[0].client().status()
network.nodes[3].kill(); network.nodes[3].start()
network.stop()
"""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.engine.clock import wall_ms
from tallystick.engine.cometbft.home import HOME, node_id, validator_key
from tallystick.engine.cometbft.install import find_binary
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.engine.folder import GENESIS, KEYS, PASSPHRASE, SNAPSHOTS, write_private
from tallystick.errors import NodeError
from tallystick.network import ceremony
from tallystick.network.addresses import check_depth, give_ports, has_its_ports, introduce
from tallystick.network.dwelling import prepare, put_genesis, read_settings, write_settings
from tallystick.network.plan import (
    LOCK,
    LOGS,
    PLAN,
    SUPERVISOR_LOG,
    NodeWish,
    Plan,
    Wanted,
    changing,
    read_plan,
    read_run,
    supervisor_of,
    write_plan,
)
from tallystick.network.processes import Process, kill_family
from tallystick.network.standing import NetworkStanding, look, rpc_of
from tallystick.network.supervisor import GRACE_SECONDS
from tallystick.settings import EngineSettings, Settings

LIVE_SECONDS = 90.0
"""How long a network may take until all its nodes are live and agree."""
LOOK_SECONDS = 0.2
LAST_LINES = 5

Say = Callable[[str], None]


def _nothing(text: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class NetworkNode:
    """A node of a network on this machine."""

    network: Network
    """Where it belongs."""
    name: str
    """Its name, and that of its folder: `node1`."""

    @property
    def folder(self) -> Path:
        """Its data folder."""
        return self.network.folder / self.name

    @property
    def address(self) -> str:
        """Address of its own socket, for clients."""
        return f"unix:{self.folder / self.settings.listen.socket}"

    @property
    def settings(self) -> Settings:
        """What its node.toml says."""
        return read_settings(self.folder)

    @property
    def node_id(self) -> str:
        """Name of its engine among the peers."""
        return node_id(self.folder / HOME)

    @property
    def validator_key(self) -> bytes:
        """Key with which it votes, once it is a validator."""
        return validator_key(self.folder / HOME)

    @property
    def log(self) -> Path:
        """What it says."""
        return self.network.folder / LOGS / f"{self.name}.log"

    @property
    def engine_log(self) -> Path:
        """What its CometBFT says."""
        return self.folder / HOME / "cometbft.log"

    def snapshots(self) -> list[int]:
        """Heights of the snapshots that it keeps."""
        found = (self.folder / SNAPSHOTS).glob("[0-9]*")
        return sorted(int(each.name) for each in found)

    @property
    def process(self) -> Process | None:
        """Its process, if it runs."""
        run = read_run(self.network.folder, self.name)
        return run.process if run else None

    @property
    def rpc(self) -> Rpc:
        """Its engine's own interface, to be closed after use."""
        return rpc_of(self.folder)

    def client(self) -> Client:
        """A client of it, with the keys of all founding officers."""
        return Client(self.address, keys=self.network.keys)

    def kill(self) -> None:
        """SIGKILL to its application and its engine; it stays down until `start`."""
        self._wish("killed")
        self.end(kill_family)

    def stop(self) -> None:
        """Stop it in order; it stays down until `start`."""
        self._wish("stopped")
        self.end(lambda process: process.send(signal.SIGTERM))

    def start(self, *, wait: bool = True) -> None:
        """Let it run again; waits until it is live unless told otherwise."""
        self._wish("up")
        if wait:
            self.network.wait_live(only=self.name)

    def _wish(self, wanted: Wanted) -> None:
        with changing(self.network.folder) as plan:
            write_plan(self.network.folder, plan.wanting(self.name, wanted))

    def end(self, how: Callable[[Process], None]) -> None:
        """End its process, whichever that is by now; one that resists is killed."""
        deadline = time.monotonic() + GRACE_SECONDS + 5
        asked: Process | None = None
        while process := self.process:
            if process != asked:
                how(process)
                asked = process
            if time.monotonic() >= deadline:
                kill_family(process)
            process.wait_gone(LOOK_SECONDS)


class Network:
    """A network whose nodes all run here."""

    def __init__(self, folder: Path) -> None:
        """Use `make` or `open`."""
        self.folder = folder

    @classmethod
    def make(
        cls,
        folder: Path,
        members: Sequence[str],
        begin: ceremony.Begin,
        *,
        validators: int = 4,
        engine: EngineSettings | None = None,
        keep: Callable[[KeyStore], None] | None = None,
    ) -> Network:
        """Hold the ceremony: keys of every node, one genesis, addresses, settings.

        `members` run the validators in turn; `begin` says what the genesis holds, told who the
        validators are; `keep` puts officers' keys where every node's clients find them.
        """
        folder = folder.absolute()
        check_depth(folder, validators)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (folder / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _check_empty(folder)
            network = cls(folder)
            names = [f"node{number}" for number in range(1, validators + 1)]
            passphrase = secrets.token_urlsafe(24)
            write_private(folder / PASSPHRASE, (passphrase + "\n").encode())
            genesis, _ = ceremony.hold_ceremony(
                [folder / name for name in names],
                members,
                begin,
                time_ms=wall_ms(),
                passphrase=passphrase,
            )
            (folder / KEYS).mkdir(mode=0o700)
            if keep is not None:
                keep(network.keys)
            for name in names:
                (folder / name / KEYS).symlink_to(Path("..") / KEYS)
                write_settings(
                    folder / name,
                    Settings(engine=replace(engine or EngineSettings(), kind="cometbft")),
                )
            wishes = tuple(NodeWish(name) for name in names)
            give_ports(folder, names)
            introduce(folder, names)
            write_plan(folder, Plan(1, genesis.chain_id, "down", wishes))
        return network

    @classmethod
    def open(cls, folder: Path) -> Network:
        """A network that was made before; `NodeError` when there is none."""
        read_plan(folder)
        return cls(folder.absolute())

    @property
    def plan(self) -> Plan:
        """What should be."""
        return read_plan(self.folder)

    @property
    def nodes(self) -> tuple[NetworkNode, ...]:
        """Its nodes, those that were removed left out."""
        return tuple(NetworkNode(self, each.name) for each in self._wishes())

    @property
    def keys(self) -> KeyStore:
        """Keys of all founding officers."""
        passphrase = (self.folder / PASSPHRASE).read_text(encoding="utf-8").strip()
        return KeyStore(self.folder / KEYS, passphrase)

    @property
    def supervisor(self) -> Process | None:
        """What starts and restarts the nodes, if it runs."""
        return supervisor_of(self.folder)

    def node(self, name: str) -> NetworkNode:
        """A node by its name or number; `NodeError` when there is none."""
        return NetworkNode(self, self.plan.wish(f"node{name.removeprefix('node')}").name)

    def _wishes(self) -> tuple[NodeWish, ...]:
        return tuple(each for each in self.plan.nodes if each.wanted != "gone")

    # --- starting and stopping

    def start(
        self,
        *,
        bound: bool = False,
        wait: bool = True,
        command: Sequence[str] = (),
        say: Say = _nothing,
    ) -> None:
        """Start every node, and wait until all are live and agree.

        `bound`: the network goes down when this process ends, however it does. `command` runs a
        node otherwise than `tally node` does; its data folder is added.
        """
        for node in self.nodes:
            find_binary(node.settings.engine.binary)
        with changing(self.folder) as plan:
            nodes = tuple(
                each if each.wanted == "gone" else NodeWish(each.name, "up", each.healed + 1)
                for each in plan.nodes
            )
            if self.supervisor is not None:
                say("the network is up already")
            else:
                self._settle(say)
            write_plan(self.folder, replace(plan, wanted="up", nodes=nodes))
            if self.supervisor is None:
                self._supervise(bound, command)
        if wait:
            say(f"waiting until {len(self.nodes)} nodes are live and agree")
            self.wait_live()

    def _supervise(self, bound: bool, command: Sequence[str]) -> None:
        """Start the supervisor; it leaves this process behind."""
        words = [sys.executable, "-m", "tallystick.network", str(self.folder)]
        words += ["--lifeline", str(os.getpid())] if bound else []
        words += ["--", *command] if command else []
        told = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
        if told.returncode:
            raise NodeError(
                f"the supervisor did not start: {told.stderr.strip()};"
                f" see {self.folder / SUPERVISOR_LOG}"
            )

    def stop(self) -> None:
        """Stop every node in order, and wait until all are gone; also without a supervisor."""
        with changing(self.folder) as plan:
            write_plan(self.folder, replace(plan, wanted="down"))
        supervisor = self.supervisor
        if supervisor is not None and not supervisor.wait_gone(GRACE_SECONDS + 10):
            kill_family(supervisor)
        left = [process for node in self.nodes if (process := node.process)]
        for process in left:
            process.send(signal.SIGTERM)
        end = time.monotonic() + GRACE_SECONDS
        for process in left:
            if not process.wait_gone(max(0, end - time.monotonic())):
                kill_family(process)

    def __enter__(self) -> Network:
        """Start, for as long as this process."""
        try:
            self.start(bound=True)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    # --- looking

    def standing(self) -> NetworkStanding:
        """How every node does."""
        return look(self.folder, self._wishes())

    def wait_live(self, seconds: float = LIVE_SECONDS, *, only: str = "") -> NetworkStanding:
        """Wait until every node that should run is live and all agree, or one of them is."""
        end = time.monotonic() + seconds
        while True:
            found = self.standing()
            mine = [each for each in found.nodes if each.name == only]
            if found.is_well or (mine and mine[0].state == "live" and found.agrees):
                return found
            for each in mine or found.nodes:
                if each.state == "halted":
                    raise NodeError(f"{each.name} halted: {each.trouble}")
            if time.monotonic() >= end:
                raise NodeError(self._why_not(found, seconds))
            time.sleep(LOOK_SECONDS)

    def _why_not(self, found: NetworkStanding, seconds: float) -> str:
        """What each node that is not live said last."""
        lines = [f"not all nodes are live and agree after {seconds:.0f} s:"]
        for each in found.nodes:
            lines.append(f"{each.name}: {each.state}, block {each.height}, {each.app_hash[:16]}")
            if each.state not in ("live", "killed", "stopped"):
                said = NetworkNode(self, each.name).log
                text = said.read_text(errors="replace") if said.exists() else ""
                lines += [f"  {line}" for line in text.splitlines()[-LAST_LINES:]]
        return "\n".join(lines)

    # --- members come and go

    def add(self, *, wait: bool = True, **engine: Any) -> NetworkNode:
        """A new node with keys of its own; the others let it in, and it fetches the chain.

        Its settings are the first node's; `engine` changes some, e.g. `state_sync` and `trust`.
        """
        with changing(self.folder) as plan:
            name = f"node{len(plan.nodes) + 1}"
            check_depth(self.folder, len(plan.nodes) + 1)
            passphrase = (self.folder / PASSPHRASE).read_text(encoding="utf-8").strip()
            prepare(self.folder / name, passphrase=passphrase)
            other = self.nodes[0]
            put_genesis(self.folder / name, (other.folder / GENESIS).read_bytes())
            if not (self.folder / name / KEYS).exists():
                (self.folder / name / KEYS).symlink_to(Path("..") / KEYS)
            usual = other.settings
            settings = replace(usual, engine=replace(usual.engine, **engine))
            write_settings(self.folder / name, settings)
            give_ports(self.folder, [name])
            introduce(self.folder, [*(each.name for each in self.nodes), name])
            nodes = (*plan.nodes, NodeWish(name))
            write_plan(self.folder, replace(plan, nodes=nodes))
        node = NetworkNode(self, name)
        if wait and self.supervisor is not None:
            self.wait_live(only=name)
        return node

    def snapshot_source(self) -> dict[str, Any]:
        """Settings with which a new node begins with a snapshot of the live ones here.

        `NodeError` when none of them has one yet.
        """
        having = [node for node in self.nodes if node.process and node.snapshots()]
        if not having:
            raise NodeError(
                "no live node has a snapshot yet: they are taken every"
                f" {self.nodes[0].settings.engine.snapshot_every} blocks ([engine] snapshot_every)"
            )
        height = min(node.snapshots()[-1] for node in having)
        with closing(having[0].rpc) as rpc:
            signed = rpc.commit(height)["signed_header"]
        return {
            "state_sync": tuple(node.address for node in having[:2]),
            "trust": f"{height}:{signed['commit']['block_id']['hash']}",
        }

    def remove(self, name: str) -> None:
        """Stop a node for good and let the others refuse it; its folder stays."""
        with changing(self.folder) as plan:
            write_plan(self.folder, plan.wanting(name, "gone"))
        NetworkNode(self, name).end(lambda process: process.send(signal.SIGTERM))
        introduce(self.folder, [each.name for each in self.nodes])

    def is_validator(self, name: str) -> bool:
        """Whether a node votes now, by the word of another live node's engine."""
        key = NetworkNode(self, name).validator_key
        return key in validators_of(self)

    def _settle(self, say: Say) -> None:
        """Give new ports to nodes whose ports somebody else took since."""
        taken = [
            node.name
            for node in self.nodes
            if node.process is None and not has_its_ports(node.settings.engine)
        ]
        if taken:
            say(f"ports of {', '.join(taken)} are taken by others: new ones")
            give_ports(self.folder, taken)
            introduce(self.folder, [each.name for each in self.nodes])


def validators_of(network: Network) -> set[bytes]:
    """Keys that vote now, by the word of the first engine that answers."""
    for node in network.nodes:
        try:
            with closing(node.rpc) as rpc:
                found = rpc.validators()
        except (RpcUnavailable, RpcRefused):
            continue
        return {base64.b64decode(each["pub_key"]["value"]) for each in found}
    raise NodeError("no node of the network answers")


def _check_empty(folder: Path) -> None:
    """A network begins in a folder of its own."""
    if (folder / PLAN).exists():
        raise NodeError(f"the folder {folder} holds a network already")
    if found := sorted(each.name for each in folder.iterdir() if each.name != LOCK):
        what = "an unfinished network" if "node1" in found else ", ".join(found[:3])
        raise NodeError(f"the folder {folder} holds {what}: a network begins in an empty one")
