"""The page of what was measured: it is whole without any other file, and shows what it is given."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tallystick.bench import report
from tallystick.bench.figures import Roofs, told
from tallystick.bench.growth import slowest_ms
from tallystick.bench.load import Answered, Measured
from tallystick.bench.measuring import Found, Run
from tallystick.bench.svg import Axes, Line, bars, lines, number, short, ticks
from tallystick.bench.workloads import WORKLOADS
from tools import performance


def loaded(per_s: int, refused: int = 0) -> Measured:
    """Three seconds of load."""
    answers = [Answered(n + 0.5, 0.02, per_s - refused, refused) for n in range(3)]
    return Measured(seconds=3.0, answers=answers, load_cpu_s=0.3)


def found(name: str, per_s: int, refused: int = 0) -> Found:
    """What a workload might have given, in three runs; the machine was quick in the last."""
    calm = loaded(per_s // 2)
    runs = [
        Run(loaded(each, refused), 4.5, 3_000, kernel_per_s=kernel, half=calm, idle=calm)
        for each, kernel in (
            (per_s, 30_000.0),
            (per_s - 100, 25_000.0),
            (per_s + 100, 40_000.0),
        )
    ]
    return Found(WORKLOADS[name], 300, runs)


def figures() -> dict[str, object]:
    limits = Roofs(single=20_000.4, batch=80_000.0, log_mb=500.0)
    return told([found("uniform", 20_000), found("refusals", 10_000, 500)], limits)


GROWN = {
    "sizes": [
        {
            "records": records,
            "hot_tps": 20_000,
            "signing": 20_000,
            "hot_us": 50.0,
            "hot_kernel_us": 20.0,
            "uniform_tps": 18_000,
            "uniform_us": 55.6,
            "start_s": records / 1e6,
            "memory_mb": 100,
            "memory_bytes": 500,
            "disk_mb": 80.5,
            "disk_bytes": 90,
            "commit_p999_ms": 25.0,
            "hot_p99_ms": 60.5,
            "hot_silence_ms": 90,
            "uniform_silence_ms": 190,
            "log_bytes": 722,
            "state_bytes": 61,
        }
        for records in (10_000, 100_000, 1_000_000)
    ],
    "hot_slower": 0.021,
    "hot_slower_alike": 0.013,
    "machine": {"cpu": "a & b", "cores": 2, "python": "3.11.7", "accel": "native"},
}


def test_the_run_in_the_middle_is_told() -> None:
    told_of = figures()
    assert told_of["embedded"] == {
        "tps": 20_000,
        "p50_ms": 20.0,
        "p95_ms": 20.0,
        "p99_ms": 20.0,
        "seconds": 3.0,
        "refused": 0,
        "tx_bytes": 300,
    }
    assert told_of["ratio"] == {
        "embedded_to_kernel": 0.667,
        "embedded_to_verify": 1.0,
        "kernel_to_verify": 1.5,
    }
    workloads = told_of["workloads"]
    assert isinstance(workloads, dict)
    assert workloads["uniform"]["runs_to_kernel"] == [0.667, 0.796, 0.502]
    refusals = workloads["refusals"]
    assert (refusals["tps"], refusals["refused_per_s"]) == (9_500, 500)
    assert refusals["cores"] == {"node": 1.5, "load": 0.1}


def test_the_page_is_whole(tmp_path: Path) -> None:
    """Parts come one by one, the page has all that are there, and loads nothing."""
    report.keep(tmp_path, report.BENCH, figures())
    page = report.keep(tmp_path, report.GROWTH, GROWN)
    assert set(report.kept(tmp_path)) == {"bench", "growth"}
    assert json.loads((tmp_path / "bench.json").read_text())["measured_at"].endswith("UTC")
    text = page.read_text(encoding="utf-8")
    assert "20,000/s" in text
    assert "Cost growth" in text
    assert "a &amp; b" in text
    assert not re.search(r"(src|href)=|https?:|@import|url\(", text)
    pictures = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(pictures) == 7
    for picture in pictures:
        ElementTree.fromstring(picture)  # every tag is closed


PEER = {
    "postgresql": {
        "tps": 6_600,
        "version": "15.18",
        "clients": {"1": 800, "64": 6_600},
        "every": {"1 clients, 64 accounts": 800, "64 clients, 64 accounts": 6_600},
    },
    "tallystick": {"tps": 26_400},
    "ratio": 4.0,
    "machine": GROWN["machine"],
}


def test_the_document_of_the_last_runs() -> None:
    """Each part that was run is told with its machine; of others the page keeps what it says."""
    dated: dict[str, Any] = {"measured_at": "2026-11-22 21:00 UTC"}
    parts = {"bench": dated | figures(), "growth": dated | GROWN, "peer": dated | PEER}
    text = "\n".join(performance.page(parts, {}))
    again = "\n".join(performance.page({}, performance.sections_of(text)))
    assert again.split() == text.split()
    assert "| cash transfers, one signature each, 64 accounts alike | 20,000 |" in text
    assert "| half load | 10,000 |" in text
    assert "beside each: 20,000 (67%), 19,900 (80%), 20,100 (50%)." in text
    assert "| 1,000,000 | 20,000 | 50.0 | 20.0 | 55.6 |" in text
    assert "4 times PostgreSQL's best." in text
    assert "`make bench-consortium` was not run." in text
    assert performance.MARK in performance.PAGE.read_text(encoding="utf-8")


def test_lines() -> None:
    """Higher values are higher up; powers of ten are equally far apart."""
    drawn = [Line("cost", [(10, 0.0), (100, 5.0), (1_000, 10.0)])]
    picture = lines(Axes("records", "µs", is_log=True), drawn)
    dots = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', picture)
    (x0, y0), (x1, y1), (x2, y2) = [(float(x), float(y)) for x, y in dots]
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 > y1 > y2


def test_bars() -> None:
    """One bar for each name and kind; the words of people are escaped."""
    picture = bars(Axes("a<b", "n"), ["x", "y"], [Line("one", [(0, 1), (0, 2)])])
    assert picture.count("<rect") == 2
    assert "a&lt;b" in picture


@pytest.mark.parametrize(
    ("top", "count", "last"), ((0, 2, 1), (10, 6, 10), (37, 5, 40), (0.03, 4, 0.03))
)
def test_round_numbers(top: float, count: int, last: float) -> None:
    found_ticks = ticks(top)
    assert found_ticks[0] == 0
    assert found_ticks[-1] == pytest.approx(last)
    assert len(found_ticks) == count


def test_numbers_for_people() -> None:
    assert [number(each) for each in (1_234_567, 12.34, 3.0)] == ["1,234,567", "12.3", "3"]
    assert [short(each) for each in (10_000, 2.5e6, 70)] == ["10k", "2.5M", "70"]


def test_the_slowest_commits() -> None:
    """The bucket below whose bound 99.9 % of what was counted in between lie."""
    before = {0.01: 5.0, 0.1: 10.0, float("inf"): 10.0}
    after = {0.01: 904.0, 0.1: 1_009.0, float("inf"): 1_010.0}
    assert slowest_ms(before, after, 99.9) == 100
    assert slowest_ms(before, after, 50) == 10
    assert slowest_ms({}, {}, 99.9) == 0
