"""One validator: our engine over a real CometBFT, a gateway before it, real files below it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.engine import CometEngine, Surroundings
from tallystick.engine.cometbft.home import HOME, validator_key
from tallystick.engine.cometbft.install import install
from tallystick.engine.verdicts import Verdicts
from tallystick.gateway.admit import Admission
from tallystick.gateway.submit import Gateway
from tallystick.ledger.app import Message
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import Genesis
from tallystick.ledger.system import Validator
from tallystick.ledger.transaction import Body, Call, Transaction, assemble
from tallystick.network.ports import free_ports
from tallystick.settings import EngineSettings
from tallystick.store.base import Disk
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.world import chosen_body, sign
from tallystick.values.codec import encode
from tests.engine.cometbft.stand import till_genesis
from tests.till import APP
from tests.till.desk import MINUTE_MS, OPENS_MS, until
from tests.till.people import PEOPLE, People

UP_SECONDS = 60


def settings_for(**changes: Any) -> EngineSettings:
    """Settings of a validator that is alone, on ports that nobody has."""
    (p2p,) = free_ports(1)
    said: dict[str, Any] = {
        "kind": "cometbft",
        "p2p": f"127.0.0.1:{p2p}",
        "timeout_commit_ms": 20,
        "binary": str(install()),
    }
    return EngineSettings(**(said | changes))


def genesis_for(folder: Path) -> Genesis:
    """How the till begins with the one validator of a folder: now, and on the till's first day."""
    validator = Validator(public_key=validator_key(folder / HOME), member="A", power=10)
    now_ms = time.time_ns() // 1_000_000
    return till_genesis(validator, time_ms=now_ms, opens_at_ms=OPENS_MS, trial=True)


class Alone:
    """A validator that is alone; may be opened again over the same folder after a stop."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: EngineSettings | None = None,
        begins: Genesis | None = None,
        disk: Disk | None = None,
        log_disk: Disk | None = None,
        kept_max: int = 20_000,
        references: int = 0,
        people: People = PEOPLE,
    ) -> None:
        """Open the chain."""
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.settings = settings or settings_for()
        self.genesis = begins or genesis_for(folder)
        self.ledger = Ledger([APP], people, self.genesis)
        self.verdicts = Verdicts(chosen_body().open_batch)
        blocks = FileLog.open(log_disk or OsDisk(), str(folder / "blocks"), self.genesis.hash)
        self.chain = Chain(self.ledger, blocks, MemoryStore(), body=chosen_body())
        self.engine = CometEngine(
            self.chain,
            Surroundings(
                folder=folder,
                settings=self.settings,
                disk=disk or OsDisk(),
                verdicts=self.verdicts,
                kept_max=kept_max,
            ),
        )
        self.gateway = Gateway(self.engine, Admission(self.ledger, self.verdicts))
        self.published: list[Committed] = []
        self.ended: list[BaseException | None] = []
        self.engine.listen(self.published.append)
        self.references = references

    def start(self, *, wait: bool = True) -> Alone:
        """Run; wait until it makes blocks."""
        self.engine.start(ended=self.ended.append)
        if wait:
            until(self.is_up, UP_SECONDS)
        return self

    def is_up(self) -> bool:
        """Whether blocks are made and the time is known."""
        return self.engine.clock.is_known and self.engine.watcher.is_up

    def again(self, **changes: Any) -> Alone:
        """The same validator, opened anew."""
        said: dict[str, Any] = {
            "settings": self.settings,
            "begins": self.genesis,
            "references": self.references,
        }
        return Alone(self.folder, **(said | changes))

    def stop(self) -> None:
        """End."""
        self.engine.stop()

    def __enter__(self) -> Alone:
        """Start."""
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

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
    ) -> bytes:
        """A transaction's bytes: each call by a party, signed by its clerk, or by `keys`."""
        self.references += 1
        body = encode(
            Body[Any](
                chain_id=self.ledger.chain_id,
                sender=calls[0][0],
                reference=reference or f"ref-{self.references}",
                expires_at_ms=expires_at_ms or self.engine.now_ms() + 10 * MINUTE_MS,
                calls=tuple(Call[Any](party=party, message=message) for party, message in calls),
            )
        )
        names = keys or [f"{party}.clerk" for party, _ in calls]
        return assemble(body, [sign(name, body) for name in dict.fromkeys(names)])

    def transaction(self, raw: bytes) -> Transaction:
        """Bytes, decoded."""
        return self.ledger.codec.decode(raw)

    def outcomes(self) -> dict[bytes, str]:
        """What was told of every transaction so far."""
        return {
            answer.raw: "expired" if answer.receipt is None else answer.receipt.outcome.value
            for each in self.published
            for answer in each.answers
        }


__all__ = ["Alone", "genesis_for", "settings_for"]
