"""`make bench`, shortened: the last line is one JSON object with the keys that others read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tallystick.bench.figures import BINS_MS, chosen
from tallystick.bench.workloads import WORKLOADS
from tallystick.errors import SettingsError


@pytest.mark.timeout(300)
def test_the_last_line_is_one_object() -> None:
    """A real node in a process of its own, a second of load, an empty queue, the same roots."""
    command = [sys.executable, "-m", "tallystick.bench", "--seconds", "1", "--runs", "1"]
    command += ["--workloads", "uniform"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=280)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures) == {"embedded", "kernel", "roof", "ratio", "machine", "workloads"}
    assert set(figures["embedded"]) == {
        "tps",
        "p50_ms",
        "p95_ms",
        "p99_ms",
        "seconds",
        "refused",
        "tx_bytes",
    }
    assert set(figures["roof"]) == {"verify_single_per_s", "verify_batch_per_s", "log_mb_per_s"}
    assert {"embedded_to_kernel", "embedded_to_verify"} < set(figures["ratio"])
    assert {"cpu", "cores", "python", "accel"} < set(figures["machine"])
    assert figures["embedded"]["refused"] == 0
    assert figures["embedded"]["tps"] > 0
    assert figures["kernel"]["tps"] > 0
    uniform = figures["workloads"]["uniform"]
    assert uniform["tps"] == figures["embedded"]["tps"]
    assert sum(uniform["latency_ms"]) == uniform["accepted"] + uniform["refused"]
    assert len(uniform["latency_ms"]) == len(BINS_MS) + 1
    assert uniform["half_load"]["tps"] < uniform["tps"]
    assert uniform["idle"]["p50_ms"] > 0


def test_workloads_are_chosen_by_name() -> None:
    assert chosen("all") == tuple(WORKLOADS)
    assert chosen("refusals") == ("uniform", "refusals")
    with pytest.raises(SettingsError, match="none of uniform"):
        chosen("fast")
