"""What a data folder is made of, and the genesis in it.

DATA/genesis.json   how the chain began          DATA/blocks/  the block log: the truth
DATA/node.key       signs headers, sealed        DATA/state/   state store, follows the log
DATA/passphrase     opens node.key and keys/     DATA/tls/     local authority, certificates
DATA/keys/          officers' keys               DATA/lock     held by whoever uses the folder
DATA/node.toml      settings, optional           DATA/api.sock the node's own socket
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tallystick.errors import NodeError
from tallystick.ledger.app import App
from tallystick.ledger.genesis import Genesis, genesis_from_json
from tallystick.ledger.rules import Rules
from tallystick.values.errors import CodecError

GENESIS = "genesis.json"
NODE_KEY = "node"
PASSPHRASE = "passphrase"
BLOCKS = "blocks"
STATE = "state"
KEYS = "keys"
TLS = "tls"
LOCK = "lock"


def read_genesis(folder: Path, apps: Sequence[App]) -> Genesis:
    """The genesis of a data folder; `NodeError` says what is wrong."""
    path = folder / GENESIS
    try:
        return genesis_from_json(path.read_bytes(), Rules(apps).record_types)
    except (FileNotFoundError, NotADirectoryError):
        raise NodeError(f"there is no chain in {folder}: make one with `tally init`") from None
    except (CodecError, OSError) as problem:
        raise NodeError(f"{path} cannot be read: {problem}") from None
