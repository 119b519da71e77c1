"""A till's node as a process, for tests that kill it: `python -m tests.till.process run DATA`."""

from __future__ import annotations

import logging
import resource
import sys
from pathlib import Path

from tallystick.audit import audit
from tallystick.errors import TallystickError
from tallystick.node import Beginning, Node, init
from tallystick.testing.world import private_key
from tests.till import APP
from tests.till.people import NAMES, PEOPLE
from tests.till.records import Purse

SMALL_BYTES = 200_000
"""Largest file that `run-small` may write: its disk is full after so much of a log."""
PARTIES = ("A", "B", "C")


def make(folder: Path) -> None:
    """Make a data folder whose parties have money."""
    records = tuple(Purse(party=each, currency="CNY", amount_minor=10**10) for each in PARTIES)
    made = init(folder, Beginning(name="till", records=records, demo=True), apps=[APP])
    for name in NAMES:
        made.keys.create(name, private_key(name))


def main(action: str, folder: Path) -> int:
    """Make a folder, or run its node until it is told to stop."""
    logging.basicConfig(level=logging.WARNING)
    try:
        if action == "init":
            make(folder)
        elif action == "root":
            print(audit(folder, [APP], PEOPLE).state_root)
            node = Node.open(folder, apps=[APP], authority=PEOPLE)
            print(node.engine.chain.state.root().hex())
            node.stop()
        else:
            if action == "run-small":
                resource.setrlimit(resource.RLIMIT_FSIZE, (SMALL_BYTES, resource.RLIM_INFINITY))
            node = Node.open(folder, apps=[APP], authority=PEOPLE)
            node.run(ready=lambda: print("ready", flush=True))
    except TallystickError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
