"""A block that was executed: its receipts, its lists as the log keeps them, and what it used.

A transaction that was accepted says little: who it is, which ids it made, and what it changed. The
ledger's structs know the same: `ledger/receipt.py` the receipt, `ledger/block.py` the entry.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from msgspec import DecodeError
from msgspec.msgpack import Decoder, Encoder

from tallystick.accel.errors import NotUses
from tallystick.accel.merkle import merkle_root
from tallystick.values.keys import bytes_field, int_field

__all__ = ["Accepted", "Change", "Executed", "Sealed", "Use", "chained", "read_uses", "seal_block"]

Change = tuple[bytes, bytes | None]
"""A record key and the record after the change; None when it was deleted."""
Accepted = tuple[bytes, tuple[str, ...], tuple[Change, ...]]
"""A transaction's id, the ids that it made, and what it changed in key order."""
Executed = Accepted | tuple[bytes, tuple[Change, ...]]
"""What was accepted; or an encoded receipt and the changes that go with it."""
Use = tuple[str, str, bytes]
"""(sender, reference, transaction id) of a reference that was used."""

_encode: Final = Encoder().encode
_uses: Final = Decoder(list[Use])


@dataclass(frozen=True, slots=True)
class Sealed:
    """Receipts and roots of a block, and its lists as they stand in its entry."""

    receipts_root: bytes
    """Root over the receipts."""
    ids_root: bytes
    """Root over the ids of its transactions."""
    receipts: tuple[bytes, ...]
    """Receipts, encoded."""
    size: int
    """Bytes of transactions, receipts, and keys and records of changes, without their heads."""
    lists: tuple[bytes, ...]
    """Transactions, receipts and changes, each under its name; what is empty is not there."""
    accepted: tuple[tuple[int, bytes], ...]
    """Place and id of each transaction that was accepted."""

    def receipt(self, place: int) -> bytes:
        """One receipt, encoded."""
        return self.receipts[place]

    def places(self, prefix: bytes, block: bytes) -> dict[bytes, bytes | None]:
        """Places of what was accepted: `prefix` and the id as key, `block` and the place under it.

        Id and place are written as fields of keys.
        """
        return {
            prefix + bytes_field(transaction_id): block + int_field(place)
            for place, transaction_id in self.accepted
        }

    def entry(self, head: bytes, tail: bytes) -> bytes:
        """The block's entry: what stands before its lists, they, and what stands after them."""
        return b"".join((head, *self.lists, tail))


def seal_block(
    done: tuple[Executed, ...], ids: tuple[bytes, ...], raws: tuple[bytes, ...]
) -> Sealed:
    """Receipts, roots and lists: of what was executed, of ids and bytes of the transactions."""
    receipts = tuple([_receipt(*each) if len(each) == 3 else each[0] for each in done])
    lists: list[bytes] = []
    if raws:
        lists += (_encode("transactions"), _encode(raws))
    if done:
        head = _encode((None,) * len(done))[: -len(done)]
        lists += (_encode("receipts"), head, *receipts)
        lists += (_encode("changes"), _encode([each[-1] for each in done]))
    size = sum(map(len, raws)) + sum(map(len, receipts))
    accepted = tuple([(place, each[0]) for place, each in enumerate(done) if len(each) == 3])
    for each in done:
        size += sum([len(key) + len(after or b"") for key, after in each[-1]])
    return Sealed(merkle_root(receipts), merkle_root(ids), receipts, size, tuple(lists), accepted)


def _receipt(transaction_id: bytes, ids: tuple[str, ...], changes: tuple[Change, ...]) -> bytes:
    """One receipt: fields in their order, those without anything to say left out."""
    said: dict[str, object] = {"outcome": "accepted", "transaction_id": transaction_id}
    if ids:
        said["ids"] = ids
    if changes:
        said["changes_hash"] = sha256(_encode(changes)).digest()
    return _encode(said)


def read_uses(encoded: bytes) -> list[Use]:
    """The references of an encoded list; `NotUses` when it is none."""
    try:
        return _uses.decode(encoded)
    except (DecodeError, UnicodeDecodeError) as problem:
        raise NotUses() from problem


def chained(running: bytes, uses: bytes) -> bytes:
    """The hash that used references have after an encoded list: each hashed with the one before."""
    for use in read_uses(uses):
        running = sha256(running + _encode(use)).digest()
    return running
