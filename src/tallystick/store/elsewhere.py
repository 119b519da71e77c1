"""Off the core on which Python runs, while the system works on a block.

A node keeps its Python threads on one core (`node/cores.py`). To hash an entry, to copy it into the
system's memory and to flush it needs no Python, and takes time of that core although the lock is
released. So the thread that does it goes to another core meanwhile.
"""

import contextlib
import os
from collections.abc import Iterator

WORTH_BYTES = 128 * 1024
"""Less than this is done where the thread is: to move takes time, too."""


def available() -> set[int]:
    """Cores on which this thread may run; none where the system does not say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


@contextlib.contextmanager
def elsewhere(cores: set[int], size_bytes: int) -> Iterator[None]:
    """Work on so many bytes on some of these cores that is none of this thread's, if there is one.

    Where the system does not let the thread go, the work is done where it is.
    """
    mine = available() if size_bytes >= WORTH_BYTES else set()
    others = cores - mine
    if not mine or not others:
        yield
        return
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, mine)
