"""Huge pages for what a node keeps in memory.

With many accounts almost every record of a transaction is in no cache of the processor, and with
pages of 4 kB not even where it lies is known: each look walks through tables that are in memory
themselves. With pages of 2 MB that is known again, and the same rules run a quarter to a third
faster. Where the system gives huge pages to who asks (`madvise`, usual), a thread asks for them,
2 MB after the other, and again when the process has grown. What is mostly empty is left alone.
"""

from __future__ import annotations

import ctypes
import errno
import logging
import mmap
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

log = logging.getLogger(__name__)

ENABLED = Path("/sys/kernel/mm/transparent_hugepage/enabled")
"""What the system says of huge pages: `always [madvise] never`."""
MAPS = Path("/proc/self/maps")
"""Ranges of this process's memory."""
PRESENT = Path("/proc/self/pagemap")
"""Eight bytes for each page of this process: whether it is there."""
HELD = Path("/proc/self/statm")
"""Pages that this process holds."""

HUGE = 2 * 1024 * 1024
"""Bytes of a huge page."""
PAGE = 4096
"""Bytes of a usual page; on systems with others nothing is done."""
COLLAPSE = 25
"""MADV_COLLAPSE (Linux 6.1): put these pages into a huge one, now."""
FULL_MIN = HUGE // PAGE // 2
"""Pages of a huge one that must be there, so that memory does not grow by what nobody uses."""
LOOK_SECONDS = 2.0
"""How often the thread looks whether the process has grown."""
PAUSE_SECONDS = 0.01
"""How long it waits after each huge page: others want the processor and the tables of pages."""
GROWN_BYTES = 8 * 1024 * 1024
"""By how much a process has to change in size before its memory is gone through again."""
AGAIN = 30
"""Looks after which all is asked for again: what was let go of and taken anew has usual pages."""
NONE_FREE = 8
"""How often the system may have no memory for a huge page before it is left in peace for now."""
NOT_THERE = bytes(range(128))
"""Last bytes of the eight that say that a page is not there."""


class HugePages:
    """Asks for huge pages for this process's memory."""

    def __init__(self, enabled: Path = ENABLED) -> None:
        """Find out whether the system gives any; `enabled` is the file that says so."""
        self._madvise = _madvise() if _is_offered(enabled) else None
        self._held = 0
        self._looks = 0
        self._huge: set[int] = set()
        self._is_over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_offered(self) -> bool:
        """Whether the system gives huge pages, as far as is known."""
        return self._madvise is not None

    def start(self, cores: set[int] | None = None) -> None:
        """Go on asking, on a thread of its own, until `stop`; `cores` are where it may run."""
        if self.is_offered:
            self._thread = threading.Thread(target=self._run, args=(cores,), name="pages")
            self._thread.start()

    def stop(self) -> None:
        """Ask no more, and wait for the thread."""
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    def look(self, pause_seconds: float = 0.0) -> int:
        """Ask for what is new, if this process has grown since the last look; how many it got."""
        held = int(HELD.read_bytes().split()[1]) * PAGE if self.is_offered else 0
        if abs(held - self._held) < GROWN_BYTES:
            return 0
        self._held = held
        if self._looks % AGAIN == 0:
            self._huge.clear()
        self._looks += 1
        answers: Counter[int] = Counter()
        for begin in _worth_it(self._huge):
            if self._is_over.is_set() or answers[errno.ENOMEM] == NONE_FREE:
                break
            answer = self._ask(begin)
            answers[answer] += 1
            if not answer:
                self._huge.add(begin)
            self._is_over.wait(pause_seconds)
        if set(answers) == {errno.EINVAL}:
            self._madvise = None
            log.debug("no huge pages: this system knows no order to make them")
        return answers[0]

    def _ask(self, begin: int) -> int:
        """Have a huge page made of what is here; 0, or the number of the error."""
        if self._madvise is None or not self._madvise(begin, HUGE, COLLAPSE):
            return 0
        return ctypes.get_errno()

    def _run(self, cores: set[int] | None) -> None:
        """Look, and look again."""
        if cores:
            os.sched_setaffinity(0, cores)
        while self.is_offered:
            count = self.look(PAUSE_SECONDS)
            if count:
                log.debug("%d MB more are in huge pages", count * HUGE >> 20)
            if self._is_over.wait(LOOK_SECONDS):
                break


def _madvise() -> Callable[[int, int, int], int]:
    """The system's `madvise`; Python's lock is released while it works."""
    found = ctypes.CDLL(None, use_errno=True).madvise
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return cast("Callable[[int, int, int], int]", found)


def _is_offered(enabled: Path) -> bool:
    """Whether the system gives huge pages to who asks; `never` is its operator's wish."""
    try:
        return mmap.PAGESIZE == PAGE and "[never]" not in enabled.read_text()
    except OSError:  # not Linux, or built without
        return False


def _worth_it(known: set[int]) -> list[int]:
    """Addresses, but for those known, at which a huge page would be filled by half at least."""
    with PRESENT.open("rb", buffering=0) as present:
        return [
            begin
            for begin in _places()
            if begin not in known and _pages_there(present.fileno(), begin) >= FULL_MIN
        ]


def _places() -> Iterator[int]:
    """Addresses at which a huge page could begin, in memory that no file stands behind."""
    for line in MAPS.read_text().splitlines():
        limits, rights, _, _, inode, *name = line.split(maxsplit=5)
        if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
            low, high = (int(limit, 16) for limit in limits.split("-"))
            yield from range(-(-low // HUGE) * HUGE, high - HUGE + 1, HUGE)


def _pages_there(present: int, begin: int) -> int:
    """How many pages of a range are there. The highest bit of each page's eight bytes says it."""
    pages = os.pread(present, HUGE // PAGE * 8, begin // PAGE * 8)
    return len(pages[7::8].translate(None, NOT_THERE))
