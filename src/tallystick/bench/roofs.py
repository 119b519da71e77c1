"""What the machine allows: signature checks one by one, log bytes to disk, the kernel alone."""

from __future__ import annotations

import gc
import os
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tallystick.accel import verify
from tallystick.accel.tree import Tree
from tallystick.apps import APPS, AUTHORITY
from tallystick.bench.network import Signer, records
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import (
    BUDGET,
    HORIZON_MS,
    AppVersion,
    Genesis,
)
from tallystick.ledger.genesis import (
    first_records as state_at_genesis,
)
from tallystick.ledger.state import State, genesis_tip
from tallystick.ledger.transaction import Envelope, signed_bytes
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import decode, encode

KERNEL_BATCH = 1_000
KERNEL_SECONDS = 5.0
VERIFY_SECONDS = 2.0
LOG_ENTRY_BYTES = 1_500_000
LOG_ENTRIES = 40
TIME_MS = 1_783_040_400_000
"""Block time of the kernel's chain: 2026-07-03 09:00 in China."""


class _NoTree(Tree):
    """Stands for the state tree where only the kernel is measured: it stays empty."""

    def apply(self, base: int, changes: Iterable[tuple[bytes, bytes | None]]) -> int:
        """Hash nothing."""
        return base

    def drop(self, version: int) -> None:
        """Nothing is kept."""


def kernel_per_s() -> float:
    """Transfers a second of decode, policy, contract, receipts and change set: one thread.

    Bytes in, bytes out; no signatures checked, no tree, no disk.
    """
    genesis = Genesis(
        format=1,
        name="bench",
        time_ms=TIME_MS,
        horizon_ms=HORIZON_MS,
        timers_per_block=1_000,
        budget=BUDGET,
        apps=tuple(AppVersion(app=app.name, version=app.version) for app in APPS),
        records=tuple(encode(each) for each in records(APPS, TIME_MS)),
    )
    ledger = Ledger(APPS, AUTHORITY, genesis)
    store = MemoryStore()
    store.apply(0, state_at_genesis(genesis, ledger.rules.record_types), {})
    state = State(store, ledger.rules.decoders, genesis_tip(genesis.time_ms), tree=_NoTree())
    signer = Signer(ledger.chain_id, TIME_MS)
    _block(ledger, state, list(signer.setting_up()))
    count, spent = 0, 0.0
    while spent < KERNEL_SECONDS:
        raws = signer.transfers(KERNEL_BATCH)
        gc.collect()
        started = time.perf_counter()
        _block(ledger, state, raws)
        spent += time.perf_counter() - started
        count += len(raws)
    return count / spent


def _block(ledger: Ledger, state: State, raws: Sequence[bytes]) -> None:
    """Decode and execute a block, and make it the state."""
    transactions = [ledger.codec.decode(raw) for raw in raws]
    candidate = ledger.execute(state, state.tip.time_ms + 1, transactions, proposing=True)
    if len(candidate.done) != len(raws) or any(done.receipt.code for done in candidate.done):
        raise RuntimeError("a transfer of the bench was refused")
    state.commit(candidate, bytes(32))


def verify_per_s(raws: Sequence[bytes]) -> float:
    """Signatures checked a second, one by one, on one core."""
    triples = []
    for raw in raws[:2_000]:
        envelope = decode(Envelope, raw)
        [signature] = envelope.signatures
        triples.append((signature.public_key, signed_bytes(envelope.body), signature.signature))
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < VERIFY_SECONDS:
        for triple in triples:
            verify(*triple)
        count += len(triples)
    return count / (time.perf_counter() - started)


def log_mb_per_s(folder: Path) -> float:
    """Megabytes a second that the block log takes, every entry flushed to the disk."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        log = FileLog.open(OsDisk(), str(Path(place) / "blocks"), bytes(32))
        body = os.urandom(LOG_ENTRY_BYTES)
        started = time.perf_counter()
        for _ in range(LOG_ENTRIES):
            log.append(body)
        spent = time.perf_counter() - started
        log.close()
    return LOG_ENTRIES * LOG_ENTRY_BYTES / 1e6 / spent
