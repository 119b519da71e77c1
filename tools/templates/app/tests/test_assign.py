from tallystick.apps.members.refusals import Refusal as Members
from tallystick.apps.warehouse.messages import Assign, Withdraw
from tallystick.apps.warehouse.records import Receipt
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.apps.warehouse.tests.people import NOWHERE, by, network, stored


def test_a_receipt_is_passed_on() -> None:
    world = network()
    receipt_id = stored(world)
    world.accepts(by("S1"), Assign(receipt_id=receipt_id, to="S2"))
    world.accepts(by("S2"), Assign(receipt_id=receipt_id, to="bank-a"))
    assert world.view().get(Receipt, receipt_id).holder == "bank-a"


def test_one_person_is_not_enough() -> None:
    world = network()
    passing = Assign(receipt_id=stored(world), to="S2")
    world.refuses("S1.maker", passing, Members.NOT_ENOUGH_OFFICERS)


def test_refused_in_this_order() -> None:
    world = network()
    receipt_id = stored(world)
    world.refuses(by("S1"), Assign(receipt_id=NOWHERE, to="nobody"), Refusal.NO_SUCH_RECEIPT)
    world.refuses(by("S2"), Assign(receipt_id=receipt_id, to="nobody"), Members.NOT_A_MEMBER)
    world.accepts(by("S1"), Withdraw(receipt_id=receipt_id))
    passing = Assign(receipt_id=receipt_id, to="S1")
    world.refuses(by("S2"), passing, Refusal.NOT_HOLDER, party="S2", receipt_id=receipt_id)
    world.refuses(by("S1"), passing, Refusal.NOT_STORED)


def test_nobody_passes_to_itself() -> None:
    world = network()
    world.refuses(by("S1"), Assign(receipt_id=stored(world), to="S1"), Refusal.SAME_HOLDER)
