"""What the toy can be asked."""

from typing import Annotated

from tallystick.ledger.app import Message, message, timer
from tallystick.values.units import (
    AtMs,
    Count,
    Currency,
    DurationMs,
    Height,
    Id,
    KeyOf,
    Label,
    Minor,
    PartyId,
    ShortText,
    SignedMinor,
)

CounterId = Annotated[Id, KeyOf("Counter")]
"""Id of a counter."""


@message(verb=None)
class Open(Message, tag="toy.open.1"):
    """Open a counter."""

    currency: Currency
    """What is counted."""
    closes_at_ms: AtMs | None = None
    """When it closes by itself; None: never."""
    watchers: tuple[PartyId, ...] = ()
    """Who may watch."""
    note: ShortText = ""
    """A note for oneself."""


@message(verb=None, limit_by="counter_id.amount_minor")
class CountUp(Message, tag="toy.count_up.1"):
    """Count up."""

    counter_id: CounterId
    """The counter."""
    by_minor: SignedMinor
    """How far."""


@message(verb=None, since=2)
class Double(Message, tag="toy.double.1"):
    """Double a counter; new in version 2."""

    counter_id: CounterId
    """The counter."""


@message(verb=None, until=1)
class Halve(Message, tag="toy.halve.1"):
    """Halve a counter; version 2 knows it no more."""

    counter_id: CounterId
    """The counter."""


@message(verb=None, limit_by="amount_minor")
class Take(Message, tag="toy.take.1"):
    """Take from another's counter, who signs too."""

    source: CounterId
    """Counter that counts down."""
    target: CounterId
    """Counter that counts up."""
    currency: Currency
    """What is counted."""
    amount_minor: Minor | None = None
    """How much; None: all."""


@message(verb=None)
class Drop(Message, tag="toy.drop.1"):
    """Have a counter no more."""

    counter_id: CounterId
    """The counter."""


@message(verb=None)
class Ring(Message, tag="toy.ring.1"):
    """Have bells ring, each some time after the one before."""

    name: Label
    """Which bell."""
    at_ms: AtMs
    """When the first rings."""
    every_ms: DurationMs = 0
    """How long after one the next is."""
    times: Count = 1
    """How often."""
    silences: tuple[AtMs, Id] | None = None
    """Bell that the first one silences: when it is due, and its id; None: none."""


@message(verb=None)
class Silence(Message, tag="toy.silence.1"):
    """Have a bell not ring."""

    due_at_ms: AtMs
    """When it is due."""
    timer_id: Id
    """The bell."""


@message(verb=None)
class Crash(Message, tag="toy.crash.1"):
    """Meet a bug, or do too much."""

    how: Label
    """Which: a key of `contract.WAYS`."""


@message(verb=None)
class Activate(Message, tag="toy.activate.1"):
    """Have another version of the rules in force from a height on."""

    version: Count
    """The version."""
    from_height: Height
    """First height."""


@message(verb=None)
class Wind(Message, tag="toy.wind.1"):
    """Move ledger time forward."""

    by_ms: DurationMs
    """How far."""


@timer()
class Close(Message, tag="toy.close.1"):
    """Close a counter."""

    counter_id: CounterId
    """The counter."""


@timer()
class Bell(Message, tag="toy.bell.1"):
    """Ring, and ring again."""

    name: Label
    """Which bell."""
    every_ms: DurationMs
    """How long after it the next is."""
    left: Count
    """How often it rings still, this time included."""
    silences: tuple[AtMs, Id] | None = None
    """Bell that it silences; None: none."""


@timer(until=1)
class Hammer(Message, tag="toy.hammer.1"):
    """A bell of version 1."""

    name: Label
    """Which bell."""
