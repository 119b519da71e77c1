"""Where a node's threads run: Python's on one core, work beside Python on the others.

Python's threads share one lock: no two of them run at once, on however many cores. Spread over
several they fetch from each other's caches what a single core would have at hand, and that costs
more than the second core gives. So they are kept on one, and threads that need no Python (checks
of signatures, the tree, the store's files) are kept off it: there they would make the whole node
wait, and leave less of what it knows in that core's cache.

Beside the checks of signatures, for which blocks wait, a store's files are written by idle threads
(`SCHED_IDLE`): they take what is left of a core, and whoever else wakes interrupts them at once.
Niceness alone would give them less, and still let them finish turns of milliseconds.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from pathlib import Path

from tallystick.accel import Body
from tallystick.errors import SettingsError
from tallystick.settings import PythonCore
from tallystick.store.elsewhere import available

log = logging.getLogger(__name__)

WORKERS_MAX = 4
"""Threads for work beside Python at most: more of them would wait for Python."""
TASKS = Path("/proc/self/task")
"""The threads of this process, where the system lets one choose their cores: Linux."""
STORE = "store-"
"""What the names of threads begin with that write a store's files: no block waits for them."""


def settle(body: Body, wanted: PythonCore) -> int | None:
    """Keep Python's threads, and those that they start, on one core, others off it; which one.

    For a process of the node's own. None, and all is left to the system: where there is one core
    alone, where the system does not let a process choose, and where the body has no threads of its
    own. `SettingsError` for a core that is not there.
    """
    cores = sorted(available())
    if isinstance(wanted, int) and wanted not in cores:
        raise SettingsError("python_core", f"core {wanted} is none of this node's: {cores}")
    if wanted == "any" or len(cores) < 2:
        return None
    if not body.start_workers(min(len(cores) - 1, WORKERS_MAX)):
        return None
    core = wanted if isinstance(wanted, int) else cores[os.getpid() % len(cores)]
    of_python = {thread.native_id for thread in threading.enumerate()}
    for task in TASKS.iterdir():
        number = int(task.name)
        with suppress(ProcessLookupError, FileNotFoundError):  # it has ended meanwhile
            os.sched_setaffinity(number, {core} if number in of_python else set(cores) - {core})
            if (task / "comm").read_text().startswith(STORE):
                os.sched_setscheduler(number, os.SCHED_IDLE, os.sched_param(0))
    log.debug("Python runs on core %d, what needs none of it on others", core)
    return core
