"""A run of a simulated consortium: made of a seed, and of nothing else."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from tallystick.accel import verify_batch
from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.bundle import BundleCache
from tallystick.engine.simulated import Broken, Judge, Network, Peer, Trace
from tallystick.engine.simulated.comet import Founding
from tallystick.engine.verdicts import Verdicts
from tallystick.ledger.app import Record
from tallystick.ledger.execute import Ledger
from tallystick.ledger.genesis import AppVersion, Genesis
from tallystick.ledger.system import CONSENSUS, Consensus, Validator
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.testing.disk import SimulatedDisk
from tallystick.values.codec import encode
from tests.sim.council import APP as COUNCIL
from tests.sim.load import TillLoad
from tests.sim.machine import SimulatedMachine
from tests.till import APP as TILL
from tests.till.desk import genesis
from tests.till.people import PEOPLE
from tests.till.records import Purse

VALIDATORS = 4
PEERS = 5
"""Four validators, and a node that may be voted in."""

Published = Callable[[Committed], None]
Make = Callable[[SimulatedMachine, Chain, Published], Application]
MakeMachine = Callable[[Ledger, str], SimulatedMachine]


def validator_key(number: int) -> bytes:
    """Key of a validator; nothing is ever signed with it here."""
    return hashlib.sha256(f"validator {number}".encode()).digest()


KEYS = tuple(validator_key(number) for number in range(PEERS))


def first_records() -> tuple[Record, ...]:
    """Purses, validators, limits."""
    purses = [Purse(party=each, currency="CNY", amount_minor=1_000) for each in ("A", "B")]
    seats = [
        Validator(public_key=KEYS[number], member=f"m{number}", power=10)
        for number in range(VALIDATORS)
    ]
    limits = Consensus(
        name=CONSENSUS,
        block_bytes=1_048_576,
        block_transactions=20,
        evidence_blocks=100_000,
        evidence_ms=172_800_000,
    )
    return (*purses, *seats, limits)


@cache
def till_ledger() -> Ledger:
    """The till and the council on a chain of four validators."""
    versions = tuple(AppVersion(app=app.name, version=1) for app in (TILL, COUNCIL))
    records = tuple(encode(each) for each in first_records())
    begins: Genesis = genesis(node_key=None, apps=versions, records=records)
    return Ledger([TILL, COUNCIL], PEOPLE, begins)


@cache
def verdicts() -> Verdicts:
    """Signatures are checked once for all nodes of all runs: a verdict depends on bytes alone."""
    return Verdicts(verify_batch)


def make_application(
    machine: SimulatedMachine,
    chain: Chain,
    published: Published,
    kind: type[Application] = Application,
) -> Application:
    """The application as a node makes it: blocks that need not be kept are pruned."""

    def retain(height: int) -> int:
        return max(0, height + 1 - machine.keep) if machine.keep else 0

    return kind(
        chain,
        verdicts(),
        bundles=BundleCache(chain.ledger),
        published=published,
        retain=retain,
        after_commit=lambda height: prune(chain, retain(height)),
    )


def prune(chain: Chain, height: int) -> None:
    """Let go of old blocks."""
    if height > chain.first_height:
        chain.prune(height)


def opened(ledger: Ledger) -> Chain:
    """A chain at its genesis on a disk of its own, as the embedded engine would have it."""
    log = FileLog.open(SimulatedDisk(), "blocks", ledger.genesis.hash)
    return Chain(ledger, log, MemoryStore())


@cache
def founding(ledger: Ledger) -> tuple[Founding, bytes]:
    """What CometBFT's genesis file says, and the app hash after it."""
    chain = opened(ledger)
    return Founding.of(chain), chain.app_hash()


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    seed: int
    """The seed."""
    trace: Trace
    """What happened."""
    blocks: int
    """Blocks decided."""
    final: int
    """Transactions decided for good."""
    problem: str
    """What broke; empty when nothing did."""


def run(
    seed: int,
    *,
    make: Make = make_application,
    machine: MakeMachine = SimulatedMachine,
    peers: int = PEERS,
) -> Outcome:
    """Play a seed to its end."""
    ledger = till_ledger()
    trace = Trace()
    begins, app_hash = founding(ledger)
    judge = Judge(ledger, app_hash)
    made = [
        Peer(f"n{n}", KEYS[n], machine(ledger, f"{seed}/{n}"), make=make, trace=trace)
        for n in range(peers)
    ]
    archive = made[1].machine
    archive.keep = 0  # type: ignore[attr-defined]  # somebody keeps everything for who begins anew
    for peer in made:
        peer.found(begins, judge)
    network = Network(made, judge, TillLoad(ledger, KEYS), seed=seed, trace=trace)
    problem = ""
    try:
        network.run()
        end(network, judge)
    except Broken as broken:
        problem = str(broken)
    except Exception as bug:  # noqa: BLE001  whatever a run raises belongs to its seed
        problem = f"{type(bug).__name__}: {bug}"
        trace.note(traceback.format_exc())
    return Outcome(seed, trace, len(network.decided), len(judge.final), problem)


def end(network: Network, judge: Judge) -> None:
    """Everything once more: replayed through the embedded engine, and after a last power cut."""
    judge.ended([peer.chain for peer in network.peers], opened(judge.ledger))
    for peer in network.peers:
        peer.crash(power=False)
        peer.start()
        peer.finish()
        if peer.chain.app_hash() != judge.app_hashes[len(judge.entries)]:
            raise Broken(f"{peer.name} comes back with another app hash")


def seeds(first: int, count: int) -> Sequence[int]:
    """Numbers of runs."""
    return range(first, first + count)
