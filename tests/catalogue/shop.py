"""Rules of a shop that says no in every way there is, for the tests of the catalogue."""

from collections.abc import Callable
from functools import partial, wraps
from typing import Any

from tallystick.ledger.app import Record, record
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import RefusalCode, Refused, need, require
from tallystick.values.units import Label, PartyId
from tests.catalogue import back_room


class Refusal(RefusalCode, app="shop"):
    """Why the shop says no."""

    NO_SUCH_THING = 1, "Civil Code 595"
    """There is no such thing."""
    CLOSED = 2, "", True
    """The shop
    is closed."""
    NO_MONEY = 3
    """Nothing to pay with."""
    NOT_YOURS = 4
    """It is another's."""
    BROKEN = 5
    """It is broken."""
    UNKNOWN = 6
    """Nobody knows."""


@record(key=("name",), missing=Refusal.NO_SUCH_THING)
class Thing(Record, tag="shop.thing.1"):
    """Something that is sold. It has a name."""

    name: Label
    """What it is called, e.g.
    `chair`."""
    owner: PartyId = ""
    """Whose it is."""

    def require_whole(self) -> None:
        """Refuse what is broken."""
        require(bool(self.name), Refusal.BROKEN)


def buy(ctx: Context, msg: Any) -> None:
    """Everything in the order in which it is checked."""
    thing = ctx.get(Thing, msg.name)
    _require_open(ctx)
    Thing.require_whole(thing)
    payer = need(ctx.peek(Thing, msg.payer), Refusal.NO_MONEY)
    if payer.owner != ctx.party:
        raise Refused(Refusal.NOT_YOURS, {})
    _require_open(ctx)


def _require_open(ctx: Context) -> None:
    """Refuse outside hours."""
    require(ctx.now_ms > 0, Refusal.CLOSED)


def by_table(ctx: Context, msg: Any) -> None:
    """What is done is looked up."""
    TABLE[msg.how](ctx, msg)


def in_the_back_room(ctx: Context, msg: Any) -> None:
    """Another module decides."""
    back_room.decide(ctx)


def handed_on(ctx: Context, msg: Any) -> None:
    """A rule is handed to another, by position and by name."""
    _apply(_require_open)
    _apply(act=QUICK)


def _apply(act: Callable[[Context], None]) -> None:
    """Run what was handed over."""


def again(ctx: Context, msg: Any) -> None:
    """Calls itself, as a list of lists does."""
    require(True, Refusal.UNKNOWN)
    again(ctx, msg)


def noted(rule: Callable[..., None]) -> Callable[..., None]:
    """Wraps a rule."""

    @wraps(rule)
    def wrapped(*args: Any) -> None:
        rule(*args)

    return wrapped


@noted
def wrapped(ctx: Context, msg: Any) -> None:
    """A rule with a decorator."""
    require(True, Refusal.CLOSED)


def silent(ctx: Context, msg: Any) -> None:
    """Never says no; the names are not the catalogue's to follow."""
    names = {"get": 1}
    names.get("get")
    len(ctx.acting)


TABLE: dict[str, Callable[..., None]] = {"buy": buy, "quick": partial(_require_open)}
QUICK = partial(back_room.decide)
