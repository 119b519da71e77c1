"""What became of a transaction or timer."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta

from tallystick.ledger.refusal import Refused
from tallystick.values.codec import Struct, encode
from tallystick.values.units import Count, Hash32, Id, Label

IDS_MAX = 4096
"""Most ids that one transaction or timer may make."""
VALUES_MAX = 16
"""Most values that a refusal names; further ones are left out."""
NAME_MAX = 64
"""Longest name of a value."""
TEXT_MAX = 500
"""Longest text that a refusal names; the rest is left out."""

Change = tuple[bytes, bytes | None]
"""A record key and the record after the change; None when it was deleted."""


class Outcome(enum.Enum):
    """How a transaction or timer ended."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAUTHORISED = "unauthorised"
    REUSED = "reused"


class Value(Struct, array_like=True):
    """One value that a refusal's sentence names."""

    name: Annotated[str, Meta(max_length=NAME_MAX)]
    """Name in the sentence, e.g. `piece_id`."""
    value: Annotated[str, Meta(max_length=TEXT_MAX)] | int
    """Text or whole number."""


class Receipt(Struct):
    """The ledger's word on one transaction or timer. Sentences are looked up from (app, code)."""

    outcome: Outcome
    """How it ended."""
    transaction_id: Hash32 | None = None
    """Id of the transaction; None for a timer."""
    timer_id: Id | None = None
    """Id of the timer; None for a transaction."""
    app: Label | None = None
    """Application whose rule said no; None when accepted."""
    code: Count = 0
    """Number of the refusal within the application; 0 when accepted."""
    values: Annotated[tuple[Value, ...], Meta(max_length=VALUES_MAX)] = ()
    """Values that the refusal's sentence names."""
    ids: Annotated[tuple[Id, ...], Meta(max_length=IDS_MAX)] = ()
    """Ids of the records made, in the order made."""
    changes_hash: Hash32 | None = None
    """SHA-256 of its changes; None when it changed nothing."""


def refused_receipt(
    outcome: Outcome, no: Refused, *, transaction_id: bytes | None, timer_id: str | None
) -> Receipt:
    """The receipt of a no."""
    values = tuple([_told(name, value) for name, value in no.values.items()][:VALUES_MAX])
    return Receipt(
        outcome=outcome,
        transaction_id=transaction_id,
        timer_id=timer_id,
        app=no.code.app,
        code=no.code.number,
        values=values,
    )


def _told(name: str, value: object) -> Value:
    """A value as a receipt can hold it: text of bounded length, or a whole number of 64 bits.

    A receipt must always be readable again, whatever a rule that has a bug wants to tell.
    """
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return Value(name=name[:NAME_MAX], value=value)
    shown = value if isinstance(value, str) else ascii(value)
    plain = shown.encode("utf-8", "replace").decode()
    return Value(name=name[:NAME_MAX], value=plain[:TEXT_MAX])


def hash_of_changes(changes: Sequence[Change]) -> bytes | None:
    """SHA-256 of the MessagePack array of `[key, after]`, in key order; None when empty."""
    return hashlib.sha256(encode(changes)).digest() if changes else None
