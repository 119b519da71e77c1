"""Plays an application at random: long runs of messages, invariants after every block.

    def pays(rng: Random, world: World) -> Asked | None:
        amount = rng.randrange(1, 900)
        return "D1.maker+checker", Transfer(to="S1", money="CNY@CB", amount_minor=amount)

    ACTIONS: Actions = {pays: 3, sets_aside: 1}

    @pytest.mark.stateful
    def test_cash_at_random() -> None:
        assert play(APP, cast_world, ACTIONS).shortfalls() == []

An action looks at the world and says what to ask next, or None when there is nothing of its kind to
ask; it may let time pass first (`world.passes(hours=3)`). The same seed plays the same way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tallystick.ledger.app import App, Message
from tallystick.ledger.receipt import Outcome
from tallystick.testing.world import World, WorldProblem

MESSAGES_MIN = 20_000
"""Messages that an application is sent in all."""
RUN_MESSAGES_MAX = 300
"""Messages of one run; each run begins again from the opening."""
ACCEPTED_EACH_MIN = 50
"""How often every message is to be accepted."""
IDLE_MAX = 1_000
"""Actions in a row that may find nothing to ask."""

Asked = tuple[str, Message] | Sequence[tuple[str, Message]]
"""Who asks what, or several calls of one transaction."""

Action = Callable[[Random, World], Asked | None]
"""Says what to ask next, or None."""

Actions = Mapping[Action, int]
"""Actions and their weights."""


@dataclass
class Tally:
    """How an application was played."""

    app: App
    """The application."""
    messages: Counter[str] = field(default_factory=Counter)
    """How often each message was sent."""
    accepted: Counter[str] = field(default_factory=Counter)
    """How often each message was accepted."""
    refusals: Counter[str] = field(default_factory=Counter)
    """How often each refusal was met, e.g. `cash NOT_ENOUGH`."""
    blocks: int = 0
    """Blocks made, each followed by a look at the invariants."""

    def shortfalls(
        self, *, messages_min: int = MESSAGES_MIN, accepted_each_min: int = ACCEPTED_EACH_MIN
    ) -> list[str]:
        """What is missing: messages in all, a third accepted, each message accepted often enough.

        Other applications' messages, sent beside, count for nothing; timers are run, not sent.
        """
        names = [each.__name__ for each in self.app.message_types if not each.spec.timer]
        sent = sum(self.messages[name] for name in names)
        accepted = sum(self.accepted[name] for name in names)
        short = []
        if sent < messages_min:
            short.append(f"{sent} messages were sent, {messages_min} are wanted")
        if accepted * 3 < sent:
            short.append(f"{accepted} of {sent} were accepted, a third is wanted")
        for name in names:
            if self.accepted[name] < accepted_each_min:
                met = f"{self.accepted[name]} of {self.messages[name]}"
                short.append(f"{name} was accepted {met} times, {accepted_each_min} are wanted")
        return short

    def told(self) -> str:
        """The figures, a line for each message and each refusal."""
        lines = [f"{self.app.name}: {self.messages.total()} messages in {self.blocks} blocks"]
        lines += [
            f"  {name}: {self.accepted[name]} of {count} accepted"
            for name, count in sorted(self.messages.items())
        ]
        return "\n".join(lines + [f"  {no}: {n}" for no, n in self.refusals.most_common()])


def play(
    app: App,
    opening: Callable[[], World],
    actions: Actions,
    *,
    messages: int = MESSAGES_MIN,
    seed: int = 1,
) -> Tally:
    """Play an application's actions, chosen by their weights, until so many messages were sent.

    WorldProblem when an invariant does not hold; what a rule raises comes through. Either has a
    note of seed and run, so that `play_run` plays the same again.
    """
    tally = Tally(app)
    own = {each.__name__ for each in app.message_types}
    fresh = opening()
    run = 0
    while sum(count for name, count in tally.messages.items() if name in own) < messages:
        play_run(tally, fresh.copy(), actions, seed=seed, run=run)
        run += 1
    return tally


def play_run(tally: Tally, world: World, actions: Actions, *, seed: int, run: int) -> None:
    """One run, in a world of its own; what came of it is added to the tally."""
    rng = Random(f"{tally.app.name}/{seed}/{run}")
    choices, weights = list(actions), list(actions.values())
    sent = idle = 0
    while sent < RUN_MESSAGES_MAX:
        with _Place(f"{tally.app.name}: seed {seed}, run {run}, after {sent} messages") as place:
            calls = calls_of(rng.choices(choices, weights)[0](rng, world))
            place.asked = calls
            if calls:
                _send(tally, world, calls)
        sent += len(calls)
        idle = 0 if calls else idle + 1
        if idle == IDLE_MAX:
            raise WorldProblem(f"{tally.app.name}: the actions find nothing to ask")


class _Place:
    """Notes on a problem where in which run it was met, and what was asked."""

    def __init__(self, where: str) -> None:
        """Name the place."""
        self.where = where
        self.asked: Sequence[tuple[str, Message]] = ()

    def __enter__(self) -> _Place:
        return self

    def __exit__(self, _kind: object, problem: BaseException | None, _trace: object) -> None:
        if problem is not None:
            problem.add_note(f"{self.where}; asked: {list(self.asked)}")


def calls_of(asked: Asked | None) -> list[tuple[str, Message]]:
    """The calls of what was asked."""
    if not asked:
        return []
    if isinstance(asked[0], str):
        return [asked]  # type: ignore[list-item]
    return list(asked)  # type: ignore[arg-type]


def _send(tally: Tally, world: World, calls: Sequence[tuple[str, Message]]) -> None:
    """Send the calls as one transaction and count what became of it."""
    receipt = world.send(*calls).receipt
    names = [type(message).__name__ for _, message in calls]
    tally.messages.update(names)
    tally.blocks += 1
    if receipt.outcome is Outcome.ACCEPTED:
        tally.accepted.update(names)
    else:
        tally.refusals[f"{receipt.app} {world.name_of(receipt)}"] += 1
