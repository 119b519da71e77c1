"""How many records a node keeps decoded in memory."""

from __future__ import annotations

import os
from pathlib import Path

from tallystick.settings import CacheRecords

LIMIT = Path("/sys/fs/cgroup/memory.max")
"""Bytes that the group of processes may have, or `max`; not there without such groups."""
SHARE = 5
"""A machine's memory is so many times what these records may take."""
RECORD_BYTES = 1_250
"""Of a decoded record with its key and its place: as measured of a piece of a receivable.

A cash balance takes 360, a key or a leaf 430, a delivery with its terms 2,250.
"""
FEWEST = 100_000
"""Records on however small a machine."""
MOST = 4_000_000
"""Records on however large a machine: more were not measured."""


def records_in_memory(wanted: CacheRecords, limit: Path = LIMIT) -> int:
    """How many records to keep decoded, as the settings say; `limit` is the system's file."""
    if wanted != "auto":
        return wanted
    return min(max(_memory(limit) // SHARE // RECORD_BYTES, FEWEST), MOST)


def _memory(limit: Path) -> int:
    """Bytes that this process may have: the machine's, or less."""
    machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(int(limit.read_text()), machine)
    except (OSError, ValueError):
        return machine
