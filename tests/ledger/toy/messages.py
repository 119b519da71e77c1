"""What the toy can be asked."""

from typing import Annotated

from tallystick.ledger.app import Message, message, timer
from tallystick.values import units
from tallystick.values.units import AtMs, Currency, Id, KeyOf, Minor

CounterId = Annotated[Id, KeyOf("Counter")]


@message(verb=None)
class Open(Message, tag="toy.open.1"):
    """Open a counter."""

    currency: Currency
    """What is counted."""
    closes_at_ms: AtMs | None = None
    """When it closes by itself."""


@message(verb=None, limit_by="counter_id.amount_minor")
class Count(Message, tag="toy.count.1"):
    """Count up."""

    counter_id: CounterId
    """The counter."""
    by_minor: Minor
    """How far."""


@message(verb=None, since=2)
class Double(Message, tag="toy.double.1"):
    """Double a counter; new in version 2."""

    counter_id: CounterId
    """The counter."""


@message(verb=None)
class Crash(Message, tag="toy.crash.1"):
    """Meet a bug, or do too much."""

    how: units.Label
    """Which: `error`, `ensure`, `recursion`, `move`, `reads`, `writes`, `bytes`, `memory`."""


@message(verb=None)
class Activate(Message, tag="toy.activate.1"):
    """Have another version of the rules in force from a height on."""

    version: units.Count
    """The version."""
    from_height: units.Height
    """First height."""


@timer()
class Close(Message, tag="toy.close.1"):
    """Close a counter."""

    counter_id: CounterId
    """The counter."""
