"""What the till does."""

from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require
from tallystick.ledger.system import CLOCK, Activation, Clock
from tallystick.values.codec import replace
from tallystick.values.money import add
from tests.till.messages import Activate, Appear, Break, Fill, Leave, Mark, Pay, Wind
from tests.till.records import Note, Purse
from tests.till.refusals import Refusal


def fill(ctx: Context, msg: Fill) -> None:
    """Fill one's purse."""
    purse = ctx.peek(Purse, ctx.party)
    if purse is None:
        ctx.add(Purse(party=ctx.party, currency=msg.currency, amount_minor=msg.amount_minor))
    else:
        ctx.save(replace(purse, amount_minor=add(purse.amount_minor, msg.amount_minor)))


def pay(ctx: Context, msg: Pay) -> None:
    """Pay another party."""
    mine, theirs = ctx.get(Purse, ctx.party), ctx.get(Purse, msg.to)
    require(mine.amount_minor >= msg.amount_minor, Refusal.NOT_ENOUGH, party=ctx.party)
    left = mine.amount_minor - msg.amount_minor
    ctx.save(replace(mine, amount_minor=left, payments=mine.payments + 1))
    ctx.save(replace(theirs, amount_minor=add(theirs.amount_minor, msg.amount_minor)))


def leave(ctx: Context, msg: Leave) -> None:
    """Leave a note, now or later."""
    if msg.at_ms is None:
        ctx.add(Note(name=msg.name, number=msg.number, by=ctx.party, secret=msg.secret))
    else:
        ctx.at(msg.at_ms, Appear(name=msg.name, number=msg.number))


def wind(ctx: Context, msg: Wind) -> None:
    """Move ledger time forward."""
    clock = ctx.get(Clock, CLOCK)
    ctx.save(replace(clock, offset_ms=clock.offset_ms + msg.by_ms))


def break_(ctx: Context, msg: Break) -> None:
    """Meet a bug, after a change that must not last."""
    ctx.add(Note(name="lost", number=0))
    if msg.how == "memory":
        raise MemoryError
    if msg.how == "work":
        for number in range(1_000_000):
            ctx.peek(Note, "none", number)
    raise KeyError("a bug on purpose")


def activate(ctx: Context, msg: Activate) -> None:
    """Have another version of the rules in force from a height on."""
    kept = ctx.get(Activation, "till")
    ctx.save(replace(kept, next_version=msg.version, from_height=msg.from_height))


def mark(ctx: Context, msg: Mark) -> None:
    """Leave a note, under the second version of the rules."""
    ctx.add(Note(name=msg.name, number=2, by=ctx.party))


def appear(ctx: Context, msg: Appear) -> None:
    """Have a note appear."""
    ctx.add(Note(name=msg.name, number=msg.number))
