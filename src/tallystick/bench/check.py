"""`python -m tallystick.bench.check`: has the node become slower, beside what it is made of?

Times differ from machine to machine, so ratios are compared: end to end to the kernel alone, and
the kernel to verification one by one, each measured in the same seconds on the same cores. A ratio
that is more than a quarter below the stored one is measured again, and fails only when it never
comes near. What is measured while something else keeps the machine busy can show that the node is
fast enough, never that it is not: then it is measured more often, and at last nothing is told.

    python -m tallystick.bench.check FILE            compare
    python -m tallystick.bench.check FILE --store    write down what is measured now
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tallystick.accel import Body
from tallystick.bench import kernel, roofs
from tallystick.bench.cast import Desk, beginning
from tallystick.bench.machine import busy_seconds, own_seconds, say
from tallystick.bench.measuring import Plan, loaded
from tallystick.bench.running import body_of_nodes, serving
from tallystick.bench.signing import Signed, sign
from tallystick.bench.workloads import WORKLOADS
from tallystick.node import init

KERNEL_SECONDS = 1.5
PLAN = Plan(seconds=2.5, warm_up_seconds=1.0)
ATTEMPTS = 4
"""How often it is measured on a quiet machine before a ratio is believed to have dropped."""
ATTEMPTS_MOST = 8
"""How often it is measured at most."""
LEAST = 0.75
"""Part of the stored ratio below which it has dropped."""
QUIET_CORES = 0.2
"""Cores that others may keep busy meanwhile; the load and the node need two."""

Ratios = Mapping[str, float]


@dataclass(frozen=True)
class Attempt:
    """What measuring once gave."""

    ratios: Ratios
    """Each ratio by name."""
    others: float = 0.0
    """Cores that something else kept busy meanwhile; 0 where that is unknown."""

    @property
    def is_quiet(self) -> bool:
        """Whether a low ratio means something."""
        return self.others <= QUIET_CORES


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
            found = best(measure().ratios for _ in range(ATTEMPTS))
            written = json.dumps({**stored, body.name: found}, indent=1, sort_keys=True)
            asked.file.write_text(written + "\n", encoding="utf-8")
            return 0
        dropped = compare(measure, stored.get(body.name, {}))
    for name in dropped:
        say(f"{name} has dropped by more than {1 - LEAST:.0%}: `make bench` shows where")
    return 1 if dropped else 0


def compare(measure: Callable[[], Attempt], stored: Ratios) -> list[str]:
    """Names of the ratios that stay too low however often they are measured."""
    found: Ratios = {}
    low, quiet = list(stored), 0
    for number in range(1, ATTEMPTS_MOST + 1):
        attempt = measure()
        found = best([found, attempt.ratios])
        quiet += attempt.is_quiet
        low = [name for name, ratio in stored.items() if found.get(name, 0.0) < LEAST * ratio]
        told = ", ".join(
            f"{name} {ratio:.2f} (stored {stored.get(name, 0.0):.2f})"
            for name, ratio in found.items()
        )
        say(f"attempt {number}: {told}; others kept {attempt.others:.1f} cores busy")
        if not low:
            return []
        if quiet == ATTEMPTS:
            return low
    say(f"the machine is too busy to tell of {', '.join(low)}: run this again when it is quiet")
    return []


def best(several: Iterable[Ratios]) -> dict[str, float]:
    """The highest of each ratio."""
    found: dict[str, float] = {}
    for each in several:
        for name, ratio in each.items():
            found[name] = max(round(ratio, 3), found.get(name, 0.0))
    return found


def prepared(folder: Path, body: Body) -> Callable[[], Attempt]:
    """Sign once; what is given back measures once."""
    workload = next(iter(WORKLOADS.values()))
    template = folder / "template"
    chain_id = init(template, beginning(workload.cast)).genesis.chain_id
    first = kernel.per_s(workload.name, KERNEL_SECONDS)
    signed = sign(workload, chain_id, 2 * PLAN.wanted(first), folder / "signed")
    triples = roofs.triples_of(workload.page(Desk(chain_id), 0).load)

    def measure() -> Attempt:
        began, busy, own = time.monotonic(), busy_seconds(), own_seconds()
        kernel_per_s = kernel.per_s(workload.name, KERNEL_SECONDS)
        verify_per_s = roofs.verify_single_per_s(body, triples)
        per_s = _end_to_end(template, signed, folder / "node")
        ratios = {
            "embedded_to_kernel": per_s / kernel_per_s,
            "kernel_to_verify": kernel_per_s / verify_per_s,
        }
        after = busy_seconds()
        if busy is None or after is None:
            return Attempt(ratios)
        others = after - busy - (own_seconds() - own)
        return Attempt(ratios, max(0.0, others / (time.monotonic() - began)))

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
