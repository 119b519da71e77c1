"""The least that other applications may ask of receipts."""

from tallystick.apps.warehouse.records import Receipt, Status
from tallystick.ledger.view import Reader

__all__ = ["Receipt", "get_receipt", "is_stored"]


def get_receipt(reader: Reader, receipt_id: str) -> Receipt:
    """A receipt; NO_SUCH_RECEIPT when there is none."""
    return reader.get(Receipt, receipt_id)


def is_stored(reader: Reader, receipt_id: str) -> bool:
    """Are the goods in store, and not called for?"""
    found = reader.peek(Receipt, receipt_id)
    return found is not None and found.status is Status.STORED
