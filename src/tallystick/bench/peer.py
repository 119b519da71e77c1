"""`python -m tallystick.bench.peer`: what `make bench-peer` calls; the last line is JSON.

The same payments on PostgreSQL, which a user would pick instead, and on one node of ours, one after
the other on the same machine. PostgreSQL makes each payment durable, as we do; it checks no
signature, proves nothing, and refuses only a negative balance. It is told at its best of few and
many clients and accounts.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tallystick.bench import postgres, report
from tallystick.bench.machine import say
from tallystick.bench.measuring import Plan, measured
from tallystick.bench.running import facts
from tallystick.bench.workloads import KEYS, WIDE, WORKLOADS

CLIENTS = (1, 16, 64)
SECONDS = 10.0
"""How long PostgreSQL is loaded by each number of clients."""
OURS_SECONDS = 30.0
"""How long our node is loaded."""

Figures = dict[str, object]


def main(arguments: list[str] | None = None) -> int:
    """Measure both, tell, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tallystick.bench.peer", description=__doc__)
    parser.add_argument("--seconds", type=float, default=OURS_SECONDS, help="of our load")
    parser.add_argument("--out", type=Path, help="folder for the figures and the HTML report")
    asked = parser.parse_args(arguments)
    found = measure(asked.seconds, min(SECONDS, asked.seconds))
    if asked.out is not None:
        say(f"report: {report.keep(asked.out, report.PEER, found)}")
    print(json.dumps(found))
    return 0


def measure(ours_seconds: float = OURS_SECONDS, seconds: float = SECONDS) -> Figures:
    """Both, and how many times as many payments ours are."""
    postgres.programs_folder()
    workload = next(iter(WORKLOADS.values()))
    with tempfile.TemporaryDirectory(prefix="tally-") as place:
        ours = measured(workload, Plan(ours_seconds), Path(place) / "ours")
    theirs = _postgres(seconds)
    per_s, best = ours.run.full.per_s, float(str(theirs["tps"]))
    return {
        "postgresql": theirs,
        "tallystick": {
            "tps": round(per_s),
            "p99_ms": round(ours.run.full.percentile_ms(99), 1),
            "seconds": round(ours.run.full.seconds, 1),
            "refused": ours.run.full.refused,
        },
        "ratio": round(per_s / best, 2),
        "machine": facts(),
    }


def _postgres(seconds: float) -> Figures:
    """Payments a second by clients, the better of few and many accounts; and all that was found."""
    best: dict[str, int] = {}
    every: dict[str, int] = {}
    with (
        tempfile.TemporaryDirectory(prefix="tally-") as place,
        postgres.running(Path(place)) as cluster,
    ):
        version = cluster.version()
        for accounts in (KEYS, WIDE):
            cluster.prepare(accounts)
            for clients in CLIENTS:
                found = round(cluster.per_s(accounts, clients, seconds))
                say(f"PostgreSQL {version}, {clients} clients, {accounts:,} accounts: {found:,}/s")
                best[str(clients)] = max(found, best.get(str(clients), 0))
                every[f"{clients} clients, {accounts} accounts"] = found
    return {
        "tps": max(best.values()),
        "version": version,
        "clients": best,
        "every": every,
    }


if __name__ == "__main__":
    sys.exit(main())
