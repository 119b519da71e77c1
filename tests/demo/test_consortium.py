"""`make consortium` as a user runs it: four CometBFT and four Tallystick processes, one outcome."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.network.network import Network

pytestmark = [pytest.mark.consortium, pytest.mark.timeout(300)]


def test_the_story_on_four_validators(tmp_path: Path) -> None:
    """The second financing is refused, the cents add up, and four logs are one."""
    data = tmp_path / "n"
    command = [sys.executable, "-m", "tallystick.demo.consortium", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "documents 15 DFIN" in done.stdout
    assert "│ all                   │ 3,788,000.00 │ 3,788,000.00 │" in done.stdout
    heights = {int(found) for found in re.findall(r"node\d: (\d+) blocks", done.stdout)}
    assert min(heights) > 80
    assert f"the same, byte for byte, up to block {min(heights)}" in done.stdout
    assert re.search(r"Audit of node1: .* all is well\.", done.stdout)
    assert "blocks through the embedded engine: the same receipts and roots." in done.stdout
    network = Network.open(data)
    assert network.supervisor is None
    assert all(node.process is None for node in network.nodes)
