"""What is decided together: proposals and the votes cast on them."""

import enum
from typing import Annotated

from tallystick.apps.governance.records.standing import (
    Keepers,
    Power,
    Publication,
    Rules,
    Value,
)
from tallystick.apps.governance.refusals import Refusal
from tallystick.apps.members.interface import MemberId, NewMember
from tallystick.ledger.app import PUBLIC, Record, record
from tallystick.values.codec import Struct
from tallystick.values.units import (
    AtMs,
    Count,
    DurationMs,
    Height,
    Id,
    KeyOf,
    Label,
    PublicKey,
    SharePpm,
    ShortText,
)

ProposalId = Annotated[Id, KeyOf("Proposal")]
"""Id of a proposal, e.g. `prop-0123456789abcdef`."""


class ProposalStatus(enum.Enum):
    """Where a proposal stands."""

    OPEN = "open"
    CARRIED = "carried"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    ENACTED = "enacted"


class Choice(enum.Enum):
    """What a voter says."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"


class Action(Struct, tag_field="action"):
    """What a proposal would do."""


class AdmitMember(Action, tag="admit_member"):
    """Admit an institution."""

    newcomer: NewMember
    """The institution, with its first people and keys."""


class ExpelMember(Action, tag="expel_member"):
    """Expel a member."""

    member: MemberId
    """Who is expelled, e.g. `factor-b`."""


class ChangeParameter(Action, tag="change_parameter"):
    """Set a parameter."""

    name: Label
    """Its name, e.g. `receivables.pieces_max`."""
    value: Value
    """Its value from then on."""


class PublishYear(Action, tag="publish_year"):
    """Publish a year of a calendar."""

    publication: Publication
    """What is published."""


class ActivateRules(Action, tag="activate_rules"):
    """Put a version of an application's rules in force at a height."""

    app: Label
    """Name of the application, e.g. `receivables`."""
    version: Count
    """Version of its rules, e.g. 2."""
    from_height: Height
    """First block that it decides; nodes that do not know it stop there."""


class Amend(Action, tag="amend"):
    """Replace what the constitution says."""

    rules: Rules
    """What it says from then on."""


class AddValidator(Action, tag="add_validator"):
    """Give a member's node a vote on blocks; proposed by the member itself."""

    member: MemberId
    """Member that runs the node, e.g. `bank-c`."""
    public_key: PublicKey
    """Ed25519 key with which the node's engine signs its votes."""
    power: Power
    """Weight of its vote, e.g. 10."""


class SetPower(Action, tag="set_power"):
    """Change the weight of a validator's vote."""

    public_key: PublicKey
    """Key of the validator."""
    power: Power
    """Weight of its vote from then on, e.g. 20."""


class RemoveValidator(Action, tag="remove_validator"):
    """Take a node's vote away; it may go on following the chain."""

    public_key: PublicKey
    """Key of the validator."""


class ChangeConsensus(Action, tag="change_consensus"):
    """Change what the engine keeps to."""

    block_bytes: Count
    """Largest block that may be proposed, in bytes, e.g. 4194304."""
    block_transactions: Count
    """Most transactions in the bundles of one block, e.g. 5000."""
    evidence_blocks: Count
    """For so many blocks a validator's double signing can be reported, e.g. 100000."""
    evidence_ms: DurationMs
    """And for so long, in milliseconds, whichever ends later, e.g. 172800000."""


AnyAction = (
    AdmitMember
    | ExpelMember
    | ChangeParameter
    | PublishYear
    | ActivateRules
    | Amend
    | AddValidator
    | SetPower
    | RemoveValidator
    | ChangeConsensus
)
"""Everything that can be proposed."""

PROPOSAL_MOVES = {
    None: (ProposalStatus.OPEN,),
    ProposalStatus.OPEN: (
        ProposalStatus.CARRIED,
        ProposalStatus.REJECTED,
        ProposalStatus.LAPSED,
        ProposalStatus.WITHDRAWN,
    ),
    ProposalStatus.CARRIED: (ProposalStatus.ENACTED,),
}


@record(
    key=("proposal_id",),
    missing=Refusal.NO_SUCH_PROPOSAL,
    moves=PROPOSAL_MOVES,
    lists=(("status",), ("proposer", "status")),
    seen_by=PUBLIC,
)
class Proposal(Record, tag="governance.proposal.1"):
    """Something put to the vote."""

    proposal_id: ProposalId
    """Its id, e.g. `prop-0123456789abcdef`."""
    proposer: MemberId
    """Voter that proposed it, e.g. `bank-a`."""
    action: AnyAction
    """What it would do."""
    reason: ShortText
    """Why, e.g. `licensed by the supervisor on 1 July`."""
    voters: Keepers
    """Members that may vote on it: the constitution's when it was opened."""
    quorum_ppm: SharePpm
    """Share of the voters that must vote at all, as it was when it was opened."""
    threshold_ppm: SharePpm
    """Share of the yes among yes and no that carries it, as it was when it was opened."""
    opened_at_ms: AtMs
    """Ledger time at which it was opened, in milliseconds."""
    closes_at_ms: AtMs
    """Ledger time at which voting ends, in milliseconds."""
    timer_id: Id
    """Timer that ends the vote, or carries out what was carried, e.g. `tmr-0123456789abcdef`."""
    timer_at_ms: AtMs
    """Ledger time at which that timer is due, in milliseconds."""
    yes: Count = 0
    """Votes for it."""
    no: Count = 0
    """Votes against it."""
    abstain: Count = 0
    """Votes that only count for the quorum."""
    status: ProposalStatus = ProposalStatus.OPEN
    """Where it stands; carried becomes enacted in a later block."""


@record(key=("proposal_id", "voter"), lists=(("voter",),), seen_by=PUBLIC)
class Vote(Record, tag="governance.vote.1"):
    """What a member said to a proposal; it is not taken back."""

    proposal_id: ProposalId
    """Proposal it is about."""
    voter: MemberId
    """Who voted, e.g. `bank-a`."""
    choice: Choice
    """What it said."""
    cast_at_ms: AtMs
    """Ledger time of the vote, in milliseconds."""
