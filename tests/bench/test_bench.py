"""`make bench`, shortened: the last line is one JSON object with the keys that others read."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tallystick.bench.load import Measured


@pytest.mark.timeout(300)
def test_the_last_line_is_one_object() -> None:
    """A real node in a process of its own, a second of load, an empty queue at the end."""
    command = [sys.executable, "-m", "tallystick.bench", "--seconds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=280)
    figures = json.loads(done.stdout.splitlines()[-1])
    assert set(figures) == {"embedded", "kernel", "roof", "ratio", "machine"}
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
    assert set(figures["ratio"]) == {"embedded_to_kernel", "embedded_to_verify"}
    assert set(figures["machine"]) == {"cpu", "cores", "python", "accel"}
    assert figures["embedded"]["refused"] == 0
    assert figures["embedded"]["tps"] > 0
    assert figures["kernel"]["tps"] > 0


def test_percentiles() -> None:
    """The latency that so many percent stay below."""
    measured = Measured(seconds=2.0, accepted=100, latencies=[n / 1000 for n in range(100)])
    assert measured.per_s == 50
    assert measured.percentile_ms(50) == 50
    assert measured.percentile_ms(99) == 99
