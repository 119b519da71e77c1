"""What the till can be asked."""

from tallystick.ledger.app import Message, message, timer
from tallystick.values.units import (
    AtMs,
    Count,
    Currency,
    DurationMs,
    Height,
    Minor,
    PartyId,
    Reference,
)


@message(verb=None)
class Fill(Message, tag="till.fill.1"):
    """Fill one's purse."""

    currency: Currency
    """With what."""
    amount_minor: Minor
    """How much."""


@message(verb=None)
class Pay(Message, tag="till.pay.1"):
    """Pay another party."""

    to: PartyId
    """Whom."""
    amount_minor: Minor
    """How much."""


@message(verb=None)
class Leave(Message, tag="till.leave.1"):
    """Leave a note, now or later."""

    name: Reference
    """Its name."""
    number: Count
    """Which of them."""
    at_ms: AtMs | None = None
    """Ledger time at which it appears; None: now."""
    secret: Count | None = None
    """For oneself."""


@message(verb=None)
class Wind(Message, tag="till.wind.1"):
    """Move ledger time forward."""

    by_ms: DurationMs
    """How far."""


@message(verb=None)
class Break(Message, tag="till.break.1"):
    """Meet a bug."""

    how: Reference
    """`error`, `memory` or `work`."""


@message(verb=None)
class Activate(Message, tag="till.activate.1"):
    """Have another version of the rules in force from a height on."""

    version: Count
    """The version."""
    from_height: Height
    """First height."""


@message(verb=None, since=2)
class Mark(Message, tag="till.mark.1"):
    """Leave a note, under the second version of the rules."""

    name: Reference
    """Its name."""


@timer()
class Appear(Message, tag="till.appear.1"):
    """Have a note appear."""

    name: Reference
    """Its name."""
    number: Count
    """Which of them."""
