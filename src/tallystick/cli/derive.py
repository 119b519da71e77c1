"""Commands made of the catalogue: a group for each application, a command for what it declares.

Nothing here knows an application: what it declares is what can be typed.
"""

from __future__ import annotations

import enum
import importlib
import inspect
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any

import click
from click.shell_completion import CompletionItem

from tallystick.catalogue import AppInfo, Catalogue, FieldInfo, MessageInfo, QueryInfo, bare
from tallystick.cli import help as helps
from tallystick.cli.group import TallyCommand, TallyGroup, know_language
from tallystick.cli.session import Session, SharedOption, beside, session_of, transaction_options
from tallystick.wording import options, spellings


@cache
def catalogue() -> Catalogue:
    """The catalogue of all applications, read once."""
    from tallystick.apps import APPS

    return Catalogue(APPS)


def app_group(name: str) -> click.Group:
    """The command group of an application."""
    info = catalogue().app(name)
    if info is None:
        raise click.UsageError(f"no application {name!r}")
    return AppGroup(info)


class AppGroup(TallyGroup):
    """The commands of one application."""

    def __init__(self, info: AppInfo) -> None:
        """Keep what it says of itself; commands are made when they are asked for."""
        super().__init__(info.name, help=info.doc, no_args_is_help=True)
        self.info = info

    @property
    def messages(self) -> list[MessageInfo]:
        """What members may send; what the ledger alone runs is no command."""
        return [each for each in self.info.messages if not each.type.spec.timer]

    @cached_property
    def queries(self) -> dict[str, QueryInfo]:
        """Queries by command; none has the name of a message."""
        return {each.command: each for each in self.info.queries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Messages, then queries."""
        return [*(each.command for each in self.messages), *self.queries]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Make the command of a message or query."""
        wanted = cmd_name.replace("_", "-")
        for message in self.messages:
            if message.command == wanted:
                return message_command(message)
        query = self.queries.get(wanted)
        return None if query is None else QueryCommand(wanted, query)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What the application is about."""
        language = session_of(ctx).language
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(helps.app_text(catalogue(), self.info, language))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Messages and queries apart."""
        language = session_of(ctx).language
        words = helps.HEADINGS[language]
        with formatter.section(words["messages"]):
            formatter.write_dl(
                [(m.command, helps.message_text(catalogue(), m, language)) for m in self.messages]
            )
        if self.info.queries:
            with formatter.section(words["queries"]):
                formatter.write_dl(
                    [
                        (command, helps.query_text(catalogue(), query, language))
                        for command, query in self.queries.items()
                    ]
                )


class WordsType(click.ParamType[str]):
    """Words of one field; `wording` reads them, not click."""

    name = "words"

    def __init__(self, info: FieldInfo) -> None:
        """Keep the field."""
        self.info = info

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Values of an enum, yes and no."""
        return [CompletionItem(each) for each in choices(self.info) if each.startswith(incomplete)]


def choices(info: FieldInfo) -> list[str]:
    """What a field can be, when that is a short list."""
    plain = bare(info.type)
    if plain is bool:
        return ["yes", "no"]
    inner = bare(plain.__args__[0]) if getattr(plain, "__origin__", None) is tuple else plain
    if inspect.isclass(inner) and issubclass(inner, enum.Enum):
        return [str(each.value) for each in inner]
    return []


class DerivedCommand(TallyCommand):
    """A command whose options are the fields of a message or the parameters of a query."""

    disclosed: frozenset[str] = frozenset()

    def __init__(
        self, name: str, fields: Sequence[FieldInfo], more: Sequence[SharedOption]
    ) -> None:
        """Make an option for each field; flags of fields come before those of every command."""
        self.fields = tuple(fields)
        own = [_field_option(option.flag, option.info) for option in options(fields)]
        self.own_names = {word for info in fields for word in spellings(info.name)}
        taken = {flag for option in own for flag in option.opts}
        taken |= {f"--{word}" for word in self.own_names}
        params: list[click.Parameter] = [*own, *beside(more, taken)]
        super().__init__(name, params=params, callback=self.run_in)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words of own options apart, then let click read the others."""
        know_language(ctx, args)
        given, rest = self.split(args)
        ctx.meta["tallystick.given"] = given
        try:
            return super().parse_args(ctx, rest)
        except click.NoSuchOption as problem:
            known = ", ".join(option.flag for option in options(self.fields)) or "none of its own"
            raise click.UsageError(
                f"no option {problem.option_name}; there are: {known}", ctx
            ) from None

    def split(self, args: Sequence[str]) -> tuple[dict[str, list[str]], list[str]]:
        """Words by own option, and what is left for click.

        An own option takes every word up to the next one that begins with `--`.
        """
        given: dict[str, list[str]] = {}
        rest: list[str] = []
        current: list[str] = rest
        for word in args:
            if word.startswith("--") and len(word) > len("--"):
                name, sign, value = word[2:].partition("=")
                name = name.replace("_", "-")
                if name in self.own_names:
                    current = given.setdefault(name, [])
                    if sign:
                        current.append(value)
                    continue
                current = rest
                rest.append(f"--{name}{sign}{value}")
            else:
                current.append(word)
        return given, rest

    def run_in(self, **own: Any) -> Any:
        """Do what the command says."""
        ctx = click.get_current_context()
        return self.run(session_of(ctx), ctx.meta["tallystick.given"])

    def run(self, session: Session, given: dict[str, list[str]]) -> int:
        """Send the message or ask the query."""
        raise click.UsageError(f"{self.name} cannot be run")

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What must be written, then that there is more."""
        needed = [
            f"{option.flag} {option.metavar}{' …' if option.many else ''}".strip()
            for option in options(self.fields)
            if option.info.required and option.info.name not in self.disclosed
        ]
        return [*needed, *(["--disclosure FILE"] if self.disclosed else []), "[OPTIONS]"]


class MessageCommand(DerivedCommand):
    """Sends one message."""

    def __init__(self, info: MessageInfo) -> None:
        """An option for each field, `--disclosure`, and those of every transaction."""
        self.info = info
        more = transaction_options()
        fields = info.struct.fields
        super().__init__(info.command, fields, more)
        self.disclosed = helps.disclosed(info)
        if self.disclosed:
            self.own_names.add("disclosure")

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What it does, its options, who signs, and what it may be refused with."""
        self.format_usage(ctx, formatter)
        language = session_of(ctx).language
        helps.write_message(catalogue(), self.info, language, formatter)
        helps.write_shared(self, ctx, language, formatter)

    def run(self, session: Session, given: dict[str, list[str]]) -> int:
        """Send the message."""
        from tallystick.cli.transact import transact

        return transact(session, catalogue(), self.info, given)


MORE_THAN_DERIVED = {("documents", "commit"): "tallystick.cli.commands.commit:CommitCommand"}
"""Messages whose command does something besides: where its class is."""


def message_command(info: MessageInfo) -> MessageCommand:
    """The command of a message."""
    special = MORE_THAN_DERIVED.get((info.app, info.command))
    if special is None:
        return MessageCommand(info)
    module, _, name = special.partition(":")
    made: MessageCommand = getattr(importlib.import_module(module), name)(info)
    return made


class QueryCommand(DerivedCommand):
    """Asks one query."""

    def __init__(self, name: str, info: QueryInfo) -> None:
        """An option for each parameter."""
        self.info = info
        super().__init__(name, info.parameters, ())
        self.disclosed = helps.disclosed(info)
        if self.disclosed:
            self.own_names.add("disclosure")

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What it answers, and its options."""
        self.format_usage(ctx, formatter)
        language = session_of(ctx).language
        helps.write_query(catalogue(), self.info, language, formatter)
        helps.write_shared(self, ctx, language, formatter)

    def run(self, session: Session, given: dict[str, list[str]]) -> int:
        """Ask it."""
        from tallystick.cli.reads import ask

        return ask(session, catalogue(), self.info, given)


def _field_option(flag: str, info: FieldInfo) -> click.Option:
    """The option of a field: for help and completion, its words are read by `wording`."""
    return click.Option(
        (flag,),
        type=WordsType(info),
        expose_value=False,
        is_flag=False,
        multiple=True,
        help=info.doc,
    )
