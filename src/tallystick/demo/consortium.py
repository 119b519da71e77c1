"""`python -m tallystick.demo.consortium`: what `make consortium` calls.

The story of `make run` on four validators: four CometBFT and four Tallystick processes, every
institution through the gateway of its own node. In the end the four logs are compared block by
block, one of them is audited, and its blocks are executed again through the embedded engine.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from rich.console import Console

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.founding import first_records, supervised
from tallystick.audit import audit
from tallystick.catalogue import Catalogue
from tallystick.demo.cast import INSTITUTIONS, founder
from tallystick.demo.nodestage import NodeStage
from tallystick.demo.opening import CALENDAR
from tallystick.demo.play import OPENS
from tallystick.demo.quorum import QuorumStage
from tallystick.demo.run import EXAMPLES, INTERRUPTED, FounderKeys
from tallystick.demo.stage import StageProblem
from tallystick.demo.story import tell
from tallystick.demo.tell import Teller
from tallystick.engine.chain import Chain
from tallystick.engine.cometbft.install import install
from tallystick.engine.folder import BLOCKS, read_genesis
from tallystick.engine.replay import replay
from tallystick.errors import TallystickError
from tallystick.formats.calendars import CN_ZONE_MINUTES
from tallystick.ledger.block import Entry
from tallystick.ledger.execute import Ledger
from tallystick.ledger.system import Validator
from tallystick.network.network import Network
from tallystick.node import Beginning
from tallystick.settings import EngineSettings
from tallystick.store.check import check
from tallystick.store.disk import OsDisk
from tallystick.store.log import FileLog
from tallystick.store.memory import MemoryStore
from tallystick.values.codec import decode
from tallystick.values.time import at

VALIDATORS = 4
TIMEOUT_COMMIT_MS = 20
"""All validators are on one machine: nobody's vote is late."""
MARK = "demonstration"
"""File in the folder of a network that a later demonstration may replace."""


def main(arguments: list[str] | None = None) -> int:
    """Play the story; the exit code says whether it went as told and all nodes agree."""
    parser = argparse.ArgumentParser(prog="tallystick.demo.consortium", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".consortium"), help="network's folder")
    parser.add_argument("--invoices", type=Path, default=EXAMPLES, help="a folder of UBL invoices")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    try:
        return run(asked.data, asked.invoices, Teller(console))
    except KeyboardInterrupt:
        print("\ninterrupted: the network has stopped; its data is whole", file=sys.stderr)
        return INTERRUPTED
    except StageProblem as problem:
        print(f"the story stopped: {problem}", file=sys.stderr)
        return 1
    except TallystickError as problem:
        print(str(problem), file=sys.stderr)
        return problem.exit_code


def run(data: Path, invoices: Path, teller: Teller) -> int:
    """Install the engine, make the network, play on it, compare what it left."""
    started = time.monotonic()
    teller.say(f"Engine: {install(say=teller.say)}")
    network = make(data)
    with network:
        founders = INSTITUTIONS[:VALIDATORS]
        for node, player in zip(network.nodes, founders, strict=True):
            where = node.settings.engine.p2p
            teller.say(f"{node.name}: {player.name}'s validator, for other engines at {where}")
        clients = [node.client() for node in network.nodes]
        stages = [NodeStage(client, network.keys, Catalogue(APPS)) for client in clients]
        stage = QuorumStage(stages, [player.party for player in founders])
        tell(stage, teller, invoices, founders=VALIDATORS)
        for each in stages:
            each.wait_for(stage.height)
        for client in clients:
            client.close()
    compare(network, teller)
    is_well = audited(network, teller)
    replayed(network, teller)
    teller.say(f"Time {time.monotonic() - started:.1f} s")
    teller.act("Three commands to try next; the network has stopped")
    teller.line(f"   .venv/bin/tally network up --data {data}")
    teller.line(f"   .venv/bin/tally network status --data {data}")
    teller.line(f"   .venv/bin/tally network down --data {data}")
    return 0 if is_well else 1


def make(data: Path) -> Network:
    """The network's folder: four founders, each with a validator; a trial clock as in the story."""
    if (data / MARK).exists():
        Network.open(data).stop()
        shutil.rmtree(data)
    keys = FounderKeys()
    opens_at_ms = at(*OPENS, CN_ZONE_MINUTES)
    founders = [founder(player, keys) for player in INSTITUTIONS[:VALIDATORS]]

    def begin(validators: tuple[Validator, ...]) -> Beginning:
        calendar = replace(CALENDAR, years={})
        founding = supervised(founders, calendar, validators=validators)
        records = first_records(APPS, founding, opens_at_ms)
        return Beginning("consortium", records, opens_at_ms, trial=True)

    network = Network.make(
        data,
        [player.party for player in INSTITUTIONS[:VALIDATORS]],
        begin,
        validators=VALIDATORS,
        engine=EngineSettings(kind="cometbft", timeout_commit_ms=TIMEOUT_COMMIT_MS),
        keep=keys.store_in,
    )
    (data / MARK).touch()
    return network


def compare(network: Network, teller: Teller) -> None:
    """Every block that two nodes have is the same block, with the same receipts and root."""
    teller.act("Four logs, block by block")
    genesis = read_genesis(network.nodes[0].folder, APPS)
    logs = [check(OsDisk(), str(node.folder / BLOCKS), genesis.hash) for node in network.nodes]
    for node, found in zip(network.nodes, logs, strict=True):
        teller.say(f"{node.name}: {found.height} blocks")
    for entries in zip_longest(*[found.log.entries(1) for found in logs]):
        here = [raw for each in entries if each is not None for raw in [each[1]]]
        if any(raw != here[0] for raw in here):
            raise StageProblem(f"the nodes differ at block {_height(entries)}")
    height = min(found.height for found in logs)
    teller.say(f"All of them are the same, byte for byte, up to block {height}.")


def _height(entries: Sequence[tuple[int, bytes] | None]) -> int:
    """Height of the entries of one block."""
    return next(each[0] for each in entries if each is not None)


def audited(network: Network, teller: Teller) -> bool:
    """Execute one node's log again from the genesis; every receipt, root and invariant."""
    report = audit(network.nodes[0].folder, APPS, AUTHORITY)
    teller.say(
        f"Audit of {network.nodes[0].name}: {report.height} blocks, {report.transactions}"
        f" transactions, {report.invariants_checked} invariants checked:"
        f" {'all is well' if report.ok else 'NOT OK: ' + '; '.join(report.problems)}."
    )
    return report.ok


def replayed(network: Network, teller: Teller) -> None:
    """The same blocks through the embedded engine's own path."""
    genesis = read_genesis(network.nodes[0].folder, APPS)
    found = check(OsDisk(), str(network.nodes[0].folder / BLOCKS), genesis.hash)
    with tempfile.TemporaryDirectory(prefix="tallystick-replay-") as place:
        log = FileLog.open(OsDisk(), str(Path(place) / BLOCKS), genesis.hash)
        chain = Chain(Ledger(APPS, AUTHORITY, genesis), log, MemoryStore())
        try:
            blocks = replay((decode(Entry, raw) for _, raw in found.log.entries(1)), chain)
            root = chain.state.root().hex()
        finally:
            chain.close()
    teller.say(f"{blocks} blocks through the embedded engine: the same receipts and roots.")
    teller.say(f"State root {root}")


if __name__ == "__main__":
    sys.exit(main())
