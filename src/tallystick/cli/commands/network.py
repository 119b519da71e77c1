"""`tally network`: a network of nodes on one machine, for trials."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import msgspec
from click.core import ParameterSource

from tallystick.cli.commands.init import OPENS
from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.founding_file import (
    FoundersKeys,
    FoundingFile,
    cast_file,
    founding_records,
    read_founding,
)
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.output import print_json
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.client.keys import KeyStore
from tallystick.engine.clock import wall_ms
from tallystick.engine.cometbft.install import install
from tallystick.errors import NodeError
from tallystick.ledger.system import Validator
from tallystick.network.network import Network, NetworkNode
from tallystick.network.plan import PLAN
from tallystick.network.standing import NetworkStanding
from tallystick.network.tail import follow, last_lines
from tallystick.node import Beginning
from tallystick.settings import EngineSettings
from tallystick.values.errors import ValueProblem
from tallystick.wording import Wording, WordingProblem

DATA = Path(".tally-network")
RUNS_FIRST = ("bank", "central_bank", "supervisor")
"""Kinds of members that run the validators of a trial, before others."""
LEAD = {"governance.activation_lead_blocks": 10}
"""A trial may activate rules soon after a vote."""

_folder = click.option(
    "--data",
    "folder",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    metavar="DIR",
    help="Folder of the network.",
)


@click.group("network", cls=TallyGroup)
def group() -> None:
    """A network of nodes on this machine, for trials: CometBFT and a ledger in each.

    A consortium whose members run a node each begins with `tally consortium`.
    """


@group.command("up", cls=TallyCommand)
@_folder
@click.option(
    "--validators",
    type=click.IntRange(1, 40),
    default=4,
    show_default=True,
    metavar="N",
    help="Nodes that decide on blocks, when the network is made.",
)
@click.option("--name", default="pilot", show_default=True, help="Name of the chain.")
@click.option(
    "--members",
    type=click.Path(path_type=Path),
    metavar="FILE.toml",
    help="Founding members and calendar; without it, a trial with the members of the case files.",
)
@click.option("--trial", is_flag=True, help="The clock may be moved: `tally clock advance 97d`.")
@click.option("--opens", metavar="TIME", help=f"Ledger time at which a trial opens [{OPENS}].")
@click.pass_context
def up(
    ctx: click.Context,
    folder: Path,
    *,
    validators: int = 4,
    name: str = "pilot",
    members: Path | None = None,
    trial: bool = False,
    opens: str | None = None,
) -> int:
    """Make a network, or start the one that DIR holds, and wait until all nodes agree.

    Its processes go on when this command ends; `tally network down` stops them. A node that dies is
    started again. Every founding officer's key is in DIR/keys. Blocks are made while less than a
    third of the validators fail: one of 4, two of 7.
    """

    def say(text: str) -> None:
        """Tell of what takes long."""
        click.echo(text, err=True)

    install(say=lambda text: say(f"engine: {text}"))
    if (folder / PLAN).exists():
        network = Network.open(folder)
        there = len(network.nodes)
        asked = ctx.get_parameter_source("validators") is not ParameterSource.DEFAULT
        if asked and validators != there:
            raise NodeError(
                f"the network in {folder} has {there} nodes, not {validators}: `tally network add`"
                " and a vote make it larger"
            )
        say(f"network: {folder} holds {network.plan.chain_id} of {there} nodes")
    else:
        file = cast_file() if members is None else read_founding(members)
        is_trial = trial or members is None
        if opens and not is_trial:
            raise click.UsageError("only a --trial opens at a time of its own", ctx)
        opens_at_ms = _opening(file, opens, is_trial)
        try:
            network = make_network(folder, file, name, validators, opens_at_ms)
        except NodeError:
            # Somebody else may have made it in this moment.
            if not (folder / PLAN).exists():
                raise
            network = Network.open(folder)
    network.start(say=lambda text: say(f"network: {text}"))
    _tell(ctx, network, network.standing())
    if not session_of(ctx).as_json:
        node = network.nodes[0].address
        print_lines([f"next: tally --node {node} status", f"stop: tally network down{_at(folder)}"])
    return OK


def _opening(file: FoundingFile, opens: str | None, is_trial: bool) -> int | None:
    """Ledger time at which a trial opens; None for a network that keeps the machines' time."""
    if not is_trial:
        return None
    try:
        return Wording(zone_minutes=file.zone_minutes).instant(opens or OPENS)
    except (WordingProblem, ValueProblem) as problem:
        raise WordingProblem(f"--opens: {problem}") from None


