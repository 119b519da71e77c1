"""How a node is set up: the file `node.toml` in its data folder, and what the environment changes.

    [listen]
    socket = "api.sock"          # Unix socket, relative to the data folder; "" for none
    address = "127.0.0.1:7443"   # TCP with mutual TLS; "" for none, the default
    probes = "127.0.0.1:7480"    # plain HTTP with health, readiness, metrics; "" for none

    [limits]
    queue = 20000                # transactions that may wait
    block = 2000                 # transactions of a block

    accel = "auto"               # "native" (make native) when it is installed, else "python"
    python_core = "auto"         # core on which all Python runs: 0, 1, …; "any" leaves it open
    huge_pages = "auto"          # pages of 2 MB where the system gives them; "off" asks for none

    [store]
    kind = "auto"                # what keeps the state: "rocksdb", or "lsm" (make native): quicker

    [state]
    cache_records = "auto"       # records kept decoded in memory: a number, or what is sensible

    [engine]
    kind = "cometbft"            # who orders: "embedded" (one node) or "cometbft" (a consortium)
    p2p = "0.0.0.0:26656"        # where the engine listens for the other members' engines
    peers = ["<node id>@bank-b.example:26656"]
    allow = ["<node id>"]        # engines that may connect

The engine's own files are written anew from these settings at every start.
The environment: TALLY_LISTEN, TALLY_SOCKET, TALLY_ACCEL, TALLY_PYTHON_CORE,
TALLY_HUGE_PAGES, TALLY_STORE, TALLY_CACHE_RECORDS, TALLY_PASSPHRASE_FILE.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from tallystick.errors import SettingsError

FILE = "node.toml"
"""Name of the file in the data folder."""
SOCKET = "api.sock"
"""Usual name of the Unix socket in the data folder."""
UNIX = "unix:"
"""Begins an address that is the path of a Unix socket."""
RPC = "unix:rpc.sock"
"""Usual place of CometBFT's own interface, relative to the data folder."""


class Listen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the node listens."""

    socket: str = SOCKET
    """Path of the Unix socket, relative to the data folder; empty for none."""
    address: str = ""
    """HOST:PORT for TCP with mutual TLS, e.g. `127.0.0.1:7443`; empty for none."""
    probes: str = ""
    """HOST:PORT for plain HTTP with health, readiness and metrics alone; empty for none."""


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much the node takes at once."""

    queue: Annotated[int, Meta(ge=1, le=1_000_000)] = 20_000
    """Transactions that may wait for a block."""
    block: Annotated[int, Meta(ge=1, le=50_000)] = 2_000
    """Transactions of a block."""
    patience_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 30
    """How long a client may take to send a request, and be silent between two, in seconds."""


def is_loopback(address: str) -> bool:
    """Whether a HOST:PORT can be reached from this machine alone."""
    host = address.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_unix(address: str) -> bool:
    """Whether an address is the path of a Unix socket."""
    return address.startswith(UNIX)


NodeId = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}$")]
"""Name of a CometBFT node: the address of its network key, 40 hex digits."""
PeerAddress = Annotated[str, Meta(pattern=r"^[0-9a-f]{40}@[^@\s]+:[0-9]{1,5}$", max_length=320)]
"""A CometBFT node and where it listens: `id@host:port`."""


