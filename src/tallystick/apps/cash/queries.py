"""Named reads of cash."""

from collections.abc import Iterable, Iterator
from typing import cast

from tallystick.apps.cash.records import Balance, Held, HoldId, Supply
from tallystick.ledger.view import View
from tallystick.values.codec import Struct
from tallystick.values.units import AtMs, Hash32, Height, MoneyId, PartyId, SignedMinor


class StatementLine(Struct):
    """One change of a balance and what it left."""

    height: Height
    """Block that made the change."""
    at_ms: AtMs
    """Ledger time of that block."""
    transaction_id: Hash32 | None
    """Transaction that made it; None when a timer did."""
    money: MoneyId
    """Currency and issuer of the amounts, e.g. `CNY@central-bank`."""
    available_change_minor: SignedMinor
    """What came in or, negative, went out of what is available, in minor units."""
    held_change_minor: SignedMinor
    """What was held more or, negative, less, in minor units."""
    available_minor: SignedMinor
    """Available after it, in minor units."""
    held_minor: SignedMinor
    """Held after it, in minor units."""


def balances(view: View, party: PartyId) -> Iterable[Balance]:
    """What a party has, money by money."""
    return view.scan(Balance, party)


def statement(view: View, party: PartyId, money: MoneyId) -> Iterator[StatementLine]:
    """Every change of a balance, oldest first, with the running balance."""
    available, held = 0, 0
    for past in view.history(Balance, party, money):
        now = cast("Balance", past.after)  # a balance is never dropped
        yield StatementLine(
            height=past.height,
            at_ms=past.time_ms,
            transaction_id=past.transaction_id,
            money=money,
            available_change_minor=now.available_minor - available,
            held_change_minor=now.held_minor - held,
            available_minor=now.available_minor,
            held_minor=now.held_minor,
        )
        available, held = now.available_minor, now.held_minor


def holds(view: View, owner: PartyId) -> Iterable[Held]:
    """What is held of a party's money."""
    return view.find(Held, owner=owner)


def holds_for(view: View, beneficiary: PartyId) -> Iterable[Held]:
    """What is held for a party to take."""
    return view.find(Held, beneficiary=beneficiary)


def one_hold(view: View, hold_id: HoldId) -> Held:
    """One hold."""
    return view.get(Held, hold_id)


def supply(view: View, money: MoneyId) -> Supply:
    """How much of a money was issued and redeemed."""
    return view.get(Supply, money)
