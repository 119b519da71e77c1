"""What must always hold of receivables; yields a sentence for each thing that does not."""

from collections.abc import Iterator

from tallystick.apps.cash.interface import remaining
from tallystick.apps.documents.interface import WATCHERS_MAX, told_of_disputes
from tallystick.apps.receivables.deals import deals_in_step, offer_of
from tallystick.apps.receivables.records import (
    Cascade,
    Deal,
    Funding,
    Leaf,
    Leg,
    Payable,
    Piece,
    RecourseClaim,
    Shares,
    Transfer,
    Undertaking,
    Withheld,
)
from tallystick.apps.receivables.standing import OWING
from tallystick.apps.receivables.terms import (
    CascadeStatus,
    ClaimStatus,
    DealStatus,
    LockKind,
    PieceStatus,
    Retired,
    TransferStatus,
    UndertakingStatus,
)
from tallystick.ledger.view import View
from tallystick.values.interval import Interval, partitions

BEFORE_OPEN = (
    UndertakingStatus.PROPOSED,
    UndertakingStatus.CANCELLED,
    UndertakingStatus.REJECTED,
    UndertakingStatus.EXPIRED,
)
"""There are no pieces yet, or never will be."""


def pieces_partition_the_face(view: View) -> Iterator[str]:
    """The pieces that are not split further make up every cent of the face exactly once."""
    for undertaking in view.scan(Undertaking):
        name = undertaking.undertaking_id
        leaves = tuple(view.scan(Leaf, name))
        intervals = [
            Interval(start_minor=leaf.start_minor, end_minor=leaf.end_minor) for leaf in leaves
        ]
        face = 0 if undertaking.status in BEFORE_OPEN else undertaking.amount_minor
        if not partitions(face, intervals):
            yield f"the pieces of {name} do not make up its face"
        if len(leaves) != undertaking.pieces_count:
            yield f"{name} is in {len(leaves)} pieces and says {undertaking.pieces_count}"


def leaves_and_pieces_agree(view: View) -> Iterator[str]:
    """What the debtor's side says of a piece is what its holder's says."""
    leaves = {leaf.piece_id: leaf for leaf in view.scan(Leaf)}
    for piece in view.scan(Piece):
        leaf = leaves.get(piece.piece_id)
        if piece.retired is Retired.SPLIT:
            if leaf is not None:
                yield f"{piece.piece_id} was split and still counts"
            continue
        if leaf is None:
            yield f"{piece.piece_id} counts nowhere"
            continue
        mine = (piece.undertaking_id, piece.start_minor, piece.end_minor, piece.paid_minor)
        theirs = (leaf.undertaking_id, leaf.start_minor, leaf.end_minor, leaf.paid_minor)
        late = (piece.late_owed_minor, piece.late_from_day, piece.written_off_minor)
        if mine != theirs or late != (
            leaf.late_owed_minor,
            leaf.late_from_day,
            leaf.written_off_minor,
        ):
            yield f"{piece.piece_id} and its leaf differ"


def pieces_carry_their_terms(view: View) -> Iterator[str]:
    """A held piece, and the deals on it, state the terms of its undertaking.

    Its dates too, unless a moved date is just being told to holders.
    """
    for piece in view.scan(Piece):
        if piece.status is not PieceStatus.HELD:
            continue
        undertaking = view.get(Undertaking, piece.undertaking_id)
        is_told = undertaking.tellings == 0
        cut = (piece.due_day, piece.min_piece_minor, piece.hops_max)
        if cut != (undertaking.due_day, undertaking.min_piece_minor, undertaking.hops_max):
            yield f"{piece.piece_id} is cut and passed on by other terms than its undertaking's"
        if is_told and piece.transfer_cutoff_at_ms != undertaking.transfer_cutoff_at_ms:
            yield f"{piece.piece_id} states another transfer cut-off than its undertaking"
        carriers: tuple[Piece | Deal, ...] = (piece, *deals_in_step(view, piece))
        for each in carriers:
            if _paid_by(each) != _paid_by(undertaking):
                yield f"{piece.piece_id}, or a deal on it, is paid by other terms"
            if is_told and _paid_on(each) != _paid_on(undertaking):
                yield f"{piece.piece_id}, or a deal on it, is paid on other days"


