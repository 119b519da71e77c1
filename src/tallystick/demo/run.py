"""The story from a folder that is made to an audit of what the node left in it."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from tallystick.apps import APPS, AUTHORITY
from tallystick.apps.founding import first_records, supervised
from tallystick.audit import audit
from tallystick.catalogue import Catalogue
from tallystick.client.client import Client
from tallystick.client.keys import KeyStore
from tallystick.demo.cast import INSTITUTIONS, founder
from tallystick.demo.nodestage import NodeStage
from tallystick.demo.opening import CALENDAR
from tallystick.demo.play import OPENS, Play
from tallystick.demo.proof import prove_absence
from tallystick.demo.stage import StageProblem
from tallystick.demo.story import tell
from tallystick.demo.tell import Teller
from tallystick.engine.folder import KEYS
from tallystick.errors import TallystickError
from tallystick.formats.calendars import CN_ZONE_MINUTES
from tallystick.node import Beginning, Made, Node, init
from tallystick.settings import SOCKET
from tallystick.values.time import at

EXAMPLES = Path(__file__).parents[3] / "examples" / "invoices"
"""Invoices of our own writing, read when no others are named."""
INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def main(arguments: list[str] | None = None) -> int:
    """Play the story; the exit code says whether it went as told."""
    parser = argparse.ArgumentParser(prog="tallystick.demo", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(".tally"), help="the node's folder")
    parser.add_argument("--invoices", type=Path, default=EXAMPLES, help="a folder of UBL invoices")
    asked = parser.parse_args(arguments)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    try:
        return run(asked.data, asked.invoices, console)
    except KeyboardInterrupt:
        print("\ninterrupted: the node has stopped; its data is whole", file=sys.stderr)
        return INTERRUPTED
    except StageProblem as problem:
        print(f"the story stopped: {problem}", file=sys.stderr)
        return 1
    except TallystickError as problem:
        print(str(problem), file=sys.stderr)
        return problem.exit_code


def run(data: Path, invoices: Path, console: Console) -> int:
    """Make the node's folder, play on the node, audit what it left."""
    started = time.monotonic()
    teller = Teller(console)
    made = make(data)
    teller.say(
        f"A node in {data}/, chain {made.genesis.chain_id}, keys sealed by a random passphrase."
    )
    with Node.open(data) as node:
        keys = made.keys
        client = Client(node.address, keys=keys)
        stage = NodeStage(client, keys, Catalogue(APPS))
        play = tell(stage, teller, invoices)
        prove_absence(play, client, made.genesis)
        client.close()
    teller.act("Audit: everything again from genesis, without the node")
    report = audit(data, APPS, AUTHORITY)
    teller.say(
        f"{report.height} blocks, {report.transactions} transactions ({report.accepted} accepted,"
        f" {report.refused} refused), {report.invariants_checked} invariants checked:"
        f" {'all is well' if report.ok else 'NOT OK'}."
    )
    teller.say(f"State root {report.state_root}")
    teller.say(f"Time {time.monotonic() - started:.1f} s")
    teller.act("Three commands to try next; the node has stopped")
    for command in next_commands(play, data):
        teller.line(f"   .venv/bin/{command}")
    return 0 if report.ok else 1


def make(data: Path) -> Made:
    """The node's folder: two founders, a trial clock that opens on 3 July 2026."""
    keys = FounderKeys()
    opens_at_ms = at(*OPENS, CN_ZONE_MINUTES)
    founders = [founder(player, keys) for player in INSTITUTIONS[:2]]
    founding = supervised(founders, replace(CALENDAR, years={}))
    records = first_records(APPS, founding, opens_at_ms)
    beginning = Beginning(
        name="demo", records=records, opens_at_ms=opens_at_ms, trial=True, demo=True
    )
    made = init(data, beginning, replace_demo=True)
    keys.store_in(made.keys)
    return made


class FounderKeys:
    """Keys of the founders, made before there is a folder to keep them in."""

    def __init__(self) -> None:
        """Begin with none."""
        self._made: dict[str, Ed25519PrivateKey] = {}

    def public_key(self, officer: str) -> bytes:
        """Public key of an officer; made when there is none yet."""
        made = self._made.setdefault(officer, Ed25519PrivateKey.generate())
        return made.public_key().public_bytes_raw()

    def store_in(self, store: KeyStore) -> None:
        """Seal them in the folder."""
        for officer, private in self._made.items():
            store.create(officer, private)


def next_commands(play: Play, data: Path) -> tuple[str, ...]:
    """Three commands to try: start the node again, read as a member, pay as another."""
    usual = data == Path(".tally")
    node = "" if usual else f"--node unix:{data / SOCKET} "
    keys = "" if usual else f"--keys {data / KEYS} "
    claim = play.second or play.first
    if claim is None:
        return (f"tally node --data {data} &", f"tally {node}status", f"tally audit {data} --help")
    payment = f"--to {claim.debtor} --money {claim.money} --amount 1.00"
    return (
        f"tally node --data {data} &",
        f"tally {node}receivables holders --undertaking {claim.undertaking_id}",
        f"tally {node}{keys}--as {claim.supplier}.maker+checker cash transfer {payment}",
    )
