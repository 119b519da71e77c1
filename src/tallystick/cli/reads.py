"""Asking a query, and showing what it answers."""

from __future__ import annotations

from typing import Any

import click

from tallystick.catalogue import Catalogue, QueryInfo
from tallystick.cli.connection import reader
from tallystick.cli.exits import OK, REFUSED
from tallystick.cli.lookup import node_wording, typed
from tallystick.cli.output import print_json
from tallystick.cli.render import Renderer, print_lines
from tallystick.cli.session import Session
from tallystick.client.client import NodeRefused


def ask(
    session: Session, catalogue: Catalogue, info: QueryInfo, given: dict[str, list[str]]
) -> int:
    """Ask a query; returns the exit code."""
    client = reader(session)
    wording = node_wording(client, catalogue)
    arguments = wording.query_of(info, given)
    try:
        answer = client.query(info.app, info.name, **arguments)
    except NodeRefused as no:
        return refused_read(session, no)
    if session.as_json:
        print_json(answer)
        return OK
    renderer = Renderer(
        catalogue=catalogue,
        app=info.app,
        language=session.language,
        wording=wording,
        currency=wording.currency_among(arguments, info.parameters),
    )
    show_answer(renderer, info, answer)
    return OK


def refused_read(session: Session, no: NodeRefused) -> int:
    """Say why the node refused a read; returns the exit code."""
    if not no.app:
        raise no
    if session.as_json:
        print_json(
            {
                "outcome": "refused",
                "app": no.app,
                "code": no.code,
                "name": no.name,
                "sentence": no.reason,
                "values": no.values,
                "retry": no.retry,
            }
        )
    else:
        click.echo(no.reason)
    return REFUSED


def show_answer(renderer: Renderer, info: QueryInfo, answer: Any) -> None:
    """An answer for people: one thing as lines, several as a table."""
    rows = [each for each in (answer if info.many else [answer]) if each is not None]
    if info.returns is None:
        print_lines([str(each) for each in rows])
        return
    structs = [typed(info.returns.type, each) for each in rows]
    if structs and not info.many:
        renderer.print_one(structs[0])
    else:
        renderer.print_many(structs)
