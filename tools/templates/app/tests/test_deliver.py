from tallystick.apps.warehouse.messages import Deliver, Withdraw
from tallystick.apps.warehouse.records import Receipt, Status
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.apps.warehouse.tests.people import NOWHERE, by, network, stored


def test_the_keeper_hands_out_what_is_called_for() -> None:
    world = network()
    receipt_id = stored(world)
    world.accepts(by("S1"), Withdraw(receipt_id=receipt_id))
    world.accepts(by("W1"), Deliver(receipt_id=receipt_id))
    assert world.view().get(Receipt, receipt_id).status is Status.DELIVERED


def test_refused_in_this_order() -> None:
    world = network()
    receipt_id = stored(world)
    world.refuses(by("W2"), Deliver(receipt_id=NOWHERE), Refusal.NO_SUCH_RECEIPT)
    world.refuses(by("W2"), Deliver(receipt_id=receipt_id), Refusal.NOT_KEEPER, party="W2")
    world.refuses(by("W1"), Deliver(receipt_id=receipt_id), Refusal.NOT_CALLED)
    world.accepts(by("S1"), Withdraw(receipt_id=receipt_id))
    world.accepts(by("W1"), Deliver(receipt_id=receipt_id))
    world.refuses(by("W1"), Deliver(receipt_id=receipt_id), Refusal.NOT_CALLED)
