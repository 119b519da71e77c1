"""What every command may be told: the node, who signs, where keys lie, language, JSON.

An option after the command wins over one before it, and both over the environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

NODE_DEFAULT = ".tally/api.sock"
"""Socket of the node that `tally node` starts in the current folder."""

LANGUAGES = ("en", "zh")


@dataclass
class Session:
    """Settings of one run of `tally`."""

    node: str = f"unix:{NODE_DEFAULT}"
    """Where the node listens: `unix:PATH` or `https://…`."""
    node_is_named: bool = False
    """Whether `--node` was written, not only the environment or the default."""
    who: str = ""
    """Who signs: `S1.maker+checker`; for reads the first officer, or nobody."""
    keys: Path | None = None
    """Folder of key files; None = beside the node's socket."""
    passphrase_file: Path | None = None
    """File whose first line opens the keys; None = asked for."""
    tls: Path | None = None
    """Folder with ca.pem, client.pem and client.key; None = `tls` beside the node's socket."""
    as_json: bool = False
    """Whether answers are JSON."""
    language: str = "en"
    """`en` or `zh`, for help and sentences."""
    debug: bool = False
    """Whether a bug of ours shows its traceback."""
    values: dict[str, Any] = field(default_factory=dict)
    """Options of transactions: `out`, `add_to`, `outlet`, `reference`, `expires`."""

    @classmethod
    def from_environment(cls) -> Session:
        """Settings that the environment gives."""
        told = os.environ

        def path(name: str) -> Path | None:
            return Path(told[name]) if told.get(name) else None

        return cls(
            node=told.get("TALLY_NODE") or f"unix:{NODE_DEFAULT}",
            who=told.get("TALLY_AS", ""),
            keys=path("TALLY_KEYS"),
            passphrase_file=path("TALLY_PASSPHRASE_FILE"),
            tls=path("TALLY_TLS"),
            language=language_of(
                told.get("TALLY_LANG") or told.get("LC_ALL") or told.get("LANG", "")
            ),
        )


def language_of(locale: str) -> str:
    """`zh_CN.UTF-8` → `zh`; everything that is not Chinese is English."""
    return "zh" if locale.lower().startswith("zh") else "en"


def session_of(ctx: click.Context) -> Session:
    """The settings of this run."""
    return ctx.find_root().ensure_object(Session)


def shared_options() -> list[click.Option]:
    """Options that every command takes."""
    return [
        _option(("--node",), "ADDRESS", "The node: unix:PATH or https://HOST:PORT [TALLY_NODE]."),
        _option(("--as",), "MEMBER.OFFICER[+OFFICER]", "Who signs or reads [TALLY_AS]."),
        _option(("--keys",), "DIR", "Folder of your keys [TALLY_KEYS]."),
        _option(("--tls",), "DIR", "Folder of certificates for https [TALLY_TLS]."),
        _option(("--lang",), "en|zh", "Language of help and sentences [LANG].", early=True),
        _flag("--json", "Answer in JSON."),
        _flag("--debug", "Show the traceback of an unexpected error."),
    ]


def transaction_options() -> list[click.Option]:
    """Options of commands that make a transaction."""
    return [
        _option(("--out",), "FILE", "Write the transaction to FILE instead of sending it."),
        _option(("--add-to",), "FILE", "Add this call to the unsent transaction in FILE."),
        _option(("--outlet",), "OUTLET", "Branch at which it is done."),
        _option(("--reference",), "TEXT", "Your own name for the transaction, used once."),
        _option(
            ("--expires",), "TIME|24h", "When it can no longer happen; in 10 minutes if unsaid."
        ),
    ]


def beside(options: Iterable[click.Option], taken: set[str]) -> list[click.Option]:
    """Options of a transaction; one whose flag a field has taken is `--transaction-…`."""
    return [_renamed(option) if taken & set(option.opts) else option for option in options]


def _renamed(option: click.Option) -> click.Option:
    """The same option under a longer name."""
    name = option.opts[0].removeprefix("--")
    return _option((f"--transaction-{name}",), str(option.metavar), str(option.help))


def _option(
    flags: tuple[str, ...], metavar: str, text: str, *, early: bool = False
) -> click.Option:
    """An option that takes one word."""
    return click.Option(
        flags, metavar=metavar, help=text, expose_value=False, is_eager=early, callback=_remember
    )


def _flag(flag: str, text: str) -> click.Option:
    """An option that stands alone."""
    return click.Option(
        (flag,), is_flag=True, default=None, help=text, expose_value=False, is_eager=True,
        callback=_remember,
    )  # fmt: skip


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
    """Keep an option where every command finds it."""
    if value is None or value is False:
        return
    session = session_of(ctx)
    name = parameter.opts[0].removeprefix("--").removeprefix("transaction-")
    if name == "node":
        session.node, session.node_is_named = str(value), True
    elif name == "as":
        session.who = str(value)
    elif name == "keys":
        session.keys = Path(value)
    elif name == "tls":
        session.tls = Path(value)
    elif name == "lang":
        if value not in LANGUAGES:
            raise click.BadParameter(f"{value!r} is none of {', '.join(LANGUAGES)}", ctx, parameter)
        session.language = str(value)
    elif name == "json":
        session.as_json = True
    elif name == "debug":
        session.debug = True
    else:
        session.values[name.replace("-", "_")] = value
