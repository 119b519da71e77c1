"""The whole story on a node that asks both bodies, then replayed by each alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tallystick.apps import APPS, AUTHORITY
from tallystick.audit import audit


def test_the_story_comes_out_the_same_under_either_body(tmp_path: Path) -> None:
    """Signatures, envelopes, roots and proofs are compared as it is played.

    An audit computes all receipts and roots anew and compares them with the log.
    """
    data = tmp_path / "story"
    done = subprocess.run(
        [sys.executable, "-m", "tallystick.demo", "--data", str(data)],
        env=os.environ | {"TALLY_ACCEL": "both"},
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    python, native = (audit(data, APPS, AUTHORITY, accel=each) for each in ("python", "native"))
    assert python.ok, python.problems
    assert native.ok, native.problems
    assert python.height > 80
    assert (python.height, python.state_root) == (native.height, native.state_root)
