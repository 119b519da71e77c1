"""All figures of one run of `make bench`, as one object."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.bench import kernel, roofs
from tallystick.bench.cast import Desk
from tallystick.bench.load import Measured
from tallystick.bench.machine import say
from tallystick.bench.measuring import (
    WARM_UP_SECONDS,
    WIDE_WARM_UP_SECONDS,
    Found,
    Plan,
    Run,
    measured,
)
from tallystick.bench.running import body_of_nodes, facts
from tallystick.bench.workloads import WIDE, WORKLOADS
from tallystick.errors import SettingsError

SECONDS = 30.0
"""How long full load of each workload is sustained."""
RUNS = 5
"""Runs of the first workload; the middle one is told."""
BINS_MS = (1, 2, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000)
"""Upper bounds of the latencies that are counted together, in milliseconds; the last has none."""

Figures = dict[str, object]


@dataclass(frozen=True)
class Roofs:
    """What the machine allows."""

    single: float
    """Signatures checked a second, one by one."""
    batch: float
    """Signatures checked a second, in batches."""
    log_mb: float
    """Megabytes a second to the log."""


def chosen(names: str) -> tuple[str, ...]:
    """Workloads by name; the first always comes first, for the figures are told by it."""
    if names == "all":
        return tuple(WORKLOADS)
    asked = names.split(",")
    for name in asked:
        if name not in WORKLOADS:
            raise SettingsError("workloads", f"{name!r} is none of {', '.join(WORKLOADS)}")
    first = next(iter(WORKLOADS))
    return (first, *(name for name in WORKLOADS if name in asked and name != first))


def measure(
    names: Sequence[str],
    *,
    seconds: float = SECONDS,
    runs: int = RUNS,
    tell: Callable[[Figures], object] = lambda _figures: None,
) -> Figures:
    """Measure workloads one after the other; `tell` is handed what there is after each."""
    found: list[Found] = []
    with tempfile.TemporaryDirectory(prefix="tally-") as place:
        limits = _roofs(Path(place))
        for name in names:
            found.append(_one(name, seconds, runs, Path(place)))
            tell(told(found, limits))
    return told(found, limits)


def _roofs(folder: Path) -> Roofs:
    """Measure what the machine allows, with the body that nodes run."""
    body = body_of_nodes()
    page = next(iter(WORKLOADS.values())).page(Desk("bench-00000000"), 0)
    triples = roofs.triples_of(page.load)
    found = Roofs(
        roofs.verify_single_per_s(body, triples),
        roofs.verify_batch_per_s(body, triples),
        roofs.log_mb_per_s(folder),
    )
    say(
        f"signatures ({body.name}): one by one {found.single:,.0f}/s, in batches {found.batch:,.0f}"
        f"/s; log {found.log_mb:,.0f} MB/s"
    )
    return found


def _one(name: str, seconds: float, runs: int, folder: Path) -> Found:
    """Measure one workload: the first most often, and when calm."""
    kernel_seconds = min(seconds, kernel.SECONDS)
    if name == next(iter(WORKLOADS)):
        plan = Plan(seconds, runs, calm=True, kernel_seconds=kernel_seconds)
    else:
        warm_up = WIDE_WARM_UP_SECONDS if WORKLOADS[name].keys >= WIDE else WARM_UP_SECONDS
        plan = Plan(seconds, kernel_seconds=kernel_seconds, warm_up_seconds=warm_up)
    return measured(WORKLOADS[name], plan, folder / name)


def told(found: Sequence[Found], limits: Roofs) -> Figures:
    """The figures as one object."""
    first = found[0]
    full = first.run.full
    return {
        "embedded": {
            "tps": round(full.per_s),
            "p50_ms": round(full.percentile_ms(50), 1),
            "p95_ms": round(full.percentile_ms(95), 1),
            "p99_ms": round(full.percentile_ms(99), 1),
            "seconds": round(full.seconds, 1),
            "refused": full.refused,
            "tx_bytes": first.tx_bytes,
        },
        "kernel": {"tps": round(first.kernel_per_s)},
        "roof": {
            "verify_single_per_s": round(limits.single),
            "verify_batch_per_s": round(limits.batch),
            "log_mb_per_s": round(limits.log_mb),
        },
        "ratio": {
            "embedded_to_kernel": round(first.to_kernel, 3),
            "embedded_to_verify": round(full.per_s / limits.single, 3),
            "kernel_to_verify": round(first.kernel_per_s / limits.single, 3),
        },
        "machine": facts(),
        "workloads": {each.workload.name: _workload(each) for each in found},
    }


def _workload(found: Found) -> Figures:
    """One workload as data."""
    run, workload = found.run, found.workload
    full, ledger = run.full, run.full.accepted + run.full.refused
    figures: Figures = {
        "title": workload.title,
        "tps": round(full.per_s),
        "runs": [round(each.full.per_s) for each in found.runs],
        "refused_per_s": round(full.refused / full.seconds),
        "messages_per_s": round(full.per_s * workload.messages),
        **_latency(full),
        "seconds": round(full.seconds, 1),
        "accepted": full.accepted,
        "refused": full.refused,
        "keys": workload.keys,
        "signatures": workload.signatures,
        "tx_bytes": found.tx_bytes,
        "log_bytes": round(run.log_bytes / ledger),
        "kernel_tps": round(found.kernel_per_s),
        "to_kernel": round(found.to_kernel, 3),
        "runs_to_kernel": [round(each.to_kernel, 3) for each in found.runs],
        "cores": _cores(run),
        "handed_in_again": full.handed_in_again,
        "replay_seconds": round(run.replay_seconds, 1),
        "per_second": full.over_time(),
        "latency_ms": histogram(full),
    }
    half, idle = found.calm.half, found.calm.idle
    if half is not None and idle is not None:
        figures["half_load"] = {
            "tps": round(half.per_s),
            **_latency(half),
            "latency_ms": histogram(half),
        }
        figures["idle"] = {**_latency(idle), "latency_ms": histogram(idle)}
    if workload.notes:
        figures["notes"] = list(workload.notes)
    return figures


def _latency(load: Measured) -> Figures:
    """From the moment at which a transaction was due to be sent, to its answer."""
    return {f"p{percent}_ms": round(load.percentile_ms(percent), 1) for percent in (50, 95, 99)}


def _cores(run: Run) -> Figures:
    """How many cores the node and the process that sends kept busy."""
    node = run.node_cpu_s
    return {
        "node": None if node is None else round(node / run.full.seconds, 2),
        "load": round(run.full.load_cpu_s / run.full.seconds, 2),
    }


def histogram(load: Measured) -> list[int]:
    """Transactions by latency: a count for each bound of `BINS_MS`, and one for what is beyond."""
    counts = [0] * (len(BINS_MS) + 1)
    for each in load.answers:
        place = sum(each.took_s * 1000 > bound for bound in BINS_MS)
        counts[place] += each.count
    return counts
