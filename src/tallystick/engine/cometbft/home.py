"""CometBFT's home folder: its keys, and its settings and genesis, written from ours at every start.

DATA/engine/config/config.toml             from node.toml, so that there is one place to set things
DATA/engine/config/genesis.json            from the chain's genesis
DATA/engine/config/priv_validator_key.json signs votes; made once, never leaves the machine
DATA/engine/config/node_key.json           names the node among its peers; made once
DATA/engine/data/                          CometBFT's own: blocks, state, what it signed last
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tomli_w
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.engine.cometbft.install import VERSION
from tallystick.engine.cometbft.params import APP_VERSION, EVIDENCE_BYTES
from tallystick.engine.folder import write_private
from tallystick.errors import BadKeyFile, NodeError, SettingsError
from tallystick.ledger.app import Record, tag_of
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.system import Consensus, Validator
from tallystick.settings import UNIX, EngineSettings, is_loopback, is_unix
from tallystick.values.codec import decode

HOME = "engine"
"""Name of the folder in a data folder."""
ABCI_SOCKET = "abci.sock"
"""Name of the socket in a data folder at which CometBFT finds the application."""
SOCKET_BYTES_MAX = 107
"""Longest path of a Unix socket on Linux."""
CHAIN_ID_MAX = 50

_VALIDATOR = Path("config", "priv_validator_key.json")
_SIGNED = Path("data", "priv_validator_state.json")
_NODE = Path("config", "node_key.json")
_BLOCKS = Path("data", "blockstore.db")

MILLION = 1_000_000

Kind = TypeVar("Kind", bound=Record)


@dataclass(frozen=True)
class Joining:
    """From where a new node fetches a snapshot instead of executing every block."""

    servers: tuple[str, ...]
    """Two or more addresses of CometBFT's interface, e.g. `http://127.0.0.1:26657`."""
    height: int
    """Height of a block that the operator trusts."""
    block_hash: str
    """Hash of that block, 64 hex digits."""
    period_seconds: int = 168 * 3_600
    """For how long a validators' set is trusted; less than the evidence period."""


def write_home(
    home: Path,
    genesis: Genesis,
    settings: EngineSettings,
    *,
    socket: Path,
    moniker: str = "tallystick",
    joining: Joining | None = None,
) -> None:
    """Write settings and genesis anew; keys are made if there are none.

    `socket` is where the application listens, as the child process finds it. Raises
    `SettingsError` when its path is too long, `NodeError` when the genesis has no validators or
    what this validator signed is lost.
    """
    _check_socket(socket)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.chmod(0o700)
    written = genesis_file(genesis)
    validator_key(home)
    node_id(home)
    _check_signed(home)
    config = config_file(settings, socket=socket, moniker=moniker, joining=joining)
    _replace(home / "config" / "config.toml", tomli_w.dumps(config).encode())
    _replace(home / "config" / "genesis.json", written)


def _check_socket(socket: Path) -> None:
    """A path that is too long fails late and obscurely."""
    length = len(os.fsencode(socket))
    if length > SOCKET_BYTES_MAX:
        raise SettingsError(
            "data folder",
            f"{socket} has {length} bytes, a Unix socket's path at most {SOCKET_BYTES_MAX}:"
            " choose a folder nearer to the root",
        )


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    write_private(new, data)
    new.replace(path)


# --- genesis


def founding_validators(genesis: Genesis) -> tuple[Validator, ...]:
    """The validators with whom a chain begins, in the order of the genesis."""
    return _records(genesis, Validator)


def founding_consensus(genesis: Genesis) -> Consensus | None:
    """The engine parameters with which a chain begins; None for an embedded chain."""
    found = _records(genesis, Consensus)
    return found[0] if found else None


class _Tagged(msgspec.Struct):
    """Reads a record's tag alone."""

    type: str
    """Tag, e.g. `ledger.validator.1`."""


def _records(genesis: Genesis, kind: type[Kind]) -> tuple[Kind, ...]:
    """Records of one kind in a genesis."""
    tag, reader = tag_of(kind), msgspec.msgpack.Decoder(_Tagged)
    return tuple(decode(kind, raw) for raw in genesis.records if reader.decode(raw).type == tag)


def genesis_file(genesis: Genesis) -> bytes:
    """CometBFT's genesis.json of a chain; `NodeError` when it has no validators or parameters."""
    validators, consensus = founding_validators(genesis), founding_consensus(genesis)
    if not validators or consensus is None:
        raise NodeError(
            f"the genesis of {genesis.chain_id} names no validators:"
            " it is of a chain that one node orders by itself"
        )
    if len(genesis.chain_id) >= CHAIN_ID_MAX:
        raise NodeError(f"the chain's name {genesis.chain_id} is too long for CometBFT")
    seconds, millis = divmod(genesis.time_ms, 1_000)
    moment = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    document = {
        "genesis_time": f"{moment}.{millis:03d}Z",
        "chain_id": genesis.chain_id,
        "initial_height": "1",
        "consensus_params": consensus_params(consensus),
        "validators": [
            {
                "address": address_of(each.public_key).upper(),
                "pub_key": _amino("PubKey", each.public_key),
                "power": str(each.power),
                "name": each.member,
            }
            for each in validators
        ],
        "app_hash": "",
        "app_state": {"genesis": genesis.hash.hex()},
    }
    return json.dumps(document, indent=1).encode() + b"\n"