def _paid_by(kept: Piece | Deal | Undertaking) -> tuple[str, str, int, tuple[str, ...]]:
    """Who pays, in which moneys, at which late interest."""
    return (kept.debtor, kept.currency, kept.late_ppm_per_day, kept.moneys)


def _paid_on(kept: Piece | Deal | Undertaking) -> tuple[str, str]:
    """Payment date and end of grace."""
    return (kept.payment_day, kept.grace_end_day)


def held_pieces_are_owed(view: View) -> Iterator[str]:
    """A held piece is owed something, a retired one nothing; both within its interval."""
    for piece in view.scan(Piece):
        if piece.left_minor < 0:
            yield f"{piece.piece_id} was paid more than its face"
        if piece.retired is Retired.SPLIT:
            continue
        owed = piece.left_minor + piece.late_owed_minor
        if (piece.status is PieceStatus.HELD) != (owed > 0):
            yield f"{piece.piece_id} is {piece.status.value} and is owed {owed}"


def sums_of_pieces_are_the_undertaking(view: View) -> Iterator[str]:
    """Live principal is face less paid less given up; late interest owed is the pieces' sum."""
    for undertaking in view.scan(Undertaking):
        if undertaking.status in BEFORE_OPEN:
            continue
        leaves = tuple(view.scan(Leaf, undertaking.undertaking_id))
        if sum(leaf.left_minor for leaf in leaves) != undertaking.left_minor:
            yield f"live principal of {undertaking.undertaking_id} is not face less paid"
        late = sum(leaf.late_owed_minor for leaf in leaves)
        if not undertaking.is_running and late != undertaking.late_owed_minor:
            yield f"late interest of {undertaking.undertaking_id} is not the sum of its pieces'"
        owed = undertaking.left_minor + late
        if undertaking.status not in OWING and owed:
            yield f"{undertaking.undertaking_id} is {undertaking.status.value} and owes {owed}"


def money_held_is_money_kept(view: View) -> Iterator[str]:
    """The cash held for an undertaking is what its fundings and the undertaking say."""
    held: dict[str, int] = {}
    for funding in view.scan(Funding):
        name = funding.undertaking_id
        held[name] = held.get(name, 0) + funding.left_minor
        if funding.left_minor != remaining(view, funding.hold_id):
            yield f"the hold of {name} in {funding.money} is not what is kept of it"
    for undertaking in view.scan(Undertaking):
        if held.get(undertaking.undertaking_id, 0) != undertaking.held_minor:
            yield f"{undertaking.undertaking_id} says it holds {undertaking.held_minor}"


def withheld_money_is_there(view: View) -> Iterator[str]:
    """What an order keeps back is still held for the undertaking."""
    kept: dict[str, int] = {}
    for each in view.scan(Withheld):
        kept[each.undertaking_id] = kept.get(each.undertaking_id, 0) + each.amount_minor
    for name, amount in sorted(kept.items()):
        if amount > view.get(Undertaking, name).held_minor:
            yield f"more is kept back than is held for {name}"


def payments_are_shared_out_whole(view: View) -> Iterator[str]:
    """The shares of a payment add up to it, and the legs paid to what its shares say."""
    for cascade in view.scan(Cascade):
        name = f"payment {cascade.number} of {cascade.undertaking_id}"
        shares = view.get(Shares, cascade.undertaking_id, cascade.number).shares
        if sum(each.late_minor + each.principal_minor for each in shares) != cascade.amount_minor:
            yield f"the shares of {name} do not add up"
        legs = tuple(view.scan(Leg, cascade.undertaking_id, cascade.number))
        paid = shares[: cascade.legs_paid]
        if sum(leg.late_minor + leg.principal_minor for leg in legs) != sum(
            each.late_minor + each.principal_minor for each in paid
        ):
            yield f"the legs of {name} are not its shares"
        if (cascade.status is CascadeStatus.PAID) != (cascade.legs_paid == len(shares)):
            yield f"{name} is {cascade.status.value} with {cascade.legs_paid} legs paid"


