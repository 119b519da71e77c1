"""The command tree of `tally`, and what becomes of errors."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import click

from tallystick.cli.exits import BROKEN_PIPE, BUG, INTERRUPTED, NOT_OK, OK, USAGE
from tallystick.cli.glance import glance
from tallystick.cli.group import LazyGroup, Sections
from tallystick.cli.session import Session
from tallystick.errors import TallystickError
from tallystick.values.errors import ValueProblem

HERE = "tallystick.cli.commands"
BUG_CHARS_MAX = 200

SECTIONS: Sections = {
    "A node": {
        "init": (f"{HERE}.init:command", "Make the data folder of a new chain."),
        "node": (f"{HERE}.node:command", "Run the node of a data folder."),
        "status": (f"{HERE}.status:command", "How the node is doing."),
        "clock": (f"{HERE}.status:clock", "Ledger time; a trial's can be moved forward."),
        "genesis": (f"{HERE}.genesis:group", "How a chain began."),
        "audit": (f"{HERE}.audit:command", "Replay a data folder and check everything."),
        "doctor": (f"{HERE}.doctor:command", "Look a node over, and say what to do."),
        "backup": (f"{HERE}.backup:command", "Write a node's data into one file."),
        "restore": (f"{HERE}.backup:restore_command", "Make a data folder of a backup."),
        "export": (f"{HERE}.backup:export", "Write a chain's blocks into one file."),
        "bench": (f"{HERE}.bench:command", "Measure a node on this machine."),
    },
    "A consortium": {
        "consortium": (f"{HERE}.consortium:group", "Begin a network of several institutions."),
        "network": (f"{HERE}.network:group", "Many nodes on this machine, for trials."),
        "engine": (f"{HERE}.engine:group", "CometBFT, which orders a consortium's blocks."),
    },
    "Transactions and reads": {
        "keys": (f"{HERE}.keys:group", "Officers' keys on this machine."),
        "sign": (f"{HERE}.sign:sign", "Add signatures to a transaction in a file."),
        "send": (f"{HERE}.sign:send", "Send a transaction that is in a file."),
        "record": (f"{HERE}.records:record", "One record by its key."),
        "records": (f"{HERE}.records:records", "Records that fit."),
        "prove": (f"{HERE}.prove:prove", "Proof that a record or receipt is there, or is not."),
        "verify": (f"{HERE}.verify:verify", "Check a proof without the node."),
        "trust": (f"{HERE}.verify:trust", "Write down a consortium's block that one trusts."),
        "explain": (f"{HERE}.explain:command", "What a refusal means."),
    },
    "Files": {
        "invoices": (f"{HERE}.invoices:group", "Read folders of UBL invoices."),
        "cases": (f"{HERE}.cases:command", "Run case files."),
        "completion": (f"{HERE}.completion:command", "Completion for bash, zsh or fish."),
    },
}
"""Commands that are not derived."""

EPILOG = """Exit codes: 0 done, 1 not so (audit, verify, cases), 2 usage, 3 refused by a rule,
20-23 data folder, 30-36 node, 40-43 client, 50-51 keys, 60 files, 130 Ctrl-C.
All: docs/reference/exit-codes.md."""


class NobodyReads(Exception):
    """The reader of the output went away; click would end with 1."""


class Root(LazyGroup):
    """`tally` itself: its own commands, and a group for each application."""

    def sections(self) -> Sections:
        """The commands above and, last, the applications."""
        found = {name: ("tallystick.cli.derive:app_group", text) for name, text in glance().items()}
        return {**SECTIONS, "Applications": found}

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the command line; `--help` is written here."""
        extra.setdefault("obj", Session.from_environment())
        with _a_reader():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _a_reader():
            return super().invoke(ctx)


@contextmanager
def _a_reader() -> Iterator[None]:
    """Tell a broken pipe from other trouble with files."""
    try:
        yield
    except BrokenPipeError:
        raise NobodyReads from None


root = Root(
    "tally",
    help="Tallystick: a permissioned ledger for finance.",
    epilog=EPILOG,
    no_args_is_help=True,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
click.version_option(package_name="tallystick", prog_name="tally", message="%(prog)s %(version)s")(
    root
)


def main() -> None:
    """Run `tally` and end with its exit code."""
    sys.excepthook = _unexpected
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run a command line; returns the exit code."""
    session = Session.from_environment()
    try:
        answer = root.main(args, prog_name="tally", standalone_mode=False, obj=session)
        with _a_reader():
            sys.stdout.flush()
        return answer if isinstance(answer, int) else OK
    except NobodyReads:
        # What is still buffered must not fail when the process ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except click.exceptions.Exit as end:
        return end.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("tally: stopped", err=True)
        return INTERRUPTED
    except click.exceptions.NoArgsIsHelpError as asked:
        asked.show()
        return asked.exit_code
    except click.ClickException as problem:
        return tell(session, type(problem).__name__, problem.exit_code, _usage(problem))
    except (TallystickError, ValueProblem) as problem:
        code = getattr(problem, "exit_code", NOT_OK)
        return tell(session, type(problem).__name__, code, str(problem))
    except ValueError as problem:
        # Asked late: `tally --help` needs no wording.
        from tallystick.wording import WordingProblem

        if not isinstance(problem, WordingProblem):
            raise
        return tell(session, "WordingProblem", USAGE, str(problem))


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
    """A bug of ours: one line for people, the traceback for `--debug`. Ctrl-C is none."""
    if issubclass(kind, KeyboardInterrupt):
        click.echo("tally: stopped", err=True)
        sys.exit(INTERRUPTED)
    if "--debug" in sys.argv:
        traceback.print_exception(kind, problem, trace)
    else:
        text = f"{kind.__name__}: {problem}"[:BUG_CHARS_MAX]
        click.echo(f"tally: a bug of ours: {text}; --debug shows where", err=True)
    sys.exit(BUG)
