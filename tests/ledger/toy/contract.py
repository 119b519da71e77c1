"""What happens in the toy; at the end, the bugs that it has on purpose."""

from collections.abc import Callable, Mapping

from tallystick.errors import StateDamaged
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import Refused, ensure, need, require
from tallystick.ledger.system import CLOCK, Activation, Clock, UsedMinute
from tallystick.values.codec import replace
from tallystick.values.money import add
from tests.ledger.toy.messages import (
    Activate,
    Bell,
    Close,
    CountUp,
    Crash,
    Double,
    Drop,
    Halve,
    Hammer,
    Open,
    Ring,
    Silence,
    Take,
    Wind,
)
from tests.ledger.toy.records import Counter, Note, Secret, Status
from tests.ledger.toy.refusals import Refusal


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
            watchers=msg.watchers,
            note=msg.note,
            hint=len(msg.note) or None,
        )
    )
    if msg.closes_at_ms is not None:
        ctx.at(msg.closes_at_ms, Close(counter_id=made))


def count_up(ctx: Context, msg: CountUp) -> None:
    """Count up."""
    counter = _own_open(ctx, msg.counter_id)
    ctx.save(replace(counter, amount_minor=add(counter.amount_minor, msg.by_minor)))


def count_by_one(ctx: Context, msg: CountUp) -> None:
    """Count up by one, whatever is asked: the rule of version 1."""
    counter = _own_open(ctx, msg.counter_id)
    ctx.save(replace(counter, amount_minor=counter.amount_minor + 1))


def double(ctx: Context, msg: Double) -> None:
    """Double a counter."""
    counter = _own_open(ctx, msg.counter_id)
    ctx.save(replace(counter, amount_minor=add(counter.amount_minor, counter.amount_minor)))


