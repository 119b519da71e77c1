"""The invariants find what they are for: each is shown a state that breaks it."""

from collections.abc import Iterator

from tallystick.apps.warehouse import invariants
from tallystick.apps.warehouse.records import Number, Receipt, Status
from tallystick.ledger.app import Record, key_bytes
from tallystick.ledger.view import View
from tallystick.values.codec import replace

RECEIPT = Receipt(
    receipt_id="wr-00000000000000aa",
    number="1",
    keeper="W1",
    holder="S1",
    goods="copper",
    currency="CNY",
    value_minor=1,
    status=Status.STORED,
)
NUMBER = Number(keeper="W1", number="1", receipt_id="wr-00000000000000aa")


class Shelf:
    """Records that no rule has looked at."""

    def __init__(self, *records: Record) -> None:
        self.kept = {key_bytes(each): each for each in records}

    def load(self, name: str, key: bytes) -> Record | None:
        return self.kept.get(key)

    def scan(self, name: str, prefix: bytes, start: bytes | None) -> Iterator[tuple[bytes, Record]]:
        for key in sorted(self.kept):
            if key.startswith(prefix):
                yield key, self.kept[key]


def view(*records: Record) -> View:
    return View(Shelf(*records), height=1, now_ms=1)


def test_numbers() -> None:
    found = invariants.every_receipt_has_its_number
    assert list(found(view(RECEIPT, NUMBER))) == []
    assert list(found(view(RECEIPT))) == ["receipt wr-00000000000000aa is not found by its number"]
    assert list(found(view(NUMBER))) == ["number 1 of W1 leads to no receipt"]


def test_values() -> None:
    assert list(invariants.goods_have_a_value(view(RECEIPT))) == []
    assert list(invariants.goods_have_a_value(view(replace(RECEIPT, value_minor=0)))) == [
        "receipt wr-00000000000000aa has no value"
    ]
