"""Four validators of a till on this machine: real processes, real CometBFT, no mercy."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from msgspec.structs import replace

from tallystick.client.client import Client
from tallystick.engine.cometbft.home import HOME
from tallystick.engine.cometbft.install import install
from tallystick.engine.cometbft.rpc import RpcRefused, RpcUnavailable
from tallystick.engine.folder import BLOCKS
from tallystick.errors import ClientError
from tallystick.gateway.reply import Reply
from tallystick.ledger.app import Message
from tallystick.ledger.block import Entry
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import AppVersion, Genesis, genesis_to_json
from tallystick.ledger.rules import Rules
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.ledger.transaction import Body, Call, assemble
from tallystick.network.addresses import give_ports, introduce
from tallystick.network.dwelling import (
    Identity,
    prepare,
    put_genesis,
    read_settings,
    write_settings,
)
from tallystick.network.standing import rpc_of
from tallystick.settings import EngineSettings, Settings
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.testing.world import sign
from tallystick.values.codec import decode, encode
from tests.consortium.till_node import APPS
from tests.house.tree import ROOT
from tests.till.desk import genesis as till_genesis
from tests.till.messages import Pay
from tests.till.people import PEOPLE
from tests.till.records import Purse

VALIDATORS = 4
PARTIES = ("A", "B", "C")
UP_SECONDS = 60.0
LEVEL_SECONDS = 60.0
LOOK_SECONDS = 0.05
POWER = 10
QUICK: dict[str, object] = {"timeout_commit_ms": 50}

Environment = dict[str, str]


@dataclass
class TillNode:
    """One validator: its folder, and its process while it runs."""

    folder: Path
    """Its data."""
    process: subprocess.Popen[bytes] | None = None
    """Application; CometBFT is its child."""
    log: Path = field(init=False)
    """What it says."""

    def __post_init__(self) -> None:
        self.log = self.folder.with_suffix(".log")

    # --- life

    def start(self, environment: Environment | None = None) -> None:
        """Start the process; `is_up` tells when it answers."""
        assert self.process is None or self.process.poll() is not None
        command = [sys.executable, "-m", "tests.consortium.till_node", str(self.folder)]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to the application; its engine goes with it."""
        engine = self.engine_pid
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if engine is not None:
            wait_gone(engine)

    def kill_engine(self) -> None:
        """SIGKILL to CometBFT alone; the application starts it again."""
        if (engine := self.engine_pid) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(engine, signal.SIGKILL)

    def stop(self) -> None:
        """Stop in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()

    @property
    def runs(self) -> bool:
        """Whether its process lives."""
        return self.process is not None and self.process.poll() is None

    @property
    def engine_pid(self) -> int | None:
        """CometBFT's process."""
        if not self.runs or self.process is None:
            return None
        pid = self.process.pid
        try:
            children = Path(f"/proc/{pid}/task").glob("*/children")
            found = [child for each in children for child in each.read_text().split()]
        except OSError:
            return None
        return int(found[0]) if found else None

    # --- looks

    @property
    def settings(self) -> Settings:
        """What its node.toml says."""
        return read_settings(self.folder)

    def set_engine(self, **changes: object) -> None:
        """Change section `engine` of its node.toml."""
        settings = self.settings
        write_settings(self.folder, replace(settings, engine=replace(settings.engine, **changes)))

    def asked(self, method: str) -> Any:
        """What CometBFT's own interface answers: `status`, `net_info`, `abci_info`."""
        rpc = rpc_of(self.folder)
        try:
            return getattr(rpc, method)()
        finally:
            rpc.close()

    def client(self, patience_seconds: float = 0) -> Client:
        """A client at the node's own socket."""
        return Client(f"unix:{self.folder / 'api.sock'}", patience_seconds=patience_seconds)

    def height(self) -> int:
        """Blocks that its application has committed; -1 when it does not answer."""
        client = self.client()
        try:
            return client.status().height
        except ClientError:
            return -1
        finally:
            client.close()

    def settled(self) -> int:
        """Height after which CometBFT makes no block unless it is asked to; 0 while it will.

        It makes one when a block changed the app hash, so that the new one is signed.
        """
        try:
            block, state = self.asked("status")["sync_info"], self.asked("abci_info")
        except (RpcUnavailable, RpcRefused, OSError):
            return 0
        signed = bytes.fromhex(block["latest_app_hash"])
        is_same = signed == base64.b64decode(state["last_block_app_hash"])
        height = int(block["latest_block_height"])
        applied = int(state.get("last_block_height", 0))  # not said while it is zero
        return height if is_same and height == applied else 0

    def is_live(self) -> bool:
        """Whether its engine has caught up with the others."""
        try:
            sync = self.asked("status")["sync_info"]
        except (RpcUnavailable, RpcRefused, OSError):
            return False
        return not sync["catching_up"] and self.height() >= 0

    def entries(self, genesis: Genesis) -> list[Entry]:
        """All blocks of its log; the node is stopped."""
        log = FileLog.open(OsDisk(), str(self.folder / BLOCKS), genesis.hash)
        try:
            return [decode(Entry, raw) for _, raw in log.entries(1)]
        finally:
            log.close()

    def said(self) -> str:
        """What it said, and its engine."""
        engine = self.folder / HOME / "cometbft.log"
        parts = [path.read_text("utf-8", "replace") for path in (self.log, engine) if path.exists()]
        return "\n".join(parts)


