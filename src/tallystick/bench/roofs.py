"""What the machine allows at best: signatures checked one by one and in batches, log to disk."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tallystick.accel import Body
from tallystick.ledger.transaction import Envelope, signed_bytes
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.values.codec import decode

SECONDS = 2.0
"""How long each roof is measured."""
BATCH = 1_000
"""Signatures of a batch."""
LOG_ENTRY_BYTES = 1_500_000
LOG_ENTRIES = 40

Triple = tuple[bytes, bytes, bytes]


def triples_of(raws: Sequence[bytes]) -> list[Triple]:
    """What is to be verified of transactions: key, message, signature of each."""
    return [
        (signature.public_key, signed_bytes(envelope.body), signature.signature)
        for envelope in (decode(Envelope, raw) for raw in raws)
        for signature in envelope.signatures
    ]


def verify_single_per_s(body: Body, triples: Sequence[Triple]) -> float:
    """Signatures checked a second, one by one, on one core."""

    def check() -> bool:
        return all(body.verify(*triple) for triple in triples)

    return len(triples) * _times_per_s(check)


def verify_batch_per_s(body: Body, triples: Sequence[Triple]) -> float:
    """Signatures checked a second in batches, by one caller; a body may use several cores."""
    batch = list(triples[:BATCH])
    return len(batch) * _times_per_s(lambda: all(body.verify_batch(batch)))


def _times_per_s(check: Callable[[], bool]) -> float:
    """How often a second something can be done; it must find all signatures good."""
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < SECONDS:
        if not check():
            raise RuntimeError("a signature of the bench is not good")
        count += 1
    return count / spent


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
