"""`tally consortium propose`: what a founder puts before the others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click
from msgspec.structs import replace

from tallystick.cli.commands.init import OPENS
from tallystick.cli.exits import OK
from tallystick.cli.founding_file import FoundingFile, read_founding
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.pilot_file import figures_of_pilot, pilot_at
from tallystick.cli.proposal_file import (
    Proposal,
    check_proposal,
    going_on,
    versions,
    write_proposal,
)
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.engine.clock import wall_ms
from tallystick.errors import NodeError
from tallystick.ledger.system import POWER_MAX
from tallystick.network.ceremony import POWER
from tallystick.values.errors import ValueProblem
from tallystick.wording import ZONE_MINUTES, Wording, WordingProblem

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command("propose", cls=TallyCommand)
@click.argument("founding", type=FILE, required=False, metavar="[FOUNDING.toml]")
@click.option(
    "--from",
    "pilot",
    type=click.Path(path_type=Path, exists=True),
    metavar="FILE|DATA",
    help="Go on with a pilot's state: `tally genesis export`, or its stopped node's folder.",
)
@click.option("--name", required=True, help="Name of the chain, e.g. `cn-trade`.")
@click.option(
    "--validator",
    "validators",
    multiple=True,
    required=True,
    metavar="MEMBER[=POWER]",
    help=f"A member that runs a node with a vote, of power {POWER} unless said; repeat it.",
)
@click.option("--begins", metavar="TIME", help="Time of the first block [now].")
@click.option("--horizon-hours", type=click.IntRange(1, 240), help="[24, or the pilot's]")
@click.option("--trial", is_flag=True, help="The clock may be moved: `tally clock advance 97d`.")
@click.option("--opens", metavar="TIME", help=f"Ledger time at which a trial opens [{OPENS}].")
@click.option("--out", type=click.Path(path_type=Path), default=Path("proposal.json"))
@click.pass_context
def command(
    ctx: click.Context,
    founding: Path | None,
    *,
    pilot: Path | None = None,
    name: str = "",
    validators: Sequence[str] = (),
    begins: str | None = None,
    horizon_hours: int | None = None,
    trial: bool = False,
    opens: str | None = None,
    out: Path = Path("proposal.json"),
) -> int:
    """Put a new network before its members: who they are, who votes, when it begins.

    FOUNDING.toml names the members and their officers (docs/reference/founding.md). With --from
    they are those of a pilot, and everything else is as it was there. Send the proposal to the
    members, and tell them its hash by another way. It holds no key, but all records of a pilot:
    then it is for those that run a node.
    """
    if (founding is None) is (pilot is None):
        raise click.UsageError("say FOUNDING.toml or --from, one of them", ctx)
    if pilot is not None and trial:
        raise click.UsageError("--from: the clock is the pilot's, trial or not", ctx)
    if opens and not trial:
        raise click.UsageError("only a --trial opens at a time of its own", ctx)
    if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise click.UsageError(f"--name: {name!r} is not of a-z, 0-9 and -", ctx)
    if out.exists():
        raise NodeError(f"there is a file {out} already")
    file = None if founding is None else read_founding(founding)
    wording = Wording(zone_minutes=ZONE_MINUTES if file is None else file.zone_minutes)
    proposal = Proposal(
        name=name,
        apps=versions(),
        time_ms=_instant(wording, "--begins", begins) if begins else wall_ms(),
        trial=trial,
        opens_at_ms=_instant(wording, "--opens", opens or OPENS) if trial else None,
        horizon_ms=(horizon_hours or 24) * 3_600_000,
        validators=dict(_powered(ctx, each) for each in validators),
        founding=file or FoundingFile(members=()),
    )
    if pilot is not None:
        proposal = going_on(proposal, pilot_at(pilot))
        if horizon_hours is not None:
            proposal = replace(proposal, horizon_ms=horizon_hours * 3_600_000)
    check_proposal(proposal)
    write_proposal(out, proposal)
    _tell_proposal(ctx, proposal, out)
    return OK


def _instant(wording: Wording, option: str, text: str) -> int:
    """A time in the zone of the network's calendar."""
    try:
        return wording.instant(text)
    except (WordingProblem, ValueProblem) as problem:
        raise WordingProblem(f"{option}: {problem}") from None


def _powered(ctx: click.Context, text: str) -> tuple[str, int]:
    """`bank-a=10` → member and power."""
    member, has_power, power = text.partition("=")
    if has_power and not (power.isdecimal() and 1 <= int(power) <= POWER_MAX):
        raise click.UsageError(f"--validator: {text!r} is not MEMBER or MEMBER=POWER", ctx)
    return member, int(power) if has_power else POWER


def _tell_proposal(ctx: click.Context, proposal: Proposal, path: Path) -> None:
    """Its hash, and what happens next."""
    figures = None if proposal.pilot is None else figures_of_pilot(proposal.pilot)
    if session_of(ctx).as_json:
        told = {"file": str(path), "hash": proposal.hash, "joins": proposal.awaited}
        print_json(told if figures is None else told | asdict(figures))
        return
    _print_validators(proposal)
    if proposal.pilot is not None and figures is not None:
        print_lines([f"goes on after block {proposal.pilot.height} of {proposal.pilot.chain_id}"])
        print_lines(figures.lines())
    print_lines(
        [
            f"proposal of {proposal.name} in {path}; hash {proposal.hash}",
            f"to be joined by: {' '.join(proposal.awaited)}",
            f"each: tally consortium join {path.name} --member MEMBER --expect {proposal.hash}",
        ]
    )


def _print_validators(proposal: Proposal) -> None:
    """Who votes, how much, and how many of them may fail."""
    whole = sum(proposal.validators.values())
    rows = [
        (member, str(power), f"{power * 100 // whole} %")
        for member, power in proposal.validators.items()
    ]
    print_table([Column("validator"), Column("power", right=True), Column("of all")], rows)
    spare, count = (whole - 1) // 3, 0
    for power in sorted(proposal.validators.values(), reverse=True):
        spare -= power
        count += spare >= 0
    print_lines([f"blocks are made, and none is undone, while at most {count} of them fail"])
