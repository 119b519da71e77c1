"""One workload, end to end: signed, warmed up, loaded, emptied, replayed, and only then told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median_low

from tallystick.bench import kernel
from tallystick.bench.cast import beginning
from tallystick.bench.load import Measured, Pace, Page, repacked, send
from tallystick.bench.machine import say
from tallystick.bench.running import Serving, replayed, serving
from tallystick.bench.signing import Signed, sign
from tallystick.bench.workloads import Workload
from tallystick.errors import NodeError
from tallystick.node import init

WARM_UP_SECONDS = 3.0
WIDE_WARM_UP_SECONDS = 12.0
"""Where there are very many accounts: nearly each has come up a few times by then, as in the
kernel's own warm-up, and what is known of it lies in huge pages."""
CALM_SECONDS = 10.0
"""How long the load at half of the peak is, and then that of single transactions, at most."""
FULL = Pace(flying=24)
"""Full load: the next request is sent as soon as one of so many is answered. At half load they are
due by the clock, over as many connections, so that none waits for another's answer."""
BEFORE = Pace(flying=6)
"""What prepares the load: whole pages, whose transactions follow from each other."""
IDLE_PER_S = 25.0
SPARE = 0.9
"""How many are signed, in parts of what the kernel alone could execute."""


@dataclass(frozen=True)
class Plan:
    """How a workload is measured."""

    seconds: float
    """How long full load is sustained."""
    runs: int = 1
    """How often; the one in the middle is told."""
    calm: bool = False
    """Whether latency at half load and when idle is measured too, after the first run."""
    kernel_seconds: float = kernel.SECONDS
    """How long the kernel is measured."""
    warm_up_seconds: float = WARM_UP_SECONDS
    """How long load is sent before it counts."""

    @property
    def calm_seconds(self) -> float:
        """How long the calm loads are."""
        return min(self.seconds, CALM_SECONDS) if self.calm else 0.0

    def wanted(self, kernel_per_s: float) -> int:
        """How many transactions are signed: more than one run takes, if all goes as it does."""
        full = SPARE * kernel_per_s * (self.seconds + self.warm_up_seconds + self.calm_seconds / 2)
        return int(full + self.calm_seconds * IDLE_PER_S) + 2 * FULL.flying * FULL.stream


@dataclass(frozen=True)
class Run:
    """What one run gave."""

    full: Measured
    """At full load."""
    node_cpu_s: float | None
    """Processor time of the node meanwhile; None where unknown."""
    log_bytes: int
    """What the block log grew by meanwhile."""
    kernel_per_s: float = 0.0
    """Transactions a second of the kernel alone: the mean of just before and just after."""
    half: Measured | None = None
    """At half of that."""
    idle: Measured | None = None
    """One at a time."""
    replay_seconds: float = 0.0
    """How long the replay took."""

    @property
    def to_kernel(self) -> float:
        """Transactions a second, accepted or refused, in parts of what the kernel alone does."""
        return (self.full.accepted + self.full.refused) / self.full.seconds / self.kernel_per_s


@dataclass
class Found:
    """What was found of a workload."""

    workload: Workload
    """Which."""
    tx_bytes: int
    """Mean length of a transaction."""
    runs: list[Run] = field(default_factory=list)
    """Every run, in order."""

    @property
    def run(self) -> Run:
        """The run in the middle."""
        middle = median_low(run.full.per_s for run in self.runs)
        return next(run for run in self.runs if run.full.per_s == middle)

    @property
    def kernel_per_s(self) -> float:
        """Transactions a second of the kernel alone, around the run in the middle."""
        return self.run.kernel_per_s

    @property
    def to_kernel(self) -> float:
        """What is left of the kernel end to end: each run beside its own kernel, then the middle.

        Not that of the run in the middle, whose place among the others says nothing of its kernel.
        """
        return median_low(run.to_kernel for run in self.runs)

    @property
    def calm(self) -> Run:
        """The run after which the calm loads came."""
        return self.runs[0]


