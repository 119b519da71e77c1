"""A pilot's state as a file: what a consortium's genesis takes over of it.

    pilot = read_folder(Path(".tally"), apps, authority)   # audited: replayed from its genesis
    write_pilot(Path("pilot.json"), pilot)
    records = records_of(read_pilot(Path("pilot.json")), apps)

The records are written in clear, so that members can read what they agree to. `root` is the root of
the state tree over them: whoever reads the file computes it anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import msgspec
from msgspec import Meta

from tallystick.accel import EMPTY_VERSION, Tree
from tallystick.apps.founding import travelling
from tallystick.audit import Progress, audited
from tallystick.engine.folder import read_genesis, write_private
from tallystick.errors import AuditFailed, FormatError, NodeError
from tallystick.ledger.app import App, Record, key_bytes, tag_of
from tallystick.ledger.authority import Authority
from tallystick.ledger.genesis import Budget, record_union
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import Activation, Clock
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import decode_canonical, encode, from_json, to_json
from tallystick.values.errors import CodecError

Hex = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
"""32 bytes, in hex."""


class Pilot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The state of a chain after its last block, without what is bound to that chain."""

    format: Literal[1] = 1
    """Format number, 1."""
    chain_id: str
    """Chain it was, e.g. `pilot-0f3a9c21`."""
    genesis: Hex
    """Hash of its genesis."""
    height: int
    """Its last block."""
    block: Hex
    """Name of that block."""
    state_root: Hex
    """Root of its state, as that block's seal and `tally status` say."""
    time_ms: int
    """Block time of that block; the new chain begins no earlier."""
    horizon_ms: int
    """How far ahead of ledger time a transaction could expire."""
    timers_per_block: int
    """Most timers run in one block."""
    budget: Budget
    """Work budget of a transaction or timer."""
    root: Hex
    """Root over the records below."""
    records: tuple[dict[str, Any], ...]
    """Every record that travels, in key order."""


def read_folder(
    folder: Path, apps: Sequence[App], authority: Authority, *, progress: Progress | None = None
) -> Pilot:
    """Audit the folder of a stopped node and take its state; nothing in it is changed.

    DataFolderInUse while a node runs over it; AuditFailed names everything that is wrong;
    ReleaseTooOld when its rules are newer than ours; NodeError for an open vote on a block to come.
    """
    found = audited(folder, apps, authority, progress=progress)
    if not found.report.ok:
        raise AuditFailed(tuple(found.report.problems))
    genesis, rules, tip = read_genesis(folder, apps), Rules(apps), found.state.tip
    try:
        records = travelling(_records(found.store, rules), tip.height)
    except ValueError as problem:
        raise NodeError(str(problem)) from None
    require_known(records, rules)
    return Pilot(
        chain_id=genesis.chain_id,
        genesis=genesis.hash.hex(),
        height=tip.height,
        block=tip.header_hash.hex(),
        state_root=found.state.root().hex(),
        time_ms=tip.time_ms,
        horizon_ms=genesis.horizon_ms,
        timers_per_block=genesis.timers_per_block,
        budget=genesis.budget,
        root=root_of(records).hex(),
        records=tuple(msgspec.json.decode(to_json(each)) for each in records),
    )


def _records(store: MemoryStore, rules: Rules) -> Iterable[Record]:
    """Every record of a state, in key order."""
    union = record_union(rules.record_types)
    return (cast(Record, decode_canonical(union, raw)) for _, raw in store.scan(b""))


def root_of(records: Iterable[Record]) -> bytes:
    """Root of the state tree over records."""
    tree = Tree()
    pairs = ((key_bytes(each), encode(each)) for each in records)
    return tree.root(tree.apply_records(EMPTY_VERSION, pairs))


def require_known(records: Iterable[Record], rules: Rules) -> None:
    """ReleaseTooOld unless this release has the rules that are in force, or decided."""
    for each in records:
        if isinstance(each, Activation):
            rules.require_known(each.app, each.version, height=1)
            if each.next_version is not None:
                rules.require_known(each.app, each.next_version, height=each.from_height or 1)


def write_pilot(path: Path, pilot: Pilot) -> None:
    """Write it; its owner alone may read it, since it shows what members see of each other."""
    write_private(path, msgspec.json.format(msgspec.json.encode(pilot), indent=1) + b"\n")


def read_pilot(path: Path) -> Pilot:
    """Such a file; FormatError when it is none. `records_of` checks what it holds."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Pilot)
    except OSError as problem:
        raise FormatError(str(path), f"cannot be read: {problem.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise FormatError(str(path), f"is no export of a pilot: {problem}") from None


def records_of(pilot: Pilot, apps: Sequence[App]) -> tuple[Record, ...]:
    """Its records; FormatError unless they are of this release, travel, and have the root named."""
    rules = Rules(apps)
    union = record_union(rules.record_types)
    tag = tag_of(Activation)
    try:
        in_force = [x for x in pilot.records if x.get("type") == tag]
        require_known([from_json(Activation, msgspec.json.encode(x)) for x in in_force], rules)
        found = [cast(Record, from_json(union, msgspec.json.encode(x))) for x in pilot.records]
        records = travelling(found, 0)
    except (CodecError, ValueError) as problem:
        raise FormatError(pilot.chain_id, f"a record cannot be taken over: {problem}") from None
    if records != tuple(found):
        raise FormatError(pilot.chain_id, "it has records that belong to the old chain alone")
    keys = [key_bytes(each) for each in records]
    if keys != sorted(set(keys)):
        raise FormatError(pilot.chain_id, "a record comes twice, or not in its place")
    if root_of(records).hex() != pilot.root:
        raise FormatError(pilot.chain_id, f"its records do not have the root {pilot.root}")
    if sum(isinstance(each, Clock) for each in records) != 1:
        raise FormatError(pilot.chain_id, "it has no clock")
    return records


def clock_of(records: Iterable[Record]) -> Clock:
    """The clock among them, which the new chain keeps."""
    return next(each for each in records if isinstance(each, Clock))


def versions_of(records: Iterable[Record]) -> dict[str, int]:
    """Application → version of its rules in force."""
    return {each.app: each.version for each in records if isinstance(each, Activation)}


def kinds_of(records: Iterable[Record]) -> Mapping[str, int]:
    """Name of a kind of record → how many there are."""
    return Counter(each.spec.name for each in records)
