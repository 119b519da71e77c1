"""How a chain begins: time, limits, rules and records. Its hash is in the chain's name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Union

import msgspec
from msgspec import Meta

from tallystick.accel import EMPTY_VERSION, Tree
from tallystick.ledger.app import Record, key_bytes
from tallystick.ledger.system import CLOCK, Activation, Clock, Consensus, UsedMinute, Validator
from tallystick.ledger.transaction import CALLS_MAX
from tallystick.values.codec import (
    Struct,
    decode,
    decode_canonical,
    encode,
    from_json,
    replace,
    to_json,
)
from tallystick.values.errors import CodecError
from tallystick.values.units import AtMs, Count, DurationMs, Label, PublicKey

FORMAT = 1
RECORDS_MAX = 10_000_000
RECORD_BYTES_MAX = 1_048_576
HORIZON_MS = 24 * 3_600_000
"""Usual horizon of expiry: one day."""


class Budget(Struct):
    """The most that one transaction or timer may do."""

    calls: Count = CALLS_MAX
    """Calls of a transaction."""
    reads: Count
    """Records read; a scan counts as one more."""
    writes: Count
    """Records written."""
    bytes: Count
    """Bytes of changed records."""


BUDGET = Budget(reads=20_000, writes=5_000, bytes=4_000_000)
"""Usual work budget."""


class AppVersion(Struct, array_like=True):
    """An application and the version of its rules in force from the first block."""

    app: Label
    """Name of the application."""
    version: Count
    """Version of its rules."""


class Genesis(Struct):
    """Everything that the nodes of a chain agree on before its first block."""

    format: Count
    """Format number, 1."""
    name: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+(?!\n)$")]
    """Name of the chain, e.g. `pilot`."""
    time_ms: AtMs
    """Block time at genesis."""
    opens_at_ms: AtMs | None = None
    """For a trial: ledger time at genesis; None when ledger time is block time."""
    trial: bool = False
    """Whether named members may move the clock forward."""
    demo: bool = False
    """Whether a later demonstration may replace the data."""
    horizon_ms: DurationMs
    """How far ahead of ledger time an expiry may lie."""
    timers_per_block: Count
    """Most timers run in one block."""
    budget: Budget
    """Work budget of a transaction or timer."""
    node_key: PublicKey | None = None
    """Key with which the embedded engine's node signs headers; None under CometBFT."""
    apps: Annotated[tuple[AppVersion, ...], Meta(max_length=64)]
    """Applications and the versions of their rules, in execution order."""
    records: Annotated[
        tuple[Annotated[bytes, Meta(max_length=RECORD_BYTES_MAX)], ...],
        Meta(max_length=RECORDS_MAX),
    ] = ()
    """First records of any application, each encoded with its tag."""

    @property
    def chain_id(self) -> str:
        """Name of the chain and the first 8 hex digits of the genesis hash."""
        return f"{self.name}-{self.hash.hex()[:8]}"

    @property
    def hash(self) -> bytes:
        """SHA-256 of the encoded genesis."""
        return hashlib.sha256(encode(self)).digest()


def record_union(types: Sequence[type[Record]]) -> Any:
    """Union of the record types, for a decoder."""
    return Union[tuple(types)]


def genesis_to_json(genesis: Genesis, types: Sequence[type[Record]]) -> bytes:
    """The genesis as a file that people can read: records in clear."""
    union = record_union(types)
    plain = msgspec.json.decode(to_json(replace(genesis, records=())))
    plain["records"] = [msgspec.json.decode(to_json(decode(union, raw))) for raw in genesis.records]
    return msgspec.json.format(msgspec.json.encode(plain), indent=1) + b"\n"


def genesis_from_json(data: bytes, types: Sequence[type[Record]]) -> Genesis:
    """Read such a file; CodecError says what is wrong."""
    union = record_union(types)
    try:
        plain = msgspec.json.decode(data, type=dict[str, Any])
        records = msgspec.convert(plain.pop("records", []), list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise CodecError(f"the genesis file is not JSON of a genesis: {problem}") from None
    genesis = from_json(Genesis, msgspec.json.encode(plain))
    check_genesis(genesis)
    encoded = tuple(encode(from_json(union, msgspec.json.encode(each))) for each in records)
    return replace(genesis, records=encoded)


def check_genesis(genesis: Genesis) -> None:
    """CodecError unless it says something that a chain can begin with."""
    if genesis.format != FORMAT:
        raise CodecError("unknown genesis format", format=genesis.format)
    if genesis.opens_at_ms is not None and not genesis.trial:
        raise CodecError("only a trial opens at a time of its own", opens_at_ms=genesis.opens_at_ms)
    if not genesis.timers_per_block:
        raise CodecError("timers are to be run", timers_per_block=0)
    names = [each.app for each in genesis.apps]
    if len(set(names)) < len(names):
        raise CodecError("genesis names an application twice", apps=names)


def first_records(genesis: Genesis, types: Sequence[type[Record]]) -> dict[bytes, bytes]:
    """State at height 0: genesis records by key, and the ledger's own clock and rules.

    A genesis made of another chain's state brings clock and rules in force with it. Used references
    stay behind: they belong to transactions of the other chain.
    """
    check_genesis(genesis)
    union = record_union(types)
    first: dict[bytes, bytes] = {}
    for raw in genesis.records:
        kept = decode_canonical(union, raw)
        key = key_bytes(kept)
        if key in first or isinstance(kept, UsedMinute):
            what = "of another chain" if isinstance(kept, UsedMinute) else "twice"
            raise CodecError(f"genesis has a record {what}", record=kept.spec.name, key=key)
        first[key] = raw
    offset = 0 if genesis.opens_at_ms is None else genesis.opens_at_ms - genesis.time_ms
    own: list[Record] = [Clock(name=CLOCK, offset_ms=offset, trial=genesis.trial)]
    own += [Activation(app=each.app, version=each.version) for each in genesis.apps]
    return {key_bytes(kept): encode(kept) for kept in own} | first


def root_of(genesis: Genesis, types: Sequence[type[Record]]) -> bytes:
    """Root of the state at height 0."""
    tree = Tree()
    return tree.root(tree.apply_records(EMPTY_VERSION, first_records(genesis, types).items()))


def carried_over(kept: Record, height: int) -> Record | None:
    """What another chain's genesis keeps of a record of the block at a height; None: nothing.

    Heights begin anew: rules that were decided for a later block come after as many blocks.
    References and the nodes that decided on blocks are the old chain's own.
    """
    if isinstance(kept, UsedMinute | Validator | Consensus):
        return None
    if not isinstance(kept, Activation) or kept.from_height is None:
        return kept
    if kept.from_height <= height + 1:
        return Activation(app=kept.app, version=kept.at(height + 1))
    return replace(kept, from_height=kept.from_height - height)
