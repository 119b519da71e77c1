"""What can be asked of cash."""

from tallystick.apps.cash.records import HoldId
from tallystick.ledger.app import Message, message, timer
from tallystick.values.units import AtMs, Minor, MoneyId, PartyId, ShortText

ISSUE = "cash.issue"
"""Licence verb of who may issue its own money."""


@message(verb=ISSUE, limit_by="amount_minor")
class Mint(Message, tag="cash.mint.1"):
    """Issue money of one's own to a member."""

    to: PartyId
    """Who gets it, e.g. `D1`; may be the issuer itself."""
    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`; the issuer is who sends this."""
    amount_minor: Minor
    """How much, in minor units of the money, e.g. 100000 for 1,000.00."""


@message(verb=ISSUE, limit_by="amount_minor", duty=True)
class Redeem(Message, tag="cash.redeem.1"):
    """Take money of one's own out of use: holders pay it to the issuer first."""

    money: MoneyId
    """Currency and issuer, e.g. `CNY@bank-a`; the issuer is who sends this."""
    amount_minor: Minor
    """How much of what the issuer has available, in minor units."""


@message(verb=None, limit_by="amount_minor", duty=True, one_person=True)
class Transfer(Message, tag="cash.transfer.1"):
    """Pay another member."""

    to: PartyId
    """Who is paid, e.g. `S1`."""
    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`."""
    amount_minor: Minor
    """How much, in minor units of the money."""
    purpose: ShortText = ""
    """What it is paid for, e.g. `invoice 2026-17`; empty when nothing is said."""


@message(verb=None, limit_by="amount_minor")
class Hold(Message, tag="cash.hold.1"):
    """Set money aside, for a beneficiary who may take it or as a reserve of one's own."""

    money: MoneyId
    """Currency and issuer, e.g. `CNY@central-bank`."""
    amount_minor: Minor
    """How much, in minor units of the money."""
    purpose: ShortText = ""
    """Why, e.g. `deposit for order 17`; empty when nothing is said."""
    beneficiary: PartyId | None = None
    """Who alone may take it or let it go; None: the owner lets it go when it likes."""
    expires_at_ms: AtMs | None = None
    """Ledger time at which it goes back to the owner; None: it stays until taken or let go."""


@message(verb=None, limit_by="hold_id.remaining_minor", duty=True)
class Release(Message, tag="cash.release.1"):
    """Let held money go back to its owner."""

    hold_id: HoldId
    """The hold, e.g. `hold-0123456789abcdef`."""
    amount_minor: Minor | None = None
    """How much of it, in minor units; None: all that is left."""


@message(verb=None, duty=True)
class Capture(Message, tag="cash.capture.1"):
    """Take money that was held for one."""

    hold_id: HoldId
    """The hold, e.g. `hold-0123456789abcdef`."""
    amount_minor: Minor | None = None
    """How much of it, in minor units; None: all that is left."""


@timer()
class ExpireHold(Message, tag="cash.expire_hold.1"):
    """The time of a hold is over."""

    hold_id: HoldId
    """The hold, e.g. `hold-0123456789abcdef`."""
