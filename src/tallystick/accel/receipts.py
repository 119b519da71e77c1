"""Receipts of what was accepted, and the chain over used references: many at once.

A transaction that was accepted says little: who it is, which ids it made, and the hash of what it
changed. `ledger/receipt.py` knows the same receipt as a struct, and every other one.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from msgspec.msgpack import Encoder

__all__ = ["Accepted", "Change", "Use", "accepted_receipts", "chained"]

Change = tuple[bytes, bytes | None]
"""A record key and the record after the change; None when it was deleted."""
Accepted = tuple[bytes, tuple[str, ...], tuple[Change, ...]]
"""A transaction's id, the ids that it made, and what it changed in key order."""
Use = tuple[str, str, bytes]
"""(sender, reference, transaction id) of a reference that was used."""

_encode: Final = Encoder().encode


def accepted_receipts(done: Sequence[Accepted]) -> list[bytes]:
    """The encoded receipt of each."""
    return [_receipt(*each) for each in done]


def _receipt(transaction_id: bytes, ids: tuple[str, ...], changes: tuple[Change, ...]) -> bytes:
    """One receipt: fields in their order, those without anything to say left out."""
    said: dict[str, object] = {"outcome": "accepted", "transaction_id": transaction_id}
    if ids:
        said["ids"] = ids
    if changes:
        said["changes_hash"] = sha256(_encode(changes)).digest()
    return _encode(said)


def chained(running: bytes, uses: Sequence[Use]) -> bytes:
    """The hash that a list of used references has after these: each hashed with the one before."""
    for use in uses:
        running = sha256(running + _encode(use)).digest()
    return running
