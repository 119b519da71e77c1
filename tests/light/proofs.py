"""Proofs over forged chains: a state of some records, a block with some receipts."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from tallystick.accel import EMPTY_VERSION, Tree
from tallystick.engine.cometbft.light.archive import LightArchive
from tallystick.engine.cometbft.light.blocks import LightBlock
from tallystick.engine.cometbft.light.export import Export, make_export
from tallystick.ledger.block import ZERO_HASH, Entry, Header, app_hash_of, receipts_root_of
from tallystick.ledger.proof import ReceiptClaim, RecordClaim, receipt_proof, record_proof, seal_of
from tallystick.ledger.receipt import Outcome, Receipt
from tallystick.testing.disk import SimulatedDisk
from tests.light.forge import CHAIN_ID, Signers, chain

RECORDS = {b"key %d" % number: b"record %d" % number for number in range(40)}
RECEIPTS = tuple(
    [
        Receipt(outcome=Outcome.ACCEPTED, transaction_id=sha256(b"tx %d" % number).digest())
        for number in range(5)
    ]
)
TREE = Tree()
VERSION = TREE.apply(
    EMPTY_VERSION,
    [(sha256(key).digest(), sha256(record).digest()) for key, record in RECORDS.items()],
)
STATE_ROOT = TREE.root(VERSION)
RECEIPTS_ROOT = receipts_root_of(RECEIPTS)
APP_HASH = app_hash_of(RECEIPTS_ROOT, STATE_ROOT)


def entry(height: int) -> Entry:
    """Our block of that height, after which the claims hold."""
    return Entry(
        header=Header(
            chain_id=CHAIN_ID,
            height=height,
            time_ms=0,
            previous_hash=ZERO_HASH,
            transactions_root=ZERO_HASH,
            app_hash=APP_HASH,
        ),
        ledger_ms=0,
        receipts=RECEIPTS,
        receipts_root=RECEIPTS_ROOT,
        state_root=STATE_ROOT,
    )


def sealed_chain(sets: Sequence[Signers], height: int) -> list[LightBlock]:
    """Blocks of those validators; that after `height` has the app hash of the claims."""
    return chain(sets, [APP_HASH if place == height else bytes(32) for place in range(len(sets))])


def archive_of(blocks: list[LightBlock]) -> LightArchive:
    made = LightArchive(SimulatedDisk(), "light")
    for block in blocks:
        made.put(block, (0,) * len(block.validators))
    return made


def record_claim(key: bytes, height: int = 1) -> RecordClaim:
    """That the record of a key is there, or that there is none."""
    proof = TREE.prove(VERSION, sha256(key).digest())
    return record_proof(key, RECORDS.get(key), proof, seal_of(entry(height))).claim()


def receipt_claim(position: int, height: int = 1) -> ReceiptClaim:
    """That a receipt is there."""
    return receipt_proof(entry(height), position).claim()


def export_of(
    claim: RecordClaim | ReceiptClaim,
    blocks: list[LightBlock],
    height: int,
    trusted: int | None = None,
) -> Export:
    """The claim after block `height`, as a file for who trusts a block."""
    return make_export(
        claim, seal_of(entry(height)), archive_of(blocks), sealing=height + 1, trusted=trusted
    )
