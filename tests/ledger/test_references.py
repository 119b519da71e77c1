"""What messages and records refer to is read at once, and that changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from tallystick.accel import load
from tallystick.ledger.ahead import Ahead
from tallystick.ledger.app import Record
from tallystick.ledger.keys import Keys
from tallystick.ledger.references import LISTED_MAX, Reference, references_of, referred
from tallystick.ledger.state import State
from tallystick.testing.world import World
from tallystick.values.codec import Struct, encode_key
from tallystick.values.units import Id, KeyOf, Name
from tests.ledger.toy.messages import CountUp, Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note

CounterId = Annotated[Id, KeyOf("Counter")]


class Paper(Struct):
    """Refers to counters in every way, and to what is no record or has a longer key."""

    name: Name
    """A text."""
    counter_id: CounterId
    """One."""
    other_id: CounterId | None = None
    """One, or none."""
    counter_ids: tuple[CounterId, ...] = ()
    """Several."""
    note: Annotated[Name, KeyOf("Note")] = ""
    """Part of a key."""
    stranger: Annotated[Name, KeyOf("Stranger")] = ""
    """Nothing that is kept."""


COUNTERS = Counter.spec.name
BY_CLASS: dict[str, type[Record]] = {"Counter": Counter, "Note": Note}


class Watched:
    """A store that notes what is read of it."""

    def __init__(self, world: World) -> None:
        self.store = world.store
        self.asked: list[int] = []
        self.gone: set[bytes] = set()
        self.height, self.scan = world.store.height, world.store.scan
        self.side_scan, self.apply = world.store.side_scan, world.store.apply

    def get(self, key: bytes) -> bytes | None:
        self.asked.append(1)
        return None if key in self.gone else self.store.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        self.asked.append(len(keys))
        found = self.store.get_many(keys)
        return [None if key in self.gone else raw for key, raw in zip(keys, found, strict=True)]


def cold(world: World, store: Watched) -> State:
    """The same state with nothing in its cache, and no name known to have few records."""
    decoders, tip = world.ledger.rules.decoders, world.chain.state.tip
    return State(store, decoders, tip, tree=load().tree(), few_max=0)


def test_fields_that_hold_the_key_of_a_record_are_found() -> None:
    assert references_of(Paper, BY_CLASS) == (
        Reference("counter_id", COUNTERS, is_list=False),
        Reference("other_id", COUNTERS, is_list=False),
        Reference("counter_ids", COUNTERS, is_list=True),
    )
    assert toy_world().ledger.rules.references[CountUp] == (
        Reference("counter_id", COUNTERS, is_list=False),
    )


def test_a_long_list_is_looked_for_in_part() -> None:
    ids = tuple(f"ctr-{number:016x}" for number in range(LISTED_MAX + 2))
    paper = Paper(name="p", counter_id="ctr-00000000000000ff", counter_ids=ids)
    found = referred([paper, "no holder"], {Paper: references_of(Paper, BY_CLASS)}, Keys())
    wanted = (paper.counter_id, *ids[:LISTED_MAX])
    assert found == {encode_key(COUNTERS, each): COUNTERS for each in wanted}


def test_what_a_block_refers_to_is_read_at_once_and_never_again() -> None:
    world = toy_world()
    made = [world.accepts("A.m", Open(currency="CNY")).id for _ in range(3)]
    absent = "ctr-00000000000000ff"
    wanted = {encode_key(COUNTERS, each): COUNTERS for each in (*made, absent)}
    store = Watched(world)
    state = cold(world, store)
    read = state.fetch(wanted)
    assert sorted([each.counter_id for each in read if isinstance(each, Counter)]) == sorted(made)
    assert store.asked == [3], "of what is not there the tree knows"
    for each in made:
        key = encode_key(COUNTERS, each)
        assert state.load(COUNTERS, key) == world.chain.state.load(COUNTERS, key)
    assert state.fetch(wanted) == []
    assert store.asked == [3]


def test_for_what_is_not_there_the_store_is_not_asked() -> None:
    """As for the key of each record that is made."""
    world = toy_world()
    made = world.accepts("A.m", Open(currency="CNY")).id
    store = Watched(world)
    state = cold(world, store)
    assert state.load(COUNTERS, encode_key(COUNTERS, "ctr-00000000000000ff")) is None
    assert store.asked == []
    assert state.load(COUNTERS, encode_key(COUNTERS, made)) is not None
    assert store.asked == [1]


def test_what_a_commit_deletes_meanwhile_is_not_read() -> None:
    """The tree that was asked is that of the block before: the store has let go of a record."""
    world = toy_world()
    made = [world.accepts("A.m", Open(currency="CNY")).id for _ in range(2)]
    wanted = {encode_key(COUNTERS, each): COUNTERS for each in made}
    store = Watched(world)
    store.gone = {encode_key(COUNTERS, made[0])}
    assert cold(world, store).load(COUNTERS, encode_key(COUNTERS, made[0])) is None
    [read] = cold(world, store).fetch(wanted)
    assert isinstance(read, Counter)
    assert read.counter_id == made[1]


def test_what_blocks_before_have_changed_is_not_read() -> None:
    world = toy_world()
    made = [world.accepts("A.m", Open(currency="CNY")).id for _ in range(2)]
    raw = world.signed(("A.m", CountUp(counter_id=made[0], by_minor=5)))
    store = Watched(world)
    state = cold(world, store)
    transactions = [world.ledger.codec.decode(raw)]
    run = world.ledger.run(state, world.now_ms + 1, transactions, proposing=True)
    wanted = {encode_key(COUNTERS, each): COUNTERS for each in made}
    store.asked.clear()
    [read] = Ahead(cold(world, store), [run]).fetch(wanted)
    assert isinstance(read, Counter)
    assert read.counter_id == made[1]
    assert store.asked == [1]
