"""What was measured, kept: JSON files in a folder, and one HTML page of all of them with plots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from tallystick.bench.figures import BINS_MS
from tallystick.bench.machine import say
from tallystick.bench.svg import Axes, Line, bars, lines, short

PAGE = "report.html"
BENCH, GROWTH, PEER, CONSORTIUM = "bench", "growth", "peer", "consortium"
PARTS = (BENCH, GROWTH, PEER, CONSORTIUM)
"""Files that the page is made of, `bench.json` and so on; any may be missing."""

Told = Mapping[str, Any]


def keep(folder: Path, part: str, figures: Mapping[str, object]) -> Path:
    """Write one part's figures, and the page anew; the page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    dated = {"measured_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"), **figures}
    (folder / f"{part}.json").write_text(json.dumps(dated, indent=1) + "\n", encoding="utf-8")
    page = folder / PAGE
    page.write_text(html(kept(folder)), encoding="utf-8")
    return page


def keeper(folder: Path | None, part: str) -> Callable[[Mapping[str, object]], None]:
    """Keeps figures of one part as they come, and says where; without a folder it does nothing."""

    def write(figures: Mapping[str, object]) -> None:
        if folder is not None:
            say(f"report: {keep(folder, part, figures)}")

    return write


def kept(folder: Path) -> dict[str, Told]:
    """The parts that were measured, by name."""
    return {
        part: json.loads((folder / f"{part}.json").read_text(encoding="utf-8"))
        for part in PARTS
        if (folder / f"{part}.json").exists()
    }


