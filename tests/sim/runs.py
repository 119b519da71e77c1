"""A run of a simulated consortium: made of a seed, and of nothing else."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tallystick.engine.base import Committed
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.application import Application
from tallystick.engine.cometbft.bundle import BundleCache
from tallystick.engine.cometbft.snapshots import SnapshotShelf
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
from tallystick.testing.world import chosen_body, public_key
from tallystick.values.codec import encode
from tests.sim.cash_load import SCRIPTS, CashLoad
from tests.sim.council import APP as COUNCIL
from tests.sim.load import TillLoad
from tests.sim.machine import SimulatedMachine
from tests.till import APP as TILL
from tests.till.desk import genesis
from tests.till.people import PEOPLE
from tests.till.records import Purse

VALIDATORS = 4
SNAPSHOT_EVERY = 4
SNAPSHOTS_IN = 6
"""One in so many runs has snapshots."""
CASH_IN = 5
"""One in so many runs has the applications of this release."""
PEERS = 5
"""Four validators, and a node that may be voted in."""

Published = Callable[[Committed], None]
Make = Callable[[SimulatedMachine, Chain, Published], Application]
MakeMachine = Callable[[Ledger, str], SimulatedMachine]


KEYS = tuple(public_key(f"validator-{number}") for number in range(PEERS))
"""Keys of the validators; nothing is ever signed with them here."""


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
    return Verdicts(chosen_body().open_batch)


def make_application(
    machine: SimulatedMachine,
    chain: Chain,
    published: Published,
    kind: type[Application] = Application,
) -> Application:
    """The application as a node makes it: blocks that need not be kept are pruned."""

    def retain(height: int) -> int:
        return max(0, height + 1 - machine.keep) if machine.keep else 0

    shelf = None if machine.folder is None else shelf_of(machine, chain, machine.folder)

    def after_commit(height: int) -> None:
        if shelf is not None and height % SNAPSHOT_EVERY == 0:
            shelf.take().result()
        prune(chain, retain(height))

    return kind(
        chain,
        verdicts(),
        bundles=BundleCache(chain.ledger),
        published=published,
        retain=retain,
        snapshots=shelf,
        after_commit=after_commit,
    )


def shelf_of(machine: SimulatedMachine, chain: Chain, folder: Path) -> SnapshotShelf:
    """A machine's snapshots; each is taken while the simulation waits."""
    folder.mkdir(exist_ok=True)
    shelf = SnapshotShelf(folder, chain, every=0, pause_seconds=0)
    machine.at_stop(shelf.close)
    return shelf


def prune(chain: Chain, height: int) -> None:
    """Let go of old blocks."""
    if height > chain.first_height:
        chain.prune(height)


def opened(ledger: Ledger) -> Chain:
    """A chain at its genesis on a disk of its own, as the embedded engine would have it."""
    log = FileLog.open(SimulatedDisk(), "blocks", ledger.genesis.hash)
    return Chain(ledger, log, MemoryStore(), body=chosen_body())


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
    """Play a seed to its end; some with snapshots, which are real files."""
    with TemporaryDirectory(prefix="sim-") as folder:
        home = Path(folder) if seed % SNAPSHOTS_IN == 0 else None
        return _run(seed, home, make=make, machine=machine, peers=peers)


def _run(
    seed: int, folder: Path | None, *, make: Make, machine: MakeMachine, peers: int
) -> Outcome:
    """The same, with a folder for snapshots or without any."""
    load = load_of(seed)
    ledger = load.ledger
    trace = Trace()
    begins, app_hash = founding(ledger)
    judge = Judge(ledger, app_hash)
    machines = [machine(ledger, f"{seed}/{number}") for number in range(peers)]
    machines[1].keep = 0  # somebody keeps everything for who begins anew
    for number, each in enumerate(machines):
        each.folder = None if folder is None else folder / str(number)
    made = [
        Peer(f"n{number}", KEYS[number], each, make=make, trace=trace)
        for number, each in enumerate(machines)
    ]
    for peer in made:
        peer.found(begins, judge)
    network = Network(made, judge, load, seed=seed, trace=trace)
    problem = ""
    try:
        network.run()
        end(network, judge)
    except Broken as broken:
        problem = str(broken)
    except Exception as bug:  # noqa: BLE001  whatever a run raises belongs to its seed
        problem = f"{type(bug).__name__}: {bug}"
        trace.note(traceback.format_exc())
    finally:
        for each in machines:
            each.stop(power=True)
    return Outcome(seed, trace, len(network.decided), len(judge.final), problem)


def load_of(seed: int) -> TillLoad:
    """What is sent: mostly the till's transactions, in some runs those of the cash application."""
    if seed % CASH_IN == CASH_IN - 1:
        return CashLoad(KEYS[:VALIDATORS], seed % SCRIPTS)
    return TillLoad(till_ledger(), KEYS)


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
