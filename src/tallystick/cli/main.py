"""The command tree of `tally`, and what becomes of errors."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType
from typing import Any

import click

from tallystick.cli.exits import BROKEN_PIPE, BUG, INTERRUPTED
from tallystick.cli.group import LazyGroup
from tallystick.cli.session import Session
from tallystick.errors import TallystickError
from tallystick.settings import VERSION
from tallystick.values.errors import ValueProblem

HERE = "tallystick.cli.commands"

SECTIONS = {
    "Files": {
        "invoices": (f"{HERE}.invoices:group", "Read folders of UBL invoices."),
        "cases": (f"{HERE}.cases:command", "Run case files."),
    },
}
"""Commands that are not derived."""

EPILOG = """Exit codes: 0 done, 1 not so (audit, verify, cases), 2 usage, 3 refused by a rule,
20-23 data folder, 30-33 node, 40-43 client, 50-51 keys, 60 files, 130 Ctrl-C.
All: docs/reference/exit-codes.md."""


class Root(LazyGroup):
    """`tally` itself."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Begin with what the environment says."""
        extra.setdefault("obj", Session.from_environment())
        return super().make_context(info_name, args, parent, **extra)


root = Root(
    "tally",
    sections=SECTIONS,
    help="Tallystick: a permissioned ledger for finance.",
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
click.version_option(VERSION, prog_name="tally", message="%(prog)s %(version)s")(root)


def main() -> None:
    """Run `tally` and end with its exit code."""
    sys.excepthook = _unexpected
    try:
        sys.exit(run(sys.argv[1:]))
    except BrokenPipeError:
        # Nobody reads any more: what is still buffered must not fail on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)


def run(args: list[str]) -> int:
    """Run a command line; returns the exit code."""
    session = Session.from_environment()
    try:
        answer = root.main(args, prog_name="tally", standalone_mode=False, obj=session)
        sys.stdout.flush()
        return answer if isinstance(answer, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("tally: stopped", err=True)
        return INTERRUPTED
    except click.ClickException as problem:
        return tell(session, type(problem).__name__, problem.exit_code, _usage(problem))
    except (TallystickError, ValueProblem) as problem:
        code = getattr(problem, "exit_code", 1)
        return tell(session, type(problem).__name__, code, str(problem))


def tell(session: Session, name: str, code: int, text: str) -> int:
    """Say what went wrong on the error stream; returns the exit code."""
    if session.as_json:
        import msgspec

        said = {"error": {"name": name, "exit_code": code, "text": text}}
        click.echo(msgspec.json.encode(said).decode(), err=True)
    else:
        click.echo(f"tally: {text}", err=True)
    return code


def _usage(problem: click.ClickException) -> str:
    """A usage error with where to read on."""
    ctx = getattr(problem, "ctx", None)
    hint = f" (see `{ctx.command_path} --help`)" if ctx is not None else ""
    return problem.format_message() + hint


def _unexpected(
    kind: type[BaseException], problem: BaseException, trace: TracebackType | None
) -> None:
    """A bug of ours: one line for people, the traceback for `--debug`."""
    if "--debug" in sys.argv:
        traceback.print_exception(kind, problem, trace)
    else:
        click.echo(
            f"tally: a bug of ours: {kind.__name__}: {problem}; --debug shows where", err=True
        )
    sys.exit(BUG)
