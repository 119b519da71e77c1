import pytest

from tallystick.apps.warehouse import interface, queries
from tallystick.apps.warehouse.messages import Withdraw
from tallystick.apps.warehouse.records import Status
from tallystick.apps.warehouse.refusals import Refusal
from tallystick.apps.warehouse.tests.people import NOWHERE, by, goods, network, stored
from tallystick.ledger.refusal import Refused


def test_receipts_are_listed_by_holder_and_keeper() -> None:
    world = network()
    first = stored(world)
    second = world.accepts(by("W1"), goods("2", holder="S2")).id
    world.accepts(by("S2"), Withdraw(receipt_id=second))
    assert [each.receipt_id for each in queries.held(world.view("S1"), "S1")] == [first]
    assert [each.receipt_id for each in queries.kept(world.view("W1"), "W1")] == [first]
    called = queries.kept(world.view("W1"), "W1", Status.CALLED)
    assert [each.receipt_id for each in called] == [second]


def test_a_stranger_reads_nothing() -> None:
    world = network()
    receipt_id = stored(world)
    assert queries.receipt(world.view("S1"), receipt_id).holder == "S1"
    assert list(queries.held(world.view("S2"), "S1")) == []
    with pytest.raises(Refused) as no:
        queries.receipt(world.view("S2"), receipt_id)
    assert no.value.code is Refusal.NO_SUCH_RECEIPT


def test_other_applications_ask_whether_goods_are_there() -> None:
    world = network()
    receipt_id = stored(world)
    assert interface.is_stored(world.view(), receipt_id)
    assert not interface.is_stored(world.view(), NOWHERE)
    world.accepts(by("S1"), Withdraw(receipt_id=receipt_id))
    assert not interface.is_stored(world.view(), receipt_id)
