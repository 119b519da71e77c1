"""The kernel alone: decode, policy, contract, receipts and change set, bytes in and bytes out.

One thread of a process of its own; no signatures checked, no tree, no disk. What it takes to carry
the state on to the next block is not counted.

    python -m tallystick.bench.kernel uniform 5
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence

from tallystick.accel.tree import Tree
from tallystick.apps import APPS, AUTHORITY
from tallystick.bench.cast import OPENS_MS, Desk, records
from tallystick.bench.running import body_of_nodes, settings_of_nodes
from tallystick.bench.workloads import WORKLOADS, Workload
from tallystick.ledger.candidate import sealed_by
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import BUDGET, HORIZON_MS, AppVersion, Genesis, first_records
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.state import State, genesis_tip
from tallystick.node.memory import records_in_memory
from tallystick.node.pages import HugePages
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import encode

SECONDS = 5.0
"""How long each workload's transactions are executed."""
WARM_UP_PAGES = 2
"""Pages executed before it counts, and three for every thousand keys: each has come up by then."""


class _NoTree(Tree):
    """Stands for the state tree, which is no part of the kernel: it stays empty."""

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Hash nothing."""
        return base

    def apply_records(self, base: int, records: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Hash nothing."""
        return base

    def holding(self, version: int, keys: Sequence[bytes]) -> list[bytes]:
        """All may be there: nothing is known here."""
        return list(keys)

    def drop(self, version: int) -> None:
        """Nothing is kept."""


def per_s(name: str, seconds: float = SECONDS) -> float:
    """Transactions a second of one workload, measured in a process of its own."""
    command = [sys.executable, "-m", __name__, name, str(seconds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    found: float = json.loads(done.stdout.splitlines()[-1])["tps"]
    return found


class Kernel:
    """A ledger over memory."""

    def __init__(self, workload: Workload) -> None:
        """Stand at the genesis of the workload's chain."""
        genesis = Genesis(
            format=1,
            name="bench",
            time_ms=OPENS_MS,
            horizon_ms=HORIZON_MS,
            timers_per_block=1_000,
            budget=BUDGET,
            apps=tuple(AppVersion(app=app.name, version=app.version) for app in APPS),
            records=tuple(encode(each) for each in records(workload.cast)),
        )
        self.ledger = ledger = Ledger(APPS, AUTHORITY, genesis)
        self._store = store = MemoryStore()
        store.apply(0, first_records(genesis, ledger.rules.record_types), {})
        decoders = ledger.rules.decoders
        self._body = body_of_nodes()
        tip = genesis_tip(genesis.time_ms)
        self._state = State(
            store,
            decoders,
            tip,
            tree=_NoTree(),
            body=self._body,
            cache_max=records_in_memory(settings_of_nodes().state.cache_records),
        )

    def block(self, raws: Sequence[bytes], *, refused: float = 0.0) -> float:
        """Execute a block and carry the state on; how many seconds the execution took."""
        state = self._state
        gc.collect()
        started = time.perf_counter()
        opened = self._body.open_batch(raws).opened
        transactions = list(map(self.ledger.codec.decode_opened, raws, opened))
        made = self.ledger.run(state, state.tip.time_ms + 1, transactions, proposing=True)
        all_done = sealed_by(state.body, made)
        took = time.perf_counter() - started
        saying_no = sum(done.outcome is not Outcome.ACCEPTED for done in all_done)
        if len(all_done) != len(raws) or saying_no != round(len(raws) * refused):
            raise RuntimeError(f"{saying_no} transactions of the bench were refused")
        state.commit(self.ledger.seal(made, state), bytes(32))
        next(self._store.scan(b""), None)  # memory sorts its new keys once; no node's store does
        return took


def measure(workload: Workload, seconds: float) -> float:
    """Transactions a second, once the caches are warm."""
    kernel = Kernel(workload)
    desk = Desk(kernel.ledger.chain_id)
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # as a node does
    pages = HugePages()
    may_ask = settings_of_nodes().huge_pages == "auto"
    count, spent, index = 0, 0.0, 0
    warm = WARM_UP_PAGES + 3 * workload.keys // 1_000
    while spent < seconds:
        if may_ask:
            pages.look()  # a node does so every other second
        made = workload.page(desk, index)
        if made.before:
            kernel.block(made.before)
        took = kernel.block(made.load, refused=workload.refused)
        if index >= warm:
            spent += took
            count += len(made.load)
        index += 1
    return count / spent


def main() -> int:
    """Measure one workload; one JSON object."""
    name, seconds = sys.argv[1:]
    print(json.dumps({"tps": measure(WORKLOADS[name], float(seconds))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
