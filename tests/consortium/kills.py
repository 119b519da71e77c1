"""Killing validators under load: the others go on, the killed one catches up, nothing is lost.

Clients send payments through all gateways, keep their bytes until they have an answer, and hand
them to another gateway when one dies. Meanwhile one validator after the other loses its application
or its engine to SIGKILL at a random instant. In the end all logs are compared entry by entry, and
with every answer that any client was ever given.
"""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.audit import audit
from tallystick.client.client import Client, NodeRefused
from tallystick.errors import BadAnswer, ClientError
from tests.consortium.till_net import TillNet, TillNode, still, until
from tests.consortium.till_node import APPS
from tests.crash.harness import HOUR_MS, KEPT, Writer
from tests.till.people import PEOPLE

WRITERS = ("A", "B")
WAIT_SECONDS = 3
CALM_SECONDS_MAX = 0.8
"""Longest pause between two kills."""
DOWN_SECONDS_MAX = 1.5
"""Longest time for which a killed application stays down."""
CATCH_UP_SECONDS = 60.0
FINISH_SECONDS = 60.0
STILL_SECONDS = 2.0
"""How long a network without a quorum is watched."""


@dataclass
class Tally:
    """What came of it."""

    kills: int = 0
    """Times something was killed."""
    applications: int = 0
    """Of these, applications with their engines; the others were engines alone."""
    answers: int = 0
    """Answers that clients were given."""
    committed: int = 0
    """Transactions in the blocks."""
    blocks: int = 0
    """Blocks of the longest log."""
    lost: int = 0
    """Answers that no block holds, or holds otherwise."""
    twice: int = 0
    """Transactions that blocks hold more than once."""
    caught_up_seconds_max: float = 0.0
    """Longest time that a killed validator took to be level with the others again."""
    audits: int = 0
    """Logs that were audited, block by block."""
    problems: list[str] = field(default_factory=list)
    """What went wrong, in words."""

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, doubled or damaged."""
        return not (self.lost or self.twice or self.problems)


class Clients:
    """Writers, each with a thread, who go from one gateway to the next."""

    def __init__(self, net: TillNet, seed: int) -> None:
        """Nobody writes yet."""
        expires_at_ms = net.genesis.time_ms + 12 * HOUR_MS
        chain_id = net.ledger.chain_id
        self.writers = [Writer(party, chain_id, expires_at_ms, seed) for party in WRITERS]
        self._net = net
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._write, args=(writer, f"{seed}/{number}"))
            for number, writer in enumerate(self.writers)
        ]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, writer: Writer, seed: str) -> None:
        """Send through a gateway until it fails, then through another."""
        chance = random.Random(seed)
        while not self._stop.is_set():
            client = chance.choice(self._net.nodes).client()
            try:
                for _ in range(chance.randrange(1, 12)):
                    if self._stop.is_set():
                        break
                    send(writer, client)
            except (ClientError, NodeRefused, BadAnswer):
                self._stop.wait(0.05)
            finally:
                client.close()

    @property
    def answered(self) -> int:
        """Answers so far."""
        return sum(len(writer.answers) for writer in self.writers)

    def finish(self) -> None:
        """Get the answers that are still open, from the first node."""
        client = self._net.nodes[0].client(patience_seconds=60)
        try:
            for writer in self.writers:
                open_ = list(writer.open.values())
                writer._note(list(client.submit_many(open_)))
                writer.repeat(client)
        finally:
            client.close()


def send(writer: Writer, client: Client) -> None:
    """Offer what has no answer, with some more."""
    while len(writer.open) < 20:
        writer._make()
    writer._note(client.offer(list(writer.open.values()), wait_seconds=WAIT_SECONDS))


class Killer:
    """Kills validators one after the other, and waits each time until the victim is level."""

    def __init__(self, net: TillNet, clients: Clients, tally: Tally, seed: int) -> None:
        """The network is live and under load."""
        self._net = net
        self._clients = clients
        self._tally = tally
        self._chance = random.Random(f"killer/{seed}")

    def kill_one(self) -> None:
        """One kill, at a random instant."""
        chance, tally = self._chance, self._tally
        time.sleep(chance.uniform(0, CALM_SECONDS_MAX))
        victim = chance.choice(self._net.nodes)
        others = [node for node in self._net.nodes if node is not victim]
        tally.kills += 1
        if chance.random() < 0.5:
            tally.applications += 1
            before = max(node.height() for node in others)
            victim.kill()
            until(lambda: max(n.height() for n in others) > before, CATCH_UP_SECONDS)
            time.sleep(chance.uniform(0, DOWN_SECONDS_MAX))
            victim.start()
            if chance.random() < 0.2:  # once more, while it comes back
                time.sleep(chance.uniform(0, 2.0))
                victim.kill()
                victim.start()
                tally.kills += 1
                tally.applications += 1
        else:
            victim.kill_engine()
        self._wait_level(victim, others)

    def _wait_level(self, victim: TillNode, others: list[TillNode]) -> None:
        """Wait until the victim has all that the others had at some moment after the kill."""
        began = time.monotonic()
        goal = max(node.height() for node in others) + 1
        until(lambda: victim.height() >= goal, CATCH_UP_SECONDS, victim.said)
        took = round(time.monotonic() - began, 1)
        self._tally.caught_up_seconds_max = max(self._tally.caught_up_seconds_max, took)

    def kill_two(self) -> None:
        """Two of four are down: nothing is decided; back again, it goes on."""
        first, second = self._chance.sample(self._net.nodes, 2)
        others = [node for node in self._net.nodes if node not in (first, second)]
        first.kill()
        second.kill()
        self._tally.kills += 2
        self._tally.applications += 2
        before = still(lambda: [node.height() for node in others])  # what was decided is executed
        answered = self._clients.answered
        time.sleep(STILL_SECONDS)
        assert [node.height() for node in others] == before, "blocks without a quorum"
        assert self._clients.answered == answered, "answers without a quorum"
        first.start()
        second.start()
        until(
            lambda: min(node.height() for node in self._net.nodes) > max(before),
            CATCH_UP_SECONDS,
            first.said,
        )


def compare(net: TillNet, clients: Clients, tally: Tally) -> None:
    """Every answer stands in the logs as it was given; the nodes are stopped."""
    logs = net.histories()
    longest = max(logs, key=len)
    found = {
        receipt.transaction_id: (entry.header.height, receipt.outcome.value)
        for entry in longest
        for receipt in entry.receipts
        if receipt.transaction_id is not None
    }
    tally.blocks, tally.committed = len(longest), len(found)
    tally.answers = clients.answered
    for writer in clients.writers:
        for identity, reply in writer.answers.items():
            told = (reply.height, reply.outcome.value)
            if reply.outcome in KEPT and found.get(identity) != told:
                tally.lost += 1
                tally.problems.append(f"{identity.hex()} was answered {told}")
        if writer.open or writer.changed:
            tally.problems.append(f"{len(writer.open)} open, {len(writer.changed)} changed later")


def check(net: TillNet, clients: Clients, tally: Tally, *, audits: int) -> None:
    """Calm down, get the last answers, stop, compare, audit."""
    net.wait_live(net.nodes)
    clients.finish()
    net.wait_level()
    net.stop()
    compare(net, clients, tally)
    for node in net.nodes[:audits]:
        report = audit(node.folder, APPS, PEOPLE)
        tally.audits += 1
        tally.problems += report.problems[:3]


def run(folder: Path, kills: int, *, seed: int = 1, audits: int = 4, tell: bool = False) -> Tally:
    """So many kills, two at once in between; what came of it."""
    tally = Tally()
    with TillNet(folder) as net:
        net.start()
        clients = Clients(net, seed)
        killer = Killer(net, clients, tally, seed)
        try:
            with clients:
                while tally.kills < kills:
                    killer.kill_one()
                    if tell and tally.kills % 10 == 0:
                        print(f"{tally.kills} kills, {clients.answered} answers", flush=True)
                killer.kill_two()
            check(net, clients, tally, audits=audits)
        except (AssertionError, TimeoutError) as problem:
            tally.problems.append(str(problem))
    return tally