def html(parts: Mapping[str, Told]) -> str:
    """The page: it loads nothing."""
    sections = [
        section
        for part, make in (
            (BENCH, _bench),
            (PEER, _peer),
            (GROWTH, _growth),
            (CONSORTIUM, _consortium),
        )
        if part in parts
        for section in make(parts[part])
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tallystick: measured'
        '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>Tallystick, measured</h1>"
        f"{''.join(sections)}</main></body></html>\n"
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>"


def _note(words: str) -> str:
    return f'<p class="note">{escape(words)}</p>'


def _cards(cards: Sequence[tuple[str, str]]) -> str:
    """A few figures, large."""
    made = "".join(f"<div><b>{escape(a)}</b><span>{escape(b)}</span></div>" for a, b in cards)
    return f'<div class="cards">{made}</div>'


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows under a head; the first column is text, the others are numbers."""
    top = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _machine(told: Told) -> str:
    """What it was measured on, and when."""
    machine = told["machine"]
    return _note(
        f"{told['measured_at']} · {machine['cpu']}, {machine['cores']} cores,"
        f" {machine.get('memory_gb', '?')} GB · Python {machine['python']} · body"
        f" {machine['accel']}, state in {machine.get('store', '?')}"
    )


# --- make bench


def _bench(told: Told) -> Iterator[str]:
    """Workloads, and the first one closely."""
    first, ratio, roof = told["embedded"], told["ratio"], told["roof"]
    cards = (
        (f"{first['tps']:,}/s", "cash transfers, end to end"),
        (f"{first['p99_ms']:g} ms", "p99 at full load"),
        (f"{ratio['embedded_to_kernel']:.0%}", "of the kernel alone"),
        (f"{roof['verify_single_per_s']:,}/s", "signatures one by one, a core"),
        (f"{roof['verify_batch_per_s'] or 0:,}/s", "signatures in batches"),
        (f"{roof['log_mb_per_s']:,} MB/s", "log, each entry flushed"),
    )
    yield _section("One process, end to end", _machine(told), _cards(cards))
    yield _section("Workloads", _workload_table(told["workloads"]), _workload_plot(told))
    name, uniform = next(iter(told["workloads"].items()))
    seconds = [Line(name, list(enumerate(map(float, uniform["per_second"]), start=1)))]
    yield _section(
        "Throughput over time",
        lines(Axes("second of the load", "transactions/s"), seconds),
    )
    yield _section("Latency", _latency_plot(uniform), _latency_table(uniform), _note(FROM_DUE))


FROM_DUE = (
    "Counted from the moment at which a transaction was due to be sent. At full load requests of"
    " 250 are sent as soon as a connection is free; at half load by the clock; idle, one at a time."
)


def _workload_table(workloads: Told) -> str:
    rows = [
        [
            each["title"],
            f"{each['tps']:,}",
            f"{each['refused_per_s']:,}",
            f"{each['kernel_tps']:,}",
            f"{each['to_kernel']:.0%}",
            f"{each['p50_ms']:g}",
            f"{each['p99_ms']:g}",
            str(each["signatures"]),
            f"{each['keys']:,}",
            f"{each['tx_bytes']:,}",
            f"{each['log_bytes']:,}",
            f"{each['cores']['node']} + {each['cores']['load']}",
        ]
        for each in workloads.values()
    ]
    head = (
        "workload", "accepted/s", "refused/s", "kernel/s", "of kernel", "p50 ms", "p99 ms",
        "signatures", "keys", "bytes", "log bytes", "cores: node + load",
    )  # fmt: skip
    return _table(head, rows)


def _workload_plot(told: Told) -> str:
    workloads = told["workloads"]
    ends = [(0.0, float(each["tps"] + each["refused_per_s"])) for each in workloads.values()]
    kernels = [(0.0, float(each["kernel_tps"])) for each in workloads.values()]
    names = [name.replace("_", " ") for name in workloads]
    short_names = [name if len(name) < 12 else name[:10] + "…" for name in names]
    return bars(
        Axes("", "transactions/s"),
        short_names,
        [Line("end to end", ends), Line("kernel alone", kernels)],
    )


def _latency_plot(uniform: Told) -> str:
    kinds = {"full load": uniform["latency_ms"]}
    if "half_load" in uniform:
        kinds["half load"] = uniform["half_load"]["latency_ms"]
        kinds["idle"] = uniform["idle"]["latency_ms"]
    names = [*(f"{bound:g}" for bound in BINS_MS), "more"]
    plotted = [
        Line(kind, [(0.0, 100 * count / max(1, sum(counts))) for count in counts])
        for kind, counts in kinds.items()
    ]
    return bars(Axes("milliseconds, at most", "% of transactions"), names, plotted)


def _latency_table(uniform: Told) -> str:
    kinds = [("full load", uniform)]
    if "half_load" in uniform:
        kinds += [("half load", uniform["half_load"]), ("idle", uniform["idle"])]
    rows = [
        [kind, *(f"{each[f'p{percent}_ms']:g}" for percent in (50, 95, 99))] for kind, each in kinds
    ]
    return _table(("", "p50 ms", "p95 ms", "p99 ms"), rows)


# --- the others


def _peer(told: Told) -> Iterator[str]:
    """Side by side with PostgreSQL."""
    clients = told["postgresql"]["clients"]
    names = [f"PostgreSQL, {each}" for each in clients]
    values = [(0.0, float(each)) for each in clients.values()]
    plot = bars(
        Axes("clients", "transfers/s"),
        [*names, "Tallystick"],
        [Line("transfers", [*values, (0.0, float(told["tallystick"]["tps"]))])],
    )
    cards = (
        (f"{told['ratio']:g} ×", "as many transfers as PostgreSQL"),
        (f"{told['tallystick']['tps']:,}/s", "Tallystick, signed and provable"),
        (f"{told['postgresql']['tps']:,}/s", f"PostgreSQL {told['postgresql']['version']}"),
    )
    yield _section("Beside PostgreSQL", _machine(told), _cards(cards), plot)


def _growth(told: Told) -> Iterator[str]:
    """What a larger state costs."""
    sizes = told["sizes"]
    at = [float(each["records"]) for each in sizes]
    marks = [(x, short(x)) for x in at]

    def plot(up: str, **named: str) -> str:
        drawn = [
            Line(
                name.replace("_", " "),
                [(x, float(each[key])) for x, each in zip(at, sizes, strict=True)],
            )
            for name, key in named.items()
        ]
        return lines(Axes("records", up, is_log=True, marks=marks), drawn)

    yield _section(
        "Cost growth",
        _machine(told),
        plot("µs a transaction", hot_accounts="hot_us", all_accounts_alike="uniform_us"),
        plot("seconds to start", start="start_s"),
        plot("MB", memory="memory_mb", state_on_disk="disk_mb"),
        plot("bytes a transaction", block_log="log_bytes", state_store="state_bytes"),
        _table(
            (
                "records",
                "hot/s",
                "uniform/s",
                "start s",
                "commit p99.9 ms",
                "log bytes a transaction",
                "state bytes a transaction",
                "memory bytes a record",
                "disk bytes a record",
            ),
            [
                [
                    f"{each['records']:,}",
                    f"{each['hot_tps']:,}",
                    f"{each['uniform_tps']:,}",
                    f"{each['start_s']:g}",
                    f"{each['commit_p999_ms']:g}",
                    f"{each['log_bytes']:,}",
                    f"{each['state_bytes']:,}",
                    f"{each['memory_bytes']:,}",
                    f"{each['disk_bytes']:,}",
                ]
                for each in sizes
            ],
        ),
    )


def _consortium(told: Told) -> Iterator[str]:
    """Several validators on the same machine."""
    full, half = told["consortium"], told["half_load"]
    cards = (
        (f"{full['tps']:,}/s", f"{full['validators']} validators on this machine"),
        (f"{half['p50_ms']:g} ms", f"median finality at {half['tps']:,}/s"),
        (f"{told['noop']['tps']:,}/s", "with an application that does nothing"),
    )
    yield _section("A consortium", _machine(told), _cards(cards))


STYLE = (
    ":root{--ink:#1d2330;--soft:#667085;--line:#e4e7ec;--paper:#fff;--card:#f7f8fa}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6e8ee;--soft:#98a2b3;--line:#2b3240;"
    "--paper:#12161f;--card:#1a2030}}"
    "body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}"
    "main{max-width:72rem;margin:0 auto;padding:2rem 1.5rem}h1{margin:0 0 1rem}"
    "h2{margin:2.5rem 0 .5rem;font-size:1.15rem}.note{color:var(--soft);margin:.25rem 0 1rem}"
    ".cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.75rem}"
    ".cards div{background:var(--card);border-radius:.6rem;padding:.9rem 1rem}"
    ".cards b{display:block;font-size:1.5rem;font-variant-numeric:tabular-nums}"
    ".cards span{color:var(--soft)}.plot{max-width:52rem;margin:1rem 0}svg{width:100%;height:auto}"
    ".grid{stroke:var(--line)}.tick,.name{fill:var(--soft);font-size:10px}.name{font-size:11px}"
    ".line{fill:none;stroke-width:2}.key{display:flex;gap:1.25rem;margin:.25rem 0 0;padding-left:"
    "10%;color:var(--soft);font-size:.85rem}.key i{display:inline-block;width:.75rem;height:.75rem;"
    "border-radius:2px;margin-right:.4rem}.wide{overflow-x:auto}table{border-collapse:collapse;"
    "width:100%;font-variant-numeric:tabular-nums;font-size:.85rem}th,td{padding:.35rem .4rem;"
    "border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}th{color:var(--soft);"
    "font-weight:500}th:first-child,td:first-child{text-align:left;white-space:normal;"
    "min-width:14rem}"
    + "".join(
        f".line.c{place}{{stroke:{hue}}}.dot.c{place},.bar.c{place}{{fill:{hue}}}"
        f".key .c{place}{{background:{hue}}}"
        for place, hue in enumerate(
            ("#2f6fdf", "#e08a1e", "#2e9e6b", "#b4478f", "#7a5fd0", "#c0392b")
        )
    )
)
"""How the page looks, on white and on black."""
