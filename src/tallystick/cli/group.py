"""Groups that import a command only when it is used, and commands that take the shared options."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import click

from tallystick.cli.session import LANGUAGES, SharedOption, session_of, shared_options

Sections = Mapping[str, Mapping[str, tuple[str, str]]]
"""Title → command → (`module:attribute`, one line)."""


class TallyCommand(click.Command):
    """A command that takes the shared options beside its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the shared options, but those whose flags are taken."""
        super().__init__(*args, **kwargs)
        add_shared(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Know the language before `--help` is written."""
        know_language(ctx, args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Own options first, then those of every command."""
        format_options(self, ctx, formatter)


class TallyGroup(click.Group):
    """A group whose commands take the shared options, as it does itself."""

    command_class = TallyCommand

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the shared options."""
        super().__init__(*args, **kwargs)
        add_shared(self)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Know the language before `--help` is written."""
        know_language(ctx, args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Own options first, then those of every command, then the commands."""
        format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say what there is when a name is unknown."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise click.UsageError(
                f"no command {name!r}{_near(name, self.list_commands(ctx))}", ctx
            )
        return super().resolve_command(ctx, args)


class LazyGroup(TallyGroup):
    """Knows the names and one line of its commands, and imports one when it is used."""

    def sections(self) -> Sections:
        """Title → command → where it is and one line about it."""
        return {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the sections."""
        return [name for commands in self.sections().values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        for commands in self.sections().values():
            if cmd_name in commands:
                module, _, attribute = commands[cmd_name][0].partition(":")
                found = getattr(importlib.import_module(module), attribute)
                return found if isinstance(found, click.Command) else found(cmd_name)
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list for each section."""
        for title, commands in self.sections().items():
            rows = [(name, text) for name, (_, text) in commands.items()]
            with formatter.section(title):
                formatter.write_dl(rows)


def add_shared(command: click.Command) -> None:
    """Give a command the shared options that do not clash with its own."""
    taken = {flag for parameter in command.params for flag in parameter.opts}
    for option in shared_options():
        if not taken & set(option.opts):
            command.params.append(option)


def know_language(ctx: click.Context, args: Sequence[str]) -> None:
    """Take `--lang` wherever it stands, since `--help` may stand before it."""
    for word, after in pairwise([*args, ""]):
        said = after if word == "--lang" else word.partition("=")[2]
        if word.partition("=")[0] == "--lang" and said in LANGUAGES:
            session_of(ctx).language = said


def format_options(
    command: click.Command, ctx: click.Context, formatter: click.HelpFormatter
) -> None:
    """Write a command's own options and, apart, those of every command."""
    own: list[tuple[str, str]] = []
    shared: list[tuple[str, str]] = []
    for parameter in command.get_params(ctx):
        row = parameter.get_help_record(ctx)
        if row is not None:
            is_shared = isinstance(parameter, SharedOption) or "--help" in parameter.opts
            (shared if is_shared else own).append(row)
    is_chinese = session_of(ctx).language == "zh"
    if own:
        with formatter.section("选项" if is_chinese else "Options"):
            formatter.write_dl(own)
    with formatter.section("所有命令的选项" if is_chinese else "Options of every command"):
        formatter.write_dl(shared)


def _near(name: str, known: Sequence[str]) -> str:
    """`; did you mean …?` when something is spelled alike."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
