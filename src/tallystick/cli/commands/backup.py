"""`tally backup`, `tally restore`, `tally export`: a node's data as one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tallystick.cli.connection import connect
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json, progress
from tallystick.cli.render import print_lines
from tallystick.cli.session import Session, session_of
from tallystick.errors import BadBackup, KeysError
from tallystick.node import shipped
from tallystick.operations.backup.manifest import Manifest, Signed
from tallystick.operations.backup.read import Wish, restore, signed_up_to
from tallystick.operations.backup.write import Made, back_up, read_signed

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("backup", cls=TallyCommand)
@click.argument("folder", type=FOLDER, metavar="DATA")
@click.argument("file", type=FILE, metavar="FILE")
@click.option(
    "--with-keys",
    type=FILE,
    metavar="PASSPHRASE-FILE",
    help="Put the keys in too, sealed with the passphrase in this file.",
)
@click.pass_context
def command(ctx: click.Context, folder: Path, file: Path, with_keys: Path | None) -> int:
    """Write a node's data into one file; the node may run.

    Blocks, genesis, settings, CometBFT's stores; keys only when asked for. Every block is checked.
    """
    passphrase = None if with_keys is None else first_line(with_keys)
    with progress("backup") as step:
        made = back_up(folder, file, shipped()[0], passphrase=passphrase, progress=step)
    return _tell(session_of(ctx), file, made)


@click.command("export", cls=TallyCommand)
@click.argument("folder", type=FOLDER, metavar="DATA")
@click.argument("file", type=FILE, metavar="FILE")
@click.pass_context
def export(ctx: click.Context, folder: Path, file: Path) -> int:
    """Write a chain's genesis and blocks into one file, which `tally audit FILE` replays.

    For auditors, and to try a new release on the real blocks before it runs.
    """
    with progress("export") as step:
        made = back_up(folder, file, shipped()[0], only_blocks=True, progress=step)
    return _tell(session_of(ctx), file, made)


@click.command("restore", cls=TallyCommand)
@click.argument("file", type=FILE, metavar="FILE")
@click.argument("folder", type=FOLDER, metavar="DATA")
@click.option("--signed-until", metavar="H[/ROUND]", help="Nothing up to block H is signed again.")
@click.option("--ask", metavar="ADDRESS", help="Another member's node, which tells that height.")
@click.option("--signing-state", type=FILE, metavar="FILE", help="The old disk's own memory of it.")
@click.option("--passphrase", type=FILE, metavar="FILE", help="Opens the keys in the backup.")
@click.option("--from-network", is_flag=True, help="Leave the blocks to the network.")
@click.option("--accept-loss", is_flag=True, help="Chain of one node: later blocks are given up.")
@click.pass_context
def restore_command(ctx: click.Context, /, file: Path, folder: Path, **asked: Any) -> int:
    """Make a data folder of a backup, and nothing that could sign twice.

    Every file is compared with its checksum. Never start it while the node it was made of lives.
    """
    session = session_of(ctx)
    wish = Wish(
        signed=_floor(session, asked["signed_until"], asked["ask"], asked["signing_state"]),
        passphrase=None if asked["passphrase"] is None else first_line(asked["passphrase"]),
        only_keys=asked["from_network"],
        accepts_loss=asked["accept_loss"],
    )
    manifest = restore(file, folder, shipped()[0], wish)
    if session.as_json:
        print_json({"folder": str(folder), **_about(manifest)})
        return OK
    said = f"{manifest.chain_id} is in {folder}, as of {manifest.made_at}"
    print_lines([said, *_left(manifest, wish)])
    return OK


def _floor(
    session: Session, text: str | None, address: str | None, old: Path | None
) -> Signed | None:
    """Up to where nothing is signed again: said, asked of another node, or read of the old disk."""
    if sum(each is not None for each in (text, address, old)) > 1:
        raise click.UsageError("say one of --signed-until, --ask, --signing-state")
    if text is not None:
        return read_floor(text)
    if address is not None:
        return asked(session, address)
    return None if old is None else read_signed(old.read_bytes(), str(old))


def read_floor(text: str) -> Signed:
    """`120` is block 120 with all its rounds, `120/3` its rounds 0 to 3."""
    height, _, round_ = text.partition("/")
    if not height.isdigit() or (round_ and not round_.isdigit()):
        raise click.UsageError(f"--signed-until: {text!r} is not H or H/ROUND")
    return signed_up_to(int(height), int(round_) if round_ else None)


def asked(session: Session, address: str) -> Signed:
    """The network's height and one more: a vote for the next block may have been signed."""
    session.node = address
    client = connect(session)
    try:
        status = client.status()
    finally:
        client.close()
    if status.trouble:
        reason = f"it may be behind the network itself ({status.trouble}): ask another node"
        raise BadBackup(address, reason)
    return signed_up_to(status.height + 1)


def first_line(path: Path) -> str:
    """A passphrase: the first line of a file."""
    try:
        found = (path.read_text(encoding="utf-8").splitlines() or [""])[0]
    except (OSError, UnicodeDecodeError) as problem:
        raise KeysError(f"the passphrase file {path} cannot be read: {problem}") from None
    if not found:
        raise KeysError(f"the passphrase file {path} is empty")
    return found


def _left(manifest: Manifest, wish: Wish) -> list[str]:
    """What is left to do."""
    lines = []
    if wish.passphrase is None:
        lines.append("keys are not restored: put them into the folder before it is started")
    if wish.signed is not None and manifest.engine == "cometbft":
        lines.append(f"nothing is signed up to block {wish.signed.height}")
    return [*lines, "make sure that the old node will never run again"]


def _tell(session: Session, file: Path, made: Made) -> int:
    """What was written."""
    manifest = made.manifest
    if session.as_json:
        print_json({"file": str(file), "bytes": made.size, **_about(manifest)})
        return OK
    engine = ""
    if manifest.engine_height is not None:
        engine = f", engine at {manifest.engine_height}"
    keys = "with keys" if manifest.has_secrets else "without keys"
    lines = [f"{file}: {manifest.chain_id} up to block {manifest.height}{engine}, {keys}"]
    print_lines([*lines, f"{len(manifest.files)} files, {made.size} bytes, every block checked"])
    return OK


def _about(manifest: Manifest) -> dict[str, object]:
    """What a program needs to know of a backup."""
    return {
        "chain_id": manifest.chain_id,
        "height": manifest.height,
        "engine_height": manifest.engine_height,
        "has_keys": manifest.has_secrets,
        "made_at": manifest.made_at,
    }
