"""`tally consortium`: a new network, as each institution begins it on its own machine."""

from __future__ import annotations

import getpass
import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from tallystick.cli.commands.init import DATA
from tallystick.cli.commands.node import command as run_node
from tallystick.cli.commands.propose import command as propose
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.output import print_json
from tallystick.cli.pilot_file import figures_of_genesis
from tallystick.cli.proposal_file import (
    Proposal,
    assemble,
    read_proposal,
)
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.client.keys import KeyStore
from tallystick.engine.cometbft.home import HOME, founding_validators, signers, validator_key
from tallystick.engine.folder import GENESIS, KEYS
from tallystick.errors import FormatError, NodeError
from tallystick.ledger.genesis import Genesis, genesis_from_json
from tallystick.ledger.rules import Rules
from tallystick.network.ceremony import genesis_json
from tallystick.network.dwelling import (
    prepare,
    put_genesis,
    read_settings,
    write_settings,
)
from tallystick.network.join import (
    Join,
    NodeOffer,
    node_offers,
    read_join,
    sign_join,
    write_join,
)
from tallystick.network.unit import unit
from tallystick.node import read_genesis, read_passphrase, shipped
from tallystick.settings import Settings, split_address
from tallystick.values.errors import CodecError
from tallystick.values.time import format_at

PORT = 26_656
METRICS = "127.0.0.1:26660"

_data = click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    metavar="DIR",
    help="Data folder of this node.",
)
_file = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group("consortium", cls=TallyGroup)
def group() -> None:
    """A network whose members each run a node on a machine of their own: propose, join, start.

    docs/guides/consortium.md goes through it. Private keys never leave the machine they are made
    on; what is passed round is public and signed.
    """


group.add_command(propose)


# --- join


@group.command("join", cls=TallyCommand)
@click.argument("file", type=_file, metavar="FILE")
@_data
@click.option("--member", help="Your institution; not needed to join a chain that runs.")
@click.option("--expect", metavar="HASH", help="What FILE's hash must be, heard another way.")
@click.option(
    "--address", metavar="HOST:PORT", help=f"Where the others reach your engine, e.g. HOST:{PORT}."
)
@click.option("--p2p", metavar="HOST:PORT", help="Where it listens [all addresses, that port].")
@click.option(
    "--rpc", metavar="HOST:PORT", help="Its own interface, open to this machine [a socket]."
)
@click.option("--metrics", metavar="HOST:PORT", help=f"Its metrics, on loopback [{METRICS}].")
@click.option("--peer", "peers", multiple=True, metavar="ID@HOST:PORT", help="Of a running chain.")
@click.option("--out", type=click.Path(path_type=Path), help="Join file [MEMBER.join.json].")
@click.pass_context
def join(
    ctx: click.Context,
    file: Path,
    folder: Path,
    *,
    member: str | None = None,
    expect: str | None = None,
    address: str | None = None,
    p2p: str | None = None,
    rpc: str | None = None,
    metrics: str | None = None,
    peers: Sequence[str] = (),
    out: Path | None = None,
) -> int:
    """Make this node's and your officers' keys, here, and a file with their public halves.

    FILE is a proposal; or the genesis.json of a chain that runs already, which this node then
    follows, named peers first, until its members give it a vote.
    """
    where = {"p2p": p2p, "rpc": rpc, "metrics": metrics}
    if "founding" not in _plain(file):
        return _join_running(
            ctx, file, folder, expect=expect, address=address, where=where, peers=peers
        )
    proposal = read_proposal(file)
    _expect("proposal", proposal.hash, expect)
    if member is None:
        raise click.UsageError("--member: which of the founding members you are", ctx)
    officers = proposal.officers_of(member)
    runs_node = member in proposal.validators
    if runs_node and address is None:
        raise click.UsageError(f"--address: {member} runs a node; where is it reached?", ctx)
    if (folder / GENESIS).exists():
        raise NodeError(f"the data folder {folder} holds a chain already")
    identity = prepare(folder)
    _set_addresses(folder, address if runs_node else None, where)
    made = _join_of(folder, proposal, member, address if runs_node else None)
    path = out or Path(f"{member}.join.json")
    write_join(path, made)
    if session_of(ctx).as_json:
        print_json({"file": str(path), "hash": made.hash.hex(), "member": member})
        return OK
    kept = [f"{len(officers)} officers' keys in {folder / KEYS}"] if officers else []
    if runs_node:
        kept.append(f"the node's in {folder / HOME / 'config'}, id {identity.node_id}")
    print_lines(
        [
            f"{member} joins {proposal.name}: {'; '.join(kept)}",
            f"send {path} to the others; its hash is {made.hash.hex()}",
        ]
    )
    return OK


