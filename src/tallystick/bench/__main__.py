"""`python -m tallystick.bench`: what `make bench` calls. The last line is one JSON object."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tallystick.bench import figures, report
from tallystick.bench.workloads import WORKLOADS
from tallystick.node import Node


def main(arguments: list[str] | None = None) -> int:
    """Measure, tell, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tallystick.bench", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=figures.SECONDS, help="how long full load is sustained"
    )
    parser.add_argument(
        "--runs", type=int, default=figures.RUNS, help="runs of the first; its middle one is told"
    )
    parser.add_argument(
        "--workloads", default="all", help=f"with commas between: {', '.join(WORKLOADS)}; or all"
    )
    parser.add_argument("--out", type=Path, help="folder for the figures and the HTML report")
    parser.add_argument("--serve", type=Path, help="only run a node on this data folder")
    asked = parser.parse_args(arguments)
    if asked.serve is not None:
        Node.open(asked.serve).run()
        return 0
    names = figures.chosen(asked.workloads)
    keep = report.keeper(asked.out, report.BENCH)
    found = figures.measure(names, seconds=asked.seconds, runs=asked.runs, tell=keep)
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
