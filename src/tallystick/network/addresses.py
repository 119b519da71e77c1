"""Where the nodes of a network on one machine listen, and who may connect with whom."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from tallystick.engine.cometbft.home import ABCI_SOCKET, HOME, SOCKET_BYTES_MAX, node_id
from tallystick.errors import SettingsError
from tallystick.network.dwelling import read_settings, write_settings
from tallystick.network.ports import HOST, free_ports, is_free
from tallystick.settings import EngineSettings, is_unix, split_address

PORTS = 3
"""Ports of a node: peers, the engine's interface unless that is a socket, its metrics."""


def check_depth(folder: Path, nodes: int) -> None:
    """A Unix socket's path has a limit, which a folder far from the root exceeds."""
    longest = folder / f"node{nodes}" / ABCI_SOCKET
    length = len(os.fsencode(longest))
    if length > SOCKET_BYTES_MAX:
        raise SettingsError(
            "data folder",
            f"{longest} has {length} bytes, a Unix socket's path at most {SOCKET_BYTES_MAX}:"
            " choose a folder nearer to the root",
        )


def give_ports(folder: Path, names: Sequence[str]) -> None:
    """Give nodes ports that nobody has."""
    ports = iter(free_ports(PORTS * len(names)))
    for name in names:
        settings = read_settings(folder / name)
        p2p, rpc, metrics = (f"{HOST}:{next(ports)}" for _ in range(PORTS))
        if is_unix(settings.engine.rpc):
            rpc = settings.engine.rpc
        engine = replace(settings.engine, p2p=p2p, rpc=rpc, metrics=metrics)
        write_settings(folder / name, replace(settings, engine=engine))


def introduce(folder: Path, names: Sequence[str]) -> None:
    """Name to every node all the others, as peers and in its allow-list, and nobody else."""
    known = {name: node_id(folder / name / HOME) for name in names}
    where = {name: read_settings(folder / name).engine.p2p for name in names}
    for name in names:
        others = [each for each in names if each != name]
        settings = read_settings(folder / name)
        engine = replace(
            settings.engine,
            peers=tuple(f"{known[each]}@{where[each]}" for each in others),
            allow=tuple(known[each] for each in others),
        )
        if engine != settings.engine:
            write_settings(folder / name, replace(settings, engine=engine))


def has_its_ports(engine: EngineSettings) -> bool:
    """Whether a node that does not run could listen where its settings say."""
    addresses = (engine.p2p, engine.rpc, engine.metrics)
    return all(is_free(split_address(each)[1]) for each in addresses if each and not is_unix(each))
