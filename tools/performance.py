"""`make bench-page`: writes the figures of the last runs into docs/performance.md, below its mark.

The figures are those that `make bench`, `bench-growth`, `bench-peer` and `bench-consortium` left in
a folder; of a part that is not there the page keeps what it says already.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tallystick.bench.report import BENCH, CONSORTIUM, GROWTH, PEER, kept

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
MARK = "<!-- figures: make bench-page writes what follows -->\n"

Told = Mapping[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Write the page anew from a folder of figures."""
    parts = kept(Path(arguments[0]))
    if not parts:
        print(f"bench-page: no figures in {arguments[0]}: make bench writes them", file=sys.stderr)
        return 1
    before, mark, told = PAGE.read_text(encoding="utf-8").partition(MARK)
    lines = page(parts, sections_of(told))
    PAGE.write_text(before + mark + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return 0


def sections_of(text: str) -> dict[str, list[str]]:
    """Lines of a page by the title that they are under."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("## "):
            lines = found[line.removeprefix("## ")] = []
        else:
            lines.append(line)
    return found


def page(parts: Mapping[str, Told], said: Mapping[str, list[str]]) -> Iterator[str]:
    """Lines of the page below its mark; of a part that was not run, what was `said` under it."""
    sections: tuple[tuple[str, str, str, Callable[[Told], Iterator[str]]], ...] = (
        (BENCH, "One process, end to end", "make bench", bench),
        (PEER, "Beside PostgreSQL", "make bench-peer", peer),
        (GROWTH, "What a larger state costs", "make bench-growth", growth),
        (CONSORTIUM, "Four validators on the same machine", "make bench-consortium", consortium),
    )
    for part, title, command, make in sections:
        yield f"## {title}"
        yield ""
        if part in parts:
            yield f"`{command}`, {where(parts[part])}"
            yield ""
            yield from make(parts[part])
        else:
            yield "\n".join(said.get(title, [f"`{command}` was not run."])).strip("\n")
        yield ""


def where(told: Told) -> str:
    """When and on what."""
    machine = told["machine"]
    return (
        f"{told['measured_at']}: {machine['cpu']}, {machine['cores']} cores,"
        f" {machine.get('memory_gb', '?')} GB, Python {machine['python']},"
        f" body `{machine['accel']}`, state in `{machine.get('store', '?')}`."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    """A table; the first column is text."""
    yield "| " + " | ".join(head) + " |"
    yield "| --- |" + " ---: |" * (len(head) - 1)
    for row in rows:
        cells = [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row]
        yield "| " + " | ".join(cells) + " |"


def bench(told: Told) -> Iterator[str]:
    """Workloads, latency, roofs."""
    rows = [
        (
            each["title"],
            each["tps"],
            each["refused_per_s"],
            each["kernel_tps"],
            f"{each['to_kernel']:.0%}",
            f"{each['p50_ms']:g}",
            f"{each['p99_ms']:g}",
            f"{each['cores']['node']} + {each['cores']['load']}",
            each["tx_bytes"],
            each["log_bytes"],
        )
        for each in told["workloads"].values()
    ]
    head = (
        "workload", "accepted/s", "refused/s", "kernel/s", "of kernel", "p50 ms", "p99 ms",
        "cores: node + load", "bytes", "log bytes",
    )  # fmt: skip
    yield from table(head, rows)
    yield ""
    first = next(iter(told["workloads"].values()))
    each_run = zip(first["runs"], first["runs_to_kernel"], strict=True)
    runs = ", ".join(f"{tps:,} ({of:.0%})" for tps, of in each_run)
    roof, seconds = told["roof"], told["embedded"]["seconds"]
    yield (
        f"Runs of the first workload, {seconds:g} s each, with the part of the kernel beside each:"
        f" {runs}. The row tells the middle speed with its kernel, and the middle part."
    )
    yield (
        f"Roofs in the same run: {roof['verify_single_per_s']:,} signatures a second one by one,"
        f" {roof['verify_batch_per_s'] or 0:,} in batches; {roof['log_mb_per_s']:,} MB a second to"
        " the log, every entry flushed."
    )
    yield ""
    loads = [("full load", first["tps"], first)]
    if "half_load" in first:
        loads.append(("half load", first["half_load"]["tps"], first["half_load"]))
        loads.append(("idle", "25", first["idle"]))
    yield from table(
        ("latency of the first workload", "a second", "p50 ms", "p95 ms", "p99 ms"),
        [(n, s, *(f"{e[f'p{p}_ms']:g}" for p in (50, 95, 99))) for n, s, e in loads],
    )


def peer(told: Told) -> Iterator[str]:
    """Both, and every number of clients."""
    theirs, ours = told["postgresql"], told["tallystick"]
    rows = [
        (f"PostgreSQL {theirs['version']}, {name}", tps) for name, tps in theirs["every"].items()
    ]
    yield from table(("transfers", "a second"), [*rows, ("Tallystick, one node", ours["tps"])])
    yield ""
    yield f"{told['ratio']:g} times PostgreSQL's best."


def growth(told: Told) -> Iterator[str]:
    """One line a size."""
    keys = (
        "records", "signing", "hot_us", "hot_kernel_us", "uniform_us", "hot_p99_ms",
        "commit_p999_ms", "hot_silence_ms", "uniform_silence_ms", "start_s", "log_bytes",
        "state_bytes", "disk_bytes", "memory_bytes",
    )  # fmt: skip
    head = (
        "records", "that sign", "µs, Zipf 0.99", "kernel µs then", "µs, all alike", "p99 ms",
        "commit p99.9 ms", "longest pause ms", "alike", "start s", "log bytes a transaction",
        "state bytes a transaction", "disk bytes a record", "memory bytes a record",
    )  # fmt: skip
    rows = [[f"{each[key]:,}" for key in keys] for each in told["sizes"]]
    yield from table(head, rows)
    yield ""
    yield (
        "Zipf 0.99, beside the kernel of the same minute: the slowest size takes "
        f"{told['hot_slower']:.0%} longer than the first, and {told['hot_slower_alike']:.0%} "
        f"longer than the first in which as many sign."
    )


def consortium(told: Told) -> Iterator[str]:
    """Full, half, idle, and what does nothing."""
    full = told["consortium"]
    rows = [
        ("full load", full["tps"], full["p50_ms"], full["p99_ms"]),
        *(
            (name, told[key]["tps"], told[key]["p50_ms"], told[key]["p99_ms"])
            for name, key in (("half load", "half_load"), ("idle, one at a time", "idle"))
        ),
        ("an application that does nothing", told["noop"]["tps"], "", ""),
        ("one node of the embedded engine", told["embedded"]["tps"], "", ""),
    ]
    yield from table(("", "transfers/s", "p50 ms", "p99 ms"), rows)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
