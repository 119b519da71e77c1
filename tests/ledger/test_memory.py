"""What a rule recalls: found out once, and again as soon as something that it read may differ."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tallystick.ledger.ahead import Ahead
from tallystick.ledger.candidate import Run
from tallystick.ledger.context import Context, Moment, Work
from tallystick.ledger.genesis import BUDGET
from tallystick.ledger.keys import Keys
from tallystick.ledger.memory import SLICE, TEXTS, Memory, Remembered, Texts, oldest
from tallystick.ledger.overlay import Overlay
from tallystick.ledger.refusal import Refused, require
from tallystick.ledger.refusals import Refusal as LedgerRefusal
from tallystick.ledger.rules import Rules
from tallystick.ledger.view import Reader
from tallystick.testing.world import World
from tallystick.values.codec import encode_key, replace
from tests.ledger.toy import APP
from tests.ledger.toy.messages import Open
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Note
from tests.ledger.toy.refusals import Refusal

ASKED: list[str] = []
"""Names that the functions below were really asked about."""


def number_of(reader: Reader, name: str) -> int:
    """Number of a note."""
    ASKED.append(name)
    return reader.get(Note, name, 1).number + len([*("x" if reader.peek(Note, name, 2) else "")])


def count_of(reader: Reader, name: str) -> int:
    """How many notes there are, for which a list is read."""
    ASKED.append(name)
    return len(list(reader.scan(Note, name)))


def is_late(reader: Reader, name: str) -> bool:
    """Whether ledger time is past the note's number."""
    ASKED.append(name)
    return reader.now_ms > reader.get(Note, name, 1).number


def height_of(reader: Reader, name: str) -> int:
    """Height, which nothing tells the end of."""
    ASKED.append(name)
    return reader.height


def refuses(reader: Reader, name: str) -> int:
    """A function that says no."""
    ASKED.append(name)
    require(reader.peek(Note, name, 1) is None, Refusal.NOT_OWNER)
    return 0


def both_of(reader: Reader, name: str) -> int:
    """A function that recalls another."""
    return reader.recall(number_of, name) + 1


@pytest.fixture(name="world")
def world_with_notes() -> World:
    ASKED.clear()
    return toy_world(records=[Note(name="a", number=1), Note(name="b", number=1)])


def block(world: World, *, now_ms: int = 1, ahead: Sequence[Run] = ()) -> tuple[Overlay, Moment]:
    """A block to be executed over the world's state."""
    base = Ahead(world.chain.state, ahead)
    overlay = Overlay(base, memory=base.memory, ahead=base.ahead)
    return overlay, Moment(Rules([APP]), BUDGET, now_ms=now_ms, height=1)


def call(overlay: Overlay, moment: Moment) -> tuple[Context, Work]:
    """A transaction in it."""
    work = Work(overlay, moment, bytes(32))
    return Context(work, party="A", acting=frozenset(("A",))), work


def test_it_is_found_out_once_and_counted_each_time(world: World) -> None:
    place = block(world)
    for _ in range(3):
        ctx, work = call(*place)
        assert [ctx.recall(number_of, "a"), ctx.recall(number_of, "b")] == [1, 1]
        assert work.reads == 4
    assert ASKED == ["a", "b"]


def test_a_change_of_this_transaction_of_this_block_and_of_one_ahead_counts(world: World) -> None:
    place = block(world)
    assert call(*place)[0].recall(number_of, "a") == 1
    ctx, work = call(*place)
    ctx.add(Note(name="a", number=2))
    assert [ctx.recall(number_of, "a"), ctx.recall(number_of, "b")] == [2, 1]
    assert call(*place)[0].recall(number_of, "a") == 1, "it is not part of the block yet"
    place[0].merge(work.changes)
    assert [call(*place)[0].recall(number_of, name) for name in "ab"] == [2, 1]
    assert [call(*block(world))[0].recall(number_of, name) for name in "ab"] == [1, 1]
    assert ASKED == ["a", "a", "b", "a"]


def test_a_commit_forgets_what_it_changed_alone(world: World) -> None:
    counter = world.accepts("A.m", Open(currency="CNY")).id
    memory = world.chain.state.memory
    memory.forget([encode_key("toy.counter", counter)])
    call(*block(world))[0].recall(number_of, "a")
    call(*block(world))[0].recall(number_of, "b")
    memory.forget([encode_key(Note.spec.name, "a", 2), encode_key(Note.spec.name, "z", 1)])
    assert list(memory[number_of]) == [("b",)]
    memory.forget([encode_key(Note.spec.name, "a", 1), encode_key(Note.spec.name, "b", 1)])
    assert not memory


def test_ledger_time_is_remembered_for_its_block(world: World) -> None:
    for now_ms, late in ((1, False), (1, False), (2, True), (1, False)):
        assert call(*block(world, now_ms=now_ms))[0].recall(is_late, "a") is late
    assert len(ASKED) == 3


