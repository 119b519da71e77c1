"""`tally audit`: replay a data folder without its node, and check everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from tallystick.audit import AuditReport, audit
from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json, progress
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import session_of
from tallystick.node import shipped
from tallystick.operations.backup.read import unpack


@click.command("audit", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DATA|FILE")
@click.pass_context
def command(ctx: click.Context, folder: Path) -> int:
    """Open a node's data without the node and replay it from its genesis; or a file of an export.

    Checks every byte of the block log, every block's link, header, root, receipt and change, every
    signature, and the invariants of every application; changes nothing. The node must have stopped.
    Where the log begins at a snapshot, so does the audit, and says what it relies on. Ends with 1
    when anything is wrong, naming the block.
    """
    apps, authority = shipped()
    with unpacked(folder) as found, progress("audit") as step:
        report = audit(found, apps, authority, progress=step)
    if session_of(ctx).as_json:
        print_json(report.as_data())
    else:
        _tell(folder, report)
    return OK if report.ok else NOT_OK


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A data folder as it is; an export unpacked beside it for as long as it is needed."""
    if not path.is_file():
        yield path
        return
    with TemporaryDirectory(dir=path.parent, prefix=".audit-") as made:
        unpack(path, Path(made))
        yield Path(made)


def _tell(folder: Path, report: AuditReport) -> None:
    """What was checked, and what is wrong."""
    rows = [
        ("folder", str(folder)),
        ("chain", report.chain_id),
        ("blocks", f"{report.height - report.began_at}, each byte, link, header and root"),
        ("relies on", report.relied_on),
        (
            "transactions",
            f"{report.transactions}: {report.accepted} accepted, {report.refused} refused",
        ),
        ("timers", str(report.timers)),
        ("signatures", f"{report.signatures} verified"),
        ("invariants", f"{report.invariants_checked} checked"),
        ("state root", report.state_root),
        ("time", f"{report.seconds:.1f} s"),
    ]
    print_table([Column(""), Column("")], rows, head=False)
    print_lines(report.problems)
    print_lines(["all is well" if report.ok else f"NOT OK: {len(report.problems)} problems"])
