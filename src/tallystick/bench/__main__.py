"""`python -m tallystick.bench`: what `make bench` calls. The last line is one JSON object."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tallystick.apps import APPS
from tallystick.bench import load, roofs
from tallystick.bench.network import Signer, records
from tallystick.client.client import Client
from tallystick.errors import NodeError, Unreachable
from tallystick.node import Beginning, Node, init
from tallystick.settings import SOCKET

SECONDS = 30.0
"""How long load is sustained."""
WARM_UP_SECONDS = 3.0
SPARE = 9_000
"""Transfers signed beforehand for each second: more than a node takes."""
START_SECONDS = 60.0


def main(arguments: list[str] | None = None) -> int:
    """Measure, tell, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tallystick.bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long load is sustained")
    parser.add_argument("--serve", type=Path, help="only run a node on this data folder")
    asked = parser.parse_args(arguments)
    if asked.serve is not None:
        Node.open(asked.serve).run()
        return 0
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as place:
        figures = measure(Path(place), asked.seconds)
    print(json.dumps(figures))
    return 0


def measure(folder: Path, seconds: float) -> dict[str, object]:
    """All figures of one run."""
    say("kernel: decode, policy, contract, receipts; one thread, no signatures, tree or disk")
    kernel = roofs.kernel_per_s()
    say(f"kernel: {kernel:,.0f} transfers/s")
    log_mb = roofs.log_mb_per_s(folder)
    with serving(folder) as (address, client):
        signer = opened(client)
        count = int((seconds + WARM_UP_SECONDS) * SPARE)
        say(f"signing {count:,} transfers, one signature each, 64 keys")
        raws = signer.transfers(count)
        verify = roofs.verify_per_s(raws)
        say(f"load for {seconds:.0f} s through client, gateway, ledger, flushed log, receipts")
        measured = sustained(address, client, raws, seconds)
    return report(measured, kernel=kernel, verify=verify, log_mb=log_mb, tx_bytes=len(raws[0]))


def embedded(folder: Path, seconds: float) -> load.Measured:
    """Load on a node with the embedded engine, nothing else."""
    with serving(folder) as (address, client):
        raws = opened(client).transfers(int((seconds + WARM_UP_SECONDS) * SPARE))
        return sustained(address, client, raws, seconds)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Client]]:
    """A node in a process of its own, and a client of it; ended in the end."""
    data = folder / "node"
    init(data, Beginning(name="bench", records=records(APPS, int(time.time() * 1000))))
    node = subprocess.Popen([sys.executable, "-m", "tallystick.bench", "--serve", str(data)])
    try:
        address = f"unix:{data / SOCKET}"
        client = wait_for(address, node)
        yield address, client
        client.close()
    finally:
        node.terminate()
        node.wait()


def opened(client: Client) -> Signer:
    """Who signs, once every payer has money."""
    status = client.status()
    signer = Signer(status.chain_id, status.ledger_ms)
    list(client.submit_many(list(signer.setting_up())))
    return signer


def sustained(address: str, client: Client, raws: Sequence[bytes], seconds: float) -> load.Measured:
    """Warm up, then measure; nothing may be left in the queue."""
    warm = int(WARM_UP_SECONDS * 1_000)
    load.run([address], raws[:warm], WARM_UP_SECONDS)
    measured = load.run([address], raws[warm:], seconds)
    queued = client.status().queued
    if queued:
        raise NodeError(f"{queued} transactions were still queued at the end")
    return measured


def report(
    measured: load.Measured, *, kernel: float, verify: float, log_mb: float, tx_bytes: int
) -> dict[str, object]:
    """The figures as one object."""
    return {
        "embedded": {
            "tps": round(measured.per_s),
            "p50_ms": round(measured.percentile_ms(50), 1),
            "p95_ms": round(measured.percentile_ms(95), 1),
            "p99_ms": round(measured.percentile_ms(99), 1),
            "seconds": round(measured.seconds, 1),
            "refused": measured.refused,
            "tx_bytes": tx_bytes,
        },
        "kernel": {"tps": round(kernel)},
        "roof": {
            "verify_single_per_s": round(verify),
            "verify_batch_per_s": None,
            "log_mb_per_s": round(log_mb),
        },
        "ratio": {
            "embedded_to_kernel": round(measured.per_s / kernel, 3),
            "embedded_to_verify": round(measured.per_s / verify, 3),
        },
        "machine": {
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "accel": "python",
        },
    }


def wait_for(address: str, node: subprocess.Popen[bytes]) -> Client:
    """A client, once the node answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and node.poll() is None:
        client = Client(address, patience_seconds=1)
        try:
            client.status()
        except Unreachable:
            time.sleep(0.1)
        else:
            return Client(address)
    raise NodeError("the node of the bench does not answer")


def cpu_name() -> str:
    """Model of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def say(sentence: str) -> None:
    """Tell how far it is, beside the figures."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
