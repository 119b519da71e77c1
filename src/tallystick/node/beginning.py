"""Making the data folder of a node that orders by itself: genesis, keys, certificates."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tallystick.api import tls
from tallystick.client.keys import KeyStore
from tallystick.engine.clock import Clock, wall_ms
from tallystick.engine.folder import (
    GENESIS,
    KEYS,
    LOCK,
    NODE_KEY,
    PASSPHRASE,
    TLS,
    make_room,
    write_private,
)
from tallystick.errors import NodeError
from tallystick.ledger.app import App, Record
from tallystick.ledger.authority import Authority
from tallystick.ledger.genesis import (
    BUDGET,
    HORIZON_MS,
    AppVersion,
    Budget,
    Genesis,
    genesis_to_json,
)
from tallystick.ledger.rules import Rules
from tallystick.settings import Settings
from tallystick.store.disk import OsDisk
from tallystick.values.codec import encode

TIMERS_PER_BLOCK = 1_000


@dataclass(frozen=True)
class Made:
    """A data folder that was made."""

    folder: Path
    """Where it is."""
    genesis: Genesis
    """How its chain begins."""
    passphrase: str
    """What opens its keys; also in the file `passphrase`."""

    @property
    def keys(self) -> KeyStore:
        """The folder's officers' keys."""
        return KeyStore(self.folder / KEYS, self.passphrase)


@dataclass(frozen=True)
class Beginning:
    """What the genesis of a new chain says."""

    name: str
    """Name of the chain, e.g. `pilot`."""
    records: Sequence[Record] = ()
    """First records of its applications."""
    opens_at_ms: int | None = None
    """For a trial: ledger time at genesis, in milliseconds; None when it is the machine's."""
    trial: bool = False
    """Whether named members may move the clock forward."""
    demo: bool = False
    """Whether a later demonstration may replace the data."""
    budget: Budget = BUDGET
    """Work budget of a transaction or timer."""
    horizon_ms: int = HORIZON_MS
    """How far ahead of ledger time an expiry may lie, in milliseconds."""


def shipped() -> tuple[tuple[App, ...], Authority]:
    """The applications of this release, and the one that decides who may sign."""
    from tallystick.apps import APPS, AUTHORITY

    return tuple(APPS), AUTHORITY


def init(
    folder: Path,
    beginning: Beginning,
    *,
    apps: Sequence[App] | None = None,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
    replace_demo: bool = False,
    clock: Clock = wall_ms,
) -> Made:
    """Make a data folder: genesis, node key, passphrase, certificates. The genesis is written last.

    A folder that holds a chain is refused, unless it is a demonstration's and `replace_demo`.
    """
    known = tuple(shipped()[0] if apps is None else apps)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        lock = OsDisk().lock(str(folder / LOCK))
        stack.callback(lock.release)
        make_room(folder, known, replace_demo=replace_demo)
        passphrase = secrets.token_urlsafe(24)
        write_private(folder / PASSPHRASE, (passphrase + "\n").encode())
        node_key = KeyStore(folder, passphrase).create(NODE_KEY)
        now_ms = clock()
        tls.make(folder / TLS, datetime.fromtimestamp(now_ms // 1000, UTC), hosts)
        genesis = Genesis(
            format=1,
            name=beginning.name,
            time_ms=now_ms,
            opens_at_ms=beginning.opens_at_ms,
            trial=beginning.trial,
            demo=beginning.demo,
            horizon_ms=beginning.horizon_ms,
            timers_per_block=TIMERS_PER_BLOCK,
            budget=beginning.budget,
            node_key=node_key.public_key,
            apps=tuple(AppVersion(app=app.name, version=app.version) for app in known),
            records=tuple(encode(record) for record in beginning.records),
        )
        written = genesis_to_json(genesis, Rules(known).record_types)
        write_private(folder / (GENESIS + ".new"), written)
        (folder / (GENESIS + ".new")).rename(folder / GENESIS)
        OsDisk().sync_folder(str(folder))
    return Made(folder, genesis, passphrase)


def read_passphrase(folder: Path, settings: Settings) -> str:
    """The passphrase of a data folder's keys."""
    path = folder / settings.passphrase_file
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        raise NodeError(f"the passphrase file {path} cannot be read: {problem}") from None