DoorAddress = Annotated[str, Meta(pattern=r"^(https://[^/\s]+|unix:.+)(?!\n)$", max_length=320)]
"""Where a node listens: `https://host:port`, or `unix:PATH` on this machine."""
TrustedBlock = Annotated[str, Meta(pattern=r"^([1-9][0-9]{0,17}:[0-9A-Fa-f]{64})?(?!\n)$")]
"""A block by height and hash, or nothing."""


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who orders transactions, and how CometBFT is run when it is CometBFT."""

    kind: Literal["embedded", "cometbft"] = "embedded"
    """`embedded`: this node alone; `cometbft`: with the other validators of a consortium."""
    p2p: str = "0.0.0.0:26656"
    """HOST:PORT where CometBFT listens for other members' engines."""
    external: str = ""
    """HOST:PORT at which the others reach it; empty when that is `p2p`."""
    rpc: str = RPC
    """CometBFT's own interface, which asks nobody who they are: a Unix socket of the data folder.

    HOST:PORT on loopback is possible, for tools: then every user of the machine reads everything.
    """
    metrics: str = ""
    """HOST:PORT of CometBFT's metrics, loopback only, e.g. `127.0.0.1:26660`; empty for none."""
    peers: tuple[PeerAddress, ...] = ()
    """Engines to connect to and stay connected with."""
    allow: tuple[NodeId, ...] = ()
    """Engines that may connect; those of `peers` may in any case. Empty lets nobody else in."""
    timeout_commit_ms: Annotated[int, Meta(ge=0, le=60_000)] = 100
    """How long a validator waits for late votes after a block, in milliseconds."""
    heartbeat_seconds: Annotated[int, Meta(ge=1, le=3_600)] = 10
    """How long after the last block an empty one is made, in seconds."""
    bundle: Annotated[int, Meta(ge=1, le=2_000)] = 1_000
    """Transactions that travel together at most; 1 sends each alone."""
    bundle_wait_ms: Annotated[int, Meta(ge=0, le=10_000)] = 10
    """How long a transaction waits for company, in milliseconds."""
    snapshot_every: Annotated[int, Meta(ge=0)] = 1_000
    """A snapshot for joining nodes every so many blocks; 0 takes none."""
    retain_blocks: Annotated[int, Meta(ge=0)] = 0
    """Blocks that are kept at least; 0 keeps all: an archive."""
    halt_height: Annotated[int, Meta(ge=0)] = 0
    """Block after which the node stops, for an upgrade of the binary; 0 for none."""
    binary: str = ""
    """Path of the program `cometbft`; empty for the one that `tally engine install` made."""
    state_sync: tuple[DoorAddress, ...] = ()
    """Members' nodes from which a new node fetches a snapshot; none: it executes every block."""
    trust: TrustedBlock = ""
    """HEIGHT:HASH of a block that the operator checked; with `state_sync`, where trust begins."""

    def __post_init__(self) -> None:
        """ValueError when CometBFT's own interface would be open to other machines."""
        near = {"metrics": self.metrics} if self.metrics else {}
        if not is_unix(self.rpc):
            near["rpc"] = self.rpc
        elif not self.rpc.removeprefix(UNIX) or set(self.rpc) & set(", \n"):
            raise ValueError(f"engine.rpc: {self.rpc!r} is no path that CometBFT can take")
        for name, address in near.items():
            if not is_loopback(address):
                raise ValueError(f"engine.{name} must be on loopback, not {address!r}")
        if self.state_sync and not self.trust:
            raise ValueError("engine.state_sync needs engine.trust = HEIGHT:HASH")


StoreKind = Literal["auto", "rocksdb", "lsm"]
"""What keeps the state."""


class StoreSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the state is kept on disk."""

    kind: StoreKind = "auto"
    """`rocksdb`; `lsm`, the native module's own, which lets Python go on while it works; or `auto`.

    `auto` keeps the kind of the folder; a new one gets `lsm` with the native body, else `rocksdb`.
    A state that another kind kept is made anew from the block log, if that has all blocks.
    """


CacheRecords = Annotated[int, Meta(ge=1, le=100_000_000)] | Literal["auto"]
"""How many records, or as many as suit the machine."""


class StateSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the state is at hand."""

    cache_records: CacheRecords = "auto"
    """Records that are kept decoded: those that were used or made last.

    `auto` takes a fifth of the memory that the process may have, at 1,250 bytes a record (a
    balance takes 360, a piece of a receivable 1,250, a delivery 2,250), for at least 100,000 and
    at most 4,000,000. Nodes that share a machine do not know of each other: set a number there.
    """


PythonCore = Annotated[int, Meta(ge=0, le=4_095)] | Literal["auto", "any"]
"""A core by its number, one that the node chooses, or whichever the system gives."""

