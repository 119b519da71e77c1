"""`python -m tallystick.bench.check`: has the node become slower, beside what it is made of?

Times differ from machine to machine, so ratios are compared: end to end to the kernel alone, and
the kernel to verification one by one, each measured in the same seconds on the same cores. A ratio
that is more than a quarter below the stored one is measured again, and fails only when it never
comes near: a machine that is busy with something else must not look like a slow node.

    python -m tallystick.bench.check FILE            compare
    python -m tallystick.bench.check FILE --store    write down what is measured now
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from tallystick.accel import Body
from tallystick.bench import kernel, roofs
from tallystick.bench.cast import Desk, beginning
from tallystick.bench.machine import say
from tallystick.bench.measuring import Plan, loaded
from tallystick.bench.running import body_of_nodes, serving
from tallystick.bench.signing import Signed, sign
from tallystick.bench.workloads import WORKLOADS
from tallystick.node import init

KERNEL_SECONDS = 1.5
PLAN = Plan(seconds=2.5, warm_up_seconds=1.0)
ATTEMPTS = 5
"""How often it is measured before a ratio is believed to have dropped."""
LEAST = 0.75
"""Part of the stored ratio below which it has dropped."""

Ratios = Mapping[str, float]


def main(arguments: list[str] | None = None) -> int:
    """Compare or store; 1 when a ratio has dropped."""
    parser = argparse.ArgumentParser(prog="tallystick.bench.check", description=__doc__)
    parser.add_argument("file", type=Path, help="the stored ratios")
    parser.add_argument("--store", action="store_true", help="write down what is measured now")
    asked = parser.parse_args(arguments)
    body = body_of_nodes()
    stored = json.loads(asked.file.read_text(encoding="utf-8")) if asked.file.exists() else {}
    with tempfile.TemporaryDirectory(prefix="tally-") as place:
        measure = prepared(Path(place), body)
        if asked.store:
            found = best(measure() for _ in range(ATTEMPTS))
            written = json.dumps({**stored, body.name: found}, indent=1, sort_keys=True)
            asked.file.write_text(written + "\n", encoding="utf-8")
            return 0
        dropped = compare(measure, stored.get(body.name, {}))
    for name in dropped:
        say(f"{name} has dropped by more than {1 - LEAST:.0%}: `make bench` shows where")
    return 1 if dropped else 0


def compare(measure: Callable[[], Ratios], stored: Ratios) -> list[str]:
    """Names of the ratios that stay too low however often they are measured."""
    found: Ratios = {}
    low = list(stored)
    for attempt in range(1, ATTEMPTS + 1):
        found = best([found, measure()])
        low = [name for name, ratio in stored.items() if found.get(name, 0.0) < LEAST * ratio]
        told = ", ".join(
            f"{name} {ratio:.2f} (stored {stored.get(name, 0.0):.2f})"
            for name, ratio in found.items()
        )
        say(f"attempt {attempt}: {told}")
        if not low:
            break
    return low


def best(several: Iterator[Ratios] | list[Ratios]) -> dict[str, float]:
    """The highest of each ratio."""
    found: dict[str, float] = {}
    for each in several:
        for name, ratio in each.items():
            found[name] = max(round(ratio, 3), found.get(name, 0.0))
    return found


def prepared(folder: Path, body: Body) -> Callable[[], Ratios]:
    """Sign once; what is given back measures once."""
    workload = next(iter(WORKLOADS.values()))
    template = folder / "template"
    chain_id = init(template, beginning(workload.cast)).genesis.chain_id
    first = kernel.per_s(workload.name, KERNEL_SECONDS)
    signed = sign(workload, chain_id, 2 * PLAN.wanted(first), folder / "signed")
    triples = roofs.triples_of(workload.page(Desk(chain_id), 0).load)

    def measure() -> Ratios:
        kernel_per_s = kernel.per_s(workload.name, KERNEL_SECONDS)
        verify_per_s = roofs.verify_single_per_s(body, triples)
        per_s = _end_to_end(template, signed, folder / "node")
        return {
            "embedded_to_kernel": per_s / kernel_per_s,
            "kernel_to_verify": kernel_per_s / verify_per_s,
        }

    return measure


def _end_to_end(template: Path, signed: Signed, data: Path) -> float:
    """Transactions a second of a fresh node, for as long as there are any."""
    shutil.copytree(template, data)
    with serving(data) as node:
        found = loaded(node, signed.load(), PLAN, before=signed.before())
        node.must_be_idle()
    shutil.rmtree(data)
    return found.full.per_s


if __name__ == "__main__":
    sys.exit(main())
