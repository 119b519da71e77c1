"""Validators that order bundles for an application that does nothing: the roof of the engine."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from tallystick.engine.cometbft.bundle import encode_bundle
from tallystick.engine.cometbft.home import ABCI_SOCKET, HOME, node_id, write_home
from tallystick.engine.cometbft.rpc import Rpc, RpcRefused, RpcUnavailable
from tallystick.errors import NodeError
from tallystick.network.ceremony import Begin, genesis_of, validators_for
from tallystick.network.dwelling import prepare
from tallystick.network.ports import free_ports
from tallystick.settings import EngineSettings

HOST = "127.0.0.1"
START_SECONDS = 60.0
LOOK_SECONDS = 0.05
FLYING = 2
"""Bundles handed in at once, at each validator."""
AHEAD = 40
"""Bundles that may wait to be ordered; beyond it the load holds back."""
BLOCKED_SECONDS = 20.0
"""How long ordering what is left may take at the end."""


@contextmanager
def running(folder: Path, validators: int, begin: Begin, members: Sequence[str]) -> Iterator[Noop]:
    """The network, once it makes blocks; ended in the end."""
    folders = [folder / f"noop{number + 1}" for number in range(validators)]
    identities = [prepare(each) for each in folders]
    genesis = genesis_of(begin(validators_for(members, identities)), time.time_ns() // 1_000_000)
    ports = free_ports(2 * validators)
    peers = tuple(
        f"{node_id(each / HOME)}@{HOST}:{port}" for each, port in zip(folders, ports, strict=False)
    )
    nodes: list[subprocess.Popen[bytes]] = []
    rpcs = [f"{HOST}:{port}" for port in ports[validators:]]
    try:
        for each, p2p, rpc in zip(folders, ports, rpcs, strict=False):
            settings = EngineSettings(
                kind="cometbft", p2p=f"{HOST}:{p2p}", rpc=rpc, peers=peers, timeout_commit_ms=100
            )
            write_home(each / HOME, genesis, settings, socket=each / ABCI_SOCKET)
            nodes.append(
                subprocess.Popen([sys.executable, "-m", "tallystick.bench.noop", str(each)])
            )
        network = Noop(rpcs)
        network.wait_until_live()
        yield network
    finally:
        for node in nodes:
            node.terminate()
        for node in nodes:
            node.wait()


class Noop:
    """A running network of no-op applications."""

    def __init__(self, rpcs: Sequence[str]) -> None:
        """Talk to their engines."""
        self._rpcs = [Rpc(address) for address in rpcs]
        self._numbers = count()

    def wait_until_live(self) -> None:
        """Wait for the first block."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            try:
                self._rpcs[0].broadcast(encode_bundle(next(self._numbers), []))
                if int(self._rpcs[0].status()["sync_info"]["latest_block_height"]) > 1:
                    return
            except (RpcUnavailable, RpcRefused):
                pass
            time.sleep(LOOK_SECONDS)
        raise NodeError("the engines of the bench make no blocks")

    def ordered(self) -> int:
        """Transactions ordered so far, as the first application counts them."""
        return int(self._rpcs[0].abci_info().get("data") or 0)

    def load(self, raws: Sequence[bytes], bundle: int, seconds: float) -> float:
        """Transactions ordered a second, handed in as bundles to all validators in turn."""
        before, started = self.ordered(), time.perf_counter()
        sent = count(1)
        handed = [0]

        def work(rpc: Rpc) -> None:
            while time.perf_counter() - started < seconds:
                if handed[0] * bundle - (self.ordered() - before) > AHEAD * bundle:
                    time.sleep(LOOK_SECONDS)
                    continue
                number = next(sent)
                at = number * bundle % max(1, len(raws) - bundle)
                rpc.broadcast(encode_bundle(next(self._numbers), raws[at : at + bundle]))
                handed[0] += 1

        workers = [rpc for rpc in self._rpcs for _ in range(FLYING)]
        with ThreadPoolExecutor(len(workers)) as threads:
            for done in [threads.submit(work, rpc) for rpc in workers]:
                done.result()
        ordered, spent = self.ordered() - before, time.perf_counter() - started
        return ordered / spent
