"""`tally genesis`: how a chain began."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar, cast

import click
import msgspec

from tallystick.cli.commands.init import DATA
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.output import print_json
from tallystick.cli.pilot_file import figures_of_genesis, figures_of_pilot, pilot_at
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.errors import NodeError
from tallystick.ledger.app import Record, tag_of
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import Consensus, Validator
from tallystick.node import read_genesis, shipped
from tallystick.operations.pilot import write_pilot
from tallystick.values.codec import to_json
from tallystick.values.time import format_at
from tallystick.wording import ZONE_MINUTES

R = TypeVar("R", bound=Record)


@click.group("genesis", cls=TallyGroup)
def group() -> None:
    """How a chain began: what all its nodes agree on before the first block."""


@group.command("show", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path), default=DATA, metavar="[DATA]")
@click.pass_context
def show(ctx: click.Context, folder: Path) -> int:
    """The genesis of a data folder: name, time, rules, limits, and its first records by kind."""
    apps, _ = shipped()
    genesis, rules = read_genesis(folder, apps), Rules(apps)
    kinds = Counter(_kinds(genesis, rules))
    figures = figures_of_genesis(genesis)
    if session_of(ctx).as_json:
        plain = msgspec.json.decode(to_json(msgspec.structs.replace(genesis, records=())))
        print_json(
            {
                "chain_id": genesis.chain_id,
                "hash": genesis.hash.hex(),
                **plain,
                "state_root": figures.state_root,
                "circulation": figures.circulation,
                "records": kinds,
            }
        )
        return OK
    rows = [
        ("chain", genesis.chain_id),
        ("hash", genesis.hash.hex()),
        ("made", f"{format_at(genesis.time_ms, 0)} UTC"),
        ("opens", _opens(genesis)),
        ("horizon", f"{genesis.horizon_ms // 3_600_000} h"),
        ("budget", f"{genesis.budget.reads} reads, {genesis.budget.writes} writes"),
        ("node key", genesis.node_key.hex() if genesis.node_key else "-"),
        ("rules", ", ".join(f"{each.app} {each.version}" for each in genesis.apps)),
        *_consortium(genesis, rules),
        *(("records", f"{count} {kind}") for kind, count in sorted(kinds.items())),
        ("state root", figures.state_root),
        *(("circulation", f"{about} {money}") for money, about in figures.circulation.items()),
    ]
    print_table([Column(""), Column("")], rows, head=False)
    return OK


@group.command("export", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DATA")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FILE")
@click.pass_context
def export(ctx: click.Context, folder: Path, out: Path) -> int:
    """The state of a stopped node as a file that a consortium can begin with.

    The folder is audited first: every block is replayed. Used references and validators stay
    behind; everything else travels, pending timers too. Then: tally consortium propose --from FILE.
    """
    if out.exists():
        raise NodeError(f"there is a file {out} already")
    pilot = pilot_at(folder)
    write_pilot(out, pilot)
    figures = figures_of_pilot(pilot)
    if session_of(ctx).as_json:
        told = {name: getattr(pilot, name) for name in ("chain_id", "height", "block", "genesis")}
        print_json({"file": str(out), **told, "pilot_root": pilot.state_root, **asdict(figures)})
        return OK
    where = f"{pilot.chain_id} after block {pilot.height}, state root {pilot.state_root}"
    print_lines([where, f"what travels is in {out}:", *figures.lines()])
    return OK


def _opens(genesis: Genesis) -> str:
    """When ledger time begins."""
    if genesis.opens_at_ms is None:
        return "with the machine's clock"
    return f"{format_at(genesis.opens_at_ms, ZONE_MINUTES)} (trial)"


def _consortium(genesis: Genesis, rules: Rules) -> Iterator[tuple[str, str]]:
    """What the engine of several nodes begins with; nothing when one node orders alone."""
    consensus, nodes = _first(genesis, rules, Consensus), _first(genesis, rules, Validator)
    for said in consensus:
        yield "blocks", f"{said.block_bytes:,} bytes, {said.block_transactions:,} transactions"
        hours = said.evidence_ms // 3_600_000
        yield "evidence", f"{said.evidence_blocks:,} blocks and {hours:,} h"
    for each in nodes:
        yield "validator", f"{each.member}, power {each.power}, {each.public_key.hex()}"


def _first(genesis: Genesis, rules: Rules, type_: type[R]) -> list[R]:
    """First records of one type."""
    union = msgspec.msgpack.Decoder(_Tagged)
    wanted = [raw for raw in genesis.records if union.decode(raw).type == tag_of(type_)]
    return [cast(R, rules.decoders[type_.spec.name].decode(raw)) for raw in wanted]


def _kinds(genesis: Genesis, rules: Rules) -> list[str]:
    """Name of each first record's kind."""
    union = msgspec.msgpack.Decoder(_Tagged)
    known = {tag_of(each): each.spec.name for each in rules.record_types}
    return [known.get(union.decode(raw).type, "unknown") for raw in genesis.records]


class _Tagged(msgspec.Struct):
    """Reads a record's tag alone."""

    type: str
    """Tag, e.g. `cash.balance.1`."""
