"""Ids of new records: derived from what made them, never from height or position."""

from hashlib import sha256
from typing import Final

ID_DOMAIN: Final = b"tallystick/id/1"
"""Separates these hashes from all others."""


def derive_id(prefix: str, origin: bytes, call: int, counter: int) -> str:
    """The id of the record that `origin` makes as number `counter` of its call.

    `origin` is a transaction id, or a timer id with call 0. Call and counter are 4 bytes,
    big-endian. `derive_id("piece", bytes(32), 0, 0)` is `piece-04855da2fc517063`.
    """
    hashed = sha256(ID_DOMAIN + origin + call.to_bytes(4, "big") + counter.to_bytes(4, "big"))
    return f"{prefix}-{hashed.hexdigest()[:16]}"
