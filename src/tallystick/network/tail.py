"""The end of log files, and what is added to them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

LOOK_SECONDS = 0.2
BLOCK_BYTES = 65_536


def last_lines(path: Path, count: int) -> list[str]:
    """The last lines of a file; none when there is no such file. Reads only its end."""
    try:
        with path.open("rb") as file:
            at = file.seek(0, 2)
            raw = b""
            while at and raw.count(b"\n") <= count:
                step = min(BLOCK_BYTES, at)
                at = file.seek(at - step)
                raw = file.read(step) + raw
                file.seek(at)
    except FileNotFoundError:
        return []
    return raw.decode(errors="replace").splitlines()[-count:] if count > 0 else []


def follow(paths: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """Lines as they are added from now on, with the name of their file; never ends."""
    return _added(paths, {name: _size(path) for name, path in paths.items()})


def _added(paths: Mapping[str, Path], places: dict[str, int]) -> Iterator[tuple[str, str]]:
    """Lines after a place in each file."""
    rests = dict.fromkeys(paths, b"")
    while True:
        for name, path in paths.items():
            if _size(path) < places[name]:
                places[name] = 0
            try:
                with path.open("rb") as file:
                    file.seek(places[name])
                    added = file.read()
            except FileNotFoundError:
                continue
            places[name] += len(added)
            *lines, rests[name] = (rests[name] + added).split(b"\n")
            for line in lines:
                yield name, line.decode(errors="replace")
        time.sleep(LOOK_SECONDS)


def _size(path: Path) -> int:
    """Length of a file; 0 when there is none."""
    return path.stat().st_size if path.exists() else 0
