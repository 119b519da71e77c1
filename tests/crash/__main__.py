"""`make crash N=200`: kill a node under load, restart it, audit it. The last line is JSON."""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tests.crash.harness import crash


def main() -> int:
    """Kill, and say what came of it; 1 when anything was lost, doubled or damaged."""
    logging.basicConfig(level=logging.ERROR)  # a cut tail is no news here
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tally-") as folder:
        tally = crash(wanted.kills, Path(folder), seed=wanted.seed, tell=True)
    print(json.dumps(asdict(tally) | {"ok": tally.ok}))
    return 0 if tally.ok else 1


if __name__ == "__main__":
    sys.exit(main())