def _plain(file: Path) -> dict[str, Any]:
    """What a file says, before it is known which of ours it is."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as problem:
        raise FormatError(str(file), f"cannot be read: {problem}") from None
    if not isinstance(found, dict):
        raise FormatError(str(file), "is none of a consortium's files")
    return found


def _expect(what: str, found: str, expected: str | None) -> None:
    """Refuse another hash than the one that was heard."""
    if expected is not None and expected.lower() != found:
        raise NodeError(f"the {what}'s hash is {found}, not {expected}: somebody changed it")


def _set_addresses(folder: Path, address: str | None, where: dict[str, str | None]) -> None:
    """Say in node.toml where the engine listens; what was set before stays."""
    settings = read_settings(folder)
    changes = {name: value for name, value in where.items() if value is not None}
    if address is not None:
        port = split_address(address)[1]
        changes = {"p2p": f"0.0.0.0:{port}", "external": address, "metrics": METRICS} | changes
    try:
        engine = replace(settings.engine, kind="cometbft", **changes)
    except ValueError as problem:
        raise NodeError(str(problem)) from None
    write_settings(folder, replace(settings, engine=engine))


def _join_of(folder: Path, proposal: Proposal, member: str, address: str | None) -> Join:
    """The member's part, signed with every key in it; keys that are there already are used."""
    store = KeyStore(folder / KEYS, read_passphrase(folder, Settings()))
    names = proposal.officers_of(member)
    known = set(store.names())
    keys = {
        name: store.load(f"{member}.{name}")
        if f"{member}.{name}" in known
        else store.create(f"{member}.{name}")
        for name in names
    }
    signs = {f"officer.{name}": key.sign for name, key in keys.items()}
    offer = None
    if address is not None:
        home = folder / HOME
        identity = prepare(folder)
        offer = NodeOffer(
            validator_key=identity.validator_key.hex(),
            node_key=identity.node_key.hex(),
            address=address,
        )
        signs |= signers(home)
    made = Join(
        proposal=proposal.hash,
        member=member,
        node=offer,
        officers={name: key.public_key.hex() for name, key in keys.items()},
    )
    return sign_join(made, signs)


def _join_running(
    ctx: click.Context,
    file: Path,
    folder: Path,
    *,
    expect: str | None = None,
    address: str | None = None,
    where: dict[str, str | None],
    peers: Sequence[str] = (),
) -> int:
    """Follow a chain that runs: own keys, its genesis, the peers named."""
    genesis = _genesis(file.read_bytes(), str(file))
    if expect is None:
        raise NodeError(
            f"the genesis' hash is {genesis.hash.hex()}: ask a member by another way whether it is"
            " theirs, then say --expect HASH"
        )
    _expect("genesis", genesis.hash.hex(), expect)
    if not peers:
        raise click.UsageError("--peer: at least one node of the chain, ID@HOST:PORT", ctx)
    identity = prepare(folder)
    put_genesis(folder, genesis_json(genesis))
    _set_addresses(folder, address, where)
    settings = read_settings(folder)
    engine = replace(settings.engine, peers=tuple(peers))
    write_settings(folder, replace(settings, engine=engine))
    read_settings(folder)
    if session_of(ctx).as_json:
        print_json({"node_id": identity.node_id, "validator_key": identity.validator_key.hex()})
        return OK
    action = f"add-validator member=MEMBER public-key={identity.validator_key.hex()} power=POWER"
    print_lines(
        [
            f"this node follows {genesis.chain_id} once the others let it in:",
            f"  in their node.toml, [engine] allow: {identity.node_id}",
            f"run it: tally consortium start --data {folder} --expect {genesis.hash.hex()}",
            f"for a vote, its member proposes: {action}",
        ]
    )
    return OK


# --- start


