"""`tally node`: run a node."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click
import msgspec

from tallystick import settings as node_settings
from tallystick.cli.commands.init import DATA
from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json
from tallystick.cli.session import session_of
from tallystick.node import Node
from tallystick.operations import logs

log = logging.getLogger(__name__)


@click.command("node", cls=TallyCommand)
@click.argument("folder", type=click.Path(path_type=Path), required=False, metavar="[DATA]")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="The same as DATA.")
@click.option("--listen", metavar="HOST:PORT", help="Listen there too, with mutual TLS.")
@click.option(
    "--clock-is-right",
    is_flag=True,
    help="Start although the clock is far ahead of the last block.",
)
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path | None,
    data: Path | None,
    *,
    listen: str | None,
    clock_is_right: bool,
) -> int:
    """Run the node of a data folder (.tally unless named) until Ctrl-C or SIGTERM.

    It listens on DATA/api.sock. DATA/node.toml holds settings. One node at a time has a folder.
    """
    session = session_of(ctx)
    os.umask(0o077)  # what a node writes is for its own user alone
    found = data or folder or DATA
    settings = node_settings.load(found, os.environ)
    where = logs.Where(str(found))
    logs.set_up(settings.log_format, where, debug=session.debug)
    if listen is not None:
        settings = msgspec.structs.replace(
            settings, listen=msgspec.structs.replace(settings.listen, address=listen)
        )
    if clock_is_right:
        settings = msgspec.structs.replace(settings, clock_is_right=True)
    node = Node.open(found, settings=settings)
    where.chain, where.height = node.ledger.chain_id, node.height
    where.member = logs.member_of(node)

    def ready() -> None:
        """Say where it listens."""
        standing = node.engine.standing()
        log.info("the node answers", extra={"address": node.address, "body": node.body})
        if session.as_json:
            print_json(
                {
                    "chain_id": node.ledger.chain_id,
                    "height": standing.height,
                    "node": node.address,
                    "listen": settings.listen.address or None,
                    "engine": settings.engine.kind,
                }
            )
        else:
            also = f" and https://{settings.listen.address}" if settings.listen.address else ""
            click.echo(
                f"chain {node.ledger.chain_id} at block {standing.height},"
                f" listening at {node.address}{also}; Ctrl-C stops"
            )
            if settings.engine.kind == "cometbft":
                click.echo(
                    f"CometBFT orders: with the others at {settings.engine.p2p},"
                    f" its log in {found / 'engine' / 'cometbft.log'}"
                )

    node.run(ready=ready)
    log.info("the node has stopped")
    return OK
