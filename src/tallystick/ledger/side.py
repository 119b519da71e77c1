"""What lies beside the state, outside the tree: lists of used references, places of receipts.

Both follow from the blocks alone, so that a restart makes them again from the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec

from tallystick.ledger.block import Entry
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.system import UsedMinute
from tallystick.ledger.transaction import Transaction
from tallystick.values.codec import decode_key, encode, encode_key
from tallystick.values.keys import bytes_field

MINUTE_MS = 60_000

Use = tuple[str, str, bytes]
"""(sender, reference, transaction id) of a reference that was used."""

USED = encode_key("used")
"""Side keys of the lists of used references begin so; then expiry minute and height."""
RECEIPT = encode_key("receipt")
"""Side keys of the places of receipts begin so; then the transaction's id."""


FINAL = (Outcome.ACCEPTED, Outcome.REFUSED)
"""Outcomes that use the reference up and are remembered."""


def over_ms(minute: int) -> int:
    """Ledger time at which an expiry minute is over."""
    return (minute + 1) * MINUTE_MS


def is_over(minute: int, now_ms: int) -> bool:
    """Whether an expiry minute has passed."""
    return (minute + 1) * MINUTE_MS <= now_ms


def use_of(transaction: Transaction) -> tuple[int, Use]:
    """Expiry minute and entry of the reference that a transaction uses up."""
    body = transaction.body
    return body.expires_at_ms // MINUTE_MS, (body.sender, body.reference, transaction.id)


def receipt_key(transaction_id: bytes) -> bytes:
    """Side key under which a transaction's place in the log is found."""
    return RECEIPT + bytes_field(transaction_id)


def list_key(minute: int, height: int) -> bytes:
    """Side key of the references that one block used, of one expiry minute."""
    return encode_key("used", minute, height)


def list_of(key: bytes) -> tuple[int, int]:
    """Minute and height of a stored list."""
    _, minute, height = decode_key(key)
    return cast(int, minute), cast(int, height)


def read_list(key: bytes, raw: bytes) -> tuple[int, int, list[Use]]:
    """Minute, height and references of a stored list."""
    return *list_of(key), msgspec.msgpack.decode(raw, type=list[Use])


def side_writes(
    height: int, final_ids: Sequence[bytes | None], used: Mapping[int, Sequence[Use]]
) -> dict[bytes, bytes | None]:
    """Side entries that a block adds: references used, and places of receipts by id.

    `final_ids` has for each receipt the id of its transaction, None where that is not final.
    """
    side = used_lists(height, {minute: encode(uses) for minute, uses in used.items()})
    for position, transaction_id in enumerate(final_ids):
        if transaction_id is not None:
            side[receipt_key(transaction_id)] = place_key(height, position)
    return side


def used_lists(height: int, used: Mapping[int, bytes]) -> dict[bytes, bytes | None]:
    """Side entries of the references that a block used: an encoded list for each minute."""
    return {list_key(minute, height): encoded for minute, encoded in used.items()}


def place_key(height: int, position: int) -> bytes:
    """A place as it is stored: height and position among the receipts."""
    return encode_key("at", height, position)


def place_of(raw: bytes) -> tuple[int, int]:
    """Height and position among the receipts, from a stored place."""
    _, height, position = decode_key(raw)
    return cast(int, height), cast(int, position)


def uses_of_entry(entry: Entry, transactions: Sequence[Transaction]) -> dict[int, list[Use]]:
    """References that a block of the log used up, by expiry minute."""
    used: dict[int, list[Use]] = {}
    receipts = entry.receipts[len(entry.receipts) - len(transactions) :]
    for transaction, receipt in zip(transactions, receipts, strict=True):
        if receipt.outcome in FINAL:
            minute, use = use_of(transaction)
            used.setdefault(minute, []).append(use)
    return used


def minutes_dropped(entry: Entry) -> list[int]:
    """Expiry minutes whose lists a block of the log dropped."""
    name = UsedMinute.spec.name
    prefix = encode_key(name)
    return [
        cast(int, decode_key(key)[1])
        for key, raw in entry.own_changes
        if raw is None and key.startswith(prefix)
    ]
