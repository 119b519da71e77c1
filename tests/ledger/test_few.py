"""Names of which there are few records: what is not there is known without the store."""

from __future__ import annotations

from random import Random

import pytest

from tallystick.accel import load
from tallystick.ledger.few import LISTED_MAX, Few, First
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.state import State
from tallystick.testing.world import World
from tallystick.values.codec import encode, encode_key, prefix_end
from tests.ledger.toy.messages import CountUp, Drop, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note

NOTES = [Note(name="n", number=number) for number in range(5)]
NAME = Note.spec.name


def note_key(number: int) -> bytes:
    """State key of a note."""
    return encode_key(NAME, "n", number)


def few_of(world: World, few_max: int) -> Few:
    """The keys of a world's records, of names with so many at most."""
    return Few(world.store, world.ledger.rules.decoders, few_max=few_max)


def test_what_is_absent_is_known_where_there_are_few() -> None:
    world = toy_world(records=NOTES)
    few = few_of(world, 5)
    assert few.lacks(NAME, note_key(5))
    assert few.lacks(Counter.spec.name, encode_key(Counter.spec.name, "ctr-0123456789abcdef"))
    assert not any(few.lacks(NAME, note_key(number)) for number in range(5))
    assert not few_of(world, 4).lacks(NAME, note_key(5)), "there are many, so nothing is known"


def test_a_list_is_made_where_there_are_very_few() -> None:
    few, prefix = few_of(toy_world(records=NOTES), 1_000), encode_key(NAME, "n")
    assert few.listed(NAME, prefix, prefix) == [note_key(number) for number in range(5)]
    assert few.listed(NAME, prefix, note_key(3)) == [note_key(3), note_key(4)]
    assert few.listed(NAME, encode_key(NAME, "m"), encode_key(NAME, "m")) == []
    assert few.listed("of nobody", prefix, prefix) is None
    more = [note_key(number) for number in range(LISTED_MAX + 1)]
    few.note({NAME: more}, dict.fromkeys(more, NOTES[0]))
    assert few.listed(NAME, prefix, prefix) is None, "the store is asked"


def test_what_is_deleted_while_a_list_is_read_is_not_in_it() -> None:
    world = toy_world(records=NOTES)
    store, tree = world.store.copy(), load("python").tree()
    state = State(store, world.ledger.rules.decoders, world.chain.state.tip, tree=tree)
    found = state.scan(NAME, encode_key(NAME), None)
    assert next(found) == (note_key(0), NOTES[0])
    store.apply(1, {note_key(1): None, note_key(4): None}, {})
    assert [each for _, each in found] == NOTES[2:4]


def test_names_of_which_nothing_is_kept_are_known() -> None:
    few = few_of(toy_world(records=NOTES[:1]), 5)
    assert Counter.spec.name in few.absent()
    assert NAME not in few.absent()
    few.note({NAME: [note_key(0)]}, {note_key(0): None})
    assert NAME in few.absent()


def test_a_block_is_kept_up_with() -> None:
    few = few_of(toy_world(records=NOTES), 5)
    few.note({NAME: [note_key(1), note_key(7)]}, {note_key(1): None, note_key(7): NOTES[0]})
    assert few.lacks(NAME, note_key(1))
    assert not few.lacks(NAME, note_key(7))
    few.note({NAME: [note_key(8)]}, {note_key(8): NOTES[0]})
    assert not few.lacks(NAME, note_key(1)), "now there are many"
    few.note({NAME: [note_key(8)]}, {note_key(8): None})
    assert not few.lacks(NAME, note_key(1)), "and they stay many"


@pytest.mark.parametrize("few_max", (0, 3, 10_000))
def test_a_state_is_the_same_with_few_or_many(few_max: int) -> None:
    world, rng = toy_world(records=NOTES), Random(few_max)
    state = State(
        world.store.copy(),
        world.ledger.rules.decoders,
        world.chain.state.tip,
        tree=load("python").tree(),
        cache_max=2,
        few_max=few_max,
    )
    made: list[str] = ["ctr-0123456789abcdef"]
    for _ in range(60):
        message = rng.choice(
            (
                Open(currency="CNY"),
                CountUp(counter_id=rng.choice(made), by_minor=1),
                Drop(counter_id=rng.choice(made)),
            )
        )
        world.now_ms += 1
        raw = world.signed(("A.m", message))
        transaction = world.ledger.codec.decode(raw)
        mine = world.ledger.execute(state, world.now_ms, [transaction])
        other = world.ledger.execute(world.chain.state, world.now_ms, [transaction])
        assert encode(mine.header) == encode(other.header)
        receipt = mine.done[0].receipt
        if isinstance(message, Open) and receipt.outcome is Outcome.ACCEPTED:
            made.append(receipt.ids[0])
        state.commit(mine, bytes(32))
        world.chain.state.commit(other, bytes(32))
    assert len(made) > 10


def test_the_first_key_of_a_name_is_kept_up_with() -> None:
    store = toy_world(records=NOTES[2:]).store.copy()
    first = First(store, NAME)
    assert first.key == note_key(2)
    store.apply(1, {note_key(1): encode(NOTES[1]), note_key(4): None}, {})
    first.note({NAME: [note_key(4), note_key(1)], "of nobody": [b""]})
    assert first.key == note_key(1)
    store.apply(2, {note_key(1): None, note_key(2): None}, {})
    first.note({NAME: [note_key(1), note_key(2)]})
    assert first.key == note_key(3)
    store.apply(3, {note_key(3): None}, {})
    first.note({NAME: [note_key(3), note_key(0)]})  # the last one was set and dropped
    assert first.key == prefix_end(encode_key(NAME)), "there is none"
    store.apply(4, {note_key(4): encode(NOTES[4])}, {})
    first.note({NAME: [note_key(4)]})
    assert first.key == note_key(4)
