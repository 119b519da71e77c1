"""Named reads of receipts."""

from collections.abc import Iterable

from tallystick.apps.warehouse import interface
from tallystick.apps.warehouse.records import Receipt, ReceiptId, Status
from tallystick.ledger.view import View
from tallystick.values.units import PartyId


def held(view: View, holder: PartyId, status: Status = Status.STORED) -> Iterable[Receipt]:
    """Receipts that a party holds."""
    return view.find(Receipt, holder=holder, status=status)


def kept(view: View, keeper: PartyId, status: Status = Status.STORED) -> Iterable[Receipt]:
    """Receipts that a keeper has issued."""
    return view.find(Receipt, keeper=keeper, status=status)


def receipt(view: View, receipt_id: ReceiptId) -> Receipt:
    """One receipt."""
    return interface.get_receipt(view, receipt_id)
