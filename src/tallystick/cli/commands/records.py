"""`tally record` and `tally records`: what the ledger keeps, as it stands."""

from __future__ import annotations

from itertools import islice
from typing import Any

import click

from tallystick.catalogue import RecordInfo
from tallystick.cli.connection import reader
from tallystick.cli.derive import catalogue
from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.lookup import node_wording, typed
from tallystick.cli.output import print_json
from tallystick.cli.reads import refused_read
from tallystick.cli.render import Renderer, print_lines
from tallystick.cli.session import Session, session_of
from tallystick.client.client import Client, NodeRefused

LIMIT = 100
"""Records shown unless told otherwise."""


@click.command("record", cls=TallyCommand)
@click.argument("app")
@click.argument("kind")
@click.argument("key", nargs=-1, required=True)
@click.pass_context
def record(ctx: click.Context, app: str, kind: str, key: tuple[str, ...]) -> int:
    """One record by its key: `tally record receivables piece piece-0123456789abcdef`.

    Ends with 1 if there is none, or none that you may see.
    """
    session, info = session_of(ctx), find_kind(ctx, app, kind)
    client = reader(session)
    found = client.record(app, info.command, *key)
    if session.as_json:
        print_json(found)
    elif found is None:
        print_lines([f"there is no {info.command} {' '.join(key)}"])
    else:
        _renderer(session, client, app).print_one(typed(info.type, found))
    return NOT_OK if found is None else OK


@click.command("records", cls=TallyCommand)
@click.argument("app")
@click.argument("kind")
@click.argument("where", nargs=-1, metavar="[FIELD=VALUE …]")
@click.option("--limit", type=click.IntRange(1), default=LIMIT, help="Most records shown.")
@click.pass_context
def records(ctx: click.Context, app: str, kind: str, where: tuple[str, ...], limit: int) -> int:
    """Records of a kind that fit: `tally records receivables piece holder=S1 status=held`.

    `FIELD__ge=`, `__gt=`, `__le=` and `__lt=` compare; amounts are in minor units here.
    """
    session, info = session_of(ctx), find_kind(ctx, app, kind)
    conditions: dict[str, Any] = {}
    for word in where:
        name, sign, value = word.partition("=")
        if not sign:
            raise click.UsageError(f"{word!r} is not FIELD=VALUE", ctx)
        conditions[name] = value
    client = reader(session)
    try:
        found = list(islice(client.find(app, info.command, **conditions), limit))
    except NodeRefused as no:
        return refused_read(session, no)
    if session.as_json:
        print_json(found)
    else:
        structs = [typed(info.type, each) for each in found]
        _renderer(session, client, app).print_many(structs)
    return OK


def find_kind(ctx: click.Context, app: str, kind: str) -> RecordInfo:
    """A kind of record by its name."""
    info = catalogue().record(app, kind)
    if info is None:
        found = catalogue().app(app)
        known = ", ".join(each.command for each in found.records) if found else ""
        raise click.UsageError(
            f"{app} keeps no {kind}; there are: {known}" if found else f"no application {app}", ctx
        )
    return info


def _renderer(session: Session, client: Client, app: str) -> Renderer:
    """What shows records of an application."""
    return Renderer(catalogue(), app, session.language, node_wording(client, catalogue()))