def halve(ctx: Context, msg: Halve) -> None:
    """Halve a counter."""
    counter = _own_open(ctx, msg.counter_id)
    ctx.save(replace(counter, amount_minor=counter.amount_minor // 2))


def take(ctx: Context, msg: Take) -> None:
    """Take from a counter whose owner signs too."""
    source = ctx.get(Counter, msg.source)
    target = _own_open(ctx, msg.target)
    require(source.owner in ctx.acting, Refusal.OWNER_NOT_ACTING, owner=source.owner)
    amount = source.amount_minor if msg.amount_minor is None else msg.amount_minor
    ctx.save(replace(source, amount_minor=source.amount_minor - amount))
    ctx.save(replace(target, amount_minor=target.amount_minor + amount))


def drop(ctx: Context, msg: Drop) -> None:
    """Have a counter no more."""
    _own_open(ctx, msg.counter_id)
    ctx.delete(Counter, msg.counter_id)


def ring(ctx: Context, msg: Ring) -> None:
    """Have bells ring."""
    bell = Bell(name=msg.name, every_ms=msg.every_ms, left=msg.times, silences=msg.silences)
    ctx.at(msg.at_ms, bell)


def silence(ctx: Context, msg: Silence) -> None:
    """Have a bell not ring."""
    ctx.cancel(msg.due_at_ms, msg.timer_id)


def crash(ctx: Context, msg: Crash) -> None:
    """Meet a bug, or do too much, after a change that must not last."""
    ctx.add(Note(name="lost", number=0))
    WAYS[msg.how](ctx)


def activate(ctx: Context, msg: Activate) -> None:
    """Have another version of the rules in force from a height on."""
    kept = need(ctx.peek(Activation, "toy"), Refusal.WILD)
    ctx.save(replace(kept, next_version=msg.version, from_height=msg.from_height))


def wind(ctx: Context, msg: Wind) -> None:
    """Move ledger time forward."""
    clock = ctx.get(Clock, CLOCK)
    ctx.save(replace(clock, offset_ms=clock.offset_ms + msg.by_ms))


def close(ctx: Context, msg: Close) -> None:
    """Close a counter."""
    counter = ctx.get(Counter, msg.counter_id)
    require(counter.status is Status.OPEN, Refusal.CLOSED, counter_id=msg.counter_id)
    ctx.save(replace(counter, status=Status.CLOSED))


def bell(ctx: Context, msg: Bell) -> None:
    """Ring, silence another, and see to it that the next one rings."""
    number = len(list(ctx.scan(Note, msg.name)))
    ctx.add(Note(name=msg.name, number=number, due_at_ms=ctx.due_at_ms, now_ms=ctx.now_ms))
    if msg.silences is not None:
        ctx.cancel(*msg.silences)
    if msg.left > 1:
        ctx.at(need(ctx.due_at_ms, Refusal.WILD) + msg.every_ms, replace(msg, left=msg.left - 1))


def hammer(ctx: Context, msg: Hammer) -> None:
    """Ring as version 1 does."""
    ctx.add(Note(name=msg.name, number=0))


def _own_open(ctx: Context, counter_id: str) -> Counter:
    """A counter of the acting party that still counts."""
    counter = ctx.get(Counter, counter_id)
    require(counter.owner == ctx.party, Refusal.NOT_OWNER, party=ctx.party)
    require(counter.status is Status.OPEN, Refusal.CLOSED, counter_id=counter_id)
    return counter


# --- bugs


def _error(ctx: Context) -> None:
    raise KeyError("a bug on purpose")


def _ensure(ctx: Context) -> None:
    ensure(False, "a bug on purpose")


def _recursion(ctx: Context) -> None:
    _recursion(ctx)


def _added_twice(ctx: Context) -> None:
    ctx.add(Note(name="lost", number=0))


def _saved_absent(ctx: Context) -> None:
    ctx.save(Note(name="absent", number=0))


def _deleted_absent(ctx: Context) -> None:
    ctx.delete(Note, "absent", 0)


def _counter(status: Status) -> Counter:
    return Counter(
        counter_id="ctr-0000000000000000", owner="A", currency="CNY", amount_minor=0, status=status
    )


def _wrong_start(ctx: Context) -> None:
    ctx.add(_counter(Status.CLOSED))


def _wrong_move(ctx: Context) -> None:
    ctx.add(_counter(Status.OPEN))
    ctx.save(_counter(Status.CLOSED))
    ctx.save(_counter(Status.OPEN))


def _unreadable(ctx: Context) -> None:
    ctx.add(Secret(party="no party at all, for it is too long"))


def _changed_by_reading(ctx: Context) -> None:
    ctx.add(replace(_counter(Status.OPEN), watchers=["A", "B"]))  # a list reads back as a tuple


def _timer_out_of_time(ctx: Context) -> None:
    ctx.at(2**53 + 1, Hammer(name="late"))


def _no_timer(ctx: Context) -> None:
    ctx.at(ctx.now_ms, Crash(how="error"))


def _not_ours(ctx: Context) -> None:
    ctx.add(UsedMinute(minute=1, count=0, running_hash=bytes(32)))


def _reads(ctx: Context) -> None:
    while True:
        ctx.peek(Note, "absent", 0)


def _scans(ctx: Context) -> None:
    while True:
        list(ctx.scan(Note, "absent"))


def _long_scan(ctx: Context) -> None:
    for number in range(90):
        ctx.add(Note(name="many", number=number))
    list(ctx.scan(Note, "many"))
    list(ctx.scan(Note, "many"))


def _writes(ctx: Context) -> None:
    for number in range(1_000):
        ctx.add(Note(name="many", number=number))


def _bytes(ctx: Context) -> None:
    for number in range(90):
        made = replace(_counter(Status.OPEN), counter_id=ctx.new_id("ctr"), note="x" * 140)
        ctx.add(replace(made, amount_minor=number))


def _ids(ctx: Context) -> None:
    while True:
        ctx.new_id("ctr")


def _memory(ctx: Context) -> None:
    raise MemoryError


def _disk(ctx: Context) -> None:
    raise OSError("the disk is gone")


def _store(ctx: Context) -> None:
    raise StateDamaged("state", "unreadable")


def _overflow(ctx: Context) -> None:
    ctx.add(Secret(party="A", value=add(2**63 - 1, 1)))


def _wild(ctx: Context) -> None:
    values: dict[str, object] = {
        "large": 2**70,
        "true": True,
        "bytes": b"\xff",
        "none": None,
        "torn": "\ud800",
        "long": "x" * 1_000,
        "n" * 100: 1,
    }
    values |= {f"v{number}": number for number in range(20)}
    raise Refused(Refusal.WILD, values)  # type: ignore[arg-type]


WAYS: Mapping[str, Callable[[Context], None]] = {
    "error": _error,
    "ensure": _ensure,
    "recursion": _recursion,
    "added-twice": _added_twice,
    "saved-absent": _saved_absent,
    "deleted-absent": _deleted_absent,
    "wrong-start": _wrong_start,
    "wrong-move": _wrong_move,
    "unreadable": _unreadable,
    "changed-by-reading": _changed_by_reading,
    "timer-out-of-time": _timer_out_of_time,
    "no-timer": _no_timer,
    "not-ours": _not_ours,
    "reads": _reads,
    "scans": _scans,
    "long-scan": _long_scan,
    "writes": _writes,
    "bytes": _bytes,
    "ids": _ids,
    "memory": _memory,
    "disk": _disk,
    "store": _store,
    "overflow": _overflow,
    "wild": _wild,
}
"""Ways to go wrong."""
