"""The toy, played by hypothesis: whatever is asked in whatever order, a plain model agrees."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from tallystick.ledger.app import Message
from tallystick.ledger.receipt import Outcome
from tallystick.testing.world import World
from tests.ledger.toy.messages import CountUp, Double, Drop, Open, Ring, Take
from tests.ledger.toy.people import toy_world
from tests.ledger.toy.records import Counter, Note, Status

PARTIES = st.sampled_from(("A", "B", "C"))
AMOUNTS = st.integers(min_value=-5, max_value=100)


class Toy(RuleBasedStateMachine):
    """Counters and bells; `model` is what the counters ought to say."""

    counters = Bundle("counters")

    def __init__(self) -> None:
        super().__init__()
        self.world: World = toy_world(strict=False)
        self.model: dict[str, tuple[str, int, int | None]] = {}
        self.bells = 0

    def is_open(self, counter_id: str) -> bool:
        """Whether the model thinks that a counter counts."""
        known = self.model.get(counter_id)
        return known is not None and (known[2] is None or self.world.ledger_ms < known[2])

    def asked(self, who: str, message: CountUp | Double | Drop) -> bool:
        """Send it; whether it was accepted, which the model must have known."""
        mine = self.is_open(message.counter_id) and self.model[message.counter_id][0] == who
        result = self.world.send((f"{who}.m", message))
        accepted = result.receipt.outcome is Outcome.ACCEPTED
        assert accepted <= mine
        return accepted

    @rule(target=counters, who=PARTIES, minutes=st.none() | st.integers(1, 600))
    def open(self, who: str, minutes: int | None) -> str:
        """Open a counter."""
        closes = None if minutes is None else self.world.ledger_ms + minutes * 60_000
        made = self.world.accepts(f"{who}.m", Open(currency="CNY", closes_at_ms=closes)).id
        self.model[made] = (who, 0, closes)
        return made

    @rule(counter=counters, who=PARTIES, by=AMOUNTS)
    def count_up(self, counter: str, who: str, by: int) -> None:
        """Count up, or below nothing, which no counter can."""
        below = counter in self.model and self.model[counter][1] + by < 0
        if self.asked(who, CountUp(counter_id=counter, by_minor=by)):
            assert not below
            owner, amount, closes = self.model[counter]
            self.model[counter] = (owner, amount + by, closes)

    @rule(counter=counters, who=PARTIES)
    def double(self, counter: str, who: str) -> None:
        """Double it."""
        if self.asked(who, Double(counter_id=counter)):
            owner, amount, closes = self.model[counter]
            self.model[counter] = (owner, amount * 2, closes)

    @rule(counter=counters, who=PARTIES)
    def drop(self, counter: str, who: str) -> None:
        """Have it no more."""
        if self.asked(who, Drop(counter_id=counter)):
            del self.model[counter]

    @rule(source=counters, aim=counters, amount=st.integers(0, 100), both=st.booleans())
    def take(self, source: str, aim: str, amount: int, both: bool) -> None:
        """Take from one counter for another, with the owner's consent or without."""
        owners = [self.model[each][0] if each in self.model else "A" for each in (source, aim)]
        take = Take(source=source, target=aim, currency="CNY", amount_minor=amount)
        calls: list[tuple[str, Message]] = [(f"{owners[1]}.m", take)]
        if both and owners[0] != owners[1]:
            calls.append((f"{owners[0]}.m", Ring(name="consent", at_ms=2**53)))
        result = self.world.send(*calls)
        if result.receipt.outcome is Outcome.ACCEPTED:
            assert both or owners[0] == owners[1]
            self.move(source, aim, amount)

    def move(self, source: str, aim: str, amount: int) -> None:
        """The same in the model; taking from a counter for itself only adds, as the rule does."""
        owner, had, closes = self.model[source]
        if source != aim:
            self.model[source] = (owner, had - amount, closes)
            owner, had, closes = self.model[aim]
        self.model[aim] = (owner, had + amount, closes)

    @rule(minutes=st.integers(1, 90), times=st.integers(1, 3))
    def ring(self, minutes: int, times: int) -> None:
        """Have a bell ring."""
        at_ms = self.world.ledger_ms + minutes * 60_000
        self.world.accepts("A.m", Ring(name="bell", at_ms=at_ms, every_ms=60_000, times=times))
        self.bells += times

    @rule(minutes=st.integers(1, 300))
    def passes(self, minutes: int) -> None:
        """Time passes."""
        self.world.passes(minutes=minutes)

    @rule()
    def restarts(self) -> None:
        """The node ends and comes back."""
        root = self.world.chain.state.root()
        self.world.restarts()
        assert self.world.chain.state.root() == root

    @invariant()
    def counters_say_what_the_model_says(self) -> None:
        """Amounts, owners and what is open."""
        found = {each.counter_id: each for each in self.world.view().scan(Counter)}
        assert found.keys() == self.model.keys()
        for counter_id, (owner, amount, closes) in self.model.items():
            kept = found[counter_id]
            assert (kept.owner, kept.amount_minor) == (owner, amount)
            late = closes is not None and self.world.ledger_ms > closes + 1
            if late and self.world.chain.ledger_ms > (closes or 0):
                assert kept.status is Status.CLOSED

    @invariant()
    def no_bell_rings_twice(self) -> None:
        """At most as often as was asked for, never before it was due."""
        notes = list(self.world.view().scan(Note, "bell"))
        assert len(notes) <= self.bells
        assert all((note.due_at_ms or 0) <= note.now_ms for note in notes)


Toy.TestCase.settings = settings(max_examples=60, stateful_step_count=40)


TestToy = pytest.mark.stateful(Toy.TestCase)