def measured(workload: Workload, plan: Plan, folder: Path) -> Found:
    """Measure a workload; its files are removed afterwards."""
    folder.mkdir()
    try:
        return _measured(workload, plan, folder)
    finally:
        shutil.rmtree(folder)


def _measured(workload: Workload, plan: Plan, folder: Path) -> Found:
    per_s = kernel.per_s(workload.name, plan.kernel_seconds)
    say(f"{workload.name}: kernel {per_s:,.0f}/s ({1e6 / per_s:.1f} us)")
    template = folder / "template"
    made = init(template, beginning(workload.cast))
    wanted = plan.wanted(per_s)
    signed = sign(workload, made.genesis.chain_id, wanted, folder / "signed")
    found = Found(workload, signed.tx_bytes)
    while len(found.runs) < plan.runs:
        data = folder / "node"
        shutil.copytree(template, data)
        run = _run(workload, plan if not found.runs else replace(plan, calm=False), signed, data)
        shutil.rmtree(data)
        if run is None:
            say(f"{workload.name}: too few were signed: twice as many are")
            wanted *= 2
            signed = sign(workload, made.genesis.chain_id, wanted, folder / "signed")
            continue
        found.runs.append(run)
    return found


def _run(workload: Workload, plan: Plan, signed: Signed, data: Path) -> Run | None:
    """One run over a fresh copy of the chain's beginning, and its replay.

    None when there were too few transactions for it. The kernel is measured around it: a machine
    that others share may do a quarter more or less a minute later.
    """
    kernel_before = kernel.per_s(workload.name, plan.kernel_seconds)
    with serving(data) as node:
        run = loaded(node, signed.load(), plan, before=signed.before())
        node.must_be_idle()
    loads = [run.full, *(each for each in (run.half, run.idle) if each is not None)]
    if any(each.ran_out for each in loads):
        return None
    _check_refused(workload, loads)
    kernel_per_s = (kernel_before + kernel.per_s(workload.name, plan.kernel_seconds)) / 2
    seconds = replayed(data)
    said = f"{run.full.per_s:,.0f}/s, p50 {run.full.percentile_ms(50):.0f} ms"
    said = f"{said}; kernel {kernel_per_s:,.0f}/s"
    say(f"{workload.name}: {said}; replayed in {seconds:.0f} s: the same roots")
    return replace(run, kernel_per_s=kernel_per_s, replay_seconds=seconds)


def loaded(node: Serving, pages: Iterator[Page], plan: Plan, *, before: Iterator[Page]) -> Run:
    """Prepare, warm up, full load, and the calm ones."""
    ready = send([node.address], before, float("inf"), BEFORE)
    if ready.refused:
        raise NodeError(f"{ready.refused} transactions that prepare the load were refused")
    send([node.address], pages, plan.warm_up_seconds, FULL)
    cpu, log_bytes = node.cpu_seconds(), node.log_bytes()
    full = send([node.address], pages, plan.seconds, FULL)
    after = node.cpu_seconds()
    used = None if cpu is None or after is None else after - cpu
    log_bytes = node.log_bytes() - log_bytes
    if full.ran_out or not plan.calm:
        return Run(full, used, log_bytes)
    peak = full.accepted + full.refused
    half = replace(FULL, per_s=peak / full.seconds / 2)
    at_half = send([node.address], pages, plan.calm_seconds, half)
    one = Pace(stream=1, flying=1, per_s=IDLE_PER_S)
    at_rest = send([node.address], repacked(pages, 1), plan.calm_seconds, one)
    return Run(full, used, log_bytes, half=at_half, idle=at_rest)


def _check_refused(workload: Workload, loads: Sequence[Measured]) -> None:
    """Exactly those are refused that the workload means to be."""
    for each in loads:
        refused = each.refused / max(1, each.accepted + each.refused)
        if abs(refused - workload.refused) > workload.refused / 2:
            raise NodeError(f"{each.refused} transactions of {workload.name} were refused")
