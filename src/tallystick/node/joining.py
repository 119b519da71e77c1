"""A new node that begins with a snapshot: relays to the members it asks, and what it trusts.

CometBFT wants two plain addresses at least: one relay stands for each member's node that
`engine.state_sync` names, and a second one for a lone one's. The client certificate for a member's
node is that of `tls/HOST/`, where that member's operator gave one, else this node's own in `tls/`.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tallystick.api import tls
from tallystick.client.http import Tls, Transport
from tallystick.client.relay import Relay
from tallystick.engine.cometbft.home import Joining
from tallystick.engine.folder import TLS
from tallystick.errors import SettingsError, Unreachable
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.system import Consensus
from tallystick.settings import EngineSettings
from tallystick.values.codec import decode
from tallystick.values.errors import CodecError

TRUSTING_SECONDS = 168 * 3_600
"""For how long validators are held to what they signed; not longer than evidence is taken."""
SERVERS_MIN = 2


class Joiner:
    """Relays for CometBFT's state sync; they run until `stop`."""

    def __init__(self, folder: Path, settings: EngineSettings, genesis: Genesis) -> None:
        """Listen for CometBFT. `SettingsError` when a member's node cannot be asked."""
        height, _, block_hash = settings.trust.partition(":")
        addresses = settings.state_sync * (SERVERS_MIN if len(settings.state_sync) == 1 else 1)
        with ExitStack() as stack:
            relays = [
                stack.enter_context(Relay(_transport(folder, address))) for address in addresses
            ]
            self._stack = stack.pop_all()
        self.joining = Joining(
            servers=tuple([f"http://{relay.address}" for relay in relays]),
            height=int(height),
            block_hash=block_hash,
            period_seconds=_period_seconds(genesis),
        )

    def stop(self) -> None:
        """Listen no more."""
        self._stack.close()


def _transport(folder: Path, address: str) -> Transport:
    """The way to a member's node."""
    own = folder / TLS
    given = own / (urlsplit(address).hostname or "-")
    chosen = given if given.is_dir() else own
    files = Tls(
        ca=chosen / f"{tls.CA}.pem",
        certificate=chosen / f"{tls.CLIENT}.pem",
        key=chosen / f"{tls.CLIENT}.key",
    )
    try:
        return Transport(address, files if address.startswith("https:") else None)
    except (OSError, Unreachable) as problem:
        raise SettingsError("engine.state_sync", f"{address}: {problem}") from None


def _period_seconds(genesis: Genesis) -> int:
    """The trusting period: what evidence lasts, if that is less."""
    for raw in genesis.records:
        try:
            return min(TRUSTING_SECONDS, decode(Consensus, raw).evidence_ms // 1_000)
        except CodecError:
            continue
    return TRUSTING_SECONDS
