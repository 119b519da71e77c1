"""Locks on a piece: what binds it now, and laying and lifting them."""

from collections.abc import Container

from msgspec.structs import replace

from tallystick.apps.members.interface import (
    Scope,
    frozen,
    frozen_since,
    require_not_frozen,
)
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.records import Deal, Piece
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.terms import (
    LOCKS_MAX,
    DealStatus,
    Lock,
    LockKind,
    PieceStatus,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import Refused
from tallystick.ledger.view import Reader

OFFERS = (LockKind.OFFERED,)
"""Locks that leave the holder free to ask further financiers."""


def standing_locks(piece: Piece, now_ms: int) -> tuple[Lock, ...]:
    """Locks that bind at this moment; those whose end has come do not, lifted or not."""
    locks = piece.locks
    for lock in locks:
        if lock.end_at_ms is not None and now_ms >= lock.end_at_ms:
            return tuple(
                [each for each in locks if each.end_at_ms is None or now_ms < each.end_at_ms]
            )
    return locks


def own_piece(ctx: Context, piece_id: str) -> Piece:
    """The piece, if the acting party holds it, without offers that an order has killed."""
    piece = ctx.get(Piece, piece_id)
    if piece.holder != ctx.party:
        raise Refused(Refusal.NOT_HOLDER, {"party": ctx.party, "piece_id": piece_id})
    if piece.status is not PieceStatus.HELD:
        raise Refused(Refusal.PIECE_RETIRED, {"piece_id": piece_id})
    return without_dead_offers(ctx, piece)


def is_dead(reader: Reader, deal: Deal) -> bool:
    """Has an order on the piece killed an offer that stands? It stays dead when the order ends."""
    if deal.offered_at_ms is None:
        return False
    return frozen_since(reader, Scope.PIECE, deal.piece_id, deal.offered_at_ms)


def without_dead_offers(ctx: Context, piece: Piece) -> Piece:
    """The piece, once offers that an order has killed have lapsed and their locks are gone."""
    after = piece
    for lock in standing_locks(piece, ctx.now_ms):
        deal = known(ctx, Deal, lock.subject) if lock.kind is LockKind.OFFERED else None
        if deal is not None and is_dead(ctx, deal):
            ctx.save(replace(deal, status=DealStatus.LAPSED))
            after = without(after, deal.deal_id)
    if after.locks != piece.locks:
        ctx.save(after)
    return after


def require_free(ctx: Context, piece: Piece, *, beside: Container[LockKind] = ()) -> None:
    """Refuse unless nothing binds the piece beside locks of these kinds, and no order does."""
    for lock in standing_locks(piece, ctx.now_ms):
        if lock.kind not in beside:
            raise _locked(piece, lock.kind)
    require_not_frozen(ctx, Scope.PIECE, piece.piece_id)


def _locked(piece: Piece, kind: LockKind) -> Refused:
    """The refusal for a piece that a lock binds."""
    return Refused(Refusal.PIECE_LOCKED, {"piece_id": piece.piece_id, "kind": kind.value})


def is_frozen(reader: Reader, piece_id: str) -> bool:
    """Does an order of an authority stand on the piece?"""
    return frozen(reader, Scope.PIECE, piece_id) is not None


def lay(piece: Piece, *locks: Lock, now_ms: int) -> Piece:
    """The piece with locks added; those that no longer bind are dropped."""
    together = (*standing_locks(piece, now_ms), *locks)
    if len(together) > LOCKS_MAX:
        raise _locked(piece, LockKind.OFFERED)
    return replace(piece, locks=together)


def without(piece: Piece, subject: str) -> Piece:
    """The piece without the locks of one transfer or deal."""
    return replace(piece, locks=tuple(lock for lock in piece.locks if lock.subject != subject))


def lift(ctx: Context, piece_id: str, subject: str) -> None:
    """Take the locks of one transfer or deal off a piece, if they still lie on it."""
    piece = known(ctx, Piece, piece_id)
    freed = without(piece, subject)
    if freed.locks != piece.locks:
        ctx.save(freed)
