"""From the settings of a run to a client of the node: address, keys, passphrase, certificates."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tallystick.cli.session import NODE_DEFAULT, Session
from tallystick.client.client import Client, officers_of
from tallystick.client.http import Tls
from tallystick.client.keys import KeyStore
from tallystick.engine.folder import KEYS, PASSPHRASE, TLS
from tallystick.errors import KeysError, NoSuchKey, Unreachable

PATIENCE_SECONDS = 15.0
"""How long a node that does not answer is tried again."""


def data_folder(session: Session) -> Path:
    """Folder of the node whose socket is used; `.tally` when the node is elsewhere."""
    scheme, _, path = session.node.partition(":")
    return Path(path if scheme == "unix" and path else NODE_DEFAULT).parent


def keys_folder(session: Session) -> Path:
    """Where keys lie: `--keys`, TALLY_KEYS, else `keys` beside the node's socket."""
    return session.keys or data_folder(session) / KEYS


def key_store(session: Session) -> KeyStore:
    """The keys, with what opens them."""
    return KeyStore(keys_folder(session), passphrase(session))


def passphrase(session: Session) -> str:
    """What opens the keys: TALLY_PASSPHRASE_FILE, `passphrase` beside the keys, or asked for."""
    folder = keys_folder(session)
    usual = [folder.parent / PASSPHRASE, folder / PASSPHRASE]
    for path in [session.passphrase_file] if session.passphrase_file else usual:
        if path.is_file() or session.passphrase_file:
            return _first_line(path)
    if not sys.stdin.isatty():
        raise KeysError(f"no passphrase for {folder}: name a file in TALLY_PASSPHRASE_FILE")
    return str(click.prompt(f"Passphrase of {folder}", hide_input=True, err=True))


def _first_line(path: Path) -> str:
    """First line of a file."""
    try:
        return (path.read_text(encoding="utf-8").splitlines() or [""])[0]
    except (OSError, UnicodeDecodeError) as problem:
        raise KeysError(f"the passphrase file {path} cannot be read: {problem}") from None


def connect(session: Session) -> Client:
    """A client without keys: what needs no officer."""
    if session.node.startswith("unix:"):
        return Client(session.node, patience_seconds=PATIENCE_SECONDS)
    if not session.node.startswith("https:"):
        raise click.UsageError(
            f"--node: {session.node!r} is neither unix:PATH nor https://HOST:PORT"
        )
    folder = session.tls or data_folder(session) / TLS
    files = Tls(folder / "ca.pem", folder / "client.pem", folder / "client.key")
    try:
        return Client(session.node, tls=files, patience_seconds=PATIENCE_SECONDS)
    except OSError as problem:  # ssl.SSLError is one too
        reason = f"the certificates in {folder} cannot be used: {problem.strerror or problem}"
        raise Unreachable(session.node, f"{reason}; name their folder in --tls") from None


def reader(session: Session) -> Client:
    """A client that reads as the officer of `--as`; without one as the node's own socket."""
    client = connect(session)
    if not session.who:
        return client
    client.keys = key_store(session)
    return client.as_reader(reading_officer(session, client.keys))


def reading_officer(session: Session, keys: KeyStore) -> str:
    """The officer who reads: the first named whose key is here; any of a member named alone."""
    named = [f"{party}.{officer}" for party, officer in officers_of(session.who)]
    here = keys.names()
    if not named:
        named = [name for name in here if name.partition(".")[0] == session.who]
    for name in named:
        if name in here:
            return name
    raise NoSuchKey(named[0] if named else f"{session.who}.…", str(keys.folder))


def party_of(session: Session) -> str:
    """Member who acts."""
    party = session.who.partition(".")[0]
    if not party:
        raise click.UsageError("say who signs: --as MEMBER.OFFICER[+OFFICER], or TALLY_AS")
    return party
