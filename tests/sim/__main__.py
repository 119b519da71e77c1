"""`make sim SEEDS=1000` plays many seeds, `make sim SEED=123` one, and shows what happened.

The last line is JSON. A seed that breaks is printed with the last steps before it broke; playing it
alone shows the same steps again.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.sim.runs import Outcome, run

TAIL = 40
"""Steps that are shown of a run that broke."""
CHUNK = 10


def main() -> int:
    """Play, and say what came of it; 1 when a seed broke."""
    logging.disable(logging.CRITICAL)  # halts and faults are what is played here
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--jobs", type=int, default=1)
    wanted = parser.parse_args()
    if wanted.seed is not None:
        return one(wanted.seed)
    began = time.monotonic()
    broken: list[int] = []
    blocks = final = played = 0
    for outcome in outcomes(range(wanted.first, wanted.first + wanted.seeds), wanted.jobs):
        played, blocks, final = played + 1, blocks + outcome.blocks, final + outcome.final
        if outcome.problem:
            broken.append(outcome.seed)
            tell(outcome)
        if played % 100 == 0:
            print(f"{played} seeds, {blocks} blocks, {final} transactions", flush=True)
    seconds = round(time.monotonic() - began, 1)
    told = {"seeds": played, "blocks": blocks, "transactions": final, "seconds": seconds}
    print(json.dumps(told | {"broken": broken, "ok": not broken}))
    return 1 if broken else 0


def outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """Runs of many seeds, in order, over so many processes."""
    if jobs <= 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run, seeds, chunksize=CHUNK)


def one(seed: int) -> int:
    """Play one seed and show all of it."""
    outcome = run(seed)
    print("\n".join(outcome.trace.lines))
    print(
        f"seed {seed}: {outcome.blocks} blocks, {outcome.final} transactions,"
        f" trace {outcome.trace.digest()[:16]}"
    )
    print(outcome.problem or "nothing broke")
    return 1 if outcome.problem else 0


def tell(outcome: Outcome) -> None:
    """A run that broke: where, and how to see it again."""
    print(outcome.trace.tail(TAIL))
    print(f"seed {outcome.seed}: {outcome.problem}")
    print(f"  again: make sim SEED={outcome.seed}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
