"""What holders do when the debtor has defaulted."""

from msgspec.structs import replace

from tallystick.apps.cash import interface as cash
from tallystick.apps.members.interface import Scope, require_not_frozen
from tallystick.apps.receivables import parameters
from tallystick.apps.receivables.dates import end_of_day
from tallystick.apps.receivables.deals import claim_of, close, offer_of, with_recourse
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.locks import own_piece
from tallystick.apps.receivables.messages import (
    FailRecourse,
    NotifyRecourse,
    RepayRecourse,
    WriteOff,
)
from tallystick.apps.receivables.papers import Reason, set_free
from tallystick.apps.receivables.records import Deal, Leaf, Piece, RecourseClaim, Undertaking
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.standing import (
    banking_of,
    current_of,
    require_money,
    require_settled,
    today_of,
)
from tallystick.apps.receivables.standing import close as close_undertaking
from tallystick.apps.receivables.terms import (
    ClaimStatus,
    DealStatus,
    PieceStatus,
    Retired,
    UndertakingStatus,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require


def notify_recourse(ctx: Context, msg: NotifyRecourse) -> None:
    """As financier with recourse, claim on the assignor once the debtor has defaulted."""
    deal = ctx.get(Deal, msg.deal_id)

    require(deal.financier == ctx.party, Refusal.NOT_FINANCIER, party=ctx.party)
    told = {"deal_id": deal.deal_id}
    undertaking = current_of(ctx, deal)
    deal = known(ctx, Deal, msg.deal_id)
    require(deal.status is DealStatus.FINANCED, Refusal.DEAL_CLOSED, **told)
    require(offer_of(deal).recourse, Refusal.NO_RECOURSE, **told)
    _require_defaulted(undertaking)
    require_settled(undertaking)
    require(deal.claim_id is None, Refusal.ALREADY_NOTIFIED, **told)

    banking = banking_of(ctx, undertaking)
    today = banking.day_of(ctx.now_ms)
    days = parameters.value(ctx, "recourse_banking_days")
    claim = RecourseClaim(
        claim_id=ctx.new_id("claim"),
        deal_id=deal.deal_id,
        piece_id=deal.piece_id,
        financier=deal.financier,
        assignor=deal.assignor,
        currency=deal.currency,
        amount_minor=claim_of(deal, today).total_minor,
        noticed_day=today,
        status=ClaimStatus.NOTIFIED,
        fails_at_ms=end_of_day(banking, ctx.now_ms, days),
    )
    ctx.add(claim)
    ctx.save(replace(deal, claim_id=claim.claim_id))
    ctx.at(claim.fails_at_ms, FailRecourse(claim_id=claim.claim_id))


def repay_recourse(ctx: Context, msg: RepayRecourse) -> None:
    """As assignor, meet a recourse claim; the unpaid rest of the piece comes back."""
    claim = ctx.get(RecourseClaim, msg.claim_id)

    require(claim.assignor == ctx.party, Refusal.NOT_ASSIGNOR, party=ctx.party)
    require(claim.status is not ClaimStatus.REPAID, Refusal.CLAIM_CLOSED, claim_id=msg.claim_id)
    deal = known(ctx, Deal, claim.deal_id)
    undertaking = current_of(ctx, deal)
    require_settled(undertaking)
    require_not_frozen(ctx, Scope.PIECE, deal.piece_id)
    require_money(undertaking, msg.money)
    today = today_of(ctx, undertaking)
    owed = claim_of(deal, today).total_minor
    fits = msg.amount_minor == owed
    require(fits, Refusal.AMOUNT_DIFFERS, expected_minor=owed, money=msg.money)
    piece = known(ctx, Piece, deal.piece_id)
    is_there = piece.status is PieceStatus.HELD
    require(is_there, Refusal.PIECE_RETIRED, piece_id=piece.piece_id)

    cash.transfer(ctx, source=ctx.party, target=claim.financier, money=msg.money, amount_minor=owed)
    paid = replace(deal, received_minor=deal.received_minor + owed)
    close(ctx, paid, DealStatus.REPAID, today)
    ctx.save(replace(claim, status=ClaimStatus.REPAID, repaid_minor=owed))
    ctx.save(replace(piece, holder=ctx.party, deal_id=None))
    if _is_whole(piece, undertaking) and ctx.party == undertaking.supplier:
        set_free(ctx, undertaking.registrations, undertaking.undertaking_id, Reason.OBSA)


def write_off(ctx: Context, msg: WriteOff) -> None:
    """As holder, give up what a defaulted debtor still owes on a piece."""
    piece = own_piece(ctx, msg.piece_id)
    undertaking = current_of(ctx, piece)

    _require_defaulted(undertaking)
    require_settled(undertaking)
    require_not_frozen(ctx, Scope.PIECE, piece.piece_id)
    _require_no_recourse(ctx, piece)

    ctx.save(
        replace(
            piece,
            status=PieceStatus.RETIRED,
            retired=Retired.WRITTEN_OFF,
            written_off_minor=piece.left_minor,
            late_owed_minor=0,
        )
    )
    leaf = known(ctx, Leaf, piece.undertaking_id, piece.start_minor)
    ctx.save(replace(leaf, written_off_minor=piece.left_minor, late_owed_minor=0))
    after = replace(
        undertaking,
        written_off_minor=undertaking.written_off_minor + piece.left_minor,
        late_owed_minor=undertaking.late_owed_minor - piece.late_owed_minor,
    )
    if after.left_minor == 0 and after.late_owed_minor == 0:
        close_undertaking(ctx, after, UndertakingStatus.WRITTEN_OFF)
    else:
        ctx.save(after)


def fail_recourse(ctx: Context, msg: FailRecourse) -> None:
    """A recourse claim was not met in time."""
    claim = known(ctx, RecourseClaim, msg.claim_id)
    if claim.status is ClaimStatus.NOTIFIED:
        ctx.save(replace(claim, status=ClaimStatus.FAILED))


def _require_defaulted(undertaking: Undertaking) -> None:
    """Refuse before grace has ended without payment."""
    defaulted = undertaking.status is UndertakingStatus.DEFAULTED
    told = {"undertaking_id": undertaking.undertaking_id}
    require(defaulted, Refusal.NOT_DEFAULTED, **told)


def _is_whole(piece: Piece, undertaking: Undertaking) -> bool:
    """Is the piece the whole undertaking?"""
    return piece.amount_minor == undertaking.amount_minor


def _require_no_recourse(ctx: Context, piece: Piece) -> None:
    """Refuse a write-off while somebody answers for the debtor."""
    deal = with_recourse(ctx, piece)
    if deal is None:
        return
    claim = None if deal.claim_id is None else known(ctx, RecourseClaim, deal.claim_id)
    has_failed = claim is not None and claim.status is ClaimStatus.FAILED
    require(has_failed, Refusal.RECOURSE_STANDS, piece_id=piece.piece_id)
