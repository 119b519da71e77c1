"""What holders do with pieces: cut them and pass them on."""

from msgspec.structs import replace

from tallystick.apps.members.interface import require_active, require_licensed
from tallystick.apps.receivables import parameters
from tallystick.apps.receivables.alerts import tell
from tallystick.apps.receivables.dates import end_of_day
from tallystick.apps.receivables.deals import end_sold, with_recourse
from tallystick.apps.receivables.known import known
from tallystick.apps.receivables.locks import lay, lift, own_piece, require_free
from tallystick.apps.receivables.messages import (
    TRADE,
    AcceptPass,
    AskReturn,
    LapsePass,
    Pass,
    RefusePass,
    ReturnPass,
    Split,
    WithdrawPass,
)
from tallystick.apps.receivables.papers import (
    Purpose,
    Reason,
    put_under,
    rely_on,
    require_distinct,
    require_papers,
    set_free,
)
from tallystick.apps.receivables.records import Leaf, Piece, Transfer, Undertaking
from tallystick.apps.receivables.refusals import Refusal
from tallystick.apps.receivables.standing import banking_of, current_of, require_transferable
from tallystick.apps.receivables.terms import (
    FORMER_HOLDERS_MAX,
    AlertKind,
    Lock,
    LockKind,
    PieceStatus,
    Retired,
    TransferStatus,
)
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.interval import Interval

BLANK = " \t\r\n\u00a0\u3000"
"""What says nothing by itself; written out, for Python's own table may change."""


def split(ctx: Context, msg: Split) -> None:
    """Cut a piece into parts, from its lowest cent up."""
    piece = own_piece(ctx, msg.piece_id)
    undertaking = current_of(ctx, piece)

    _require_disposable(ctx, piece, undertaking)
    _require_parts(piece, undertaking, msg.parts_minor)

    retired = replace(piece, status=PieceStatus.RETIRED, retired=Retired.SPLIT, locks=())
    ctx.save(retired)
    ctx.delete(Leaf, piece.undertaking_id, piece.start_minor)
    for interval in piece.interval.cut(msg.parts_minor):
        _add_part(ctx, piece, interval)
    count = undertaking.pieces_count + len(msg.parts_minor) - 1
    ctx.save(replace(undertaking, pieces_count=count))


def pass_(ctx: Context, msg: Pass) -> None:
    """Offer a piece to another member in settlement of its invoices."""
    piece = own_piece(ctx, msg.piece_id)
    undertaking = current_of(ctx, piece)

    _require_disposable(ctx, piece, undertaking)
    _require_receiver(ctx, piece, msg.to)
    require_distinct(msg.registrations)
    told = {"piece_id": piece.piece_id}
    few = piece.hops < undertaking.hops_max and len(piece.former_holders) < FORMER_HOLDERS_MAX
    require(few, Refusal.TOO_MANY_HOPS, **told)
    is_loop = msg.to in piece.former_holders
    require(not is_loop or msg.reason.strip(BLANK) != "", Refusal.LOOP, **told)
    _require_settlement(ctx, piece, msg)

    banking = banking_of(ctx, undertaking)
    days = parameters.value(ctx, "pass_banking_days")
    lapses_at_ms = min(end_of_day(banking, ctx.now_ms, days), undertaking.transfer_cutoff_at_ms)
    transfer = Transfer(
        transfer_id=ctx.new_id("pass"),
        piece_id=piece.piece_id,
        undertaking_id=piece.undertaking_id,
        sender=ctx.party,
        receiver=msg.to,
        debtor=piece.debtor,
        amount_minor=piece.amount_minor,
        currency=piece.currency,
        payment_day=piece.payment_day,
        registrations=msg.registrations,
        reason=msg.reason,
        status=TransferStatus.PROPOSED,
        lapses_at_ms=lapses_at_ms,
    )
    ctx.add(transfer)
    lock = Lock(
        kind=LockKind.TRANSFER_PENDING,
        owner=msg.to,
        subject=transfer.transfer_id,
        end_at_ms=lapses_at_ms,
    )
    ctx.save(lay(piece, lock, now_ms=ctx.now_ms))
    ctx.at(lapses_at_ms, LapsePass(transfer_id=transfer.transfer_id))
    if is_loop:
        tell(ctx, AlertKind.LOOP, to=None, subject=transfer.transfer_id)


