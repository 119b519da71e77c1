from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.warehouse.records import Number, Receipt, Status
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.apps.warehouse.tests.people import by, goods, network
from tallystick.values.codec import replace


def test_a_receipt_is_issued() -> None:
    world = network()
    receipt_id = world.accepts(by("W1"), goods()).id
    receipt = world.view().get(Receipt, receipt_id)
    assert (receipt.keeper, receipt.holder, receipt.status) == ("W1", "S1", Status.STORED)
    assert (receipt.goods, receipt.value_minor) == ("20 t copper cathode", 5_000_000)
    assert world.view().get(Number, "W1", "2026-0001").receipt_id == receipt_id


def test_each_keeper_counts_for_itself() -> None:
    world = network()
    world.accepts(by("W1"), goods())
    world.refuses(by("W1"), goods(), Refusal.NUMBER_USED, number="2026-0001")
    world.accepts(by("W2"), goods())


def test_only_keepers_store() -> None:
    network().refuses(by("S1"), goods(), Members.UNLICENSED, verb="warehouse.keep")


def test_refused_in_this_order() -> None:
    world = network()
    world.accepts(by("W1"), goods("1"))
    wrong = replace(goods("1", holder="nobody", value_minor=0), currency="XYZ")
    world.refuses(by("W1"), wrong, Members.NOT_A_MEMBER)
    wrong = replace(wrong, holder="S1")
    world.refuses(by("W1"), wrong, Refusal.NUMBER_USED)
    wrong = replace(wrong, number="2")
    world.refuses(by("W1"), wrong, Refusal.UNKNOWN_CURRENCY, currency="XYZ")
    wrong = replace(wrong, currency="CNY")
    world.refuses(by("W1"), wrong, Refusal.NO_VALUE)
