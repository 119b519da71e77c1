"""`tally doctor`: is a node as it should be, and what to do if not."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.commands.init import DATA
from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.node import shipped
from tallystick.operations.doctor.examine import examine, is_well
from tallystick.operations.doctor.finding import Finding, Level
from tallystick.operations.doctor.patient import look_at


@click.command("doctor", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path), required=False, metavar="[DATA]")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="The same as DATA.")
@click.pass_context
def command(ctx: click.Context, folder: Path | None, data: Path | None) -> int:
    """Look a node over, running or stopped, and say what to do.

    Clock, disk, limits, keys, certificates, settings, peers, votes, versions, heights, what was
    left half done. Ends with 1 when anything fails; warnings leave it at 0.
    """
    versions = {app.name: app.version for app in shipped()[0]}
    found = examine(look_at(data or folder or DATA, versions))
    if session_of(ctx).as_json:
        print_json(
            {
                "ok": is_well(found),
                "checks": [
                    {"name": name, "level": each.level.value, "said": each.said, "todo": each.todo}
                    for name, each in found.items()
                ],
            }
        )
    else:
        _tell(found)
    return OK if is_well(found) else NOT_OK


def _tell(found: dict[str, Finding]) -> None:
    """A line for each check; what to do below it."""
    rows = []
    for name, finding in found.items():
        rows.append([name, finding.level.value, finding.said])
        if finding.level is not Level.OK and finding.todo:
            rows.append(["", "", f"→ {finding.todo}"])
    print_table([Column("check"), Column(""), Column("found")], rows)
    bad = [name for name, finding in found.items() if finding.level is Level.FAIL]
    print_lines(["all is well" if not bad else f"NOT OK: {', '.join(bad)}"])
