"""A till's node of a consortium as a process: `python -m tests.consortium.till_node DATA`."""

from __future__ import annotations

import logging
import resource
import sys
from pathlib import Path

from tallystick.errors import TallystickError
from tallystick.node import Node
from tests.sim.council import APP as COUNCIL
from tests.till import APP as TILL
from tests.till.people import PEOPLE

APPS = (TILL, COUNCIL)


def main(folder: Path, file_bytes: int) -> int:
    """Run until told to stop; a limit on the size of files is a disk that is full."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    if file_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, resource.RLIM_INFINITY))
    try:
        Node.open(folder, apps=APPS, authority=PEOPLE).run(ready=lambda: print("ready", flush=True))
    except TallystickError as problem:
        print(problem, file=sys.stderr)
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0))
