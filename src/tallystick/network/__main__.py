"""`python -m tallystick.network DIR [--lifeline PID] [-- COMMAND…]`: the supervisor of a network.

It leaves its starter behind: the first process ends once the second one has the folder.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tallystick.errors import NodeError
from tallystick.network.plan import SUPERVISOR_LOG
from tallystick.network.processes import Process
from tallystick.network.supervisor import Supervisor

log = logging.getLogger(__name__)

NODE = (sys.executable, "-m", "tallystick.cli", "node")
"""What runs a node."""
NOT_FOR_NODES = ("TALLY_LISTEN", "TALLY_SOCKET", "TALLY_PASSPHRASE_FILE")
"""Of the environment: what would be the same for all of them."""


def main() -> int:
    """Start the supervisor; returns when it has the folder, or cannot have it."""
    parser = argparse.ArgumentParser(prog="python -m tallystick.network")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lifeline", type=int)
    words, command = _parted(sys.argv[1:])
    asked = parser.parse_args(words)
    lifeline = None if asked.lifeline is None else Process.of(asked.lifeline)
    if asked.lifeline is not None and lifeline is None:
        return 0
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as told:
            said = told.read()
        print(said, end="", file=sys.stderr)
        return 1 if said else 0
    os.close(reading)
    _leave(asked.folder)
    for name in NOT_FOR_NODES:
        os.environ.pop(name, None)
    with os.fdopen(writing, "w") as starter:
        try:
            supervisor = Supervisor(asked.folder, command or NODE, lifeline)
            supervisor.run(ready=starter.close)
        except NodeError as problem:
            log.critical("%s", problem)
            if not starter.closed:
                starter.write(f"{problem}\n")
            return 1
    return 0


def _parted(words: Sequence[str]) -> tuple[Sequence[str], tuple[str, ...]]:
    """What is said before `--`, and the command after it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], tuple(words[at + 1 :])


def _leave(folder: Path) -> None:
    """A session of its own, no terminal, words into its log."""
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(folder / SUPERVISOR_LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(nothing, 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")


if __name__ == "__main__":
    raise SystemExit(main())
