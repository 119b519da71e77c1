"""A world says what a test expected and what it got; its checks miss nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallystick.ledger.app import App
from tallystick.ledger.receipt import Outcome
from tallystick.ledger.view import View
from tallystick.testing.world import World, WorldProblem, private_key, public_key, split_who
from tests.ledger.toy import APP, invariants
from tests.ledger.toy.messages import CountUp, Open, Ring
from tests.ledger.toy.people import Keys, toy_world
from tests.ledger.toy.records import Counter, Note, Secret
from tests.ledger.toy.refusals import Refusal


@pytest.fixture
def world() -> World:
    return toy_world()


def test_acceptance_that_was_expected_and_refused(world: World) -> None:
    with pytest.raises(WorldProblem, match="expected acceptance, got unauthorised toy 3 UNKNOWN"):
        world.accepts("X.m", Open(currency="CNY"))


def test_a_refusal_that_was_expected(world: World) -> None:
    with pytest.raises(WorldProblem, match="expected toy 2 NOT_OWNER, got accepted"):
        world.refuses("A.m", Open(currency="CNY"), Refusal.NOT_OWNER)
    with pytest.raises(WorldProblem, match="expected party=B, got"):
        world.refuses("X.m", Open(currency="CNY"), Refusal.UNKNOWN_KEY, party="B")


def test_a_transaction_that_made_no_id(world: World) -> None:
    result = world.accepts("A.m", Ring(name="noon", at_ms=world.ledger_ms + 1))
    with pytest.raises(WorldProblem, match="made no id"):
        result.id  # noqa: B018


def test_a_transaction_that_expires(world: World) -> None:
    raw = world.signed(("A.m", Open(currency="CNY")), expires_at_ms=world.ledger_ms)
    transaction = world.ledger.codec.decode(raw)
    assert transaction.body.expires_at_ms == world.ledger_ms
    assert world.offer(raw).receipt is None


def test_several_in_one_block(world: World) -> None:
    raws = [world.signed((f"{party}.m", Open(currency="CNY"))) for party in "ABC"]
    answers = world.offers(*raws)
    assert [answer.height for answer in answers] == [1, 1, 1]
    assert [answer.raw for answer in answers] == raws


def test_time_goes_forward_only(world: World) -> None:
    before = world.ledger_ms
    world.passes(days=1, hours=2, minutes=3)
    assert world.ledger_ms - before == 93_780_000
    world.passes(to=("2026-07-10", 60))
    assert world.ledger_ms == 1_783_616_400_000
    with pytest.raises(WorldProblem, match="forward only"):
        world.passes(to=("2026-07-03", 0))
    with pytest.raises(WorldProblem, match="so long"):
        world.passes(days=10**12)


def test_a_copy_goes_its_own_way(world: World) -> None:
    made = world.accepts("A.m", Open(currency="CNY")).id
    twin = world.copy()
    twin.accepts("A.m", CountUp(counter_id=made, by_minor=5))
    twin.passes(days=1)
    assert world.view().get(Counter, made).amount_minor == 0
    assert twin.view().get(Counter, made).amount_minor == 5
    assert world.ledger_ms < twin.ledger_ms
    world.accepts("A.m", CountUp(counter_id=made, by_minor=7))
    assert twin.view().get(Counter, made).amount_minor == 5


def test_a_view_is_of_one_height(world: World) -> None:
    made = world.accepts("A.m", Open(currency="CNY")).id
    before = world.view()
    world.accepts("A.m", CountUp(counter_id=made, by_minor=5))
    assert before.get(Counter, made).amount_minor == 0
    assert world.view().get(Counter, made).amount_minor == 5
    assert world.view("B").peek(Counter, made) is None
    assert world.view("S").peek(Counter, made) is not None
    assert world.view().asker is None


def test_an_outlet_is_told_to_the_authority(world: World) -> None:
    result = world.accepts("A.m", Open(currency="CNY"), outlet="shop-1")
    assert result.receipt.outcome is Outcome.ACCEPTED


def test_names_and_keys() -> None:
    assert split_who("S1.maker+checker") == ("S1", ("maker", "checker"))
    assert split_who("S1") == ("S1", ())
    assert public_key("A.m") == private_key("A.m").public_key().public_bytes_raw()
    assert public_key("A.m") != public_key("A.m/2")


# --- invariants


class Watched:
    """The toy with invariants that say what they read, and fail when they are told to."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.broken = ""

    def app(self) -> App:
        """The toy, watched."""

        def of_notes(view: View) -> Iterator[str]:
            self.ran.append("notes")
            list(view.scan(Note))
            if self.broken == "notes":
                yield "a note is wrong"

        def of_counters(view: View) -> Iterator[str]:
            self.ran.append("counters")
            for counter in view.scan(Counter):
                view.peek(Secret, counter.owner)
            if self.broken == "counters":
                yield "a counter is wrong"

        class Declared(App):  # an application whose invariants are these
            @property
            def invariant_functions(self) -> tuple[object, ...]:  # type: ignore[override]
                return (of_notes, of_counters)

        fields = {name: getattr(APP, name) for name in APP.__dataclass_fields__}
        return Declared(**fields)

    def told(self) -> list[str]:
        """What ran since the last time."""
        ran, self.ran = self.ran, []
        return ran


def test_after_a_step_what_read_the_records_that_changed_is_run() -> None:
    watched = Watched()
    world = World([watched.app()], Keys())
    assert watched.told() == ["notes", "counters"]
    made = world.accepts("A.m", Open(currency="CNY")).id
    assert watched.told() == ["counters"]
    world.refuses("B.m", CountUp(counter_id=made, by_minor=1), Refusal.NOT_OWNER)
    assert watched.told() == []
    world.accepts("A.m", Ring(name="noon", at_ms=world.ledger_ms))
    assert watched.told() == []
    world.accepts("A.m", CountUp(counter_id=made, by_minor=1))  # the bell rings before it
    assert watched.told() == ["notes", "counters"]
    world.accepts("A.m", Ring(name="noon", at_ms=world.ledger_ms + 1_000))
    world.passes(minutes=1)  # the block in which the bell rings, then everything once
    assert watched.told() == ["notes", "notes", "counters"]
    world.restarts()
    assert watched.told() == ["notes", "counters"]
    watched.broken = "counters"
    with pytest.raises(WorldProblem, match=r"toy\.of_counters: a counter is wrong"):
        world.accepts("A.m", CountUp(counter_id=made, by_minor=1))
    with pytest.raises(WorldProblem, match="a counter is wrong"):
        world.check()


def test_the_toys_own_invariant() -> None:
    (invariant,) = APP.invariant_functions
    assert invariant is invariants.no_counter_is_below_nothing
    over = invariants.LIMIT_MINOR
    first = toy_world()
    made = first.accepts("A.m", Open(currency="CNY")).id
    with pytest.raises(WorldProblem, match=f"stands at {over}"):
        first.accepts("A.m", CountUp(counter_id=made, by_minor=over))
