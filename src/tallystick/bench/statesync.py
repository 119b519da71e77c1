"""`python -m tallystick.bench.statesync`: a large state as a snapshot, taken and taken over.

Two processes, as two nodes: one has the state and takes the snapshot while it makes blocks, the
other takes it over. No engine, no network: what remains is our own part of a state sync. The last
line is one JSON object; seconds of wall time, peak memory in MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.cash.records import Held
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.kept import find_kept
from tallystick.engine.cometbft.seam import Applied, Offered
from tallystick.engine.cometbft.snapshots import SnapshotShelf
from tallystick.errors import AuditFailed
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import BUDGET, HORIZON_MS, AppVersion, Genesis
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.rocks import RocksStore
from tallystick.testing.filled import fill

RECORDS = 1_000_000
"""How many records the state has."""
OPENS_MS = 1_782_984_000_000


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tallystick.bench.statesync", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--take", type=Path, help="only: have the state, take the snapshot")
    parser.add_argument("--restore", type=Path, help="only: take over the snapshot")
    asked = parser.parse_args(arguments)
    if asked.take is not None:
        figures = take(asked.take, asked.records)
    elif asked.restore is not None:
        figures = restore(asked.restore)
    else:
        with tempfile.TemporaryDirectory(prefix="tallystick-statesync-") as place:
            figures = {"records": asked.records}
            for step in ("--take", "--restore"):
                figures |= run(step, place, asked.records)
    print(json.dumps(figures))
    return 0


def run(step: str, place: str, records: int) -> dict[str, float]:
    """One of the two nodes, in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, step, place, "--records", str(records)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def held(count: int) -> Iterator[Held]:
    """Records of the size that many have."""
    for number in range(count):
        yield Held(
            hold_id=f"hold-{number:016x}",
            owner=f"S{number % 1000}",
            money="CNY@central-bank",
            amount_minor=number,
            remaining_minor=number + 1,
            purpose=f"deposit for order {number}",
        )


def opened(folder: Path, records: int) -> Chain:
    """A chain of this release, over a state of so many records or an empty one."""
    genesis = Genesis(
        format=1,
        name="statesync",
        time_ms=OPENS_MS,
        horizon_ms=HORIZON_MS,
        timers_per_block=100,
        budget=BUDGET,
        apps=tuple(AppVersion(app=app.name, version=app.version) for app in APPS),
    )
    store = RocksStore(str(folder / "state"))
    fill(store, held(records))
    log = FileLog.open(OsDisk(), str(folder / "blocks"), genesis.hash)
    return Chain(Ledger(APPS, AUTHORITY, genesis), log, store)


def take(place: Path, records: int) -> dict[str, float]:
    """The node that has the state: how long it starts, and how long it takes the snapshot."""
    chain = opened(place / "giver", records)
    began = time.monotonic()
    chain.empty_tree().apply_records(0, chain.reader().scan(b""))
    tree_seconds = time.monotonic() - began
    block(chain)
    before = peak_mb()
    shelf = SnapshotShelf(place / "snapshots", chain, every=0)
    began = time.monotonic()
    taking = shelf.take()
    longest, blocks = 0.0, 0
    while not taking.done():
        at = time.monotonic()
        block(chain)
        longest, blocks = max(longest, time.monotonic() - at), blocks + 1
        time.sleep(0.05)
    taking.result()
    figures = {
        "tree_seconds": tree_seconds,
        "take_seconds": time.monotonic() - began,
        "blocks_meanwhile": blocks,
        "longest_block_ms": longest * 1000,
        "take_more_mb": peak_mb() - before,
    }
    shelf.close()
    chain.close()
    return rounded(figures)


def block(chain: Chain) -> None:
    """An empty block."""
    chain.commit(chain.execute(chain.state.tip.time_ms + 1_000, []), bytes(32))


def restore(place: Path) -> dict[str, float]:
    """The node that takes it over: from the offer until it stands at the block."""
    chain = opened(place / "taker", 0)
    shelf = SnapshotShelf(place / "received", chain, every=0)
    [kept] = find_kept(place / "snapshots", chain.ledger.chain_id)
    began, checked = time.monotonic(), 0.0
    if shelf.offer(kept.info, kept.manifest.app_hash) is not Offered.ACCEPT:
        raise AuditFailed(("the snapshot was not accepted",))
    for index in range(kept.info.chunks):
        if index == kept.info.chunks - 1:
            checked = time.monotonic() - began
        if shelf.apply(index, kept.chunk(index) or b"", "giver").result is not Applied.ACCEPT:
            raise AuditFailed((f"chunk {index} was not accepted",))
    block(chain)
    seconds = time.monotonic() - began
    figures = {
        "chunks": kept.info.chunks,
        "check_seconds": checked,
        "restore_seconds": seconds,
        "restore_mb": peak_mb(),
    }
    shelf.close()
    chain.close()
    return rounded(figures)


def peak_mb() -> float:
    """Most memory this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rounded(figures: dict[str, float]) -> dict[str, float]:
    """Figures that people can read."""
    return {name: round(value, 1) for name, value in figures.items()}


if __name__ == "__main__":
    sys.exit(main())
