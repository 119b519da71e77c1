"""Killing a node under load, again and again, and holding it to every answer that it gave.

Each round starts the node as a process, has clients send payments, and kills it with SIGKILL at a
random instant: while it starts, while it recovers, while it works. Then the chain is opened as a
restart opens it, audited, and compared with what the clients were told.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.audit import audit
from tallystick.client.client import Client, NodeRefused
from tallystick.engine.folder import BLOCKS, read_genesis
from tallystick.errors import BadAnswer, ClientError, TallystickError
from tallystick.gateway.reply import Outcome, Reply
from tallystick.ledger.block import Entry
from tallystick.ledger.execute import Ledger
from tallystick.ledger.transaction import Body, Call, assemble, transaction_id
from tallystick.node import Node
from tallystick.settings import SOCKET
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.testing.world import sign
from tallystick.values.codec import decode, encode
from tests.till import APP
from tests.till.messages import Pay
from tests.till.people import PEOPLE

ROUNDS_PER_FOLDER = 20
"""A folder's log grows, and with it every audit: after so many kills a new one is begun."""
START_SECONDS_MAX = 1.5
"""Every third node is killed so long after its start at most: mostly before it is ready."""
WORK_SECONDS_MAX = 0.7
"""The others work so long at most."""
BATCH = 20
WRITERS = 2
HOUR_MS = 3_600_000
KEPT = frozenset({Outcome.ACCEPTED, Outcome.REFUSED})
"""Answers that a block holds."""


@dataclass
class Tally:
    """What came of all rounds."""

    kills: int = 0
    """Times a node was killed."""
    answers: int = 0
    """Answers that clients were given and that a block must hold."""
    committed: int = 0
    """Transactions found in the logs."""
    lost: int = 0
    """Answers that no block holds, or holds otherwise."""
    twice: int = 0
    """Transactions that blocks hold more than once."""
    unsound: int = 0
    """Audits that were not ok."""
    problems: list[str] = field(default_factory=list)
    """What went wrong, in words."""

    @property
    def ok(self) -> bool:
        """Whether nothing was lost, doubled or damaged."""
        return not (self.lost or self.twice or self.unsound or self.problems)


class Writer:
    """A client that keeps its bytes until it has an answer, and every answer it was given."""

    def __init__(self, party: str, chain_id: str, expires_at_ms: int, seed: int) -> None:
        """Pay from one party's purse."""
        self._party = party
        self._chain_id = chain_id
        self._expires_at_ms = expires_at_ms
        self._random = random.Random(seed)
        self._count = 0
        self.open: dict[bytes, bytes] = {}
        """Bytes without an answer, by id."""
        self.answers: dict[bytes, Reply] = {}
        """Answers, by id."""
        self.changed: list[bytes] = []
        """Ids that were answered twice, and not alike."""

    def write(self, address: str, stop: threading.Event) -> None:
        """Send payments until the node is gone and it is time to stop."""
        client = Client(address, patience_seconds=0)
        try:
            while not stop.is_set():
                while len(self.open) < BATCH:
                    self._make()
                try:
                    self._note(client.offer(list(self.open.values()), wait_seconds=5))
                except (ClientError, NodeRefused, BadAnswer):
                    stop.wait(0.02)
        finally:
            client.close()

    def repeat(self, client: Client) -> None:
        """Ask again about some that were answered: the answer stays."""
        known = self._random.sample(sorted(self.answers), min(5, len(self.answers)))
        for asked in known:
            reply = client.ask(asked)
            if reply != self.answers[asked]:
                self.changed.append(asked)

    def _make(self) -> None:
        """One more payment; every tenth asks for more than there is."""
        self._count += 1
        amount = 10**15 if self._count % 10 == 0 else self._random.randrange(1, 1_000)
        to = self._random.choice([each for each in ("A", "B", "C") if each != self._party])
        body = encode(
            Body[Pay](
                chain_id=self._chain_id,
                sender=self._party,
                reference=f"{self._party}-{self._count}",
                expires_at_ms=self._expires_at_ms,
                calls=(Call[Pay](party=self._party, message=Pay(to=to, amount_minor=amount)),),
            )
        )
        raw = assemble(body, [sign(f"{self._party}.clerk", body)])
        self.open[transaction_id(body)] = raw

    def _note(self, replies: list[Reply]) -> None:
        """Keep the answers."""
        for reply in replies:
            if reply.is_final and reply.transaction_id is not None:
                self.open.pop(reply.transaction_id, None)
                self.answers[reply.transaction_id] = reply


