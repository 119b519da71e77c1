"""What must always hold of receipts."""

from collections.abc import Iterator

from tallystick.apps.warehouse.records import Number, Receipt
from tallystick.ledger.view import View


def every_receipt_has_its_number(view: View) -> Iterator[str]:
    """Each receipt is found by its keeper's number, and each number leads to a receipt."""
    numbers = {(each.keeper, each.number): each.receipt_id for each in view.scan(Number)}
    for receipt in view.scan(Receipt):
        if numbers.pop((receipt.keeper, receipt.number), None) != receipt.receipt_id:
            yield f"receipt {receipt.receipt_id} is not found by its number"
    for keeper, number in numbers:
        yield f"number {number} of {keeper} leads to no receipt"


def goods_have_a_value(view: View) -> Iterator[str]:
    """No receipt is about goods of no value."""
    for receipt in view.scan(Receipt):
        if receipt.value_minor <= 0:
            yield f"receipt {receipt.receipt_id} has no value"
