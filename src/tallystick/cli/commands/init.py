"""`tally init`: the data folder of a new chain."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from tallystick.cli.exits import OK
from tallystick.cli.founding_file import (
    FoundersKeys,
    FoundingFile,
    cast_file,
    founding_records,
    read_founding,
)
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.render import print_lines
from tallystick.cli.session import Session, session_of
from tallystick.engine.folder import GENESIS, KEYS, PASSPHRASE
from tallystick.node import Beginning, Made, init
from tallystick.settings import SOCKET
from tallystick.values.errors import ValueProblem
from tallystick.wording import Wording, WordingProblem

OPENS = "2026-07-03 09:00"
"""When a trial opens unless told otherwise: a Friday of the year whose calendar is built in."""
DATA = Path(".tally")


@click.command("init", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path), default=DATA, metavar="[DATA]")
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
def command(
    ctx: click.Context,
    folder: Path,
    name: str,
    members: Path | None,
    *,
    trial: bool = False,
    opens: str | None = None,
) -> int:
    """Make the data folder of a new chain: genesis, keys, passphrase, certificates.

    Without --members it is a trial with the members of the case files (docs/reference/cases.md):
    CB, SUP, D1 to D3, S1 to S6, T1 to T3, bank-a, bank-b, factor-a and factor-b, each with the
    officers maker, checker, approver, compliance and admin. Every officer without a public key in
    FILE gets a key in DATA/keys. docs/reference/founding.md describes FILE.
    """
    session = session_of(ctx)
    if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise click.UsageError(f"--name: {name!r} is not of a-z, 0-9 and -", ctx)
    file = cast_file() if members is None else read_founding(members)
    is_trial = trial or members is None
    if opens and not is_trial:
        raise click.UsageError("only a --trial opens at a time of its own", ctx)
    opens_at_ms = _opens_at_ms(file, opens or OPENS) if is_trial else None
    made = _make(folder, name, file, opens_at_ms)
    _tell(session, made, file)
    return OK


def _opens_at_ms(file: FoundingFile, opens: str) -> int:
    """Ledger time at the beginning of a trial."""
    try:
        return Wording(zone_minutes=file.zone_minutes).instant(opens)
    except (WordingProblem, ValueProblem) as problem:
        raise WordingProblem(f"--opens: {problem}") from None


def _make(folder: Path, name: str, file: FoundingFile, opens_at_ms: int | None) -> Made:
    """Make the folder and seal the founders' keys; a folder without its keys is no chain."""
    keys = FoundersKeys()
    now_ms = opens_at_ms or time.time_ns() // 1_000_000
    records = founding_records(file, keys, now_ms)
    made = init(
        folder,
        Beginning(
            name=name, records=records, opens_at_ms=opens_at_ms, trial=opens_at_ms is not None
        ),
    )
    is_whole = False
    try:
        store = made.keys
        for officer, private in keys.made.items():
            store.create(officer, private)
        is_whole = True
    finally:
        if not is_whole:
            (folder / GENESIS).unlink(missing_ok=True)
    return made


def _tell(session: Session, made: Made, file: FoundingFile) -> None:
    """What was made, and what to do next."""
    folder = made.folder
    if session.as_json:
        print_json(
            {
                "folder": str(folder),
                "chain_id": made.genesis.chain_id,
                "genesis_hash": made.genesis.hash.hex(),
                "trial": made.genesis.trial,
                "members": [each.id for each in file.members],
                "keys": str(folder / KEYS),
                "socket": str(folder / SOCKET),
            }
        )
        return
    node = "" if folder == DATA else f" --node unix:{folder / SOCKET}"
    where = "" if folder == DATA else f" {folder}"
    print_lines(
        [
            f"chain {made.genesis.chain_id} in {folder}{', a trial' if made.genesis.trial else ''}",
            f"{len(file.members)} members: {' '.join(each.id for each in file.members)}",
            f"{len(made.keys.names())} keys in {folder / KEYS}, opened by {folder / PASSPHRASE}",
            f"next: tally node{where}, then in another window: tally{node} status",
        ]
    )
