"""What the toy does."""

from tallystick.ledger.context import Context
from tallystick.ledger.refusal import ensure, require
from tallystick.ledger.system import Activation
from tallystick.values.codec import replace
from tallystick.values.money import add

from .messages import Activate, Close, Count, Crash, Double, Open
from .records import Counter, Seat, Status
from .refusals import Refusal


def open(ctx: Context, msg: Open) -> None:
    """Open a counter."""
    made = ctx.new_id("ctr")
    ctx.add(
        Counter(
            counter_id=made,
            owner=ctx.party,
            currency=msg.currency,
            amount_minor=0,
            status=Status.OPEN,
        )
    )
    if msg.closes_at_ms is not None:
        ctx.at(msg.closes_at_ms, Close(counter_id=made))


def count(ctx: Context, msg: Count) -> None:
    """Count up."""
    counter = ctx.get(Counter, msg.counter_id)
    require(counter.owner == ctx.party, Refusal.NOT_OWNER, party=ctx.party)
    require(counter.status is Status.OPEN, Refusal.CLOSED, counter_id=msg.counter_id)
    ctx.save(replace(counter, amount_minor=add(counter.amount_minor, msg.by_minor)))


def count_by_one(ctx: Context, msg: Count) -> None:
    """Count up by one, whatever is asked: the rule of version 1."""
    counter = ctx.get(Counter, msg.counter_id)
    ctx.save(replace(counter, amount_minor=counter.amount_minor + 1))


def double(ctx: Context, msg: Double) -> None:
    """Double a counter."""
    counter = ctx.get(Counter, msg.counter_id)
    ctx.save(replace(counter, amount_minor=add(counter.amount_minor, counter.amount_minor)))


def crash(ctx: Context, msg: Crash) -> None:
    """Meet a bug, or do too much."""
    ctx.add(Seat(party="lost"))
    if msg.how == "ensure":
        ensure(False, "a bug on purpose")
    if msg.how == "recursion":
        crash_again()
    if msg.how == "reads":
        for number in range(100_000):
            ctx.peek(Seat, f"p{number}")
    if msg.how == "scan":
        for _ in range(100_000):
            list(ctx.scan(Seat))
    if msg.how == "writes":
        for number in range(100_000):
            ctx.add(Seat(party=f"p{number}"))
    if msg.how == "memory":
        raise MemoryError
    raise KeyError("a bug on purpose")


def crash_again() -> None:
    """Never end."""
    crash_again()


def activate(ctx: Context, msg: Activate) -> None:
    """Have another version of the rules in force from a height on."""
    kept = ctx.get(Activation, "toy")
    ctx.save(replace(kept, next_version=msg.version, from_height=msg.from_height))


def close(ctx: Context, msg: Close) -> None:
    """Close a counter."""
    counter = ctx.get(Counter, msg.counter_id)
    require(counter.status is Status.OPEN, Refusal.CLOSED, counter_id=msg.counter_id)
    ctx.save(replace(counter, status=Status.CLOSED))
