"""An engine and a gateway over a simulated disk, with a clock that only tests move."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.engine.base import Answer, Committed
from tallystick.engine.chain import Chain
from tallystick.engine.embedded import EmbeddedEngine, Limits
from tallystick.engine.verdicts import Verdicts
from tallystick.gateway.admit import Admission
from tallystick.gateway.batch import Batch
from tallystick.gateway.reply import Reply
from tallystick.gateway.submit import ANSWERS_KEPT, Gateway
from tallystick.ledger.app import Message
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import BUDGET, HORIZON_MS, AppVersion, Genesis
from tallystick.ledger.transaction import Body, Call, Transaction, assemble
from tallystick.store.base import StateStore
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.testing.world import chosen_body, public_key, sign
from tallystick.values.codec import encode
from tests.till import APP
from tests.till.people import PEOPLE, People

OPENS_MS = 1_782_984_000_000
MINUTE_MS = 60_000
NODE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WAIT_SECONDS = 60


def genesis(**changes: Any) -> Genesis:
    """How the till's chain begins."""
    said: dict[str, Any] = {
        "format": 1,
        "name": "till",
        "time_ms": OPENS_MS,
        "horizon_ms": HORIZON_MS,
        "timers_per_block": 100,
        "budget": BUDGET,
        "node_key": NODE.public_key().public_bytes_raw(),
        "apps": (AppVersion(app=APP.name, version=1),),
    }
    return Genesis(**(said | changes))


class ManualClock:
    """A clock that only tests move."""

    def __init__(self, now_ms: int = OPENS_MS) -> None:
        """Begin at a time."""
        self.now_ms = now_ms

    def __call__(self) -> int:
        """The time."""
        return self.now_ms


class Desk:
    """One node without its door."""

    def __init__(
        self,
        *,
        disk: SimulatedDisk | None = None,
        store: StateStore | None = None,
        limits: Limits | None = None,
        people: People = PEOPLE,
        begins: Genesis | None = None,
        answers_kept: int = ANSWERS_KEPT,
        log: type[FileLog] = FileLog,
    ) -> None:
        """Open the chain; `start` makes it run."""
        self.disk = disk or SimulatedDisk()
        self.store = store or MemoryStore()
        self.clock = ManualClock()
        self.genesis = begins or genesis()
        self.ledger = Ledger([APP], people, self.genesis)
        blocks = log.open(self.disk, "blocks", self.genesis.hash)
        self.chain = Chain(self.ledger, blocks, self.store, sign=NODE.sign, body=chosen_body())
        self.engine = EmbeddedEngine(self.chain, self.clock, limits=limits)
        admission = Admission(self.ledger, Verdicts(chosen_body().open_batch))
        self.gateway = Gateway(self.engine, admission, answers_kept=answers_kept)
        self.published: list[Committed] = []
        self.ended: list[BaseException | None] = []
        self.engine.listen(self.published.append)
        self._references = 0

    def start(self) -> Desk:
        """Begin to make blocks."""
        self.engine.start(ended=self.ended.append)
        return self

    def stop(self) -> None:
        """End."""
        self.engine.stop()

    def __enter__(self) -> Desk:
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    # --- transactions

    def signed(
        self,
        *calls: tuple[str, Message],
        keys: Sequence[str] = (),
        reference: str | None = None,
        expires_at_ms: int | None = None,
        chain_id: str | None = None,
    ) -> bytes:
        """A transaction's bytes: each call by a party, signed by its clerk, or by `keys`."""
        self._references += 1
        body = encode(
            Body[Any](
                chain_id=chain_id or self.ledger.chain_id,
                sender=calls[0][0],
                reference=reference or f"ref-{self._references}",
                expires_at_ms=expires_at_ms or self.engine.now_ms() + 10 * MINUTE_MS,
                calls=tuple(Call[Any](party=party, message=message) for party, message in calls),
            )
        )
        names = keys or [f"{party}.clerk" for party, _ in calls]
        return assemble(body, [sign(name, body) for name in dict.fromkeys(names)])

    def transaction(self, raw: bytes) -> Transaction:
        """Bytes, decoded."""
        return self.ledger.codec.decode(raw)

    def send(self, *calls: tuple[str, Message], **options: Any) -> Reply:
        """Sign, offer, and wait for the answer."""
        return self.offer(self.signed(*calls, **options))[0]

    def offer(self, *raws: bytes) -> list[Reply]:
        """Offer bytes, and wait for all answers."""
        batch = self.gateway.offer(raws)
        waited(batch)
        return batch.replies()

    def wind_clock(self, ms: int) -> None:
        """Let the machine's time pass."""
        self.clock.now_ms += ms


def waited(batch: Batch) -> None:
    """Wait until a batch has all its answers."""
    done = threading.Event()
    batch.when_done(done.set)
    if not done.wait(WAIT_SECONDS):
        raise TimeoutError("no answer")


def until(condition: Any, seconds: float = WAIT_SECONDS) -> None:
    """Wait until something is so."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        pause.wait(0.01)
    raise TimeoutError("it never became so")


def outcome_of(answer: Answer) -> str:
    """How a transaction ended, `expired` without a receipt."""
    return "expired" if answer.receipt is None else answer.receipt.outcome.value


__all__ = [
    "MINUTE_MS",
    "NODE",
    "OPENS_MS",
    "Desk",
    "ManualClock",
    "genesis",
    "outcome_of",
    "public_key",
    "until",
    "waited",
]
