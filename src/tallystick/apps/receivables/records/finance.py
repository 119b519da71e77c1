"""Money against a piece, and the claim on who got it."""

from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    Attestation,
    ClaimId,
    ClaimStatus,
    DealId,
    DealStatus,
    Moneys,
    OfferTerms,
    PieceId,
    PpmPerDay,
    Registrations,
    UndertakingId,
    Warnings,
)
from tallystick.ledger.app import Record, record
from tallystick.values.units import (
    AtMs,
    Currency,
    Day,
    Days,
    Label,
    Minor,
    OutletId,
    PartyId,
    YearlyCostPpm,
)

DEAL_MOVES = {
    None: (DealStatus.APPLIED,),
    DealStatus.APPLIED: (
        DealStatus.OFFERED,
        DealStatus.DECLINED,
        DealStatus.LAPSED,
        DealStatus.WITHDRAWN,
    ),
    DealStatus.OFFERED: (DealStatus.ACCEPTED, DealStatus.LAPSED, DealStatus.WITHDRAWN),
    DealStatus.ACCEPTED: (DealStatus.FINANCED, DealStatus.UNWOUND),
    DealStatus.FINANCED: (DealStatus.REPAID, DealStatus.BOUGHT_BACK),
}


CLAIM_MOVES = {
    None: (ClaimStatus.NOTIFIED,),
    ClaimStatus.NOTIFIED: (ClaimStatus.REPAID, ClaimStatus.FAILED),
    ClaimStatus.FAILED: (ClaimStatus.REPAID,),
}


@record(
    key=("deal_id",),
    missing=Refusal.NO_SUCH_DEAL,
    moves=DEAL_MOVES,
    lists=(("financier", "status"), ("assignor", "status"), ("piece_id",)),
    seen_by=("assignor", "financier"),
)
class Deal(Record, tag="receivables.deal.1"):
    """Money against a piece, from the application to one financier to the end of its claim."""

    deal_id: DealId
    """Id of the deal."""
    piece_id: PieceId
    """Piece that is financed."""
    undertaking_id: UndertakingId
    """Undertaking that it is part of."""
    assignor: PartyId
    """Who gets the money, e.g. `S2`."""
    financier: PartyId
    """Who gives it, e.g. `bank-a`."""
    outlet: OutletId | None = None
    """Branch of the financier that made the offer; None when it has no branches."""
    debtor: PartyId
    """Who owes the piece, e.g. `D1`."""
    amount_minor: Minor
    """Face of the piece, in minor units."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    payment_day: Day
    """Day to which interest runs: the due date rolled to a banking day. While an offer stands, the
    date for which it was made; before and afterwards it follows when the date moves."""
    grace_end_day: Day
    """Last day of the debtor's grace, e.g. `2026-10-12`; follows as the payment date does."""
    late_ppm_per_day: PpmPerDay
    """Late interest of the debtor a day, in parts per million of unpaid principal, e.g. 500."""
    moneys: Moneys = ()
    """Moneys in which the debtor may pay, e.g. `CNY@CB`; empty: every issuer's of the currency."""
    calendar_id: Label
    """Calendar of its days, e.g. `cn`."""
    registrations: Registrations
    """Registered invoices behind the undertaking."""
    status: DealStatus
    """Where it stands."""
    ends_at_ms: AtMs
    """When the present step lapses: application, offer or reservation."""
    offer: OfferTerms | None = None
    """What is offered; None before."""
    offered_at_ms: AtMs | None = None
    """Ledger time of the offer; an order on the piece since then has killed it. None before."""
    days: Days = 0
    """Days of interest from the value day to the payment date."""
    advance_minor: Minor = 0
    """Part of the face that is advanced, in minor units, rounded down."""
    interest_minor: Minor = 0
    """Interest to the payment date, in minor units, half-up."""
    fees_minor: Minor = 0
    """All fees that the assignor pays, in minor units."""
    net_cash_minor: Minor = 0
    """What the assignor receives at disbursement, in minor units."""
    yearly_cost_ppm: YearlyCostPpm = 0
    """(Interest + fees) / cash received x 365 / days, in parts per million."""
    value_day: Day | None = None
    """Day on which the money moved; None before."""
    advance_owed_minor: Minor = 0
    """With recourse: advance not yet got back, in minor units."""
    interest_owed_minor: Minor = 0
    """With recourse: interest owed for the days before `interest_from_day`, in minor units."""
    interest_from_day: Day | None = None
    """With recourse: first day for which interest is not counted yet; None before disbursement."""
    fees_owed_minor: Minor = 0
    """With recourse: fees due at maturity and not yet got, in minor units."""
    received_minor: Minor = 0
    """What the financier has been paid under the deal, in minor units."""
    released_minor: Minor = 0
    """What was paid above its claim and went to the assignor, in minor units."""
    attestation: Attestation | None = None
    """Public registration attested at disbursement; None before."""
    cleared: Warnings = ()
    """Warnings that the financier has named and signed."""
    claim_id: ClaimId | None = None
    """Recourse claim; None when none was made."""


@record(
    key=("claim_id",),
    missing=Refusal.NO_SUCH_CLAIM,
    moves=CLAIM_MOVES,
    lists=(("assignor", "status"), ("financier", "status")),
    seen_by=("financier", "assignor"),
)
class RecourseClaim(Record, tag="receivables.recourse_claim.1"):
    """A financier's claim on the assignor after the debtor's default (Civil Code 766)."""

    claim_id: ClaimId
    """Id of the claim."""
    deal_id: DealId
    """Deal under which it is made."""
    piece_id: PieceId
    """Piece whose unpaid rest goes back to the assignor when the claim is met."""
    financier: PartyId
    """Who claims, e.g. `factor-f`."""
    assignor: PartyId
    """Who answers, e.g. `S2`."""
    currency: Currency
    """Currency, e.g. `CNY`."""
    amount_minor: Minor
    """Claim on the day of notice, in minor units; interest runs on."""
    noticed_day: Day
    """Day of notice."""
    status: ClaimStatus
    """Where it stands."""
    fails_at_ms: AtMs
    """When it counts as failed if it has not been met."""
    repaid_minor: Minor = 0
    """What the assignor paid, in minor units; 0 when the debtor's payments met it."""
