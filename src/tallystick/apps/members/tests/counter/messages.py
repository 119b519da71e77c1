"""What the counter can be asked."""

from tallystick.ledger.app import Message, Role, message
from tallystick.values.units import Currency, Label, Minor, PartyId

PAY = "counter.pay"
"""Verb of those who may pay."""


@message(verb=PAY, limit_by="amount_minor", one_person=True)
class Pay(Message, tag="counter.pay.1"):
    """Pay; who signed is noted nowhere, for only the authority matters here."""

    currency: Currency
    """Currency of the amount, e.g. `CNY`."""
    amount_minor: Minor | None
    """Amount, in minor units; None when it is not known yet."""


@message(verb=PAY, limit_by="amount_minor", duty=True)
class Settle(Message, tag="counter.settle.1"):
    """Pay what is owed."""

    currency: Currency
    """Currency of the amount, e.g. `CNY`."""
    amount_minor: Minor
    """Amount, in minor units."""


@message(verb=None, one_person=True)
class Greet(Message, tag="counter.greet.1"):
    """Say good morning: no licence, no amount."""


@message(verb=None, officers=((Role.MAKER, 1),))
class Knock(Message, tag="counter.knock.1"):
    """What a maker may do alone, even a system."""


@message(verb=None, officers=())
class Nod(Message, tag="counter.nod.1"):
    """What anybody may do who acts for the member."""


@message(verb=None, officers=((Role.MAKER, 2), (Role.CHECKER, 1)))
class Carry(Message, tag="counter.carry.1"):
    """What two makers and a checker do."""


@message(verb=None)
class Close(Message, tag="counter.close.1"):
    """Always refused, so that a transaction fails after it was authorised."""


@message(verb=None, since=2)
class Whistle(Message, tag="counter.whistle.1"):
    """What later rules will know."""


@message(verb=None, until=0)
class Ring(Message, tag="counter.ring.1"):
    """What earlier rules knew."""


@message(verb=None)
class Ask(Message, tag="counter.ask.1"):
    """Call the functions that applications ask of members."""

    party: PartyId
    """About whom."""
    what: Label
    """Which function."""
    about: Label = ""
    """A verb, or nothing."""