def make_network(
    folder: Path,
    file: FoundingFile,
    name: str,
    validators: int,
    opens_at_ms: int | None,
    *,
    engine: EngineSettings | None = None,
) -> Network:
    """A new network of a founding file."""
    keys = FoundersKeys()
    if opens_at_ms is not None:
        file = msgspec.structs.replace(file, parameters=LEAD | dict(file.parameters))

    def begin(chosen: tuple[Validator, ...]) -> Beginning:
        """The genesis that names these validators."""
        now_ms = wall_ms() if opens_at_ms is None else opens_at_ms
        return Beginning(
            name=name,
            records=founding_records(file, keys, now_ms, chosen),
            opens_at_ms=opens_at_ms,
            trial=opens_at_ms is not None,
        )

    def keep(store: KeyStore) -> None:
        """Seal the officers' keys."""
        for officer, private in keys.made.items():
            store.create(officer, private)

    order = sorted(file.members, key=lambda each: each.kind not in RUNS_FIRST)
    return Network.make(
        folder,
        [each.id for each in order],
        begin,
        validators=validators,
        engine=engine,
        keep=keep,
    )


@group.command("down", cls=TallyCommand)
@_folder
@click.pass_context
def down(ctx: click.Context, folder: Path) -> int:
    """Stop every node in order; the data stays."""
    network = Network.open(folder)
    network.stop()
    if session_of(ctx).as_json:
        print_json({"folder": str(network.folder), "down": True})
    else:
        print_lines([f"the network is down; up again: tally network up{_at(folder)}"])
    return OK


@group.command("status", cls=TallyCommand)
@_folder
@click.pass_context
def status(ctx: click.Context, folder: Path) -> int:
    """How every node does, and whether all agree; exit code 1 when not all is well."""
    network = Network.open(folder)
    found = network.standing()
    _tell(ctx, network, found)
    return OK if found.is_well else NOT_OK


@group.command("logs", cls=TallyCommand)
@click.argument("which", required=False, metavar="[N]")
@_folder
@click.option("--lines", default=40, show_default=True, help="How many of the last lines.")
@click.option("--follow", "-f", "follow_", is_flag=True, help="Go on as they come, until Ctrl-C.")
@click.option("--engine", is_flag=True, help="What CometBFT says instead.")
def logs(which: str | None, folder: Path, *, lines: int, follow_: bool, engine: bool) -> int:
    """What the nodes say, or node N alone."""
    network = Network.open(folder)
    nodes = [network.node(which)] if which else network.nodes
    paths = {each.name: each.engine_log if engine else each.log for each in nodes}
    for name, path in paths.items():
        for line in last_lines(path, lines):
            click.echo(_headed(name, line, len(paths)))
    if follow_:
        for name, line in follow(paths):
            click.echo(_headed(name, line, len(paths)))
    return OK


def _headed(name: str, line: str, count: int) -> str:
    """A line, with its node's name where there are several."""
    return f"{name}: {line}" if count > 1 else line


@group.command("kill", cls=TallyCommand)
@click.argument("which", metavar="N")
@_folder
@click.pass_context
def kill(ctx: click.Context, which: str, folder: Path) -> int:
    """Kill a node's ledger and engine at once (SIGKILL); it stays down until `heal`."""
    network = Network.open(folder)
    found = network.node(which)
    found.kill()
    _one(ctx, found, "is killed")
    return OK


@group.command("heal", cls=TallyCommand)
@click.argument("which", metavar="N")
@_folder
@click.pass_context
def heal(ctx: click.Context, which: str, folder: Path) -> int:
    """Start a node again, and wait until it has what the others have."""
    network = Network.open(folder)
    found = network.node(which)
    _need_supervisor(network, folder)
    found.start()
    _one(ctx, found, "is live")
    return OK


