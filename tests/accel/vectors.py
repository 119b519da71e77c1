"""Vectors of `tests/vectors` in Python's terms."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path as FilePath
from typing import Any

from tallystick.accel import Path, Side

FOLDER = FilePath(__file__).parent.parent / "vectors"

Change = tuple[bytes, bytes | None]


def load_vectors(name: str) -> Any:
    """Read one file of vectors."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def hash_of(*words: object) -> bytes:
    """A hash to stand for a key or a record."""
    return sha256("/".join(map(str, words)).encode()).digest()


def read_path(given: Any) -> Path | None:
    """Read a path as `ics23_proofs.json` writes it."""
    if given is None:
        return None
    return Path(
        bytes.fromhex(given["key_hash"]),
        bytes.fromhex(given["record_hash"]),
        tuple((Side(side), bytes.fromhex(value)) for side, value in given["siblings"]),
    )


def draw(seed: int, number: int) -> bytes:
    """The random bytes that `jmt_sequences.json` is made from."""
    counter = seed.to_bytes(4, "big") + number.to_bytes(4, "big")
    return sha256(b"tallystick/jmt-sequence/1" + counter).digest()


def batches_of(seed: int) -> Iterator[list[Change]]:
    """The batches of one sequence, as the file's recipe says."""
    first = draw(seed, 0)
    pool = 1 + first[0] % 64
    shared = first[: first[1] % 32] if first[2] % 2 else b""
    keys = [shared + draw(seed, 1 + number)[len(shared) :] for number in range(pool)]
    count = 1 + first[3] % 4
    for batch in range(count):
        start = 1_000_000 + 1_000 * batch
        head = draw(seed, start)
        changes: list[Change] = []
        for number in range(1 + head[0] % 48):
            value = draw(seed, start + 1 + number)
            key = keys[int.from_bytes(value[:4], "big") % pool]
            is_deletion = value[4] % 4 < head[1] % 4
            changes.append((key, None if is_deletion else sha256(value).digest()))
        is_clearance = batch == count - 1 and first[4] % 8 == 0
        yield [(key, None) for key in keys] if is_clearance else changes
