"""What a data folder is made of, and the genesis in it.

DATA/genesis.json   how the chain began          DATA/blocks/  the block log: the truth
DATA/node.key       signs headers, sealed        DATA/state/   state store, follows the log
DATA/passphrase     opens node.key and keys/     DATA/tls/     local authority, certificates
DATA/keys/          officers' keys               DATA/lock     held by whoever uses the folder
DATA/node.toml      settings, optional           DATA/api.sock the node's own socket
DATA/halted.json    why it stopped by itself     DATA/snapshots/ states of some blocks, for others
DATA/light/         headers and votes of a consortium
DATA/engine/        home of CometBFT, its keys   DATA/outbox/  what a consortium's node promised
DATA/abci.sock      where CometBFT connects
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tallystick.errors import NodeError
from tallystick.ledger.app import App
from tallystick.ledger.genesis import Genesis, genesis_from_json
from tallystick.ledger.rules import Rules
from tallystick.settings import SOCKET
from tallystick.values.errors import CodecError

GENESIS = "genesis.json"
NODE_KEY = "node"
PASSPHRASE = "passphrase"
BLOCKS = "blocks"
STATE = "state"
SNAPSHOTS = "snapshots"
KEYS = "keys"
TLS = "tls"
LOCK = "lock"
HALTED = "halted.json"
LIGHT = "light"
ENGINE = "engine"
OUTBOX = "outbox"
ABCI_SOCKET = "abci.sock"
OURS = (BLOCKS, STATE, SNAPSHOTS, LIGHT, KEYS, TLS, f"{NODE_KEY}.key", PASSPHRASE, SOCKET, HALTED)
"""What a data folder holds beside the genesis, the lock and the settings."""
ENGINES = (ENGINE, OUTBOX, ABCI_SOCKET)
"""What a consortium's data folder holds besides."""


def read_genesis(folder: Path, apps: Sequence[App]) -> Genesis:
    """The genesis of a data folder; `NodeError` says what is wrong."""
    path = folder / GENESIS
    try:
        return genesis_from_json(path.read_bytes(), Rules(apps).record_types)
    except (FileNotFoundError, NotADirectoryError):
        raise NodeError(f"there is no chain in {folder}: make one with `tally init`") from None
    except (CodecError, OSError) as problem:
        raise NodeError(f"{path} cannot be read: {problem}") from None


def make_room(folder: Path, apps: Sequence[App], *, replace_demo: bool) -> None:
    """See that the folder holds no chain that anybody may need."""
    path = folder / GENESIS
    if path.exists():
        is_demo = read_genesis(folder, apps).demo
        if not (replace_demo and is_demo):
            raise NodeError(f"the data folder {folder} holds a chain already")
    elif any((folder / name).exists() for name in (BLOCKS, STATE, *ENGINES)):
        raise NodeError(f"the data folder {folder} holds blocks or an engine, but no {GENESIS}")
    for name in (*OURS, *ENGINES):
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)
    for name in (GENESIS, GENESIS + ".new"):
        (folder / name).unlink(missing_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read, durably."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


class Halt(msgspec.Struct, frozen=True, kw_only=True):
    """Why a node stopped by itself."""

    at: str
    """When, UTC, e.g. `2026-11-22T10:00:00Z`."""
    height: int
    """Last committed block."""
    reason: str
    """What was wrong, in words."""


def note_halt(folder: Path, height: int, reason: str) -> None:
    """Leave word of why the node stopped, for `tally doctor`; as far as the disk takes it."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        write_private(
            folder / HALTED, msgspec.json.encode(Halt(at=at, height=height, reason=reason))
        )
    except OSError:
        return


def read_halt(folder: Path) -> Halt | None:
    """Why the node stopped by itself; None when it did not, or goes on since."""
    try:
        return msgspec.json.decode((folder / HALTED).read_bytes(), type=Halt)
    except (OSError, msgspec.DecodeError):
        return None


def forget_halt(folder: Path) -> None:
    """The node goes on: what stopped it is over."""
    (folder / HALTED).unlink(missing_ok=True)