@pytest.mark.parametrize("function", (count_of, height_of))
def test_what_cannot_be_noted_is_asked_each_time(world: World, function: object) -> None:
    for _ in range(2):
        assert call(*block(world))[0].recall(function, "a") == 1  # type: ignore[arg-type]
    assert len(ASKED) == 2


def test_a_refusal_is_passed_on_and_not_remembered(world: World) -> None:
    for _ in range(2):
        ctx, work = call(*block(world))
        with pytest.raises(Refused) as caught:
            ctx.recall(refuses, "a")
        assert caught.value.code is Refusal.NOT_OWNER
        assert work.reads == 1
    assert len(ASKED) == 2


def test_one_that_recalls_another_is_one(world: World) -> None:
    assert call(*block(world))[0].recall(both_of, "a") == 2
    assert world.view().recall(both_of, "a") == 2
    assert len(world.chain.state.memory) == 1


def test_the_work_budget_is_met_in_the_same_place(world: World) -> None:
    overlay, moment = block(world)
    small = Moment(moment.rules, replace(BUDGET, reads=3), now_ms=1, height=1)
    for _ in range(2):
        ctx, work = call(overlay, small)
        assert ctx.recall(number_of, "a") == 1
        with pytest.raises(Refused) as caught:
            ctx.recall(number_of, "a")
        assert caught.value.code is LedgerRefusal.TOO_MUCH_WORK
        assert work.reads == 4


def test_it_is_bounded(world: World) -> None:
    memory = world.chain.state.memory = Memory(2)
    ctx, _ = call(*block(world))
    for name in "aba":
        ctx.recall(number_of, name)
        ctx.recall(is_late, name)
        assert len(memory) <= 2


def remembered(memory: Memory, name: str, *keys: bytes) -> None:
    """Have an answer kept that followed from records of these keys."""
    names = memory.names_of({Note.spec.name})
    found = Remembered(value=name, keys=keys, names=names, reads=1, now_ms=None)
    memory.keep((number_of, (name,)), found)


def test_the_oldest_is_let_go_of_and_what_it_followed_from_with_it() -> None:
    memory = Memory(2)
    remembered(memory, "a", b"shared", b"own", b"gone")
    remembered(memory, "b", b"shared")
    memory._by_key.pop(b"gone")  # as a commit does that forgets at this moment
    remembered(memory, "c", b"shared")
    assert list(memory[number_of]) == [("b",), ("c",)]
    assert {key: len(asked) for key, asked in memory._by_key.items()} == {b"shared": 2}
    memory._let_go((number_of, ("a",)))
    assert len(memory) == 2, "what was forgotten meanwhile is nothing to let go of"
    memory.forget([b"shared"])
    assert (len(memory), len(memory._by_key)) == (0, 0)


def test_of_many_some_are_let_go_of_at_a_time() -> None:
    assert len(oldest(dict.fromkeys(range(20)), 20)) == 3
    many = dict.fromkeys(range(20 * SLICE))
    assert oldest(many, 20 * SLICE) == list(range(SLICE))


def test_what_left_meanwhile_makes_room() -> None:
    memory = Memory(3)
    for name in "abc":
        remembered(memory, name, name.encode())
    memory.forget([b"b", b"c"])
    remembered(memory, "d", b"d")
    remembered(memory, "e", b"e")
    assert list(memory[number_of]) == [("a",), ("d",), ("e",)]


def test_keys_are_let_go_of_where_there_are_most() -> None:
    keys = Keys(3)
    for at in range(20):
        name = "ab"[at % 5 == 0]
        assert keys[name][f"k{at}",] == encode_key(name, f"k{at}")
        assert len(keys) <= 3
    assert set(keys) == {"a", "b"}
    assert list(keys["a"]) == [("k18",), ("k19",)]
    assert keys["a"][1,] != keys["a"][True,]
    assert (1,) not in keys["a"], "it would be found as the other's key"


def test_answers_have_their_names_in_common() -> None:
    memory = Memory()
    assert memory.names_of({"a", "b"}) is memory.names_of({"b", "a"})
    assert [memory.read(name) for name in "abc"] == [True, True, False]


def test_there_is_one_copy_of_a_text() -> None:
    texts = Texts(3)
    one, other = (raw.decode() for raw in (b"payer", b"payer"))
    assert one is not other
    assert texts[one] is texts[other] is one
    assert texts.shared((other, b"x", 1)) == (one, b"x", 1)
    assert texts.shared((other,))[0] is one
    for name in "abc":
        assert texts[name] == name
        assert len(texts) <= 3


def test_a_record_that_is_read_has_its_texts_in_common() -> None:
    name = b"a_note_of_its_own".decode()
    world = toy_world(records=[Note(name=name, number=1)])
    copy = TEXTS[b"a_note_of_its_own".decode()]
    assert call(*block(world))[0].get(Note, name, 1).name is copy
