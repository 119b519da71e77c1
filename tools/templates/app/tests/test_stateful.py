"""Receipts, played at random: invariants are looked at after every block."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.apps.warehouse import APP
from tallystick.apps.warehouse.messages import Assign, Deliver, Withdraw
from tallystick.apps.warehouse.records import Receipt, Status
from tallystick.apps.warehouse.tests.people import by, goods, network
from tallystick.testing.stateful import Actions, Asked, play
from tallystick.testing.world import World

HOLDERS = ("S1", "S2", "T1", "bank-a", "nobody")


def some_receipt(rng: Random, world: World, status: Status) -> Receipt | None:
    """A receipt of somebody, most of the time one that has come so far."""
    found = list(world.view().scan(Receipt))
    fitting = [each for each in found if each.status is status]
    among = fitting if rng.random() < 0.8 else found
    return rng.choice(among) if among else None


def stores(rng: Random, world: World) -> Asked | None:
    """A keeper issues a receipt; its number may have been used, the goods may be worth nothing."""
    number, value = str(rng.randrange(200)), rng.choice((0, 1, 5_000_000))
    return by(rng.choice(("W1", "W2", "S1"))), goods(number, rng.choice(HOLDERS), value)


def passes_on(rng: Random, world: World) -> Asked | None:
    """The holder, or another, passes a receipt on."""
    kept = some_receipt(rng, world, Status.STORED)
    if kept is None:
        return None
    who = rng.choice((kept.holder, kept.holder, "S2"))
    return by(who), Assign(receipt_id=kept.receipt_id, to=rng.choice(HOLDERS))


def calls_for(rng: Random, world: World) -> Asked | None:
    """The holder, or another, calls for the goods."""
    kept = some_receipt(rng, world, Status.STORED)
    if kept is None:
        return None
    return by(rng.choice((kept.holder, kept.keeper))), Withdraw(receipt_id=kept.receipt_id)


def hands_out(rng: Random, world: World) -> Asked | None:
    """The keeper, or another, hands goods out."""
    kept = some_receipt(rng, world, Status.CALLED)
    if kept is None:
        return None
    return by(rng.choice((kept.keeper, kept.keeper, "W1"))), Deliver(receipt_id=kept.receipt_id)


ACTIONS: Actions = {stores: 4, passes_on: 6, calls_for: 1, hands_out: 1}


@pytest.mark.stateful
@pytest.mark.timeout(900)
def test_receipts_at_random() -> None:
    played = play(APP, network, ACTIONS)
    assert played.shortfalls() == [], played.told()
