import pytest

from tallystick.apps.cash.messages import Hold, Mint, Transfer
from tallystick.apps.cash.records import Balance
from tallystick.apps.cash.refusals import Refusal
from tallystick.apps.cash.tests.desk.messages import Pay
from tallystick.apps.cash.tests.network import CNY, by, network
from tallystick.apps.cash.tests.orders import freeze, suspend
from tallystick.apps.members.refusals import Refusal as Members
from tallystick.testing.world import World


@pytest.fixture
def world() -> World:
    """D1 has 10.00."""
    made = network()
    made.accepts(by("central-bank"), Mint(to="D1", money=CNY, amount_minor=1_000))
    return made


def of(world: World, party: str) -> int:
    balance = world.view().peek(Balance, party, CNY)
    return 0 if balance is None else balance.available_minor


def test_a_payment_changes_two_balances(world: World) -> None:
    world.accepts(by("D1"), Transfer(to="S1", money=CNY, amount_minor=333, purpose="order 17"))
    world.accepts(by("D1"), Transfer(to="S1", money=CNY, amount_minor=667))
    assert (of(world, "D1"), of(world, "S1")) == (0, 1_000)


def test_refused_in_this_order(world: World) -> None:
    for refused, code in (
        (Transfer(to="nobody", money=CNY, amount_minor=0), Members.NOT_A_MEMBER),
        (Transfer(to="D1", money=CNY, amount_minor=0), Refusal.SELF_TRANSFER),
        (Transfer(to="S1", money=CNY, amount_minor=0), Refusal.ZERO_AMOUNT),
    ):
        world.refuses(by("D1"), refused, code)
    more = Transfer(to="S1", money=CNY, amount_minor=1_001)
    world.refuses(by("D1"), more, Refusal.INSUFFICIENT, amount_minor=1_001, money=CNY)
    world.refuses(by("S2"), more, Refusal.INSUFFICIENT, party="S2")
    other = Transfer(to="S1", money="CNY@bank-a", amount_minor=1)
    world.refuses(by("D1"), other, Refusal.INSUFFICIENT)
    freeze(world, "D1")
    world.refuses(by("D1"), more, Members.FROZEN)
    assert (of(world, "D1"), of(world, "S1")) == (1_000, 0)


def test_a_frozen_account_receives_and_pays_when_the_order_is_over(world: World) -> None:
    freeze(world, "S1", hours=1)
    world.accepts(by("D1"), Transfer(to="S1", money=CNY, amount_minor=5))
    pay = Transfer(to="D1", money=CNY, amount_minor=5)
    world.refuses(by("S1"), pay, Members.FROZEN)
    world.passes(hours=1)
    world.accepts(by("S1"), pay)
    assert of(world, "D1") == 1_000


def test_a_suspended_member_still_pays_and_is_paid(world: World) -> None:
    suspend(world, "D1")
    world.accepts(by("D1"), Transfer(to="S1", money=CNY, amount_minor=5))
    world.accepts(by("S1"), Transfer(to="D1", money=CNY, amount_minor=2))
    world.refuses(by("D1"), Hold(money=CNY, amount_minor=1), Members.SUSPENDED)
    assert of(world, "D1") == 997


def test_an_exchange_happens_whole_or_not_at_all(world: World) -> None:
    world.accepts(by("bank-a"), Mint(to="S1", money="CNY@bank-a", amount_minor=10))
    one = (by("D1"), Transfer(to="S1", money=CNY, amount_minor=10))
    world.refuses_together(
        one,
        (by("S1"), Transfer(to="D1", money="CNY@bank-a", amount_minor=11)),
        code=Refusal.INSUFFICIENT,
    )
    assert of(world, "S1") == 0
    world.accepts_together(one, (by("S1"), Transfer(to="D1", money="CNY@bank-a", amount_minor=10)))
    assert of(world, "S1") == 10


# --- what other applications may do: transfer


def test_an_application_pays_for_who_acts(world: World) -> None:
    world.accepts(by("D1"), Pay(source="D1", target="S1", money=CNY, amount_minor=4))
    assert of(world, "S1") == 4
    taking = Pay(source="D1", target="S1", money=CNY, amount_minor=4)
    world.refuses(by("S1"), taking, Refusal.NOT_ACTING, party="D1")
    world.accepts_together(
        (by("S1"), taking), (by("D1"), Transfer(to="S2", money=CNY, amount_minor=1))
    )
    assert of(world, "S1") == 8
