"""`make parity N=200000`: every application at random, under the Python body and the native one.

Each run is played on a chain under the first body: random transactions, good and bad, in blocks of
one to forty, with time passing between. A chain under the other body is told the same from the
genesis on, and each block is executed there before the one ahead of it is kept, as a node does.
What the door says, blocks (receipts, changes, roots, headers), answers and stores are compared, and
the second chain starts anew from what it has kept after each third of a run.
The last line is JSON; exit status 1 when the bodies differ.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

from tallystick.accel import load
from tests.parity.plays import PLAYS
from tests.parity.runs import RUN_TRANSACTIONS, Played, Run

Task = tuple[str, int, int, int, str, str]
"""Application, seed, number of the run, transactions, both bodies."""

body = cache(load)


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, compare, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=200, help="of each application")
    parser.add_argument("--apps", nargs="*", default=list(PLAYS), choices=list(PLAYS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--bodies", nargs=2, default=["python", "native"])
    wanted = parser.parse_args(arguments)
    began = time.monotonic()
    one, other = wanted.bodies
    told: dict[str, Any] = {}
    for app in wanted.apps:
        tasks = [
            (app, wanted.seed, number, count, one, other)
            for number, count in enumerate(runs_of(wanted.transactions))
        ]
        played = Played()
        for each in played_in(tasks, wanted.jobs):
            played.add(each)
        told[app] = summary(played)
        seconds = time.monotonic() - began
        print(f"{app}: {played.transactions} transactions compared, {seconds:.0f} s", flush=True)
    is_same = not any(each["differences"] for each in told.values())
    transactions = sum(each["transactions"] for each in told.values())
    whole = {"bodies": [one, other], "seed": wanted.seed, "transactions": transactions}
    seconds = round(time.monotonic() - began, 1)
    print(json.dumps(whole | {"seconds": seconds, "apps": told, "ok": is_same}))
    return 0 if is_same else 1


def runs_of(transactions: int) -> Iterator[int]:
    """Transactions of each run."""
    while transactions > 0:
        yield min(transactions, RUN_TRANSACTIONS)
        transactions -= RUN_TRANSACTIONS


def played_in(tasks: Sequence[Task], jobs: int) -> Iterator[Played]:
    """What came of each run, over so many processes."""
    if jobs <= 1:
        yield from map(play, tasks)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(play, tasks, chunksize=4)


def play(task: Task) -> Played:
    """One run."""
    app, seed, number, transactions, one, other = task
    return Run(app, seed, number, (body(one), body(other))).play(transactions)


def summary(played: Played) -> dict[str, Any]:
    """What is told of an application."""
    messages: dict[str, dict[str, int]] = {}
    for (name, outcome), count in sorted(played.messages.items()):
        messages.setdefault(name, {})[outcome] = count
    outcomes: Counter[str] = Counter()
    for (_, outcome), count in played.messages.items():
        outcomes[outcome] += count
    return {
        "transactions": played.transactions,
        "blocks": played.blocks,
        "outcomes": dict(outcomes),
        "messages": messages,
        "refusals": dict(played.refusals.most_common()),
        "differences": played.differences,
    }


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # bugs of rules are played here too
    sys.exit(main())