class TillNet:
    """Four of them, or another number."""

    def __init__(self, folder: Path, *, validators: int = VALIDATORS, **engine: object) -> None:
        """Hold the ceremony; nothing runs yet."""
        names = [f"n{number}" for number in range(validators)]
        self._references = 0
        self.nodes = [TillNode(folder / name) for name in names]
        identities = [prepare(node.folder) for node in self.nodes]
        self.genesis = genesis_of(identities)
        self.genesis_keys = [each.validator_key for each in identities]
        self.ledger = Ledger(APPS, PEOPLE, self.genesis)
        raw = genesis_to_json(self.genesis, Rules(APPS).record_types)
        settings = EngineSettings(
            kind="cometbft",
            **(QUICK | {"binary": str(install())} | engine),  # type: ignore[arg-type]
        )
        for node in self.nodes:
            put_genesis(node.folder, raw)
            write_settings(node.folder, Settings(engine=settings))
        give_ports(folder, names)
        introduce(folder, names)

    def start(self, environment: Environment | None = None) -> None:
        """Start all, and wait until they are live."""
        for node in self.nodes:
            node.start(environment)
        self.wait_live(self.nodes)

    def stop(self) -> None:
        """Stop all in order."""
        running = [node for node in self.nodes if node.runs]
        for node in running:
            if node.process is not None:
                node.process.terminate()
        for node in running:
            node.stop()

    def kill(self) -> None:
        """End all, whatever they do."""
        for node in self.nodes:
            node.kill()

    def __enter__(self) -> TillNet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: object, trace: TracebackType | None
    ) -> None:
        self.kill()

    # --- use

    def signed(self, party: str, *messages: Message, minutes: int = 60) -> bytes:
        """A transaction of a party, signed by its clerk."""
        self._references += 1
        now_ms = time.time_ns() // 1_000_000
        body = encode(
            Body[Message](
                chain_id=self.ledger.chain_id,
                sender=party,
                reference=f"net-{self._references}",
                expires_at_ms=now_ms + minutes * 60_000,
                calls=tuple(Call[Message](party=party, message=each) for each in messages),
            )
        )
        return assemble(body, [sign(f"{party}.clerk", body)])

    def pay(self, node: int = 0, *, count: int = 1) -> list[Reply]:
        """Payments through a node, decided when this returns."""
        raws = [self.signed("A", Pay(to="B", amount_minor=1)) for _ in range(count)]
        client = self.nodes[node].client(patience_seconds=60)
        try:
            return list(client.submit_many(raws))
        finally:
            client.close()

    # --- waiting

    def wait_live(self, nodes: Sequence[TillNode]) -> None:
        """Wait until nodes have caught up."""
        until(lambda: all(node.is_live() for node in nodes), UP_SECONDS, self._told)

    def wait_level(self, nodes: Sequence[TillNode] | None = None) -> int:
        """Wait until all are at the same height and nothing more comes; that height."""
        some = self.nodes if nodes is None else nodes
        until(lambda: is_one([node.settled() for node in some]), LEVEL_SECONDS, self._told)
        return some[0].height()

    def _told(self) -> str:
        """Where all stand, and the last words of each."""
        lines = [
            f"{node.folder.name} at {node.height()}, live {node.is_live()}" for node in self.nodes
        ]
        lines += [node.log.read_text("utf-8", "replace")[-1_500:] for node in self.nodes]
        return "\n".join(lines)

    # --- afterwards

    def histories(self) -> list[list[Entry]]:
        """All logs, the nodes being stopped; compared entry by entry."""
        logs = [node.entries(self.genesis) for node in self.nodes]
        longest = max(logs, key=len)
        for log, node in zip(logs, self.nodes, strict=True):
            assert log == longest[: len(log)], f"{node.folder.name} has another history: a fork"
        ids = [
            receipt.transaction_id
            for entry in longest
            for receipt in entry.receipts
            if receipt.transaction_id is not None
        ]
        assert len(ids) == len(set(ids)), "a transaction was decided twice"
        return logs


def genesis_of(identities: Sequence[Identity]) -> Genesis:
    """A till of these validators, from now on."""
    records = [
        *(Purse(party=each, currency="CNY", amount_minor=10**10) for each in PARTIES),
        *(
            Validator(public_key=each.validator_key, member=f"m{number}", power=POWER)
            for number, each in enumerate(identities)
        ),
        Consensus(
            name=CONSENSUS,
            block_bytes=4_194_304,
            block_transactions=5_000,
            evidence_blocks=100_000,
            evidence_ms=172_800_000,
        ),
    ]
    return till_genesis(
        time_ms=time.time_ns() // 1_000_000,
        node_key=None,
        apps=tuple(AppVersion(app=app.name, version=1) for app in APPS),
        records=tuple(encode(each) for each in records),
    )


@contextmanager
def running(folder: Path, **engine: object) -> Iterator[TillNet]:
    """A network that is live, and gone afterwards."""
    with TillNet(folder, **engine) as net:  # type: ignore[arg-type]
        net.start()
        yield net


def until(
    condition: Callable[[], bool],
    seconds: float,
    told: Callable[[], str] = lambda: "",
    *,
    pause: float = LOOK_SECONDS,
) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"it never became so\n{told()}")
        time.sleep(pause)


def still(look: Callable[[], list[int]]) -> list[int]:
    """What is seen, once it has been the same for a second."""
    seen: list[list[int]] = []

    def is_still() -> bool:
        seen.append(look())
        return len(seen) > 1 and seen[-1] == seen[-2]

    until(is_still, LEVEL_SECONDS, pause=1.0)
    return seen[-1]


def is_one(heights: Sequence[int]) -> bool:
    """Whether all are the same, and none is 0."""
    return len(set(heights)) == 1 and heights[0] > 0


def wait_gone(pid: int) -> None:
    """Wait until a process is gone."""

    def is_gone() -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            return True

    until(is_gone, UP_SECONDS)
