"""`tally completion`: what makes the shell complete commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand

COMPLETE = "_TALLY_COMPLETE"
"""Variable by which the shell asks."""


@click.command("completion", cls=TallyCommand)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    """Print the completion of a shell: `eval "$(tally completion bash)"`."""
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for {shell}", ctx)
    click.echo(found(ctx.find_root().command, {}, "tally", COMPLETE).source())
    return OK
