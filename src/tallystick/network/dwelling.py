"""The data folder of a node of a consortium: its own keys first, the genesis and settings after.

DATA/passphrase      opens officers' keys        DATA/tls/       local authority, certificates
DATA/engine/config/  keys of vote and network    DATA/keys/      officers' keys
DATA/genesis.json    how the chain begins        DATA/node.toml  settings
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import tomli_w

from tallystick import settings as node_settings
from tallystick.api import tls
from tallystick.engine.clock import wall_ms
from tallystick.engine.cometbft.home import HOME, node_id, node_key, validator_key
from tallystick.engine.folder import BLOCKS, GENESIS, PASSPHRASE, STATE, TLS, write_private
from tallystick.errors import NodeError
from tallystick.settings import Settings
from tallystick.store.disk import OsDisk

HEAD = (
    "# Settings of this node; docs/guides/consortium.md. CometBFT's own files follow from them.\n"
)


@dataclass(frozen=True)
class Identity:
    """What others know a node by."""

    node_id: str
    """Name of its engine among its peers, 40 hex digits."""
    validator_key: bytes
    """Public key with which it votes."""
    node_key: bytes
    """Public key that its name is made of."""


def prepare(
    folder: Path,
    *,
    passphrase: str | None = None,
    hosts: Sequence[str] = ("localhost", "127.0.0.1"),
) -> Identity:
    """Make a data folder with keys and certificates of its own; one that has them keeps them.

    A folder that holds a chain of another kind is refused.
    """
    if (folder / GENESIS).exists() and not (folder / HOME).exists():
        raise NodeError(f"the data folder {folder} holds a chain already")
    if not (folder / GENESIS).exists() and any((folder / x).exists() for x in (BLOCKS, STATE)):
        raise NodeError(f"the data folder {folder} holds blocks, but no {GENESIS}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (folder / PASSPHRASE).exists():
        words = passphrase or secrets.token_urlsafe(24)
        write_private(folder / PASSPHRASE, (words + "\n").encode())
    if not (folder / TLS).exists():
        tls.make(folder / TLS, datetime.fromtimestamp(wall_ms() // 1000, UTC), hosts)
    home = folder / HOME
    return Identity(node_id(home), validator_key(home), node_key(home))


def put_genesis(folder: Path, genesis: bytes) -> None:
    """Give a folder its chain, durably; another than it has is refused."""
    path = folder / GENESIS
    if path.exists():
        if path.read_bytes() != genesis:
            raise NodeError(f"the data folder {folder} holds another chain already")
        return
    new = path.with_name(GENESIS + ".new")
    write_private(new, genesis)
    new.replace(path)
    OsDisk().sync_folder(str(folder))


def read_settings(folder: Path) -> Settings:
    """Settings as the folder's file says them, without the environment."""
    return node_settings.load(folder, {})


def write_settings(folder: Path, settings: Settings) -> None:
    """Write node.toml: what differs from the usual, so that it reads."""
    path = folder / node_settings.FILE
    new = path.with_name(path.name + ".new")
    write_private(new, (HEAD + tomli_w.dumps(_differing(settings))).encode())
    new.replace(path)


def _differing(value: msgspec.Struct) -> dict[str, Any]:
    """Fields that are not at their default; tables after plain values, as TOML wants it."""
    plain: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    for name in value.__struct_fields__:
        found = getattr(value, name)
        if isinstance(found, msgspec.Struct):
            if inner := _differing(found):
                tables[name] = inner
        elif found != getattr(type(value)(), name):
            plain[name] = list(found) if isinstance(found, tuple) else found
    return plain | tables
