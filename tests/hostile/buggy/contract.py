"""What happens in the buggy application: two functions work, the others are the bugs."""

from collections.abc import Callable, Mapping
from itertools import count

from tallystick.ledger.context import Context
from tallystick.ledger.refusal import ensure
from tests.hostile.buggy.messages import Bug, Stumble, Walk
from tests.hostile.buggy.records import Mark


def stumble(ctx: Context, msg: Stumble) -> None:
    """Write a record, then go wrong."""
    _mark(ctx)
    WAYS[msg.bug](ctx)


def walk(ctx: Context, msg: Walk) -> None:
    """Write a record and do nothing wrong."""
    _mark(ctx)


def _mark(ctx: Context) -> None:
    ctx.add(Mark(mark_id=ctx.new_id("mark"), party=ctx.party))


def _exception(ctx: Context) -> None:
    raise KeyError("a bug on purpose")


def _ensure(ctx: Context) -> None:
    ensure(False, "a bug on purpose")


def _recursion(ctx: Context) -> None:
    _recursion(ctx)


def _reads(ctx: Context) -> None:
    while True:
        ctx.peek(Mark, "mark-0000000000000000")


def _writes(ctx: Context) -> None:
    for number in count():
        ctx.add(Mark(mark_id=f"mark-{number:016x}", party=ctx.party))


WAYS: Mapping[Bug, Callable[[Context], None]] = {
    Bug.EXCEPTION: _exception,
    Bug.ENSURE: _ensure,
    Bug.RECURSION: _recursion,
    Bug.READS: _reads,
    Bug.WRITES: _writes,
}
"""Ways to go wrong."""