def consensus_params(consensus: Consensus) -> dict[str, Any]:
    """The parameters as CometBFT's JSON writes them: 64-bit numbers are strings."""
    return {
        "block": {"max_bytes": str(consensus.block_bytes), "max_gas": "-1"},
        "evidence": {
            "max_age_num_blocks": str(consensus.evidence_blocks),
            "max_age_duration": str(consensus.evidence_ms * MILLION),
            "max_bytes": str(EVIDENCE_BYTES),
        },
        "validator": {"pub_key_types": ["ed25519"]},
        "version": {"app": str(APP_VERSION)},
        "abci": {"vote_extensions_enable_height": "0"},
    }


# --- config.toml


def config_file(
    settings: EngineSettings,
    *,
    socket: Path,
    moniker: str = "tallystick",
    joining: Joining | None = None,
) -> dict[str, Any]:
    """CometBFT's settings: its own defaults where none is named here."""
    return {
        "version": VERSION,
        "proxy_app": f"unix://{socket}",
        "abci": "socket",
        "moniker": moniker,
        "db_backend": "goleveldb",
        "db_dir": "data",
        # The others log several lines a block.
        "log_level": "main:info,blocksync:info,statesync:info,evidence:info,*:error",
        "log_format": "json",
        "genesis_file": "config/genesis.json",
        "priv_validator_key_file": str(_VALIDATOR),
        "priv_validator_state_file": str(_SIGNED),
        "node_key_file": str(_NODE),
        # The application is asked about every peer: the allow-list.
        "filter_peers": True,
        "rpc": _rpc(settings),
        "p2p": _p2p(settings),
        "mempool": _mempool(),
        "statesync": _statesync(joining),
        "consensus": _consensus(settings),
        "storage": {"discard_abci_responses": False},
        # Our log holds every receipt: a second index would double the disk.
        "tx_index": {"indexer": "null"},
        "instrumentation": {
            "prometheus": bool(settings.metrics),
            "prometheus_listen_addr": settings.metrics,
            "namespace": "cometbft",
        },
    }


def _rpc(settings: EngineSettings) -> dict[str, Any]:
    """CometBFT's interface: for the node alone."""
    return {
        "laddr": _laddr(settings.rpc),
        "unsafe": False,
        "grpc_laddr": "",
        "pprof_laddr": "",
        "cors_allowed_origins": [],
        # A bundle of 1,000,000 bytes in base64, in JSON.
        "max_body_bytes": 4 * 1_048_576,
        "max_open_connections": 200,
    }


def _laddr(address: str) -> str:
    """An address in CometBFT's words; a relative path is one of the folder where it is started."""
    return f"unix://{address.removeprefix(UNIX)}" if is_unix(address) else f"tcp://{address}"


def _p2p(settings: EngineSettings) -> dict[str, Any]:
    """Between members: named peers alone, none found by gossip."""
    ids = dict.fromkeys([each.partition("@")[0] for each in settings.peers])
    ids.update(dict.fromkeys(settings.allow))
    near = is_loopback(settings.external or settings.p2p)
    return {
        "laddr": f"tcp://{settings.p2p}",
        "external_address": settings.external,
        "seeds": "",
        "persistent_peers": ",".join(settings.peers),
        "unconditional_peer_ids": ",".join(ids),
        "private_peer_ids": ",".join(ids),
        "persistent_peers_max_dial_period": "10s",
        "pex": False,
        "seed_mode": False,
        "addr_book_strict": not near,
        # Several members may stand behind one address; who they are says their key.
        "allow_duplicate_ip": True,
        "send_rate": 50 * 1_024_000,
        "recv_rate": 50 * 1_024_000,
        # Every node of a network must have the same: a larger packet is refused.
        "max_packet_msg_payload_size": 32_768,
        "flush_throttle_timeout": "10ms",
    }


def _mempool() -> dict[str, Any]:
    """Bundles that wait: each is up to 1,000,000 bytes."""
    return {
        "type": "flood",
        "recheck": True,
        "recheck_timeout": "1s",
        "broadcast": True,
        "size": 50_000,
        "max_txs_bytes": 256 * 1_048_576,
        "cache_size": 100_000,
        "keep-invalid-txs-in-cache": False,
        "max_tx_bytes": 1_048_576,
    }


def _statesync(joining: Joining | None) -> dict[str, Any]:
    """Whether the node begins with a snapshot, and what it trusts."""
    if joining is None:
        return {"enable": False}
    return {
        "enable": True,
        "rpc_servers": ",".join(joining.servers),
        "trust_height": joining.height,
        "trust_hash": joining.block_hash,
        "trust_period": f"{joining.period_seconds}s",
        "discovery_time": "5s",
        "chunk_request_timeout": "10s",
        "chunk_fetchers": "4",
    }


