"""The stories in this folder come out as they are written."""

from pathlib import Path

import pytest

from tallystick.testing.cases import run_file


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.glob("*.case")), ids=str)
def test_case(path: Path) -> None:
    assert run_file(path)
