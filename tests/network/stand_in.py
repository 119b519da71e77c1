"""Stands for `tally node` where only processes matter: does what its file `behave` says.

sleep   stop in order when asked
crash   end at once
halt    end as a node does that must not go on
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from tallystick.errors import Halted
from tallystick.store.disk import OsDisk


def main(folder: Path) -> int:
    """Hold the folder, with a child as a node has one."""
    told = folder / "behave"
    how = told.read_text() if told.exists() else "sleep"
    print(f"stand-in: {how}", flush=True)
    if how in ("crash", "halt"):
        return 1 if how == "crash" else Halted.exit_code
    lock = OsDisk().lock(str(folder / "lock"))
    child = subprocess.Popen(["sleep", "600"])
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    (folder / "child.new").write_text(str(child.pid))
    (folder / "child.new").rename(folder / "child")
    child.wait()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is ending already
    lock.release()
    time.sleep(0.05)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[-1])))
