"""Which rules are in force: activated at a height, old ones kept, a node without them stops."""

from __future__ import annotations

import pytest

from tallystick.errors import ReleaseTooOld
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.system import Activation
from tallystick.testing.world import World
from tests.ledger.toy.messages import Activate, CountUp, Double, Halve, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter


def counted(world: World, counter_id: str) -> int:
    return world.view().get(Counter, counter_id).amount_minor


def test_rules_change_at_a_height_and_not_before() -> None:
    world = toy_world(version=1)
    made = world.accepts("A.m", Open(currency="CNY")).id
    five = CountUp(counter_id=made, by_minor=5)
    world.accepts("A.m", five)
    assert counted(world, made) == 1  # version 1 counts by one, whatever is asked
    world.refuses(
        "A.m", Double(counter_id=made), LedgerRefusal.NOT_ACTIVE, message="Double", version=1
    )
    height = world.chain.state.tip.height
    world.accepts("A.m", Activate(version=2, from_height=height + 4))
    world.restarts()
    world.accepts("A.m", five)
    world.accepts("A.m", five)
    assert counted(world, made) == 3
    world.accepts("A.m", five)
    assert world.chain.state.tip.height == height + 4
    assert counted(world, made) == 8
    world.accepts("A.m", Double(counter_id=made))
    assert counted(world, made) == 16


def test_a_retired_message_is_refused() -> None:
    world = toy_world(version=1)
    made = world.accepts("A.m", Open(currency="CNY")).id
    world.accepts("A.m", Halve(counter_id=made))
    world = toy_world()
    made = world.accepts("A.m", Open(currency="CNY")).id
    world.refuses("A.m", Halve(counter_id=made), LedgerRefusal.NOT_ACTIVE, version=2)


def test_a_node_without_the_version_stops_and_says_which() -> None:
    world = toy_world()
    height = world.chain.state.tip.height + 3
    world.accepts("A.m", Activate(version=3, from_height=height))
    world.accepts("A.m", Open(currency="CNY"))
    with pytest.raises(ReleaseTooOld) as stop:
        world.accepts("A.m", Open(currency="CNY"))
    assert (stop.value.app, stop.value.version, stop.value.height) == ("toy", 3, height)


def test_so_does_one_without_the_application() -> None:
    world = toy_world(records=[Activation(app="other", version=0, next_version=1, from_height=2)])
    world.accepts("A.m", Open(currency="CNY"))
    with pytest.raises(ReleaseTooOld, match="other"):
        world.accepts("A.m", Open(currency="CNY"))


def test_a_chain_that_begins_with_what_the_release_lacks() -> None:
    with pytest.raises(ReleaseTooOld, match="block 1 on toy has version 3"):
        toy_world(version=3)


def test_an_application_that_is_not_in_force_takes_nothing() -> None:
    world = toy_world(version=0)
    world.refuses("A.m", Open(currency="CNY"), LedgerRefusal.NOT_ACTIVE, version=0)
