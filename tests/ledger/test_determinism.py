"""The same blocks give the same receipts and roots, under any hash seed, wherever redone from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ledger.played import OLDER, golden, played

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).with_name("played.golden")


def in_another_process(hash_seed: int, *options: str) -> str:
    """What the story prints there."""
    return subprocess.run(
        [sys.executable, "-m", "tests.ledger.played", *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_golden_receipts() -> None:
    """Changed on purpose? `python -m tests.ledger.played > tests/ledger/played.golden`."""
    world, older = played()
    assert golden(world) == GOLDEN.read_text(encoding="utf-8")
    assert older.height() == OLDER


@pytest.mark.parametrize("hash_seed", (0, 1, 42, 1_000_003, 4_294_967_295))
def test_under_every_hash_seed(hash_seed: int) -> None:
    options = ["--redo"] if hash_seed % 2 else []
    assert in_another_process(hash_seed, *options) == GOLDEN.read_text(encoding="utf-8")


def test_redone_from_the_log_alone_and_from_an_older_store() -> None:
    world, older = played()
    root = world.chain.state.root()
    world.store = older
    world.restarts()
    assert world.chain.state.root() == root
    twin = world.copy()
    assert twin.chain.state.root() == root
    assert golden(twin) == golden(world)
