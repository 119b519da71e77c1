"""`tally bench`: what a node does on this machine, end to end, beside what the machine allows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from tallystick.cli.exits import OK
from tallystick.cli.group import TallyCommand


@click.command("bench", cls=TallyCommand)
@click.option("--seconds", type=float, default=30.0, help="How long full load is sustained.")
@click.option("--runs", type=int, default=1, help="Runs of the first; its middle one is told.")
@click.option("--workload", multiple=True, metavar="NAME", help="One or several; without, all.")
@click.option("--growth", is_flag=True, help="Instead: what a larger and larger state costs.")
@click.option(
    "--records", type=int, default=10_000_000, help="With --growth: records of the largest state."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where figures and an HTML report are written.",
)
def command(*, growth: bool, records: int, out: Path | None, **load: Any) -> int:
    """Measure a node on this machine; the last line is one JSON object.

    A node of its own is loaded over its Unix socket with transactions that were signed before, from
    this process; what it wrote is replayed and compared before anything is told. Beside it stand
    the kernel alone, and what verification and disk allow. How: docs/performance.md.
    """
    from tallystick.bench import figures, report
    from tallystick.bench.growth import measure as measure_growth

    if growth:
        part, found = report.GROWTH, measure_growth(records)
    else:
        names = figures.chosen(",".join(load["workload"]) or "all")
        found = figures.measure(names, seconds=load["seconds"], runs=load["runs"])
        part = report.BENCH
    if out is not None:
        click.echo(f"report: {report.keep(out, part, found)}", err=True)
    click.echo(json.dumps(found))
    return OK
