"""`tally keys`: officers' keys on this machine."""

from __future__ import annotations

import sys

import click

from tallystick.cli.connection import key_store, keys_folder
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.output import print_json
from tallystick.cli.render import Column, print_lines, print_table
from tallystick.cli.session import Session, session_of
from tallystick.client.keys import KeyStore
from tallystick.engine.folder import PASSPHRASE


@click.group("keys", cls=TallyGroup)
def group() -> None:
    """Officers' keys on this machine: sealed files that a passphrase opens.

    They lie in `--keys`, TALLY_KEYS, or in `keys` beside the node's socket. The passphrase comes
    from TALLY_PASSPHRASE_FILE, from the file `passphrase` beside that folder, or is asked for.
    """


@group.command("create", cls=TallyCommand)
@click.argument("names", nargs=-1, required=True, metavar="MEMBER.OFFICER…")
@click.pass_context
def create(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Make a key for each officer named; never over another.

    The ledger learns of it when the member registers the public key: `tally members register-key`.
    """
    session = session_of(ctx)
    store = _store_for_writing(session)
    for name in names:
        store.create(name)
    return _show(session, store, names)


@group.command("list", cls=TallyCommand)
@click.pass_context
def list_(ctx: click.Context) -> int:
    """The keys that are here."""
    session = session_of(ctx)
    store = KeyStore(keys_folder(session), "")
    return _show(session, store, store.names())


@group.command("show", cls=TallyCommand)
@click.argument("names", nargs=-1, required=True, metavar="MEMBER.OFFICER…")
@click.pass_context
def show(ctx: click.Context, names: tuple[str, ...]) -> int:
    """Public keys of the officers named, and that the passphrase opens them."""
    session = session_of(ctx)
    store = key_store(session)
    for name in names:
        store.load(name)
    return _show(session, store, names)


def _store_for_writing(session: Session) -> KeyStore:
    """The keys; a new passphrase is asked for twice."""
    folder = keys_folder(session)
    has_file = session.passphrase_file or (folder.parent / PASSPHRASE).is_file()
    is_new = not KeyStore(folder, "").names()
    if is_new and not has_file and sys.stdin.isatty():
        text = click.prompt("New passphrase", hide_input=True, confirmation_prompt=True, err=True)
        return KeyStore(folder, str(text))
    store = key_store(session)
    for name in store.names()[:1]:
        store.load(name)  # one folder, one passphrase
    return store


def _show(session: Session, store: KeyStore, names: tuple[str, ...]) -> int:
    """Names and public keys."""
    rows = [(name, store.public_key(name).hex()) for name in names]
    if session.as_json:
        print_json([{"name": name, "public_key": key} for name, key in rows])
    elif rows:
        print_table([Column("key"), Column("public key")], rows)
    else:
        print_lines([f"no keys in {store.folder}"])
    return OK
