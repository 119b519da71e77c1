"""What of governance is bound to the blocks of one chain, when its state begins another."""

from tallystick.apps.governance.records import (
    ActivateRules,
    PowerShift,
    Proposal,
    ProposalStatus,
)
from tallystick.ledger.app import Record

UNDECIDED = (ProposalStatus.OPEN, ProposalStatus.CARRIED)


def stays_behind(kept: Record) -> bool:
    """Whether a record only says something of a block that was."""
    return isinstance(kept, PowerShift)


def awaited_block(kept: Record) -> int | None:
    """Block that an undecided proposal names, so that it cannot be taken along; None: none."""
    if isinstance(kept, Proposal) and kept.status in UNDECIDED:
        return kept.action.from_height if isinstance(kept.action, ActivateRules) else None
    return None