def _consensus(settings: EngineSettings) -> dict[str, Any]:
    """When blocks are made: at once when something waits, else as a heartbeat."""
    return {
        "timeout_propose": "2s",
        "timeout_propose_delta": "500ms",
        "timeout_commit": f"{settings.timeout_commit_ms}ms",
        "skip_timeout_commit": False,
        "create_empty_blocks": False,
        "create_empty_blocks_interval": f"{settings.heartbeat_seconds}s",
        "peer_gossip_sleep_duration": "20ms",
    }


# --- keys


Sign = Callable[[bytes], bytes]
"""Signs bytes with one key."""


def validator_key(home: Path) -> bytes:
    """Public key with which this node votes; made if there is none."""
    return _validator(home).public_key().public_bytes_raw()


def node_id(home: Path) -> str:
    """Name of this node among its peers, 40 hex digits; its key is made if there is none."""
    return address_of(node_key(home))


def node_key(home: Path) -> bytes:
    """Public key that names this node among its peers; made if there is none."""
    return _node(home).public_key().public_bytes_raw()


def signers(home: Path) -> dict[str, Sign]:
    """Who holds the keys of this folder can show it: `validator` and `node` sign.

    Never for anything that CometBFT could take for a vote: say what it is in the first bytes.
    """
    return {"validator": _validator(home).sign, "node": _node(home).sign}


def _validator(home: Path) -> Ed25519PrivateKey:
    """The key with which this node votes."""
    path = home / _VALIDATOR
    if not path.exists():
        # What it signed must not outlive the key that signed it, nor be forgotten with it.
        _create(home / _SIGNED, lambda: {"height": "0", "round": 0, "step": 0})
        _create(path, _new_validator)
    document = _read_json(path)
    public = _key_in(document, "pub_key", path, 32)
    made = _opened(path, _key_in(document, "priv_key", path, 64), public)
    if document.get("address") != address_of(public).upper():
        raise BadKeyFile(str(path), "its address is not that of its key")
    return made


def _node(home: Path) -> Ed25519PrivateKey:
    """The key that names this node."""
    path = home / _NODE
    if not path.exists():
        _create(path, lambda: {"priv_key": _amino("PrivKey", _private_bytes(_new_key()))})
    private = _key_in(_read_json(path), "priv_key", path, 64)
    return _opened(path, private, private[32:])


def address_of(public_key: bytes) -> str:
    """CometBFT's name for an Ed25519 key: the first 20 bytes of its SHA-256, in hex."""
    return hashlib.sha256(public_key).hexdigest()[:40]


def _new_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def _private_bytes(key: Ed25519PrivateKey) -> bytes:
    """CometBFT keeps both halves: seed and public key."""
    return key.private_bytes_raw() + key.public_key().public_bytes_raw()


def _new_validator() -> dict[str, Any]:
    """What priv_validator_key.json says."""
    key = _new_key()
    public = key.public_key().public_bytes_raw()
    return {
        "address": address_of(public).upper(),
        "pub_key": _amino("PubKey", public),
        "priv_key": _amino("PrivKey", _private_bytes(key)),
    }


def _amino(half: str, key: bytes) -> dict[str, str]:
    """A key as CometBFT's JSON names it."""
    return {"type": f"tendermint/{half}Ed25519", "value": base64.b64encode(key).decode()}


def _create(path: Path, content: Callable[[], dict[str, Any]]) -> None:
    """Write a file that its owner alone may read, unless another process was first."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    write_private(new, json.dumps(content(), indent=1).encode() + b"\n")
    try:
        os.link(new, path)
    except FileExistsError:
        pass
    finally:
        new.unlink()


def _read_json(path: Path) -> dict[str, Any]:
    """A file of CometBFT's."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadKeyFile(str(path), str(problem)) from None
    if not isinstance(found, dict):
        raise BadKeyFile(str(path), "it is not an object")
    return found


def _key_in(document: dict[str, Any], name: str, path: Path, length: int) -> bytes:
    """A key's bytes."""
    try:
        half = document[name]
        raw = base64.b64decode(half["value"], validate=True)
        kind = str(half["type"])
    except (KeyError, TypeError, ValueError):
        raise BadKeyFile(str(path), f"its {name} is missing or not base64") from None
    if not kind.endswith("KeyEd25519") or len(raw) != length:
        raise BadKeyFile(str(path), f"its {name} is not an Ed25519 key")
    return raw


def _opened(path: Path, private: bytes, public: bytes) -> Ed25519PrivateKey:
    """A private key; one whose halves differ would sign what nobody accepts."""
    made = Ed25519PrivateKey.from_private_bytes(private[:32])
    if made.public_key().public_bytes_raw() != public or private[32:] != public:
        raise BadKeyFile(str(path), "its halves do not belong together")
    return made


def _check_signed(home: Path) -> None:
    """A validator that forgot what it signed might sign twice: then it must not vote."""
    path = home / _SIGNED
    if path.exists():
        return
    if (home / _BLOCKS).exists():
        raise NodeError(
            f"{path} is gone: without it this validator could sign twice. Restore it from the"
            " machine that ran last, or join with a new key"
        )
    _create(path, lambda: {"height": "0", "round": 0, "step": 0})
