from tallystick.apps.warehouse.messages import Withdraw
from tallystick.apps.warehouse.records import Receipt, Status
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.apps.warehouse.tests.people import NOWHERE, by, network, stored


def test_the_holder_calls_for_the_goods() -> None:
    world = network()
    receipt_id = stored(world)
    world.accepts(by("S1"), Withdraw(receipt_id=receipt_id))
    assert world.view().get(Receipt, receipt_id).status is Status.CALLED


def test_refused_in_this_order() -> None:
    world = network()
    receipt_id = stored(world)
    world.refuses(by("S2"), Withdraw(receipt_id=NOWHERE), Refusal.NO_SUCH_RECEIPT)
    world.accepts(by("S1"), Withdraw(receipt_id=receipt_id))
    world.refuses(by("W1"), Withdraw(receipt_id=receipt_id), Refusal.NOT_HOLDER, party="W1")
    world.refuses(by("S1"), Withdraw(receipt_id=receipt_id), Refusal.NOT_STORED)