@group.command("add", cls=TallyCommand)
@_folder
@click.option("--snapshot", is_flag=True, help="Begin with a snapshot, not with the first block.")
@click.pass_context
def add(ctx: click.Context, folder: Path, *, snapshot: bool) -> int:
    """Add a node with keys of its own; the others let it in, and it fetches the chain.

    It has no vote until the members give it one: what to propose is printed.
    """
    network = Network.open(folder)
    _need_supervisor(network, folder)
    node = network.add(**(network.snapshot_source() if snapshot else {}))
    _one(ctx, node, "is live, without a vote")
    if not session_of(ctx).as_json:
        action = f"add-validator member=MEMBER public-key={node.validator_key.hex()} power=10"
        print_lines(
            [
                "to give it a vote, MEMBER proposes, and the others vote:",
                (
                    f"  tally --node {node.address} --as MEMBER.maker+checker governance propose"
                    f" --action '{action}' --reason 'a node of MEMBER'"
                ),
            ]
        )
    return OK


@group.command("remove", cls=TallyCommand)
@click.argument("which", metavar="N")
@_folder
@click.option("--force", is_flag=True, help="Although it still has a vote.")
@click.pass_context
def remove(ctx: click.Context, which: str, folder: Path, *, force: bool) -> int:
    """Take out a node that has no vote (any more): stopped for good, refused by the others."""
    network = Network.open(folder)
    found = network.node(which)
    if not force and network.is_validator(found.name):
        raise NodeError(
            f"{found.name} still votes: first `tally governance propose --action"
            f" 'remove-validator public-key={found.validator_key.hex()}'`, or --force"
        )
    network.remove(found.name)
    _one(ctx, found, f"is out of the network; its folder {found.folder} stays")
    return OK


def _need_supervisor(network: Network, folder: Path) -> None:
    """Starting a node is the supervisor's work."""
    if network.supervisor is None:
        raise NodeError(f"the network is down: tally network up{_at(folder)}")


def _at(folder: Path) -> str:
    """How the folder is named to a command."""
    return "" if folder == DATA else f" --data {folder}"


def _one(ctx: click.Context, node: NetworkNode, what: str) -> None:
    """What became of one node."""
    if session_of(ctx).as_json:
        print_json(
            {
                "name": node.name,
                "address": node.address,
                "node_id": node.node_id,
                "validator_key": node.validator_key.hex(),
                "running": node.process is not None,
            }
        )
    else:
        print_lines([f"{node.name} {what}"])


def _tell(ctx: click.Context, network: Network, found: NetworkStanding) -> None:
    """All nodes as a table, and whether they agree."""
    plan = network.plan
    if session_of(ctx).as_json:
        print_json(
            {
                "chain_id": plan.chain_id,
                "folder": str(network.folder),
                "up": network.supervisor is not None,
                "well": found.is_well,
                "agree": found.agrees,
                "common_height": found.common_height,
                "nodes": [asdict(each) for each in found.nodes],
            }
        )
        return
    rows = [
        (
            each.name,
            each.state + (f" ({each.restarts} restarts)" if each.restarts else ""),
            str(each.pid or "-"),
            str(each.height),
            each.app_hash[:16].lower() or "-",
            str(each.peers),
            "yes" if each.is_catching_up else "no",
            each.address.replace(f"unix:{Path.cwd()}/", "unix:"),
        )
        for each in found.nodes
    ]
    print_table(
        [
            Column("node"),
            Column("state"),
            Column("process", right=True),
            Column("height", right=True),
            Column("app hash"),
            Column("peers", right=True),
            Column("catching up"),
            Column("address"),
        ],
        rows,
    )
    for each in found.nodes:
        if each.trouble:
            print_lines([f"{each.name}: {each.trouble}"])
    agree = "do not agree"
    if found.agrees:
        agree = f"agree on block {found.common_height}"
    elif not found.live:
        agree = "say nothing"
    print_lines(
        [f"chain {plan.chain_id}: {len(found.live)} of {len(found.nodes)} live; they {agree}"]
    )
