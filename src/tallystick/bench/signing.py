"""Signs the pages of a workload beforehand, on all cores, into files."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from tallystick.bench.cast import Desk
from tallystick.bench.load import STREAM, Page
from tallystick.bench.paging import Made, read_pages, write_pages
from tallystick.bench.workloads import Workload

PAGES = 16
"""Pages of one file: what a process holds in memory before it writes."""


@dataclass(frozen=True)
class Signed:
    """Files of signed transactions, in order."""

    folder: Path
    """Where they are."""
    files: int
    """How many of each kind."""
    tx_bytes: int
    """Mean length of a transaction that is measured."""

    def load(self) -> Iterator[Page]:
        """What is measured."""
        return read_pages(self.folder / f"{number}.load" for number in range(self.files))

    def before(self) -> Iterator[Page]:
        """What must happen before."""
        return read_pages(self.folder / f"{number}.before" for number in range(self.files))


def sign(workload: Workload, chain_id: str, count: int, folder: Path) -> Signed:
    """Sign at least so many transactions for a chain; what is signed already stays."""
    folder.mkdir(exist_ok=True)
    first = workload.page(Desk(chain_id), 0)
    files = ceil(count / len(first.load) / PAGES)
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=spawned) as workers:
        asked = [
            workers.submit(_write, workload, chain_id, number, folder) for number in range(files)
        ]
        for done in asked:
            done.result()
    return Signed(folder, files, round(sum(map(len, first.load)) / len(first.load)))


def _write(workload: Workload, chain_id: str, number: int, folder: Path) -> None:
    """Sign the pages of one file; in a process that does nothing else."""
    desk, made = _desk(chain_id), list[Made]()
    for index in range(number * PAGES, (number + 1) * PAGES):
        made.append(workload.page(desk, index))
    requests = (request for page in made for request in requests_of(page))
    write_pages(folder / f"{number}.load", requests)
    write_pages(folder / f"{number}.before", (page.before for page in made))


def requests_of(page: Made) -> Iterator[list[bytes]]:
    """What is measured of a page, as it is sent: what one request follows from is in it."""
    for at in range(0, len(page.load), STREAM):
        yield page.load[at : at + STREAM]


_DESKS: dict[str, Desk] = {}


def _desk(chain_id: str) -> Desk:
    """Who signs for a chain in this process; keys are derived once."""
    if chain_id not in _DESKS:
        _DESKS[chain_id] = Desk(chain_id)
    return _DESKS[chain_id]
