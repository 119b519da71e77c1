"""What the council can be asked."""

from typing import Annotated

from msgspec import Meta

from tallystick.ledger.app import Message, message
from tallystick.values.units import Count, Label, PublicKey


@message(verb=None)
class Seat(Message, tag="council.seat.1"):
    """Give a validator power, or take its seat."""

    public_key: PublicKey
    """Its key."""
    member: Label
    """Who runs it."""
    power: Annotated[int, Meta(ge=0, le=100)]
    """Its weight; 0 takes the seat."""


@message(verb=None)
class Limit(Message, tag="council.limit.1"):
    """Change how much fits into a block."""

    block_bytes: Count
    """Bytes."""
    block_transactions: Count
    """Transactions."""
