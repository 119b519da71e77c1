"""The least that other applications may do with cash.

Money of a party moves only if the party is in `ctx.acting` or gave a hold for the purpose. A frozen
account pays nothing out and still receives. What was held for another application's record before
the freeze is a mandate already given: the application may still capture it, or an order against
one debtor would stop the payment of everybody who holds its claims.
"""

from tallystick.apps.cash.records import Balance, Held
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.members.interface import Scope, require_not_frozen
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import need, require
from tallystick.ledger.view import Reader
from tallystick.values.codec import replace
from tallystick.values.money import add

__all__ = [
    "Held",
    "available",
    "capture",
    "draw",
    "get_hold",
    "held",
    "hold",
    "move",
    "pay_in",
    "pay_out",
    "release",
    "remaining",
    "top_up",
    "transfer",
]


def available(reader: Reader, party: str, money: str) -> int:
    """What a party can pay with, in minor units."""
    found = reader.peek(Balance, party, money)
    return 0 if found is None else found.available_minor


def held(reader: Reader, party: str, money: str) -> int:
    """What is held of a party's money, for whatever purpose, in minor units."""
    found = reader.peek(Balance, party, money)
    return 0 if found is None else found.held_minor


def get_hold(reader: Reader, hold_id: str) -> Held:
    """A hold; NO_SUCH_HOLD when nothing of it remains."""
    return reader.get(Held, hold_id)


def remaining(reader: Reader, hold_id: str) -> int:
    """What is left of a hold, in minor units; 0 when nothing of it remains."""
    found = reader.peek(Held, hold_id)
    return 0 if found is None else found.remaining_minor


def transfer(ctx: Context, *, source: str, target: str, money: str, amount_minor: int) -> None:
    """Pay from one party's balance into another's. `source` must act in this transaction."""
    require(source in ctx.acting, Refusal.NOT_ACTING, party=source)
    move(ctx, source=source, target=target, money=money, amount_minor=amount_minor)


def hold(ctx: Context, *, owner: str, money: str, amount_minor: int, subject: str) -> str:
    """Set money aside for a record of the calling application, e.g. an undertaking: the hold's id.

    `owner` must act in this transaction. Only `capture`, `release` and `top_up` move it then.
    """
    require(owner in ctx.acting, Refusal.NOT_ACTING, party=owner)
    left = pay_out(ctx, owner, money, amount_minor)
    ctx.save(replace(left, held_minor=left.held_minor + amount_minor))
    made = Held(
        hold_id=ctx.new_id("hold"),
        owner=owner,
        money=money,
        amount_minor=amount_minor,
        remaining_minor=amount_minor,
        subject=subject,
    )
    ctx.add(made)
    return made.hold_id


def top_up(ctx: Context, hold_id: str, amount_minor: int) -> None:
    """Add to a hold that has not been used up. Its owner must act in this transaction."""
    kept = ctx.get(Held, hold_id)
    require(kept.owner in ctx.acting, Refusal.NOT_ACTING, party=kept.owner)
    left = pay_out(ctx, kept.owner, kept.money, amount_minor)
    ctx.save(replace(left, held_minor=left.held_minor + amount_minor))
    ctx.save(
        replace(
            kept,
            amount_minor=add(kept.amount_minor, amount_minor),
            remaining_minor=kept.remaining_minor + amount_minor,
        )
    )


def capture(ctx: Context, hold_id: str, *, target: str, amount_minor: int) -> None:
    """Pay from a hold: the hold is the mandate, nobody needs to act."""
    kept = ctx.get(Held, hold_id)
    require(amount_minor > 0, Refusal.ZERO_AMOUNT)
    require(
        amount_minor <= kept.remaining_minor,
        Refusal.MORE_THAN_HELD,
        hold_id=hold_id,
        amount_minor=amount_minor,
        money=kept.money,
    )
    draw(ctx, kept, target=target, amount_minor=amount_minor)


def release(ctx: Context, hold_id: str, amount_minor: int | None = None) -> None:
    """Let money of a hold go back to its owner; None: all that is left."""
    kept = ctx.get(Held, hold_id)
    amount = kept.remaining_minor if amount_minor is None else amount_minor
    capture(ctx, hold_id, target=kept.owner, amount_minor=amount)


# --- for cash itself


def move(ctx: Context, *, source: str, target: str, money: str, amount_minor: int) -> None:
    """Pay from one party's balance into another's."""
    require(source != target, Refusal.SELF_TRANSFER, party=source)
    ctx.save(pay_out(ctx, source, money, amount_minor))
    pay_in(ctx, target, money, amount_minor)


def pay_out(ctx: Context, party: str, money: str, amount_minor: int) -> Balance:
    """What the party's balance is once this much has left it; not saved yet."""
    require(amount_minor > 0, Refusal.ZERO_AMOUNT)
    require_not_frozen(ctx, Scope.CASH_ACCOUNT, f"{money}/{party}")
    found = ctx.peek(Balance, party, money)
    enough = found if found is not None and found.available_minor >= amount_minor else None
    balance = need(
        enough, Refusal.INSUFFICIENT, party=party, amount_minor=amount_minor, money=money
    )
    return replace(balance, available_minor=balance.available_minor - amount_minor)


def pay_in(ctx: Context, party: str, money: str, amount_minor: int) -> None:
    """Let this much arrive in a party's balance; it has left another or was just issued."""
    balance = ctx.peek(Balance, party, money)
    if balance is None:
        ctx.add(
            Balance(party=party, money=money, available_minor=amount_minor, held_minor=0),
        )
    else:
        ctx.save(replace(balance, available_minor=balance.available_minor + amount_minor))


def draw(ctx: Context, kept: Held, *, target: str, amount_minor: int) -> None:
    """Pay this much of a hold, at most what is left of it; drop it when nothing remains."""
    balance = ctx.get(Balance, kept.owner, kept.money)
    ctx.save(replace(balance, held_minor=balance.held_minor - amount_minor))
    pay_in(ctx, target, kept.money, amount_minor)
    left = kept.remaining_minor - amount_minor
    if left:
        ctx.save(replace(kept, remaining_minor=left))
        return
    ctx.delete(Held, kept.hold_id)
    if kept.expires_at_ms is not None and kept.timer_id is not None:
        ctx.cancel(kept.expires_at_ms, kept.timer_id)
