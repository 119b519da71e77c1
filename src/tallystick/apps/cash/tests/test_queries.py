import pytest

from tallystick.apps.cash import interface, queries
from tallystick.apps.cash.messages import Capture, Hold, Mint, Transfer
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.cash.tests.network import CNY, by, network
from tallystick.ledger.refusal import Refused
from tallystick.testing.world import World


@pytest.fixture
def world() -> World:
    """D1 got 10.00, paid S1 3.00, held 5.00 for S2, who took 1.00."""
    made = network()
    made.accepts(by("central-bank"), Mint(to="D1", money=CNY, amount_minor=1_000))
    made.accepts(by("D1"), Transfer(to="S1", money=CNY, amount_minor=300))
    hold = Hold(
        money=CNY,
        amount_minor=500,
        beneficiary="S2",
        expires_at_ms=made.ledger_ms + 3_600_000,
    )
    hold_id = made.accepts(by("D1"), hold).id
    made.accepts(by("S2"), Capture(hold_id=hold_id, amount_minor=100))
    made.passes(hours=1)
    return made


def test_statement_runs(world: World) -> None:
    lines = list(queries.statement(world.view("D1"), "D1", CNY))
    assert [
        (line.available_change_minor, line.held_change_minor, line.available_minor)
        for line in lines
    ] == [(1_000, 0, 1_000), (-300, 0, 700), (-500, 500, 200), (0, -100, 200), (400, -400, 600)]
    assert [line.held_minor for line in lines] == [0, 0, 500, 400, 0]
    assert [line.height for line in lines] == sorted(line.height for line in lines)
    assert [line.at_ms for line in lines] == sorted(line.at_ms for line in lines)
    assert lines[0].transaction_id is not None
    assert lines[-1].transaction_id is None, "a timer let the rest go"
    assert list(queries.statement(world.view(), "D1", "CNY@bank-a")) == []


def test_a_stranger_reads_nothing(world: World) -> None:
    view = world.view("S1")
    assert list(queries.statement(view, "D1", CNY)) == []
    assert list(queries.balances(view, "D1")) == []
    with pytest.raises(Refused) as no:
        queries.supply(view, CNY)
    assert no.value.code is Refusal.NO_SUCH_MONEY
    assert [each.available_minor for each in queries.balances(view, "S1")] == [300]


def test_holds_are_read_by_owner_and_beneficiary(world: World) -> None:
    hold_id = world.accepts(by("D1"), Hold(money=CNY, amount_minor=50, beneficiary="S2")).id
    assert [each.hold_id for each in queries.holds(world.view("D1"), "D1")] == [hold_id]
    assert [each.hold_id for each in queries.holds_for(world.view("S2"), "S2")] == [hold_id]
    assert queries.one_hold(world.view("S2"), hold_id).remaining_minor == 50
    with pytest.raises(Refused) as no:
        queries.one_hold(world.view("S1"), hold_id)
    assert no.value.code is Refusal.NO_SUCH_HOLD
    assert interface.get_hold(world.view(), hold_id).amount_minor == 50


def test_issuer_and_supervisor_read_the_supply(world: World) -> None:
    for asker in ("central-bank", "supervisor", None):
        assert queries.supply(world.view(asker), CNY).issued_minor == 1_000


def test_other_applications_read_figures(world: World) -> None:
    view = world.view()
    assert (interface.available(view, "D1", CNY), interface.held(view, "D1", CNY)) == (600, 0)
    assert (interface.available(view, "D1", "X"), interface.held(view, "D1", "X")) == (0, 0)
    assert interface.remaining(view, "hold-0000000000000000") == 0
    hold_id = world.accepts(by("D1"), Hold(money=CNY, amount_minor=50)).id
    assert interface.remaining(world.view(), hold_id) == 50
