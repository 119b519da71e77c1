"""`make consortium-crash N=100` kills validators under load; `make crash-matrix` plays the matrix.

The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from tests.consortium import kills
from tests.consortium.matrix import Matrix, cases
from tests.consortium.till_net import running


def main() -> int:
    """Do it, and say what came of it; 1 when anything was lost, doubled or damaged."""
    logging.basicConfig(level=logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "matrix"))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tally-") as folder:
        if wanted.what == "matrix":
            return matrix(Path(folder))
        tally = kills.run(Path(folder), wanted.kills, seed=wanted.seed, tell=True)
    print(json.dumps(asdict(tally) | {"ok": tally.ok}))
    return 0 if tally.ok else 1


def matrix(folder: Path) -> int:
    """Every point × every kind of block, on one network."""
    began, count = time.monotonic(), 0
    with running(folder, heartbeat_seconds=600) as net:
        played = Matrix(net)
        for case in cases(played.kinds):
            played.play(case)
            count += 1
            print(f"{count}: {case.kind}, {case.point}", flush=True)
        net.stop()
        logs = net.histories()
    seconds = round(time.monotonic() - began, 1)
    is_level = len({len(log) for log in logs}) == 1
    told = {"cases": count, "blocks": len(logs[0]), "seconds": seconds, "ok": is_level}
    print(json.dumps(told))
    return 0 if is_level else 1


if __name__ == "__main__":
    sys.exit(main())