def accept_pass(ctx: Context, msg: AcceptPass) -> None:
    """Accept a piece that was passed on; it costs nothing."""
    transfer = ctx.get(Transfer, msg.transfer_id)

    require(transfer.receiver == ctx.party, Refusal.NOT_RECEIVER, party=ctx.party)
    _require_pending(ctx, transfer)
    undertaking = current_of(ctx, transfer)
    require_transferable(ctx, undertaking)
    piece = known(ctx, Piece, transfer.piece_id)
    require_free(ctx, piece, beside=(LockKind.TRANSFER_PENDING,))
    require_papers(
        ctx,
        transfer.registrations,
        member=ctx.party,
        purpose=Purpose.SETTLEMENT,
        currency=piece.currency,
    )

    put_under(ctx, transfer.registrations, transfer.transfer_id)
    rely_on(ctx, undertaking.registrations, ctx.party)
    banking = banking_of(ctx, undertaking)
    end_sold(ctx, piece, banking.day_of(ctx.now_ms))
    ctx.save(
        replace(
            piece,
            holder=ctx.party,
            hops=piece.hops + 1,
            former_holders=(*piece.former_holders, transfer.sender),
            locks=(),
            deal_id=None,
        )
    )
    days = parameters.value(ctx, "return_banking_days")
    ctx.save(
        replace(
            transfer,
            status=TransferStatus.ACCEPTED,
            return_by_at_ms=end_of_day(banking, ctx.now_ms, days),
        )
    )


def refuse_pass(ctx: Context, msg: RefusePass) -> None:
    """Refuse a piece that was passed on."""
    transfer = ctx.get(Transfer, msg.transfer_id)

    require(transfer.receiver == ctx.party, Refusal.NOT_RECEIVER, party=ctx.party)
    _require_pending(ctx, transfer)

    _close(ctx, replace(transfer, answer=msg.reason), TransferStatus.REFUSED)


def withdraw_pass(ctx: Context, msg: WithdrawPass) -> None:
    """Take back a piece that was passed on and not yet accepted."""
    transfer = ctx.get(Transfer, msg.transfer_id)

    require(transfer.sender == ctx.party, Refusal.NOT_SENDER, party=ctx.party)
    _require_pending(ctx, transfer)

    _close(ctx, transfer, TransferStatus.WITHDRAWN)


def ask_return(ctx: Context, msg: AskReturn) -> None:
    """Ask for a piece back that was passed on in error."""
    transfer = ctx.get(Transfer, msg.transfer_id)

    require(transfer.sender == ctx.party, Refusal.NOT_SENDER, party=ctx.party)
    _require_returnable(ctx, transfer)
    require(msg.error.strip(BLANK) != "", Refusal.RETURN_NOT_ASKED, transfer_id=msg.transfer_id)

    ctx.save(replace(transfer, error=msg.error))


def return_pass(ctx: Context, msg: ReturnPass) -> None:
    """Give back a piece that was passed on in error; it is no hop and no loop."""
    transfer = ctx.get(Transfer, msg.transfer_id)

    require(transfer.receiver == ctx.party, Refusal.NOT_RECEIVER, party=ctx.party)
    _require_returnable(ctx, transfer)
    require(transfer.error != "", Refusal.RETURN_NOT_ASKED, transfer_id=msg.transfer_id)
    piece = own_piece(ctx, transfer.piece_id)
    undertaking = current_of(ctx, transfer)
    _require_disposable(ctx, piece, undertaking)
    is_last = piece.former_holders[-1] == transfer.sender
    require(is_last, Refusal.TRANSFER_CLOSED, transfer_id=msg.transfer_id)

    set_free(ctx, transfer.registrations, transfer.transfer_id, Reason.OBSA)
    ctx.save(
        replace(
            piece,
            holder=transfer.sender,
            hops=piece.hops - 1,
            former_holders=piece.former_holders[:-1],
            locks=(),
        )
    )
    ctx.save(replace(transfer, status=TransferStatus.RETURNED))


