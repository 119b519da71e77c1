"""What is kept: balances, how much of each money is about, and what is held for a purpose."""

from typing import Annotated

from tallystick.apps.cash.refusals import Refusal
from tallystick.ledger.app import Record, record
from tallystick.values.units import AtMs, Id, KeyOf, Minor, MoneyId, PartyId, ShortText

HoldId = Annotated[Id, KeyOf("Held")]
"""Id of a hold: `hold-0123456789abcdef`."""


@record(key=("party", "money"), lists=(("party",), ("money",)), seen_by=("party",))
class Balance(Record, tag="cash.balance.1"):
    """What one party has of one money."""

    party: PartyId
    """Whose balance it is, e.g. `S1`."""
    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`."""
    available_minor: Minor
    """What it can pay with, in minor units of the money, e.g. 12345 for 123.45."""
    held_minor: Minor
    """What is held for a purpose, in minor units; the sum of its holds of this money."""

    @property
    def total_minor(self) -> int:
        """All it has, available or held, in minor units."""
        return self.available_minor + self.held_minor


@record(key=("money",), missing=Refusal.NO_SUCH_MONEY, lists=(("issuer",),), seen_by=("issuer",))
class Supply(Record, tag="cash.supply.1"):
    """How much of a money was ever issued and redeemed; the difference is with its holders."""

    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`."""
    issuer: PartyId
    """Who owes it, e.g. `central-bank`; the part of `money` after the `@`."""
    issued_minor: Minor
    """All ever issued, in minor units."""
    redeemed_minor: Minor
    """All ever redeemed, in minor units."""


@record(
    key=("hold_id",),
    missing=Refusal.NO_SUCH_HOLD,
    lists=(("owner", "money"), ("beneficiary",), ("subject",)),
    seen_by=("owner", "beneficiary"),
)
class Held(Record, tag="cash.held.1"):
    """Money set aside for a purpose. It is deleted when nothing of it remains."""

    hold_id: HoldId
    """Id of the hold, e.g. `hold-0123456789abcdef`."""
    owner: PartyId
    """Whose money it still is, e.g. `D1`."""
    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`."""
    amount_minor: Minor
    """All that was ever put into it, in minor units."""
    remaining_minor: Minor
    """What is left of it, neither captured nor released, in minor units; never 0."""
    subject: Id | None = None
    """Record of another application that it is kept for, e.g. an undertaking; only that
    application moves it. None: made by a message."""
    purpose: ShortText = ""
    """Why it was set aside, e.g. `deposit for order 17`; empty when nothing was said."""
    beneficiary: PartyId | None = None
    """Who alone may take it or let it go; None: it is the owner's own reserve."""
    expires_at_ms: AtMs | None = None
    """Ledger time from which it goes back to the owner; None: it has no end of its own."""
    timer_id: Id | None = None
    """Timer that lets it go at that time; None: it has none."""
