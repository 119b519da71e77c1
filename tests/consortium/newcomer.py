"""`python -m tests.consortium.newcomer`: a fifth validator joins a network with a large state.

Four validators hold so many records. A fifth node is voted in while it fetches the snapshot; what
is measured is the time from the offer of the snapshot until the fifth signs blocks. Nobody
restarts. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tallystick.apps.governance.records import AddValidator
from tallystick.bench.statesync import held
from tallystick.engine.folder import STATE
from tallystick.network.network import Network, NetworkNode
from tallystick.store.rocks import RocksStore
from tallystick.testing.filled import fill
from tests.consortium.conftest import network
from tests.consortium.test_state_sync import height_of, mint, snapshots, trusted
from tests.consortium.test_votes import address_of, decide, signers

RECORDS = 1_000_000
SNAPSHOT_AT = 40
OFFERED = "taking over the snapshot"
RESTORED = "from a snapshot"
SECONDS = 900


def main(arguments: list[str] | None = None) -> int:
    """Measure, and print one JSON object on the last line."""
    parser = argparse.ArgumentParser(prog="tests.consortium.newcomer", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="tally-") as place:
        print(json.dumps(measured(Path(place), asked.records)))
    return 0


def measured(place: Path, records: int) -> dict[str, float]:
    """All figures of one run."""
    with network(
        place / "net", start=False, snapshot_every=SNAPSHOT_AT, heartbeat_seconds=2
    ) as net:
        say(f"four states of {records:,} records")
        give_state(net, records)
        net.start(bound=True, wait=False)
        net.wait_live(SECONDS)
        first, second = net.nodes[:2]
        say("blocks until the snapshot")
        while height_of(first) < SNAPSHOT_AT:
            mint(first, 1)
        began = time.monotonic()
        wait(lambda: all(snapshots(node) for node in net.nodes))
        taken = time.monotonic() - began
        say(f"taken by all four within {taken:.1f} s; a fifth node comes")
        for _ in range(3):
            mint(first, 1)
        added = net.add(
            wait=False,
            state_sync=(f"unix:{second.folder}/api.sock", f"unix:{first.folder}/api.sock"),
            trust=trusted(first, 2),
        )
        key = added.validator_key
        decide(net, AddValidator(member="factor-a", public_key=key, power=10))
        figures = followed(net, added)
    return {"records": records, "taken_by_four_s": round(taken, 1), **figures}


def give_state(net: Network, records: int) -> None:
    """The same large state to each of the four."""
    first = net.nodes[0].folder / STATE
    store = RocksStore(str(first))
    fill(store, held(records))
    store.close()
    for node in net.nodes[1:]:
        shutil.copytree(first, node.folder / STATE, dirs_exist_ok=True)


def followed(net: Network, added: NetworkNode) -> dict[str, float]:
    """How long from the offer until the state is there, and until it signs."""
    wait(lambda: OFFERED in said(added))
    offered = time.monotonic()
    wait(lambda: RESTORED in said(added))
    restored = time.monotonic() - offered
    say(f"the state is there after {restored:.1f} s")
    address = address_of(added)
    wait(lambda: address in signers(net))
    signs = time.monotonic() - offered
    say(f"it signs after {signs:.1f} s")
    net.wait_live(SECONDS)
    with closing(added.client()) as client:
        height = client.status().height
    return {"restored_s": round(restored, 1), "signs_s": round(signs, 1), "height": height}


def said(node: NetworkNode) -> str:
    """What a node logged."""
    return node.log.read_text(errors="replace") if node.log.exists() else ""


def wait(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {SECONDS} s")
        time.sleep(0.1)


def say(text: str) -> None:
    """Tell where it is."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
