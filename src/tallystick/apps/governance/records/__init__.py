"""What is kept of governance.

`standing` comes first and knows no other application, so that others may read it while the
proposals, which can admit a member, know how members are described.
"""

from tallystick.apps.governance.records.standing import (
    CONSTITUTION,
    POWER_SHIFT,
    Admits,
    BankingDays,
    Calendar,
    CalendarYear,
    Constitution,
    Offset,
    Offsets,
    Parameter,
    Power,
    PowerShift,
    Publication,
    Rules,
    Value,
    Year,
)

# isort: split
from tallystick.apps.governance.records.proposals import (
    ActivateRules,
    AddValidator,
    AdmitMember,
    Amend,
    AnyAction,
    ChangeConsensus,
    ChangeParameter,
    Choice,
    ExpelMember,
    Proposal,
    ProposalId,
    ProposalStatus,
    PublishYear,
    RemoveValidator,
    SetPower,
    Vote,
)

__all__ = [
    "CONSTITUTION",
    "POWER_SHIFT",
    "ActivateRules",
    "AddValidator",
    "AdmitMember",
    "Admits",
    "Amend",
    "AnyAction",
    "BankingDays",
    "Calendar",
    "CalendarYear",
    "ChangeConsensus",
    "ChangeParameter",
    "Choice",
    "Constitution",
    "ExpelMember",
    "Offset",
    "Offsets",
    "Parameter",
    "Power",
    "PowerShift",
    "Proposal",
    "ProposalId",
    "ProposalStatus",
    "Publication",
    "PublishYear",
    "RemoveValidator",
    "Rules",
    "SetPower",
    "Value",
    "Vote",
    "Year",
]