class Rounds:
    """Rounds over one data folder."""

    def __init__(self, folder: Path, seed: int, tally: Tally) -> None:
        """Make the folder."""
        self._folder = folder
        self._random = random.Random(seed)
        self._tally = tally
        self._run("init", wait=True)
        self._genesis = read_genesis(folder, [APP])
        ledger = Ledger([APP], PEOPLE, self._genesis)
        self._ledger = ledger
        expires = self._genesis.time_ms + 12 * HOUR_MS
        self._writers = [
            Writer(party, ledger.chain_id, expires, seed) for party in ("A", "B")[:WRITERS]
        ]

    def round(self) -> None:
        """Start, load, kill, recover, audit, compare."""
        address = f"unix:{self._folder / SOCKET}"
        process = self._run("run")
        stop = threading.Event()
        threads = [
            threading.Thread(target=writer.write, args=(address, stop)) for writer in self._writers
        ]
        for thread in threads:
            thread.start()
        if self._random.randrange(3):
            wait_until_ready(process)
            time.sleep(self._random.uniform(0, WORK_SECONDS_MAX))
        else:
            time.sleep(self._random.uniform(0, START_SECONDS_MAX))
        process.kill()
        process.communicate()
        stop.set()
        for thread in threads:
            thread.join()
        self._tally.kills += 1
        self._recover()
        self._compare()

    def finish(self) -> None:
        """Get every answer that is still open, and ask some of the old ones again."""
        with Node.open(self._folder, apps=[APP], authority=PEOPLE) as node:
            client = Client(node.address)
            for writer in self._writers:
                writer._note(list(client.submit_many(list(writer.open.values()))))
                writer.repeat(client)
            client.close()
        self._compare(is_last=True)
        for writer in self._writers:
            if writer.open or writer.changed:
                self._tally.problems.append(f"{len(writer.changed)} answers changed later")

    def _run(self, action: str, *, wait: bool = False) -> subprocess.Popen[bytes]:
        """The till's process."""
        command = [sys.executable, "-m", "tests.till.process", action, str(self._folder)]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=True
        )
        if wait:
            process.communicate()
            if process.returncode:
                raise RuntimeError(f"{action} ended with {process.returncode}")
        return process

    def _recover(self) -> None:
        """Open the chain as a restart does, and audit it."""
        Node.open(self._folder, apps=[APP], authority=PEOPLE).stop()
        report = audit(self._folder, [APP], PEOPLE)
        if not report.ok:
            self._tally.unsound += 1
            self._tally.problems += report.problems[:3]

    def _compare(self, *, is_last: bool = False) -> None:
        """Every answer is in the log as it was given, and nothing is there twice."""
        found: dict[bytes, tuple[int, str]] = {}
        for entry in self._entries():
            for receipt in entry.receipts:
                if receipt.transaction_id is None:
                    continue
                if receipt.transaction_id in found:
                    self._tally.twice += 1
                height = entry.header.height
                found[receipt.transaction_id] = (height, receipt.outcome.value)
        for writer in self._writers:
            for asked, reply in writer.answers.items():
                if reply.outcome in KEPT and found.get(asked) != (
                    reply.height,
                    reply.outcome.value,
                ):
                    self._tally.lost += 1
                    self._tally.problems.append(f"{asked.hex()} was answered {reply.outcome}")
        if is_last:
            self._tally.committed += len(found)
            self._tally.answers += sum(len(writer.answers) for writer in self._writers)

    def _entries(self) -> list[Entry]:
        """All blocks of the log."""
        log = FileLog.open(OsDisk(), str(self._folder / BLOCKS), self._genesis.hash)
        try:
            return [decode(Entry, raw) for _, raw in log.entries(1)]
        finally:
            log.close()


def wait_until_ready(process: subprocess.Popen[bytes]) -> None:
    """Wait for the line with which a node says that it answers."""
    if process.stdout is not None:
        process.stdout.readline()


def crash(kills: int, folder: Path, *, seed: int = 1, tell: bool = False) -> Tally:
    """Kill a node so many times; what came of it."""
    tally = Tally()
    while tally.kills < kills and not tally.problems:
        data = folder / f"data-{tally.kills}"
        rounds = Rounds(data, seed + tally.kills, tally)
        for _ in range(min(ROUNDS_PER_FOLDER, kills - tally.kills)):
            try:
                rounds.round()
            except TallystickError as problem:
                tally.problems.append(f"after kill {tally.kills}: {problem}")
            if tally.problems or tally.twice:
                return tally
        rounds.finish()
        shutil.rmtree(data)
        if tell:
            print(
                f"{tally.kills} kills, {tally.answers} answers,"
                f" {tally.committed} committed, {tally.lost} lost, {tally.twice} twice",
                flush=True,
            )
    return tally