def lapse_pass(ctx: Context, msg: LapsePass) -> None:
    """A transfer was not answered in time."""
    transfer = known(ctx, Transfer, msg.transfer_id)
    if transfer.status is TransferStatus.PROPOSED:
        _close(ctx, transfer, TransferStatus.LAPSED)


# --- Pieces


def _require_disposable(ctx: Context, piece: Piece, undertaking: Undertaking) -> None:
    """Refuse unless its holder may cut the piece or let it go."""
    require_transferable(ctx, undertaking)
    require_free(ctx, piece)
    is_own = with_recourse(ctx, piece) is None
    require(is_own, Refusal.FINANCED_WITH_RECOURSE, piece_id=piece.piece_id)


def _require_parts(piece: Piece, undertaking: Undertaking, parts: tuple[int, ...]) -> None:
    """Refuse parts that are not the piece, or too small, or too many."""
    told = {"piece_id": piece.piece_id}
    require(len(parts) > 1 and min(parts) > 0, Refusal.PART_EMPTY, **told)
    require(sum(parts) == piece.amount_minor, Refusal.PARTS_DIFFER, **told)
    require(min(parts) >= undertaking.min_piece_minor, Refusal.PART_TOO_SMALL, **told)
    together = undertaking.pieces_count + len(parts) - 1
    require(together <= undertaking.pieces_max, Refusal.TOO_MANY_PIECES, **told)


def _add_part(ctx: Context, whole: Piece, interval: Interval) -> None:
    """Keep one part of a piece that is cut."""
    part = replace(
        whole,
        piece_id=ctx.new_id("piece"),
        start_minor=interval.start_minor,
        end_minor=interval.end_minor,
        parent=whole.piece_id,
        locks=(),
        deal_id=None,
    )
    ctx.add(part)
    ctx.add(
        Leaf(
            undertaking_id=part.undertaking_id,
            start_minor=part.start_minor,
            end_minor=part.end_minor,
            debtor=part.debtor,
            piece_id=part.piece_id,
        )
    )


# --- Transfers


def _require_receiver(ctx: Context, piece: Piece, to: str) -> None:
    """Refuse a receiver that may not hold the piece."""
    require(to not in (ctx.party, piece.debtor), Refusal.RECEIVER_IS_PARTY, to=to)
    require_active(ctx, to)
    require_licensed(ctx, to, TRADE)


def _require_settlement(ctx: Context, piece: Piece, msg: Pass) -> None:
    """Refuse a pass that settles no invoices of the receiver, or smaller ones, where asked."""
    covered = require_papers(
        ctx,
        msg.registrations,
        member=msg.to,
        purpose=Purpose.SETTLEMENT,
        currency=piece.currency,
    )
    if parameters.value(ctx, "settlement_required"):
        require(msg.registrations != (), Refusal.NO_REGISTRATION)
        require(covered >= piece.amount_minor, Refusal.REGISTRATIONS_SHORT)


def _require_pending(ctx: Context, transfer: Transfer) -> None:
    """Refuse an answer that comes twice or too late."""
    pending = transfer.status is TransferStatus.PROPOSED and ctx.now_ms < transfer.lapses_at_ms
    require(pending, Refusal.TRANSFER_CLOSED, transfer_id=transfer.transfer_id)


def _require_returnable(ctx: Context, transfer: Transfer) -> None:
    """Refuse a return of what was never accepted, or accepted too long ago."""
    told = {"transfer_id": transfer.transfer_id}
    require(transfer.status is TransferStatus.ACCEPTED, Refusal.TRANSFER_CLOSED, **told)
    by_ms = transfer.return_by_at_ms
    require(by_ms is not None and ctx.now_ms < by_ms, Refusal.RETURN_TOO_LATE, **told)


def _close(ctx: Context, transfer: Transfer, status: TransferStatus) -> None:
    """End a transfer that was not accepted; the piece is free again."""
    ctx.save(replace(transfer, status=status))
    lift(ctx, transfer.piece_id, transfer.transfer_id)
