"""What is kept of governance.

`standing` comes first and knows no other application, so that others may read it while the
proposals, which can admit a member, know how members are described.
"""

from tallystick.apps.governance.records.standing import (
    CONSTITUTION,
    Admits,
    BankingDays,
    Calendar,
    CalendarYear,
    Constitution,
    Offset,
    Offsets,
    Parameter,
    Publication,
    Rules,
    Value,
    Year,
)

# isort: split
from tallystick.apps.governance.records.proposals import (
    ActivateRules,
    AdmitMember,
    Amend,
    AnyAction,
    ChangeParameter,
    Choice,
    ExpelMember,
    Proposal,
    ProposalId,
    ProposalStatus,
    PublishYear,
    Vote,
)

__all__ = [
    "CONSTITUTION",
    "ActivateRules",
    "AdmitMember",
    "Admits",
    "Amend",
    "AnyAction",
    "BankingDays",
    "Calendar",
    "CalendarYear",
    "ChangeParameter",
    "Choice",
    "Constitution",
    "ExpelMember",
    "Offset",
    "Offsets",
    "Parameter",
    "Proposal",
    "ProposalId",
    "ProposalStatus",
    "Publication",
    "PublishYear",
    "Rules",
    "Value",
    "Vote",
    "Year",
]
