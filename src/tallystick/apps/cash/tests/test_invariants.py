"""The invariants find what they are for: each is shown a state that breaks it."""

import pytest

from tallystick.apps.cash import invariants
from tallystick.apps.cash.records import Balance, Held, Supply
from tallystick.apps.cash.tests.network import CNY
from tallystick.apps.cash.tests.shelf import view
from tallystick.ledger.app import Record


def supply(issued: int, redeemed: int = 0) -> Supply:
    return Supply(money=CNY, issuer="central-bank", issued_minor=issued, redeemed_minor=redeemed)


def balance(available: int, held: int = 0) -> Balance:
    return Balance(party="S1", money=CNY, available_minor=available, held_minor=held)


def hold(amount: int, remaining: int) -> Held:
    return Held(
        hold_id="hold-00000000000000aa",
        owner="S1",
        money=CNY,
        amount_minor=amount,
        remaining_minor=remaining,
    )


@pytest.mark.parametrize(
    ("records", "said"),
    (
        ((supply(5), balance(4)), f"{CNY}: 5 is about, balances are 4"),
        ((balance(4),), f"{CNY}: never issued, balances are 4"),
    ),
)
def test_supply(records: tuple[Record, ...], said: str) -> None:
    assert list(invariants.balances_add_up_to_the_supply(view(*records))) == [said]


@pytest.mark.parametrize(
    ("records", "said"),
    (
        ((balance(-1),), f"S1 has a negative balance of {CNY}"),
        ((balance(0, -1),), f"S1 has a negative balance of {CNY}"),
        ((supply(1, 2),), f"{CNY}: more was redeemed than issued"),
    ),
)
def test_negative(records: tuple[Record, ...], said: str) -> None:
    assert list(invariants.no_balance_is_negative(view(*records))) == [said]


@pytest.mark.parametrize(
    ("records", "said"),
    (
        ((balance(0, 5), hold(4, 4)), f"S1: 5 of {CNY} held, holds 4"),
        ((hold(4, 4),), f"S1: holds of 4 {CNY} without a balance"),
        ((balance(0), hold(4, 0)), "hold hold-00000000000000aa keeps 0 of 4"),
        ((balance(0, 5), hold(4, 5)), "hold hold-00000000000000aa keeps 5 of 4"),
    ),
)
def test_held(records: tuple[Record, ...], said: str) -> None:
    assert list(invariants.held_is_the_sum_of_holds(view(*records))) == [said]


def test_nothing_is_said_of_a_sound_state() -> None:
    sound = view(supply(9), balance(5, 4), hold(6, 4))
    for invariant in (
        invariants.balances_add_up_to_the_supply,
        invariants.no_balance_is_negative,
        invariants.held_is_the_sum_of_holds,
    ):
        assert list(invariant(sound)) == []
