"""`tally documents commit FILE`: hide a file field by field, keep the salts, send the root."""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import Any

import click

from tallystick.catalogue import MessageInfo
from tallystick.cli.derive import MessageCommand, catalogue
from tallystick.cli.exits import OK
from tallystick.cli.output import print_json
from tallystick.cli.render import print_lines
from tallystick.cli.session import Session, session_of
from tallystick.cli.transact import transact
from tallystick.errors import FormatError
from tallystick.formats.commitment import (
    SALT_BYTES,
    Disclosure,
    disclose,
    disclosure_path,
    read_disclosure,
    write_disclosure,
)
from tallystick.formats.ubl import SUFFIX, import_file

FILE_BYTES_MAX = 100_000_000
OTHER = "other"


class CommitCommand(MessageCommand):
    """The derived command, and a FILE from which it is filled in."""

    def __init__(self, info: MessageInfo) -> None:
        """Take a file and `--local` beside the message's own options."""
        super().__init__(info)
        self.params.insert(
            0, click.Argument(["file"], required=False, type=click.Path(path_type=Path))
        )
        local = "Only write FILE.disclosure.json; send nothing."
        self.params.append(click.Option(["--local"], is_flag=True, help=local))

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """A file, or what the message needs."""
        return ["FILE", "[OPTIONS]"]

    def run_in(self, **own: Any) -> Any:
        """Commit to a file, or send what the options say."""
        file, local = own.get("file"), own.get("local")
        ctx = click.get_current_context()
        session, given = session_of(ctx), ctx.meta["tallystick.given"]
        if file is None:
            if local:
                raise click.UsageError("--local needs a FILE", ctx)
            return self.run(session, given)
        if "disclosure" in given:
            raise click.UsageError("name a FILE or a --disclosure, not both", ctx)
        kind = given.get("kind", [OTHER])[0]
        disclosure = disclose_file(file, kind)
        path = disclosure_path(file)
        if local:
            return _told(session, path, disclosure)
        return transact(session, catalogue(), self.info, {**given, "disclosure": [str(path)]})


def disclose_file(file: Path, kind: str = OTHER) -> Disclosure:
    """The disclosure beside a file; a new one unless one of the same content is there."""
    values = file_values(file, kind)
    path = disclosure_path(file)
    if path.exists():
        known = read_disclosure(path)
        if known.values != values:
            raise FormatError(str(path), f"is of another content than {file}: move it away first")
        return known
    made = disclose(values, [secrets.token_bytes(SALT_BYTES) for _ in values])
    write_disclosure(path, made)
    return made


def file_values(file: Path, kind: str) -> dict[str, str]:
    """What is hidden of a file: an invoice's particulars, of others the hash and the name."""
    if file.name.lower().endswith(SUFFIX):
        decision = import_file(file)
        if decision.invoice is None or decision.outcome.value == "refused":
            raise FormatError(str(file), decision.text or "is no invoice that can be read")
        return decision.invoice.fields
    try:
        with file.open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except OSError as problem:
        raise FormatError(str(file), f"cannot be read: {problem.strerror}") from None
    if len(data) > FILE_BYTES_MAX:
        raise FormatError(str(file), f"is larger than {FILE_BYTES_MAX} bytes")
    return {
        "file_name": file.name,
        "file_sha256": hashlib.sha256(data).hexdigest(),
        "file_size": str(len(data)),
        "kind": kind,
    }


def _told(session: Session, path: Path, disclosure: Disclosure) -> int:
    """What was written."""
    if session.as_json:
        print_json({"file": str(path), "root": disclosure.root.hex(), "fields": disclosure.values})
    else:
        print_lines([f"{path}: {len(disclosure.fields)} fields, root {disclosure.root.hex()}"])
    return OK
