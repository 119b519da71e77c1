"""What the votes cast so far come to."""

from tallystick.apps.governance.records import Proposal, ProposalStatus
from tallystick.values.units import PPM


def verdict(proposal: Proposal, *, is_over: bool) -> ProposalStatus:
    """Carried or rejected, once the votes left cannot change it; else open, or at the end lapsed.

    A proposal is carried when enough voters voted (the quorum) and the yes are enough of yes and no
    (the threshold). Shares are compared as whole products, so nothing is rounded.
    """
    cast = proposal.yes + proposal.no + proposal.abstain
    left = 0 if is_over else len(proposal.voters) - cast
    has_quorum = cast * PPM >= proposal.quorum_ppm * len(proposal.voters)
    if is_over and not has_quorum:
        return ProposalStatus.LAPSED
    if has_quorum and _carries(proposal, proposal.yes, proposal.no + left):
        return ProposalStatus.CARRIED
    if not _carries(proposal, proposal.yes + left, proposal.no):
        return ProposalStatus.REJECTED
    return ProposalStatus.OPEN


def _carries(proposal: Proposal, yes: int, no: int) -> bool:
    """Are so many yes and no enough?"""
    return yes > 0 and yes * PPM >= proposal.threshold_ppm * (yes + no)
