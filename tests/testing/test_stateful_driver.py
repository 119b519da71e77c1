"""The driver that plays an application at random."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.testing.stateful import (
    ACCEPTED_EACH_MIN,
    RUN_MESSAGES_MAX,
    Actions,
    Asked,
    Tally,
    play,
    play_run,
)
from tallystick.testing.world import World, WorldProblem
from tests.ledger.toy import APP
from tests.ledger.toy.invariants import LIMIT_MINOR
from tests.ledger.toy.messages import CountUp, Crash, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter


def opens(rng: Random, world: World) -> Asked | None:
    """Open a counter, or two at once."""
    one = (f"{rng.choice('ABX')}.m", Open(currency="CNY"))
    return (one, one) if rng.random() < 0.2 else one


def counts(rng: Random, world: World) -> Asked | None:
    """Count up somebody's counter."""
    found = list(world.view().scan(Counter))
    if not found:
        return None
    counter = rng.choice(found)
    return f"{rng.choice('AB')}.m", CountUp(counter_id=counter.counter_id, by_minor=1)


def waits(rng: Random, world: World) -> Asked | None:
    """Time passes."""
    world.passes(minutes=rng.randrange(60))
    return None


ACTIONS: Actions = {opens: 2, counts: 3, waits: 1}


def test_the_same_seed_plays_the_same() -> None:
    one, two = (play(APP, toy_world, ACTIONS, messages=700, seed=7) for _ in range(2))
    assert one == two
    other = play(APP, toy_world, ACTIONS, messages=700, seed=8)
    assert other.accepted != one.accepted


def test_what_was_played_is_counted() -> None:
    tally = play(APP, toy_world, ACTIONS, messages=700)
    assert tally.messages.total() >= 700
    assert set(tally.messages) == {"Open", "CountUp"}
    assert tally.blocks <= tally.messages.total()
    assert set(tally.refusals) == {"toy UNKNOWN_KEY", "toy NOT_OWNER"}
    told = tally.told()
    assert "toy: " in told
    assert "toy NOT_OWNER: " in told
    short = tally.shortfalls(messages_min=700)
    assert "Drop was accepted 0 of 0 times, 50 are wanted" in short
    assert not any("Open" in each or "CountUp" in each for each in short)


def test_runs_begin_again_from_the_opening() -> None:
    world = toy_world()
    tally = Tally(APP)
    play_run(tally, world, ACTIONS, seed=1, run=0)
    assert RUN_MESSAGES_MAX <= tally.messages.total() <= RUN_MESSAGES_MAX + 1
    assert len(list(world.view().scan(Counter))) == tally.accepted["Open"]


def test_what_falls_short_is_said() -> None:
    tally = Tally(APP)
    names = [each.__name__ for each in APP.message_types if not each.spec.timer]
    for name in names:
        tally.messages[name], tally.accepted[name] = 200, ACCEPTED_EACH_MIN
    short = tally.shortfalls(messages_min=10_000)
    assert len(short) == 2
    assert "10000 are wanted" in short[0]
    assert "a third is wanted" in short[1]
    for name in names:
        tally.accepted[name] = 100
    assert tally.shortfalls(messages_min=2_000) == []


def test_an_invariant_that_breaks_names_seed_and_run() -> None:
    def overfills(rng: Random, world: World) -> Asked | None:
        found = list(world.view().scan(Counter))
        if not found:
            return "A.m", Open(currency="CNY")
        return "A.m", CountUp(counter_id=found[0].counter_id, by_minor=LIMIT_MINOR)

    with pytest.raises(WorldProblem, match="stands at") as met:
        play(APP, toy_world, {overfills: 1}, seed=3)
    (note,) = met.value.__notes__
    assert note.startswith("toy: seed 3, run 0, after 1 messages; asked: [('A.m', CountUp(")


def test_a_bug_of_a_rule_comes_through() -> None:
    with pytest.raises(KeyError, match="on purpose"):
        play(APP, toy_world, {lambda rng, world: ("A.m", Crash(how="error")): 1})


def test_actions_that_find_nothing_to_ask() -> None:
    with pytest.raises(WorldProblem, match="find nothing"):
        play(APP, toy_world, {lambda rng, world: None: 1})
