"""Pages of signed transactions: what a workload makes, and the files that hold them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tallystick.bench.load import Page
from tallystick.gateway.wire import pack_frames

HEAD = 8
"""Bytes before each page of a file: its length and its transactions, 4 bytes each, big-endian."""


@dataclass(frozen=True)
class Made:
    """One page of a workload."""

    load: list[bytes]
    """Transactions that are measured, in order."""
    before: list[bytes] = field(default_factory=list)
    """Transactions that must have happened before, in order."""


def write_pages(path: Path, pages: Iterable[list[bytes]]) -> None:
    """Write pages to a file; empty ones are left out."""
    with path.open("wb") as out:
        for page in pages:
            if page:
                body = pack_frames(page)
                out.write(len(body).to_bytes(4, "big") + len(page).to_bytes(4, "big") + body)


def read_pages(paths: Iterable[Path]) -> Iterator[Page]:
    """The pages of several files, one after the other; one page is in memory at a time."""
    for path in paths:
        with path.open("rb") as source:
            while head := source.read(HEAD):
                size, count = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")
                yield Page(source.read(size), count)
