"""Where a node's threads run: Python's on one core, work beside Python on the others.

Python's threads share one lock: no two of them run at once, on however many cores. Spread over
several they fetch from each other's caches what a single core would have at hand, and that costs
more than the second core gives. So they are kept on one, and the native body does its work (checks
of signatures, the tree, hashes) on threads of its own beside them.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress

from tallystick.accel import Body
from tallystick.errors import SettingsError
from tallystick.settings import PythonCore
from tallystick.store.elsewhere import available

log = logging.getLogger(__name__)

WORKERS_MAX = 4
"""Threads for work beside Python at most: more of them would wait for Python."""


def settle(body: Body, wanted: PythonCore) -> int | None:
    """Keep the threads that run, and those that they start, on one core; which one.

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
    for thread in threading.enumerate():
        if thread.native_id is not None:
            with suppress(ProcessLookupError):  # it has ended meanwhile
                os.sched_setaffinity(thread.native_id, {core})
    log.debug("Python runs on core %d, the native body where there is room", core)
    return core