def locks_have_their_reason(view: View) -> Iterator[str]:
    """A lock of a transfer or deal lies on a piece as long as that waits, and no longer."""
    expected: dict[tuple[str, str], LockKind] = {}
    for transfer in view.scan(Transfer):
        if transfer.status is TransferStatus.PROPOSED and view.now_ms < transfer.lapses_at_ms:
            expected[transfer.piece_id, transfer.transfer_id] = LockKind.TRANSFER_PENDING
    for deal in view.scan(Deal):
        if view.now_ms >= deal.ends_at_ms:
            continue
        if deal.status in (DealStatus.APPLIED, DealStatus.OFFERED):
            expected[deal.piece_id, deal.deal_id] = LockKind.OFFERED
        elif deal.status is DealStatus.ACCEPTED:
            expected[deal.piece_id, deal.deal_id] = LockKind.RESERVED
    found = {
        (piece.piece_id, lock.subject): lock.kind
        for piece in view.scan(Piece)
        for lock in piece.locks
        if lock.end_at_ms is not None and view.now_ms < lock.end_at_ms
    }
    if found != expected:
        differ = sorted(set(found.items()) ^ set(expected.items()), key=str)
        yield f"locks and what they are for differ: {differ}"


def no_piece_is_financed_twice(view: View) -> Iterator[str]:
    """A piece carries one deal at most, and its holder is that deal's financier."""
    live: dict[str, str] = {}
    for deal in view.scan(Deal):
        if deal.status is DealStatus.ACCEPTED:
            if deal.piece_id in live:
                yield f"{deal.piece_id} is promised to two financiers"
            live[deal.piece_id] = deal.deal_id
    for piece in view.scan(Piece):
        if piece.deal_id is None:
            continue
        deal = view.get(Deal, piece.deal_id)
        if deal.piece_id != piece.piece_id:
            yield f"{piece.piece_id} carries the deal of another piece"
        if piece.status is PieceStatus.HELD and piece.holder != deal.financier:
            yield f"{piece.piece_id} is financed by {deal.deal_id} and held by another"
        if piece.status is PieceStatus.HELD and deal.status is not DealStatus.FINANCED:
            yield f"{piece.piece_id} is held under {deal.deal_id}, which has ended"


def financed_deals_have_their_piece(view: View) -> Iterator[str]:
    """A deal is financed only as long as its piece carries it: a piece sold on ends it."""
    for deal in view.scan(Deal):
        if deal.status is not DealStatus.FINANCED:
            continue
        piece = view.get(Piece, deal.piece_id)
        if piece.deal_id != deal.deal_id:
            yield f"{deal.deal_id} is financed and {piece.piece_id} has left it"


def holders_are_told_of_disputes(view: View) -> Iterator[str]:
    """Who holds a piece is told when an invoice behind it is disputed."""
    papers = {each.undertaking_id: each.registrations for each in view.scan(Undertaking)}
    for piece in view.scan(Piece):
        for registration_id in papers[piece.undertaking_id]:
            told = told_of_disputes(view, registration_id)
            if piece.holder not in told and len(told) < WATCHERS_MAX:
                yield f"the holder of {piece.piece_id} would not hear of a dispute"


def claims_follow_their_deals(view: View) -> Iterator[str]:
    """A recourse claim is open only while its deal with recourse is."""
    for claim in view.scan(RecourseClaim):
        deal = view.get(Deal, claim.deal_id)
        if not offer_of(deal).recourse:
            yield f"{claim.claim_id} is on a deal without recourse"
        if (claim.status is ClaimStatus.REPAID) != (deal.status is DealStatus.REPAID):
            yield f"{claim.claim_id} is {claim.status.value}, its deal {deal.status.value}"


def books_list_what_is_open(view: View) -> Iterator[str]:
    """A debtor's book lists its open undertakings and nothing else."""
    listed = {payable.undertaking_id: payable.payment_day for payable in view.scan(Payable)}
    owing = {
        each.undertaking_id: each.payment_day
        for each in view.scan(Undertaking)
        if each.status in OWING
    }
    if listed != owing:
        yield "the debtors' books are not the open undertakings"
