"""What can be asked of receipts."""

from tallystick.apps.warehouse.records import ReceiptId
from tallystick.ledger.app import Message, message
from tallystick.values.units import Currency, Minor, PartyId, Reference, ShortText

KEEP = "warehouse.keep"
"""Licence verb of who may store goods and issue receipts for them."""
TRADE = "warehouse.trade"
"""Licence verb of who may hold receipts and pass them on."""


@message(verb=KEEP, limit_by="value_minor")
class Store(Message, tag="warehouse.store.1"):
    """Issue a receipt for goods taken in."""

    number: Reference
    """The keeper's own number, e.g. `2026-0001`; used once by each keeper."""
    holder: PartyId
    """Who brought the goods and holds the receipt first, e.g. `S1`."""
    goods: ShortText
    """What is stored, e.g. `20 t copper cathode`."""
    currency: Currency
    """Currency of the value, e.g. `CNY`."""
    value_minor: Minor
    """Declared value, in minor units of the currency, e.g. 100000 for 1,000.00."""


@message(verb=TRADE, limit_by="receipt_id.value_minor")
class Assign(Message, tag="warehouse.assign.1"):
    """Pass a receipt to another holder."""

    receipt_id: ReceiptId
    """The receipt, e.g. `wr-0123456789abcdef`."""
    to: PartyId
    """Who holds it from then on, e.g. `S2`."""


@message(verb=TRADE, limit_by="receipt_id.value_minor")
class Withdraw(Message, tag="warehouse.withdraw.1"):
    """Call for the goods; from then on the receipt is passed on no more."""

    receipt_id: ReceiptId
    """The receipt, e.g. `wr-0123456789abcdef`."""


@message(verb=None, duty=True)
class Deliver(Message, tag="warehouse.deliver.1"):
    """Hand the goods out to the holder who called for them."""

    receipt_id: ReceiptId
    """The receipt, e.g. `wr-0123456789abcdef`."""
