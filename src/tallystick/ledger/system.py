"""The ledger's own records: clock, rules in force, timers, used references."""

from typing import Annotated

from msgspec import Meta

from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.values.units import (
    AtMs,
    Count,
    DurationMs,
    Hash32,
    Height,
    Id,
    Label,
    PartyId,
    PublicKey,
)

TIMER_BYTES_MAX = 65_536
POWER_MAX = 2**32
"""Most power of one validator; the engine allows 2^60 for all together."""
BLOCK_BYTES_MIN = 1_048_576
"""Room for the largest bundle, 1,000,000 bytes, and what the engine adds to a block."""
BLOCK_BYTES_MAX = 67_108_864
ORDERED_MAX = 50_000
EVIDENCE_BLOCKS_MAX = 10_000_000


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


@record(key=("public_key",), seen_by=PUBLIC)
class Validator(Record, tag="ledger.validator.1"):
    """A node whose vote decides on blocks; one without a record has no vote."""

    public_key: PublicKey
    """Ed25519 key with which the node's engine signs its votes."""
    member: PartyId
    """Member that runs the node, e.g. `bank-a`."""
    power: Annotated[int, Meta(ge=1, le=POWER_MAX)]
    """Weight of its vote, e.g. 10; the weights of all add up to the whole."""


@record(key=("name",), seen_by=PUBLIC)
class Consensus(Record, tag="ledger.consensus.1"):
    """What the engine of a consortium keeps to; an embedded chain has no such record."""

    name: Label
    """Always `consensus`: there is one."""
    block_bytes: Annotated[int, Meta(ge=BLOCK_BYTES_MIN, le=BLOCK_BYTES_MAX)]
    """Largest block that may be proposed, in bytes, e.g. 4194304."""
    block_transactions: Annotated[int, Meta(ge=1, le=ORDERED_MAX)]
    """Most transactions in the bundles of one block, e.g. 5000."""
    evidence_blocks: Annotated[int, Meta(ge=1, le=EVIDENCE_BLOCKS_MAX)]
    """For so many blocks a validator's double signing can be reported, e.g. 100000."""
    evidence_ms: DurationMs
    """And for so long, in milliseconds, whichever ends later, e.g. 172800000."""


CLOCK = "clock"
"""Name of the one clock record."""
CONSENSUS = "consensus"
"""Name of the one record of the engine's parameters."""

GOVERNED = (Clock.spec.name, Activation.spec.name, Validator.spec.name, Consensus.spec.name)
"""Records that a rule of an application that governs may write."""
OWN_RECORDS = frozenset((*GOVERNED, PendingTimer.spec.name, UsedMinute.spec.name))
"""Names of all records of the ledger's own."""

__all__ = [
    "BLOCK_BYTES_MAX",
    "BLOCK_BYTES_MIN",
    "CLOCK",
    "CONSENSUS",
    "EVIDENCE_BLOCKS_MAX",
    "GOVERNED",
    "ORDERED_MAX",
    "OWN_RECORDS",
    "POWER_MAX",
    "TIMER_BYTES_MAX",
    "Activation",
    "Clock",
    "Consensus",
    "PendingTimer",
    "UsedMinute",
    "Validator",
]
