"""The ledger's own records: clock, rules in force, timers, used references."""

from typing import Annotated

from msgspec import Meta

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.values.units import AtMs, Count, Hash32, Height, Id, Label

TIMER_BYTES_MAX = 65_536


@record(key=("name",), seen_by=PUBLIC)
class Clock(Record, tag="ledger.clock.1"):
    """How far ledger time is ahead of the engine's block time."""

    name: Label
    """Always `clock`: there is one."""
    offset_ms: Annotated[int, Meta(ge=-(2**53), le=2**53)] = 0
    """Added to block time; in milliseconds, may be negative when a trial opens in the past."""
    trial: bool = False
    """Whether the genesis lets named members move the clock forward."""


@record(key=("app",), seen_by=PUBLIC)
class Activation(Record, tag="ledger.activation.1"):
    """Which version of an application's rules is in force, and which comes next."""

    app: Label
    """Name of the application, e.g. `receivables`."""
    version: Count
    """Version in force below `from_height`."""
    next_version: Count | None = None
    """Version in force from `from_height` on; None when no change is decided."""
    from_height: Height | None = None
    """First height of the next version; None when no change is decided."""

    def at(self, height: int) -> int:
        """Version in force at a height."""
        if self.next_version is None or self.from_height is None or height < self.from_height:
            return self.version
        return self.next_version


@record(key=("due_at_ms", "timer_id"))
class PendingTimer(Record, tag="ledger.timer.1"):
    """A message that the ledger will run when its time reaches it."""

    due_at_ms: AtMs
    """Ledger time at which it is due, in milliseconds."""
    timer_id: Id
    """Id derived from what made it, e.g. `tmr-0123456789abcdef`."""
    message: Annotated[bytes, Meta(max_length=TIMER_BYTES_MAX)]
    """The message, encoded with its tag."""


@record(key=("minute",), seen_by=PUBLIC)
class UsedMinute(Record, tag="ledger.used_minute.1"):
    """References used by transactions that expire within one minute; dropped whole after it."""

    minute: Annotated[int, Meta(ge=0, le=2**40)]
    """Expiry minute: `expires_at_ms // 60000`."""
    count: Count
    """How many (sender, reference) pairs its list holds."""
    running_hash: Hash32
    """SHA-256 chained over the list's entries in order of use."""


CLOCK = "clock"
"""Name of the one clock record."""

GOVERNED = (Clock.spec.name, Activation.spec.name)
"""Records that a rule of an application that governs may write."""
OWN_RECORDS = frozenset((*GOVERNED, PendingTimer.spec.name, UsedMinute.spec.name))
"""Names of all records of the ledger's own."""

__all__ = [
    "CLOCK",
    "GOVERNED",
    "OWN_RECORDS",
    "TIMER_BYTES_MAX",
    "Activation",
    "Clock",
    "PendingTimer",
    "UsedMinute",
]
