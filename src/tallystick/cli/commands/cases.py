"""`tally cases`: run case files."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from tallystick.cli.exits import NOT_OK, OK
from tallystick.cli.golden import check_golden, play, write_golden
from tallystick.cli.group import TallyCommand
from tallystick.cli.output import print_json, progress
from tallystick.cli.render import print_lines
from tallystick.cli.session import session_of
from tallystick.testing.cases import CaseProblem, Told, find_cases


@dataclass(frozen=True)
class Ran:
    """What came of one case file."""

    path: str
    """The file."""
    problem: CaseProblem | None
    """What did not come out as it is written."""
    transactions: int
    """How many transactions it sent."""
    seconds: float
    """How long it took."""
    told: tuple[Told, ...] = ()
    """Its steps, as far as they went."""


@click.command("cases", cls=TallyCommand, short_help="Run case files.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH…")
@click.option("--golden", is_flag=True, help="Write the receipts beside each case: FILE.golden.")
@click.option("--check-golden", is_flag=True, help="Compare the receipts with FILE.golden.")
@click.option("--verbose", "-v", is_flag=True, help="Print every step and what came of it.")
@click.pass_context
def command(
    ctx: click.Context,
    paths: tuple[Path, ...],
    *,
    golden: bool = False,
    check_golden: bool = False,
    verbose: bool = False,
) -> int:
    """Run case files, and all `*.case` in folders, each on a fresh ledger in memory.

    docs/reference/cases.md is their grammar. Prints a line for each case and for each failure,
    with its file and line. Ends with 1 if a case does not come out as it is written.
    """
    found = find_cases(paths)
    if not found:
        raise click.UsageError(f"no *.case in {' '.join(map(str, paths))}", ctx)
    as_json = session_of(ctx).as_json
    ran: list[Ran] = []
    for each in _run_all(found, write=golden, check=check_golden):
        ran.append(each)
        if not as_json:
            _tell(each, verbose=verbose)
    if as_json:
        print_json([_as_json(each) for each in ran])
    else:
        failed = sum(1 for each in ran if each.problem)
        click.echo(f"{len(ran)} cases, {failed} failed")
    return NOT_OK if any(each.problem for each in ran) else OK


def _run_all(paths: Sequence[Path], *, write: bool, check: bool) -> Iterator[Ran]:
    """Run one after another, with a progress bar over a second."""
    # On a terminal the lines themselves tell how far it is.
    with progress("cases", wanted=not sys.stdout.isatty()) as step:
        for number, path in enumerate(paths, 1):
            yield _run(path, write=write, check=check)
            step(number, len(paths))


def _run(path: Path, *, write: bool, check: bool) -> Ran:
    """Run one case."""
    begun = time.perf_counter()
    told: list[Told] = []
    try:
        played = play(path, told.append)
        if write:
            write_golden(path, played)
        elif check:
            check_golden(path, played)
    except CaseProblem as problem:
        return Ran(str(path), problem, 0, time.perf_counter() - begun, tuple(told))
    return Ran(str(path), None, played.transactions, time.perf_counter() - begun, tuple(told))


def _tell(ran: Ran, *, verbose: bool) -> None:
    """One line for a case, and what failed in it; with `verbose` one for each step."""
    for each in ran.told:
        if verbose:
            print_lines([f"{each.line.number:>8}  {'  ' * each.depth}{each.line.text}"])
        if verbose or _reads_files(each):
            print_lines([f"          {'  ' * each.depth}{each.sentence}"])
    if ran.problem is None:
        click.echo(f"ok      {ran.path}  {ran.transactions} transactions, {ran.seconds:.2f} s")
    else:
        click.echo(f"FAILED  {ran.path}\n{ran.problem}")


def _reads_files(told: Told) -> bool:
    """Whether a step depends on files beside the repository: then what it found is always told."""
    return told.line.words[:3] == ("tally", "invoices", "import")


def _as_json(ran: Ran) -> dict[str, object]:
    """A case for programs."""
    problem = ran.problem
    return {
        "path": ran.path,
        "ok": problem is None,
        "place": None if problem is None else problem.place,
        "reason": None if problem is None else problem.reason,
        "transactions": ran.transactions,
        "seconds": round(ran.seconds, 3),
    }
