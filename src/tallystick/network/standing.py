"""How the nodes of a network do: each one's word and its engine's, and whether all agree."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tallystick.client.client import Client
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.errors import ClientError, SettingsError
from tallystick.network.dwelling import read_settings
from tallystick.network.plan import NodeWish, Run, read_run
from tallystick.settings import rpc_address
from tallystick.values.codec import settle_types

# Every node is asked on a thread of its own.
settle_types()

ASK_SECONDS = 5.0


@dataclass(frozen=True)
class NodeStanding:
    """One node."""

    name: str
    """Its name, e.g. `node1`."""
    state: str
    """`live`, `starting`, `catching up`, `down`, `halted`, `killed` or `stopped`."""
    pid: int | None
    """Its process; None when it does not run."""
    height: int
    """Last block that its ledger has committed; 0 when it does not answer."""
    engine_height: int
    """Last block that its engine has; 0 when that does not answer."""
    app_hash: str
    """App hash at the height that all live nodes have, in hex; empty when not known."""
    peers: int
    """Engines that it is connected with."""
    is_catching_up: bool
    """Whether it still fetches blocks that the others have."""
    restarts: int
    """How often it was started again after it had died by itself."""
    address: str
    """Where its own socket is, for clients."""
    trouble: str
    """Why it halted, or what keeps it from making blocks; empty when nothing."""


@dataclass(frozen=True)
class NetworkStanding:
    """All nodes, looked at together."""

    nodes: tuple[NodeStanding, ...]
    """One for each node, in order."""
    common_height: int
    """Height of the block whose app hash is compared; 0 when no node is live."""

    @property
    def live(self) -> tuple[NodeStanding, ...]:
        """Nodes that run and have what the others have."""
        return tuple(each for each in self.nodes if each.state == "live")

    @property
    def agrees(self) -> bool:
        """Whether all live nodes have the same app hash at the same height."""
        return len({each.app_hash for each in self.live}) == 1 and bool(self.live[0].app_hash)

    @property
    def is_well(self) -> bool:
        """Whether every node that should run is live without trouble, and all agree."""
        wanted = [each for each in self.nodes if each.state not in ("killed", "stopped")]
        sound = [each for each in self.live if not each.trouble]
        return bool(wanted) and len(sound) == len(wanted) and self.agrees


def look(folder: Path, wishes: Sequence[NodeWish]) -> NetworkStanding:
    """Ask every node, all at once."""
    with ThreadPoolExecutor(max(1, len(wishes))) as threads:
        found = list(threads.map(lambda wish: _ask(folder, wish), wishes))
        live = [each for each in found if each.state == "live"]
        common = min((each.engine_height for each in live), default=0)
        compared = threads.map(
            lambda each: (
                replace(each, app_hash=_app_hash(folder / each.name, common))
                if each.state == "live"
                else each
            ),
            found,
        )
        return NetworkStanding(tuple(compared), common)


def rpc_of(data: Path) -> Rpc:
    """The engine of a node's folder."""
    return Rpc(rpc_address(data, read_settings(data).engine), timeout_seconds=ASK_SECONDS)


def _ask(folder: Path, wish: NodeWish) -> NodeStanding:
    """One node's word, and its engine's."""
    data = folder / wish.name
    run = read_run(folder, wish.name)
    process = run.process if run else None
    found = NodeStanding(
        name=wish.name,
        state="",
        pid=process.pid if process else None,
        height=0,
        engine_height=0,
        app_hash="",
        peers=0,
        is_catching_up=False,
        restarts=run.restarts if run else 0,
        address="",
        trouble=run.halted if run else "",
    )
    try:
        found = _told(found, data)
    except SettingsError as problem:
        found = replace(found, trouble=str(problem))
    return replace(found, state=_state(found, wish, run))


def _told(found: NodeStanding, data: Path) -> NodeStanding:
    """What node and engine say, if the node runs."""
    found = replace(found, address=f"unix:{data / read_settings(data).listen.socket}")
    if found.pid is None:
        return found
    engine = _engine(data)
    height, trouble = _ledger(found.address)
    sync = engine.get("sync_info", {})
    return replace(
        found,
        height=height,
        engine_height=int(sync.get("latest_block_height", 0)),
        peers=int(engine.get("n_peers", 0)),
        is_catching_up=bool(sync.get("catching_up", False)),
        trouble=trouble,
    )


def _state(found: NodeStanding, wish: NodeWish, run: Run | None) -> str:
    """What a node does, in a word."""
    if found.pid is None:
        if wish.wanted != "up":
            return wish.wanted
        return "halted" if run is not None and run.halted else "down"
    if not found.height or not found.engine_height:
        return "starting"
    return "catching up" if found.is_catching_up else "live"


def _engine(data: Path) -> dict[str, Any]:
    """The engine's status with its number of peers; empty when it does not answer."""
    try:
        with closing(rpc_of(data)) as rpc:
            return {**rpc.status(), "n_peers": rpc.net_info()["n_peers"]}
    except (RpcUnavailable, RpcRefused):
        return {}


def _ledger(address: str) -> tuple[int, str]:
    """Height of the ledger and what troubles it; 0 when the node does not answer."""
    client = Client(address, patience_seconds=0)
    try:
        status = client.status()
        return status.height, status.trouble
    except ClientError:
        return 0, ""
    finally:
        client.close()


def _app_hash(data: Path, height: int) -> str:
    """App hash in the header of a block; empty when the engine does not tell it."""
    try:
        with closing(rpc_of(data)) as rpc:
            return str(rpc.commit(height)["signed_header"]["header"]["app_hash"])
    except (RpcUnavailable, RpcRefused):
        return ""
