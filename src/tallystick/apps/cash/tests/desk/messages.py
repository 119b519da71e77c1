"""What the tests ask of the desk: one message per interface function."""

from typing import Annotated

from msgspec import Meta

from tallystick.apps.documents.interface import Purpose, Reason
from tallystick.ledger.app import Message, message, timer
from tallystick.values.units import AtMs, Currency, Hash32, Id, Minor, MoneyId, PartyId

SUBJECT = "desk-00000000000000aa"
"""Record that the desk pretends to keep."""


@message(verb=None)
class Pay(Message, tag="desk.pay.1"):
    """Pay for somebody, who must act."""

    source: PartyId
    target: PartyId
    money: MoneyId
    amount_minor: Minor


@message(verb=None)
class Fund(Message, tag="desk.fund.1"):
    """Hold somebody's money for the desk's record."""

    owner: PartyId
    money: MoneyId
    amount_minor: Minor


@message(verb=None)
class TopUp(Message, tag="desk.top_up.1"):
    """Add to a hold."""

    hold_id: Id
    amount_minor: Minor


@message(verb=None)
class Spend(Message, tag="desk.spend.1"):
    """Pay from a hold."""

    hold_id: Id
    target: PartyId
    amount_minor: Minor


@message(verb=None)
class GiveBack(Message, tag="desk.give_back.1"):
    """Let a hold go."""

    hold_id: Id
    amount_minor: Minor | None = None


@message(verb=None)
class SpendLater(Message, tag="desk.spend_later.1"):
    """Pay from a hold under a timer."""

    hold_id: Id
    target: PartyId
    amount_minor: Minor
    due_at_ms: AtMs


@timer()
class SpendNow(Message, tag="desk.spend_now.1"):
    """Pay from a hold."""

    hold_id: Id
    target: PartyId
    amount_minor: Minor


@message(verb=None)
class Stand(Message, tag="desk.stand.1"):
    """Let the desk's record stand on a registration."""

    registration_id: Id
    member: PartyId
    purpose: Purpose
    currency: Currency
    strict: Hash32
    relaxed: Hash32


@message(verb=None)
class Attach(Message, tag="desk.attach.1"):
    """Let the desk's record stand on a registration without looking at it."""

    registration_id: Id


@message(verb=None)
class Finance(Message, tag="desk.finance.1"):
    """What stands on the registration is financed by the sender."""

    registration_id: Id


@message(verb=None)
class Paid(Message, tag="desk.paid.1"):
    """The debtor paid what stands on the registration."""

    registration_id: Id


@message(verb=None)
class Watch(Message, tag="desk.watch.1"):
    """Parties rely on what stands on the registration."""

    registration_id: Id
    parties: Annotated[tuple[PartyId, ...], Meta(max_length=1_000)]


@message(verb=None)
class Drop(Message, tag="desk.drop.1"):
    """What stood on the registration is over."""

    registration_id: Id
    reason: Reason
    subject: Id | None = None
