"""`python -m tallystick.bench.consortium`: what `make bench-consortium` calls.

Several validators on one machine, load through all of their gateways; beside it, in the same run,
the embedded engine and an application that does nothing under the same load. The last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tallystick.apps import APPS
from tallystick.bench import load, noopnet, report
from tallystick.bench.machine import say
from tallystick.bench.measuring import Plan, measured
from tallystick.bench.network import CENTRAL_BANK, SUPERVISOR, Signer, opened, records
from tallystick.bench.running import facts
from tallystick.bench.workloads import WORKLOADS
from tallystick.engine.cometbft.install import install
from tallystick.ledger.system import Validator
from tallystick.network.network import Network
from tallystick.node import Beginning
from tallystick.settings import EngineSettings

VALIDATORS = 4
SECONDS = 60.0
"""How long the full load is sustained."""
SHORT_SECONDS = 15.0
"""How long the loads beside it are."""
SPARE = 6_000
"""Transfers signed beforehand for each second of full load: more than the network takes."""
TIMEOUT_COMMIT_MS = 50
MEMBERS = (CENTRAL_BANK, SUPERVISOR)
IDLE = 20
"""Transfers sent one after the other to a network that does nothing else."""
FULL = load.Pace(flying=6)
"""6,000 transfers of four nodes under way: blocks of some thousands, about a second each."""
HALF = load.Pace(stream=100, flying=8)
"""3,200 may be under way, so that what is due by the clock never waits for a connection."""
ALONE = load.Pace(stream=1, flying=8, per_s=100.0)
"""Load under which bundles of one are compared with bundles of many."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, tell, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tallystick.bench.consortium", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long load is sustained")
    parser.add_argument("--validators", type=int, default=VALIDATORS, help="how many nodes")
    parser.add_argument("--out", type=Path, help="folder for the figures and the HTML report")
    asked = parser.parse_args(arguments)
    install(say=say)
    with tempfile.TemporaryDirectory(prefix="tally-") as place:
        figures = measure(Path(place), asked.validators, asked.seconds)
    if asked.out is not None:
        say(f"report: {report.keep(asked.out, report.CONSORTIUM, figures)}")
    print(json.dumps(figures))
    return 0


def measure(folder: Path, validators: int, seconds: float) -> dict[str, object]:
    """All figures of one run."""
    short = min(SHORT_SECONDS, seconds)
    alone = measured(WORKLOADS["uniform"], Plan(short), folder / "e").run.full
    say(f"embedded: {alone.per_s:,.0f} transfers/s")
    full, half, idle = loaded(folder, validators, seconds)
    bundled, single = compared(folder, validators, short)
    with noopnet.running(folder, validators, begin, MEMBERS) as network:
        raws = Signer("noop-00000000", time.time_ns() // 1_000_000).transfers(20_000)
        bundle = EngineSettings().bundle
        say(f"no-op application, bundles of {bundle}, {short:.0f} s")
        noop = network.load(raws, bundle, short)
    say(f"no-op application: {noop:,.0f} transfers/s")
    return {
        "consortium": {
            "validators": validators,
            "tps": round(full.per_s),
            "p50_ms": round(full.percentile_ms(50), 1),
            "p99_ms": round(full.percentile_ms(99), 1),
            "seconds": round(full.seconds, 1),
            "refused": full.refused,
        },
        "half_load": _told(half),
        "idle": _told(idle),
        "bundles": {"many": _told(bundled), "one": _told(single), "offered_per_s": ALONE.per_s},
        "noop": {"tps": round(noop)},
        "embedded": {"tps": round(alone.per_s)},
        "ratio": {
            "consortium_to_embedded": round(full.per_s / alone.per_s, 3),
            "consortium_to_noop": round(full.per_s / noop, 3),
        },
        "machine": facts(),
    }


def begin(validators: tuple[Validator, ...]) -> Beginning:
    """Small payers that sign alone, and validators of the central bank and the supervisor."""
    return Beginning("bench", records(APPS, time.time_ns() // 1_000_000, validators))


@contextmanager
def running(folder: Path, validators: int, engine: EngineSettings) -> Iterator[Network]:
    """A network that is live; ended in the end."""
    network = Network.make(folder, MEMBERS, begin, validators=validators, engine=engine)
    with network:
        yield network


def loaded(
    folder: Path, validators: int, seconds: float
) -> tuple[load.Measured, load.Measured, load.Measured]:
    """Full load, half of that, and one transfer at a time."""
    settings = EngineSettings(kind="cometbft", timeout_commit_ms=TIMEOUT_COMMIT_MS)
    with running(folder / "n", validators, settings) as network:
        addresses, signer = _opened(network)
        count = int(seconds * SPARE)
        say(f"signing {count:,} transfers, one signature each, 64 keys")
        raws = signer.transfers(count)
        send = partial(load.run, addresses)
        send(signer.transfers(2_000), 5.0)
        say(f"full load on {validators} gateways for {seconds:.0f} s")
        full = send(raws, seconds, FULL)
        say(f"full load: {full.per_s:,.0f} transfers/s, p50 {full.percentile_ms(50):,.0f} ms")
        pace = load.Pace(HALF.stream, HALF.flying, per_s=full.per_s / 2)
        half = send(signer.transfers(int(SHORT_SECONDS * full.per_s)), SHORT_SECONDS, pace)
        say(f"half load: {half.per_s:,.0f} transfers/s, p50 {half.percentile_ms(50):,.0f} ms")
        one = load.Pace(stream=1, flying=1)
        idle = load.run(addresses[:1], signer.transfers(IDLE), SHORT_SECONDS, one)
        say(f"idle: p50 {idle.percentile_ms(50):,.0f} ms")
        network.wait_live()
    return full, half, idle


def compared(folder: Path, validators: int, seconds: float) -> tuple[load.Measured, load.Measured]:
    """The same light load with bundles of many and of one."""
    found = []
    for bundle in (EngineSettings().bundle, 1):
        settings = EngineSettings(
            kind="cometbft", timeout_commit_ms=TIMEOUT_COMMIT_MS, bundle=bundle
        )
        with running(folder / f"b{bundle}", validators, settings) as network:
            addresses, signer = _opened(network)
            raws = signer.transfers(int(seconds * (ALONE.per_s or 0)))
            found.append(load.run(addresses, raws, seconds, ALONE))
            say(f"bundles of {bundle}: p50 {found[-1].percentile_ms(50):,.0f} ms")
    return found[0], found[1]


def _opened(network: Network) -> tuple[list[str], Signer]:
    """Where to send, and who signs, once every payer has money."""
    client = network.nodes[0].client()
    signer = opened(client)
    client.close()
    return [node.address for node in network.nodes], signer


def _told(measured: load.Measured) -> dict[str, object]:
    """A run as data."""
    return {
        "tps": round(measured.per_s),
        "p50_ms": round(measured.percentile_ms(50), 1),
        "p99_ms": round(measured.percentile_ms(99), 1),
        "refused": measured.refused,
    }


if __name__ == "__main__":
    sys.exit(main())