HugePagesWanted = Literal["auto", "off"]
"""Whether to ask for huge pages."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be set."""

    listen: Listen = Listen()
    """Where the node listens."""
    limits: Limits = Limits()
    """How much it takes at once."""
    engine: EngineSettings = EngineSettings()
    """Who orders transactions."""
    store: StoreSettings = StoreSettings()
    """How the state is kept on disk."""
    state: StateSettings = StateSettings()
    """How much of the state is at hand."""
    log_format: Literal["auto", "text", "json"] = "auto"
    """Lines for people or for programs; `auto` is text on a terminal and JSON elsewhere."""
    accel: str = "auto"
    """Body of signatures, envelopes and tree: `auto`, `python`, `native`, or `both`, compared."""
    python_core: PythonCore = "auto"
    """Core on which all Python runs, so that its caches stay warm; `any` leaves it to the system.

    Only with the native body, which works on the other cores meanwhile, and in a process of the
    node's own. `auto` chooses one for an embedded engine, and leaves it open in a consortium.
    """
    huge_pages: HugePagesWanted = "auto"
    """Whether to ask Linux for pages of 2 MB: more accounts a second where there are many.

    In a process of the node's own. A system that is set to `never` is not asked.
    """
    passphrase_file: str = "passphrase"
    """File with the passphrase of the node's key, relative to the data folder."""
    clock_is_right: bool = False
    """Whether to start although the machine's clock is far ahead of the last block."""


def load(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Settings of a data folder; the file may be missing. `SettingsError` says what is wrong."""
    path = folder / FILE
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=Settings)
    except FileNotFoundError:
        found = Settings()
    except (msgspec.DecodeError, UnicodeDecodeError, OSError) as problem:
        raise SettingsError(FILE, str(problem)) from None
    return _with_environment(found, environment)


def rpc_address(folder: Path, engine: EngineSettings) -> str:
    """Where CometBFT's own interface of a data folder is reached: `unix:PATH` or HOST:PORT."""
    if not is_unix(engine.rpc):
        return engine.rpc
    return f"{UNIX}{folder / engine.rpc.removeprefix(UNIX)}"


def _with_environment(found: Settings, environment: Mapping[str, str]) -> Settings:
    """Settings with what the environment changes."""
    listen = msgspec.structs.replace(
        found.listen,
        socket=environment.get("TALLY_SOCKET", found.listen.socket),
        address=environment.get("TALLY_LISTEN", found.listen.address),
    )
    core = environment.get("TALLY_PYTHON_CORE", found.python_core)
    try:
        core = msgspec.convert(core, PythonCore, strict=False)
    except msgspec.ValidationError as problem:
        raise SettingsError("TALLY_PYTHON_CORE", str(problem)) from None
    store = environment.get("TALLY_STORE", found.store.kind)
    if store not in get_args(StoreKind):
        raise SettingsError("TALLY_STORE", f"{store!r} is none of {get_args(StoreKind)}")
    pages = environment.get("TALLY_HUGE_PAGES", found.huge_pages)
    if pages not in get_args(HugePagesWanted):
        raise SettingsError("TALLY_HUGE_PAGES", f"{pages!r} is none of {get_args(HugePagesWanted)}")
    records = environment.get("TALLY_CACHE_RECORDS", found.state.cache_records)
    try:
        records = msgspec.convert(records, CacheRecords, strict=False)
    except msgspec.ValidationError as problem:
        raise SettingsError("TALLY_CACHE_RECORDS", str(problem)) from None
    return msgspec.structs.replace(
        found,
        listen=listen,
        state=StateSettings(cache_records=records),
        store=msgspec.structs.replace(found.store, kind=store),
        accel=environment.get("TALLY_ACCEL", found.accel),
        python_core=core,
        huge_pages=pages,
        passphrase_file=environment.get("TALLY_PASSPHRASE_FILE", found.passphrase_file),
    )


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:7443` or `[::1]:7443`."""
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise SettingsError("listen.address", f"{address!r} is not HOST:PORT")
    return host.strip("[]"), int(port)
