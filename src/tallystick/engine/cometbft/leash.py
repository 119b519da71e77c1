"""Becomes another program that the system ends when the one that started it ends.

    python -I -S leash.py PARENT PROGRAM ARGUMENT...

A node that is killed cannot stop its engine. The order to the system (prctl, Linux) is given here,
in a process of one thread, between fork and exec: with `preexec_fn` it would run in a copy of a
process of many threads. The system follows the *thread* that forked, so that must be one that
lives as long as the engine is wanted. Elsewhere than on Linux nothing is ordered: an engine whose
application is gone ends by itself.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of linux/prctl.h."""


def main(parent: int, command: list[str]) -> None:
    """Put this process on the leash, and become the program."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the order was given
        sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