@group.command("start", cls=TallyCommand)
@click.argument("files", type=_file, nargs=-1, metavar="[PROPOSAL JOIN...]")
@_data
@click.option("--expect", metavar="HASH", help="The genesis' hash, which the others see too.")
@click.option("--no-run", is_flag=True, help="Prepare the folder; systemd runs the node.")
@click.pass_context
def start(
    ctx: click.Context,
    files: Sequence[Path],
    folder: Path,
    *,
    expect: str | None,
    no_run: bool,
) -> int:
    """Put the proposal and all joins together, and run the node; a second time no file is needed.

    Without --expect it only shows the genesis' hash: ask the others, by telephone, whether theirs
    is the same, then say it. All who do agree on every byte of the beginning.
    """
    if files:
        genesis, parts = _assembled(files)
    else:
        genesis, parts = read_genesis(folder, shipped()[0]), {}
    shown = genesis.hash.hex()
    if expect is None:
        _tell_genesis(ctx, genesis, parts)
        return OK
    _expect("genesis", shown, expect)
    if files:
        _settle(folder, genesis, parts)
    if no_run:
        if not session_of(ctx).as_json:
            print_lines([f"{folder} is ready: tally node --data {folder}"])
        return OK
    ctx.invoke(run_node, folder=folder, data=None, listen=None, clock_is_right=False)
    return OK


def _assembled(files: Sequence[Path]) -> tuple[Genesis, dict[str, NodeOffer]]:
    """The genesis of a proposal and its joins, in whichever order they are named; and the nodes."""
    proposals = [each for each in files if "founding" in _plain(each)]
    if len(proposals) != 1:
        raise FormatError("start", f"one proposal is wanted among the files, not {len(proposals)}")
    joins = [read_join(each) for each in files if each not in proposals]
    genesis = assemble(read_proposal(proposals[0]), joins)
    return genesis, node_offers({each.member: each for each in joins})


def _settle(folder: Path, genesis: Genesis, parts: dict[str, NodeOffer]) -> None:
    """Give this node the genesis that it is part of, and the others as its peers."""
    if not (folder / HOME).exists():
        raise NodeError(f"there are no keys in {folder}: first `tally consortium join`")
    own = validator_key(folder / HOME).hex()
    if own not in {each.validator_key for each in parts.values()}:
        raise NodeError(f"the key of {folder} is in none of the joins: which machine is this?")
    put_genesis(folder, genesis_json(genesis))
    settings = read_settings(folder)
    if not settings.engine.peers:
        others = [each for each in parts.values() if each.validator_key != own]
        engine = replace(
            settings.engine,
            peers=tuple(each.peer for each in others),
            allow=tuple(each.node_id for each in others),
        )
        write_settings(folder, replace(settings, engine=engine))


def _genesis(raw: bytes, name: str) -> Genesis:
    """A genesis file of a consortium's chain."""
    try:
        return genesis_from_json(raw, Rules(shipped()[0]).record_types)
    except CodecError as problem:
        raise FormatError(name, f"is neither a proposal nor a genesis: {problem}") from None


def _tell_genesis(ctx: click.Context, genesis: Genesis, parts: dict[str, NodeOffer]) -> None:
    """What everybody should see alike."""
    figures = figures_of_genesis(genesis)
    if session_of(ctx).as_json:
        print_json(
            {
                "chain_id": genesis.chain_id,
                "hash": genesis.hash.hex(),
                "nodes": {member: each.peer for member, each in sorted(parts.items())},
                **asdict(figures),
            }
        )
        return
    rows = [
        (each.member, str(each.power), each.public_key.hex(), _peer(parts, each.member))
        for each in founding_validators(genesis)
    ]
    columns = [Column("validator"), Column("power", right=True), Column("key"), Column("node")]
    print_table(columns, rows)
    print_lines(
        [
            f"chain {genesis.chain_id}, first block at {format_at(genesis.time_ms, 0)} UTC",
            *figures.lines(),
            f"genesis hash {genesis.hash.hex()}",
            "nothing was started: do the others see the same hash? Then say it with --expect",
        ]
    )


def _peer(parts: dict[str, NodeOffer], member: str) -> str:
    """Where a member's node is, if its join is at hand."""
    return parts[member].peer if member in parts else "-"


# --- systemd


@group.command("unit", cls=TallyCommand)
@_data
@click.option("--user", default=getpass.getuser, help="User that runs the node [you].")
def unit_command(folder: Path, *, user: str) -> int:
    """Print the systemd unit for this node: put it into /etc/systemd/system/tally-node.service."""
    tally = shutil.which("tally") or f"{sys.executable} -m tallystick.cli"
    click.echo(unit(tally=tally, data=str(folder.absolute()), user=user), nl=False)
    return OK
