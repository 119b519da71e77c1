"""A new node that begins with a snapshot: relays to the members it asks, and what it trusts.

CometBFT wants two plain addresses at least: one relay stands for each member's node that
`engine.state_sync` names, and a second one for a lone one's. The client certificate for a member's
node is that of `tls/HOST/`, where that member's operator gave one, else this node's own in `tls/`.

CometBFT tells us of its verified headers only the app hash. What a snapshot says of its block's
name and time is compared with the header itself, which the same nodes are asked for, and which is
believed by the rules of a light client, from the block that the operator trusts.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.api import tls
from tallystick.client.client import Client
from tallystick.client.http import Tls, Transport
from tallystick.client.relay import Relay
from tallystick.engine.clock import Clock, wall_ms
from tallystick.engine.cometbft.home import Joining
from tallystick.engine.cometbft.light.climbing import Fetch, believed, fetched
from tallystick.engine.cometbft.light.export import Trusted
from tallystick.engine.cometbft.light.verify import Terms, verify_backward
from tallystick.engine.cometbft.seam import Signed
from tallystick.engine.folder import TLS
from tallystick.errors import BadAnswer, HeaderRefused, SettingsError, Unreachable
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.system import Consensus
from tallystick.settings import EngineSettings
from tallystick.values.codec import decode
from tallystick.values.errors import CodecError

TRUSTING_SECONDS = 168 * 3_600
"""For how long validators are held to what they signed; not longer than evidence is taken."""
SERVERS_MIN = 2
ROUNDS = 3
"""How often all members' nodes are asked for a header, before a snapshot is given up."""
PAUSE_SECONDS = 1.0
"""Between two rounds."""
NS_PER_MS = 1_000_000

log = logging.getLogger(__name__)


class Joiner:
    """Relays for CometBFT's state sync; they run until `stop`."""

    def __init__(
        self, folder: Path, settings: EngineSettings, genesis: Genesis, *, wall: Clock = wall_ms
    ) -> None:
        """Listen for CometBFT. `SettingsError` when a member's node cannot be asked."""
        height, _, block_hash = settings.trust.partition(":")
        addresses = settings.state_sync * (SERVERS_MIN if len(settings.state_sync) == 1 else 1)
        transports = [_transport(folder, address) for address in addresses]
        self._clients = [
            Client(each, tls=_files(folder, each)) for each in dict.fromkeys(addresses)
        ]
        self._trusted = Trusted(
            chain_id=genesis.chain_id, height=int(height), hash=bytes.fromhex(block_hash)
        )
        self._wall = wall
        self._is_stopped = threading.Event()
        with ExitStack() as stack:
            relays = [stack.enter_context(Relay(transport)) for transport in transports]
            self._stack = stack.pop_all()
        self.joining = Joining(
            servers=tuple([f"http://{relay.address}" for relay in relays]),
            height=int(height),
            block_hash=block_hash,
            period_seconds=_period_seconds(genesis),
        )

    def vouch(self, height: int, app_hash: bytes) -> Signed | None:
        """Name and time of a block after which the app hash is this; None when nobody can tell.

        What one node says is compared with what the trusted block leads to: then the next is asked.
        """
        for client in self._asked():
            try:
                return self._signed(client.light_block, height, app_hash)
            except (Unreachable, BadAnswer, HeaderRefused) as problem:
                log.warning("%s: block %d: %s", client.address, height, problem)
        return None

    def _asked(self) -> Iterator[Client]:
        """All members' nodes, some times over, as long as this node runs."""
        for number in range(ROUNDS):
            if number and self._is_stopped.wait(PAUSE_SECONDS):
                return
            yield from self._clients

    def _signed(self, fetch: Fetch, height: int, app_hash: bytes) -> Signed:
        """What validators signed of a block: the next one names it, and has its app hash."""
        terms = Terms(
            now_ns=self._wall() * NS_PER_MS,
            trusting_ns=self.joining.period_seconds * 1_000 * NS_PER_MS,
        )
        after = believed(fetch, self._trusted, height + 1, terms)
        if after.app_hash != app_hash:
            raise HeaderRefused(after.height, "its app hash is not the one that CometBFT believes")
        header = fetched(fetch, height).header
        verify_backward(after, header)
        return Signed(header.hash, header.time_ns // NS_PER_MS)

    def stop(self) -> None:
        """Listen no more."""
        self._is_stopped.set()
        self._stack.close()
        for client in self._clients:
            client.close()


def _transport(folder: Path, address: str) -> Transport:
    """The way to a member's node."""
    try:
        return Transport(address, _files(folder, address))
    except (OSError, Unreachable) as problem:
        raise SettingsError("engine.state_sync", f"{address}: {problem}") from None


def _files(folder: Path, address: str) -> Tls | None:
    """What is shown to a member's node; None for one on this machine."""
    if not address.startswith("https:"):
        return None
    own = folder / TLS
    given = own / (urlsplit(address).hostname or "-")
    chosen = given if given.is_dir() else own
    return Tls(
        ca=chosen / f"{tls.CA}.pem",
        certificate=chosen / f"{tls.CLIENT}.pem",
        key=chosen / f"{tls.CLIENT}.key",
    )


def _period_seconds(genesis: Genesis) -> int:
    """The trusting period: what evidence lasts, if that is less."""
    for raw in genesis.records:
        try:
            return min(TRUSTING_SECONDS, decode(Consensus, raw).evidence_ms // 1_000)
        except CodecError:
            continue
    return TRUSTING_SECONDS
