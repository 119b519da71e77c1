"""A validator is stopped at every point at which something becomes durable, in every kind of block.

CometBFT's own points are those of `fail.Fail()` in consensus/state.go and state/execution.go, by
FAIL_TEST_INDEX; a validator passes two of them with its own votes before. The application's are
those of a proxy on its socket. Whatever the point, the others go on, and the validator comes back
by itself with the same blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tallystick.engine.cometbft.install import install
from tallystick.gateway.reply import Outcome, Reply
from tallystick.ledger.app import Message
from tests.consortium.proxy import DONE, ORDER, wrapper
from tests.consortium.till_net import UP_SECONDS, TillNet, TillNode, until
from tests.sim.council.messages import Limit, Seat
from tests.till.messages import Leave, Pay

VICTIM = 3
ENGINE_POINTS = {
    "before the block is stored": 2,
    "block stored": 3,
    "end of height written": 4,
    "finalized": 5,
    "results saved": 6,
    "committed": 7,
    "state saved": 8,
}
"""What has just happened when CometBFT stops, and how many points it passed before."""
APPLICATION_POINTS = {
    "before FinalizeBlock": "finalize_block before",
    "FinalizeBlock answered": "finalize_block after",
    "before Commit": "commit before",
    "Commit answered": "commit after",
}
"""When the application is killed: before it hears of a call, or before CometBFT hears the reply."""
POINTS = (*ENGINE_POINTS, *APPLICATION_POINTS)
CRASH_SECONDS = 60.0
TRIES_MAX = 5
"""A loaded machine may make a block too early: so often it is tried again."""


@dataclass(frozen=True)
class Case:
    """One field of the matrix."""

    point: str
    """Where the validator stops."""
    kind: str
    """What is in the block."""


class Matrix:
    """Cases, played one after the other on one network."""

    def __init__(self, net: TillNet) -> None:
        """The network is live."""
        self.net = net
        self.victim: TillNode = net.nodes[VICTIM]
        self.answers: dict[bytes, Reply] = {}
        """Every answer that clients were given."""
        self._count = 0
        self._kinds: dict[str, Callable[[], Message]] = {
            "transactions": lambda: Pay(to="B", amount_minor=1),
            "timers": self._note_at_once,
            "validators": self._seat,
        }

    @property
    def kinds(self) -> tuple[str, ...]:
        """Kinds of block."""
        return tuple(self._kinds)

    def play(self, case: Case) -> None:
        """Stop the victim there, bring it back, and see that it has what all have."""
        net, victim = self.net, self.victim
        for _ in range(TRIES_MAX):
            net.wait_level()
            victim.kill()
            self._arm(case.point)
            if self._is_ready():
                break
            self._disarm()  # a slow machine made a block before it was asked to
        message = self._kinds[case.kind]()
        self.send("A", message)
        until(self._has_stopped, CRASH_SECONDS, victim.said)
        self.send("B", Pay(to="C", amount_minor=2))  # the others go on
        self._disarm()
        net.wait_level()
        self._compare()

    def _disarm(self) -> None:
        """Start the victim as it should be."""
        self.victim.kill()
        (self.victim.folder / ORDER).unlink(missing_ok=True)
        self.victim.start()
        self.net.wait_live([self.victim])

    def _is_ready(self) -> bool:
        """Whether the victim has caught up, and nothing is on its way that would stop it."""
        victim, others = self.victim, self.net.nodes[:VICTIM]
        until(lambda: victim.is_live() or self._has_stopped(), UP_SECONDS, victim.said)
        return self.net.wait_level(others) > 0 and not self._has_stopped()

    def _arm(self, point: str) -> None:
        """Start the victim so that it stops at a point of the next block."""
        victim = self.victim
        environment = {}
        if point in ENGINE_POINTS:
            environment["FAIL_TEST_INDEX"] = str(ENGINE_POINTS[point])
        else:
            victim.set_engine(binary=str(wrapper(victim.folder, install())))
            (victim.folder / DONE).unlink(missing_ok=True)
            (victim.folder / ORDER).write_text(APPLICATION_POINTS[point])
        victim.start(environment)
        self._marks = victim.said().count("*** fail-test")

    def _has_stopped(self) -> bool:
        """Whether the victim came to the point."""
        done = (self.victim.folder / DONE).exists() and not self.victim.runs
        return done or self.victim.said().count("*** fail-test") > self._marks

    # --- blocks

    def send(self, party: str, message: Message) -> None:
        """Send a message through the first node; it must be accepted."""
        client = self.net.nodes[0].client()
        try:
            reply = client.submit(self.net.signed(party, message))
        finally:
            client.close()
        assert reply.outcome is Outcome.ACCEPTED, reply
        assert reply.transaction_id is not None
        self.answers[reply.transaction_id] = reply

    def _note_at_once(self) -> Message:
        """A timer that is due in the block after the one that makes it."""
        self._count += 1
        return Leave(name="t", number=self._count, at_ms=1)

    def _seat(self) -> Message:
        """Another power for a validator, and another limit beside it."""
        self._count += 1
        if self._count % 2:
            return Limit(block_bytes=2_000_000, block_transactions=49 - self._count % 7)
        key = self.net.genesis_keys[0]
        return Seat(public_key=key, member="m0", power=10 + self._count % 3)

    # --- afterwards

    def _compare(self) -> None:
        """All have the same app hash, and every answer still holds at the victim."""
        hashes = {node.asked("abci_info")["last_block_app_hash"] for node in self.net.nodes}
        assert len(hashes) == 1, hashes
        client = self.victim.client()
        try:
            for identity, reply in list(self.answers.items())[-4:]:
                assert client.ask(identity) == reply
        finally:
            client.close()


def cases(kinds: tuple[str, ...]) -> Iterator[Case]:
    """The whole matrix."""
    for point in POINTS:
        for kind in kinds:
            yield Case(point, kind)
