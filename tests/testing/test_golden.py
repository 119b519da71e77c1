"""Worked cases give the same golden text in every process, whatever its hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.testing.case_file import read_file
from tallystick.testing.cases import CaseRun
from tallystick.testing.golden import golden_of

ROOT = Path(__file__).parents[2]
CASES = [ROOT / "examples" / "worked" / name for name in ("2-registry.case", "7-recourse.case")]

SCRIPT = """
import sys
from pathlib import Path
from tests.testing.test_golden import golden

sys.stdout.write("".join(golden(Path(name)) for name in sys.argv[1:]))
"""


def golden(path: Path) -> str:
    """The golden text of a case file."""
    run = CaseRun(read_file(path))
    run.run()
    return golden_of(run)


@pytest.fixture(scope="module")
def expected() -> str:
    return "".join(golden(path) for path in CASES)


@pytest.mark.parametrize("hash_seed", (0, 1, 42, 1_000_003, 4_294_967_295))
def test_the_same_under_every_hash_seed(hash_seed: int, expected: str) -> None:
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT, *map(str, CASES)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert made == expected
