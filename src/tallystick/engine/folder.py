"""What a data folder is made of, and the genesis in it.

DATA/genesis.json   how the chain began          DATA/blocks/  the block log: the truth
DATA/node.key       signs headers, sealed        DATA/state/   state store, follows the log
DATA/passphrase     opens node.key and keys/     DATA/tls/     local authority, certificates
DATA/keys/          officers' keys               DATA/lock     held by whoever uses the folder
DATA/node.toml      settings, optional           DATA/api.sock the node's own socket
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

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
KEYS = "keys"
TLS = "tls"
LOCK = "lock"
OURS = (BLOCKS, STATE, KEYS, TLS, f"{NODE_KEY}.key", PASSPHRASE, SOCKET)
"""What a data folder holds beside the genesis, the lock and the settings."""


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
    elif any((folder / name).exists() for name in (BLOCKS, STATE)):
        raise NodeError(f"the data folder {folder} holds blocks, but no {GENESIS}")
    for name in OURS:
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
