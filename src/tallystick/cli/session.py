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


class SharedOption(click.Option):
    """An option of every command, told in either language."""

    chinese = ""
    """Its help in Chinese."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """How it is written, and what it is for."""
        record = super().get_help_record(ctx)
        if record is None or session_of(ctx).language != "zh":
            return record
        return record[0], self.chinese


def shared_options() -> list[SharedOption]:
    """Options that every command takes."""
    return [
        _option(
            "--node",
            "ADDRESS",
            "The node: unix:PATH or https://HOST:PORT [TALLY_NODE].",
            "节点地址：unix:路径 或 https://主机:端口 [TALLY_NODE]",
        ),
        _option(
            "--as",
            "MEMBER.OFFICER[+OFFICER]",
            "Who signs or reads [TALLY_AS].",
            "签署人或查询人 [TALLY_AS]",
        ),
        _option("--keys", "DIR", "Folder of your keys [TALLY_KEYS].", "密钥目录 [TALLY_KEYS]"),
        _option(
            "--tls",
            "DIR",
            "Folder of certificates for https [TALLY_TLS].",
            "https 证书目录 [TALLY_TLS]",
        ),
        _option("--lang", "en|zh", "Language of help and sentences [LANG].", "语言 [LANG]"),
        _flag("--json", "Answer in JSON.", "以 JSON 输出"),
        _flag("--debug", "Show the traceback of an unexpected error.", "显示意外错误的调用栈"),
    ]


def transaction_options() -> list[SharedOption]:
    """Options of commands that make a transaction."""
    return [
        _option(
            "--out",
            "FILE",
            "Write the transaction to FILE instead of sending it.",
            "写入文件而不发送",
        ),
        _option(
            "--add-to",
            "FILE",
            "Add this call to the unsent transaction in FILE.",
            "加入文件中尚未发送的交易",
        ),
        _option("--outlet", "OUTLET", "Branch at which it is done.", "办理网点"),
        _option(
            "--reference",
            "TEXT",
            "Your own name for the transaction, used once.",
            "自编交易编号，只能用一次",
        ),
        _option(
            "--expires",
            "TIME|24h",
            "When it can no longer happen; in 10 minutes if unsaid.",
            "失效时间；不写为十分钟后",
        ),
    ]


def beside(options: Iterable[SharedOption], taken: set[str]) -> list[SharedOption]:
    """Options of a transaction; one whose flag a field has taken is `--transaction-…`."""
    return [_renamed(option) if taken & set(option.opts) else option for option in options]


def _renamed(option: SharedOption) -> SharedOption:
    """The same option under a longer name."""
    name = option.opts[0].removeprefix("--")
    flag, metavar = f"--transaction-{name}", str(option.metavar)
    return _option(flag, metavar, str(option.help), option.chinese)


def _option(flag: str, metavar: str, english: str, chinese: str) -> SharedOption:
    """An option that takes one word."""
    made = SharedOption(
        (flag,), metavar=metavar, help=english, expose_value=False, callback=_remember
    )
    made.chinese = chinese
    return made


def _flag(flag: str, english: str, chinese: str) -> SharedOption:
    """An option that stands alone."""
    made = SharedOption(
        (flag,),
        is_flag=True,
        default=None,
        help=english,
        expose_value=False,
        is_eager=True,
        callback=_remember,
    )
    made.chinese = chinese
    return made


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
