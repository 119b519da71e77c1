"""What happens: one function per message, find → check → change."""

from tallystick.apps.cash import interface
from tallystick.apps.cash.messages import Capture, ExpireHold, Hold, Mint, Redeem, Release, Transfer
from tallystick.apps.cash.records import Held, Supply
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.members.interface import Scope, require_known, require_not_frozen
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.values.codec import replace
from tallystick.values.money import CURRENCIES, add, currency_of, issuer_of


def mint(ctx: Context, msg: Mint) -> None:
    """Issue money of one's own to a member."""
    require_known(ctx, msg.to)
    supply = ctx.peek(Supply, msg.money)
    require(currency_of(msg.money) in CURRENCIES, Refusal.UNKNOWN_CURRENCY, money=msg.money)
    _require_issuer(ctx, msg.money)
    require(msg.amount_minor > 0, Refusal.ZERO_AMOUNT)
    if supply is None:
        ctx.add(
            Supply(
                money=msg.money,
                issuer=ctx.party,
                issued_minor=msg.amount_minor,
                redeemed_minor=0,
            )
        )
    else:
        ctx.save(replace(supply, issued_minor=add(supply.issued_minor, msg.amount_minor)))
    interface.pay_in(ctx, msg.to, msg.money, msg.amount_minor)


def redeem(ctx: Context, msg: Redeem) -> None:
    """Take money of one's own out of use."""
    supply = ctx.get(Supply, msg.money)
    _require_issuer(ctx, msg.money)
    ctx.save(interface.pay_out(ctx, ctx.party, msg.money, msg.amount_minor))
    ctx.save(replace(supply, redeemed_minor=supply.redeemed_minor + msg.amount_minor))


def transfer(ctx: Context, msg: Transfer) -> None:
    """Pay another member."""
    require_known(ctx, msg.to)
    interface.move(
        ctx, source=ctx.party, target=msg.to, money=msg.money, amount_minor=msg.amount_minor
    )


def hold(ctx: Context, msg: Hold) -> None:
    """Set money aside, for a beneficiary or as a reserve of one's own."""
    if msg.beneficiary is not None:
        require_known(ctx, msg.beneficiary)
    require(msg.beneficiary != ctx.party, Refusal.SELF_TRANSFER, party=ctx.party)
    expires_at_ms = msg.expires_at_ms
    ends_later = expires_at_ms is None or expires_at_ms > ctx.now_ms
    require(ends_later, Refusal.EXPIRY_PASSED)
    left = interface.pay_out(ctx, ctx.party, msg.money, msg.amount_minor)
    ctx.save(replace(left, held_minor=left.held_minor + msg.amount_minor))
    hold_id = ctx.new_id("hold")
    ctx.add(
        Held(
            hold_id=hold_id,
            owner=ctx.party,
            money=msg.money,
            amount_minor=msg.amount_minor,
            remaining_minor=msg.amount_minor,
            purpose=msg.purpose,
            beneficiary=msg.beneficiary,
            expires_at_ms=expires_at_ms,
            timer_id=None
            if expires_at_ms is None
            else ctx.at(expires_at_ms, ExpireHold(hold_id=hold_id)),
        )
    )


def release(ctx: Context, msg: Release) -> None:
    """Let held money go back to its owner."""
    kept = ctx.get(Held, msg.hold_id)
    require(kept.subject is None, Refusal.HELD_FOR_RECORD, hold_id=msg.hold_id)
    is_over = kept.beneficiary is None or _has_expired(ctx, kept)
    entitled = (kept.beneficiary, kept.owner) if is_over else (kept.beneficiary,)
    require(ctx.party in entitled, Refusal.NOT_YOUR_HOLD, hold_id=msg.hold_id)
    interface.release(ctx, msg.hold_id, msg.amount_minor)


def capture(ctx: Context, msg: Capture) -> None:
    """Take money that was held for one."""
    kept = ctx.get(Held, msg.hold_id)
    require(kept.subject is None, Refusal.HELD_FOR_RECORD, hold_id=msg.hold_id)
    require(kept.beneficiary == ctx.party, Refusal.NOT_BENEFICIARY, hold_id=msg.hold_id)
    require(not _has_expired(ctx, kept), Refusal.HOLD_EXPIRED, hold_id=msg.hold_id)
    require_not_frozen(ctx, Scope.CASH_ACCOUNT, f"{kept.money}/{kept.owner}")
    amount = kept.remaining_minor if msg.amount_minor is None else msg.amount_minor
    interface.capture(ctx, msg.hold_id, target=ctx.party, amount_minor=amount)


def expire_hold(ctx: Context, msg: ExpireHold) -> None:
    """The time of a hold is over; nothing happens if nothing of it remains."""
    kept = ctx.peek(Held, msg.hold_id)
    if kept is not None:
        interface.draw(ctx, kept, target=kept.owner, amount_minor=kept.remaining_minor)


def _require_issuer(ctx: Context, money: str) -> None:
    """Only who owes a money issues and redeems it."""
    require(issuer_of(money) == ctx.party, Refusal.NOT_ISSUER, party=ctx.party, money=money)


def _has_expired(ctx: Context, kept: Held) -> bool:
    """Whether a hold's time is over, even if the timer has not run yet."""
    return kept.expires_at_ms is not None and ctx.now_ms >= kept.expires_at_ms
