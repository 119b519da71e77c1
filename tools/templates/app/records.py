"""What is kept: receipts, and the numbers that keepers have given them."""

import enum
from collections.abc import Mapping
from typing import Annotated, Final

from tallystick.apps.warehouse.refusals import Refusal
from tallystick.ledger.app import Record, record
from tallystick.values.units import Currency, Id, KeyOf, Minor, PartyId, Reference, ShortText

ReceiptId = Annotated[Id, KeyOf("Receipt")]
"""Id of a receipt: `wr-0123456789abcdef`."""


class Status(enum.Enum):
    """How far a receipt has come."""

    STORED = "stored"
    CALLED = "called"
    DELIVERED = "delivered"


MOVES: Final[Mapping[Status | None, tuple[Status, ...]]] = {
    None: (Status.STORED,),
    Status.STORED: (Status.CALLED,),
    Status.CALLED: (Status.DELIVERED,),
}
"""Allowed moves; the ledger itself enforces them on every `ctx.add` and `ctx.save`."""


@record(
    key=("receipt_id",),
    missing=Refusal.NO_SUCH_RECEIPT,
    moves=MOVES,
    lists=(("holder", "status"), ("keeper", "status")),
    seen_by=("keeper", "holder"),
)
class Receipt(Record, tag="warehouse.receipt.1"):
    """Goods kept for a holder by a licensed keeper."""

    receipt_id: ReceiptId
    """Id of the receipt, e.g. `wr-0123456789abcdef`."""
    number: Reference
    """The keeper's own number, e.g. `2026-0001`; used once by each keeper."""
    keeper: PartyId
    """Who stores the goods, e.g. `W1`."""
    holder: PartyId
    """Who may take the goods out or pass the receipt on, e.g. `S1`."""
    goods: ShortText
    """What is stored, e.g. `20 t copper cathode`."""
    currency: Currency
    """Currency of the value, e.g. `CNY`."""
    value_minor: Minor
    """Declared value, in minor units of the currency, e.g. 100000 for 1,000.00; never 0."""
    status: Status
    """How far it has come."""


@record(key=("keeper", "number"), seen_by=("keeper",))
class Number(Record, tag="warehouse.number.1"):
    """A keeper's number and its receipt: state has no index, so what must be found is kept."""

    keeper: PartyId
    """Who gave the number, e.g. `W1`."""
    number: Reference
    """The number, e.g. `2026-0001`."""
    receipt_id: ReceiptId
    """The one receipt that bears it, e.g. `wr-0123456789abcdef`."""
