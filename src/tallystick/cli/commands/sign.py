"""`tally sign` and `tally send`: transactions in files, signed by several."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from tallystick.cli.connection import connect, key_store, keys_folder, reader
from tallystick.cli.derive import catalogue
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.lookup import node_wording
from tallystick.cli.output import print_json
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import Session, session_of
from tallystick.cli.told import body_rows, tell_reply
from tallystick.cli.transact import draft_json, message_types, signers, write_draft
from tallystick.client import draft as drafts
from tallystick.client.draft import Draft
from tallystick.client.keys import KeyStore
from tallystick.errors import FormatError, TallystickError
from tallystick.ledger.transaction import Body
from tallystick.values.errors import ValueProblem
from tallystick.values.time import format_at
from tallystick.wording import Wording

FILE = click.Path(path_type=Path)


@click.command("sign", cls=TallyCommand)
@click.argument("file", type=FILE)
@click.option("--yes", is_flag=True, help="Sign without asking.")
@click.option("--show", is_flag=True, help="Show what it says and who signed; sign nothing.")
@click.pass_context
def sign(ctx: click.Context, file: Path, yes: bool, show: bool) -> int:
    """Show the transaction in FILE and add the signatures of the officers of `--as`.

    FILE is what `--out` and `--add-to` write. Hand it on until everybody has signed, then
    `tally send FILE`. Adding a call makes it another transaction: sign when all calls are in.
    """
    session = session_of(ctx)
    draft = drafts.read(file)
    if not show and not signers(session):
        raise click.UsageError("say who signs: --as MEMBER.OFFICER[+OFFICER]", ctx)
    wording = _wording(session)
    if show or not session.as_json:
        _show(session, file, draft, wording)
    if show:
        return OK
    if not yes and sys.stdin.isatty():
        click.confirm("Sign this?", abort=True, err=True)
    store = key_store(session)
    for name in signers(session):
        draft = drafts.add_signature(draft, store.sign(name, draft.body))
    write_draft(file, draft)
    if session.as_json:
        print_json(draft_json(file, draft, catalogue()))
        return OK
    missing = draft.missing(list(_known_keys(session).items()))
    lines = [f"{file}: {len(draft.signatures)} signatures"]
    if missing:
        lines.append(f"not signed yet, as far as the keys here tell: {', '.join(missing)}")
    print_lines(lines)
    return OK


@click.command("send", cls=TallyCommand)
@click.argument("file", type=FILE)
@click.pass_context
def send(ctx: click.Context, file: Path) -> int:
    """Send the transaction in FILE and wait for the answer.

    Sending it twice does no harm: the answer is the same.
    """
    session = session_of(ctx)
    draft = drafts.read(file)
    if not draft.signatures:
        raise click.UsageError(f"nobody has signed {file}: tally --as MEMBER.OFFICER sign", ctx)
    body = _body(file, draft)
    wording = _wording(session)
    said = [each for each, _ in body_rows(catalogue(), body, session.language, wording)]
    return tell_reply(session, catalogue(), connect(session).submit(draft.raw()), said)


def _body(file: Path, draft: Draft) -> Body[Any]:
    """What is signed, decoded."""
    try:
        return draft.calls(message_types(catalogue()))
    except ValueProblem as problem:
        raise FormatError(str(file), f"its body cannot be read: {problem}") from None


def _wording(session: Session) -> Wording:
    """The grammar with the node's records where there is a node, else without."""
    try:
        is_near = session.node.startswith("unix:")
        return node_wording(connect(session) if is_near else reader(session), catalogue())
    except TallystickError:
        return Wording()


def _show(session: Session, file: Path, draft: Draft, wording: Wording) -> None:
    """Everything that is signed, and by whom it is signed already."""
    body = _body(file, draft)
    if session.as_json:
        print_json(draft_json(file, draft, catalogue()))
        return
    told = body_rows(catalogue(), body, session.language, wording)
    for call, (sentence, fields) in zip(body.calls, told, strict=True):
        print_lines([sentence])
        rows = [(f"  {name}", each) for name, each in (("as", call.party), *fields)]
        print_table([Column(""), Column("")], rows, head=False)
    names = {key: name for name, key in _known_keys(session).items()}
    until = format_at(body.expires_at_ms, wording.zone_minutes)
    print_lines([f"chain {body.chain_id}, reference {body.reference}, expires {until}"])
    for each in draft.signatures:
        print_lines([f"signed by {names.get(each.public_key, each.public_key.hex())}"])


def _known_keys(session: Session) -> dict[str, bytes]:
    """Name → public key, of the keys that are here."""
    store = KeyStore(keys_folder(session), "")
    return {name: store.public_key(name) for name in store.names()}
