"""What happens at the counter: it writes down who signed, in the ids of the receipt."""

from tallystick.apps.members import interface as members
from tallystick.apps.members.tests.counter.messages import (
    Ask,
    Carry,
    Close,
    Greet,
    Knock,
    Nod,
    Pay,
    Ring,
    Settle,
    Whistle,
)
from tallystick.apps.members.tests.counter.refusals import Refusal
from tallystick.ledger.context import Context
from tallystick.ledger.refusal import require

HANDS: list[tuple[str | None, tuple[str, ...]]] = []
"""Outlet and officers of each call that ran, for tests to look at."""


def _note(ctx: Context) -> None:
    HANDS.append((ctx.outlet, ctx.officers))


def pay(ctx: Context, msg: Pay) -> None:
    _note(ctx)


def settle(ctx: Context, msg: Settle) -> None:
    _note(ctx)


def greet(ctx: Context, msg: Greet) -> None:
    _note(ctx)


def knock(ctx: Context, msg: Knock) -> None:
    _note(ctx)


def nod(ctx: Context, msg: Nod) -> None:
    _note(ctx)


def carry(ctx: Context, msg: Carry) -> None:
    _note(ctx)


def close(ctx: Context, msg: Close) -> None:
    require(False, Refusal.CLOSED)


def whistle(ctx: Context, msg: Whistle) -> None:
    _note(ctx)


def ring(ctx: Context, msg: Ring) -> None:
    _note(ctx)


def ask(ctx: Context, msg: Ask) -> None:
    if msg.what == "known":
        members.require_known(ctx, msg.party)
    elif msg.what == "active":
        members.require_active(ctx, msg.party)
    elif msg.what == "licensed":
        members.require_licensed(ctx, msg.party, msg.about)
    elif msg.what == "account":
        subject = f"CNY@central-bank/{msg.party}"
        members.require_not_frozen(ctx, members.Scope.CASH_ACCOUNT, subject)
